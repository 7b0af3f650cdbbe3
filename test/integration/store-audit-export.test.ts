import { parse } from 'csv-parse/sync';
import { describe, expect, test } from 'vitest';
import { csvHeader, csvLine, jsonLine } from '../../src/cli/history-export.ts';
import type { ExportChoice, ExportLine, RecordLine } from '../../src/store/audit/export.ts';
import type { Verification } from '../../src/store/audit/verify.ts';
import { verifyExport } from '../../src/store/audit/verify-export.ts';
import { forgetRecords, hour, tamperWith, writeEventfulHistory } from '../support/eventful-history.ts';
import { morning, open, snapshotPath } from '../support/snapshots.ts';

function linesOf(path: string, choice: ExportChoice = {}): readonly ExportLine[] {
  const lines: ExportLine[] = [];
  open(path, 'read').audit.export(choice, (line) => lines.push(line));
  return lines;
}

function verifyLines(lines: readonly string[], known?: string): Verification {
  const verifier = verifyExport(known);
  for (const line of lines) if (!verifier.line(line.trimEnd())) break;
  return verifier.finish();
}

function history() {
  const path = snapshotPath();
  const runs = writeEventfulHistory(path);
  return { path, runs, lines: linesOf(path) };
}

const isRecord = (line: ExportLine): line is RecordLine => 'seq' in line;

describe('an export', () => {
  test('has every record, and after each plan its operations', () => {
    const { path, lines } = history();

    const records = lines.filter(isRecord);

    expect(records.map(({ seq }) => seq)).toEqual(records.map((_, index) => index + 1));
    expect(records.at(-1)?.hash).toBe(open(path, 'read').audit.head()?.hash);
    expect(lines.slice(0, 8).map(({ kind }) => kind)).toEqual([
      'run-started',
      'plan-made',
      ...Array.from({ length: 5 }, () => 'operation'),
      'operation-intended',
    ]);
  });

  test('shows beside an outcome what was done, from what to what', () => {
    const { lines } = history();

    const done = lines.find(({ kind }) => kind === 'operation-completed');

    expect(done).toMatchObject({
      content: { operation: 'update emp-0', outcome: { state: 'done', requestId: 'RQ1' } },
      operation: {
        kind: 'update',
        externalId: 'emp-0',
        changes: [{ attribute: 'displayName', before: 'Old Name', after: 'New Name' }],
      },
    });
  });

  test('has the operations of a refused plan as long as the plan is kept', () => {
    const { path, lines, runs } = history();
    const { database } = tamperWith(path);
    const refused = (all: readonly ExportLine[]) =>
      all.filter(({ kind, run }) => kind === 'refused-operation' && run === runs[1]).length;

    database.connection.exec('DELETE FROM refused_plans');
    const later = linesOf(path);

    expect([refused(lines), refused(later)]).toEqual([2, 0]);
    expect(verifyLines(later.map(jsonLine)).verified).toBe(true);
  });

  test('of one run begins and ends with it', () => {
    const { path, runs } = history();

    const lines = linesOf(path, { run: runs[3] });

    expect(lines.filter(isRecord).map(({ kind }) => kind)).toEqual([
      'run-started',
      'approval-used',
      'plan-made',
      'operation-intended',
      'run-lost',
    ]);
    expect(new Set(lines.map(({ run }) => run))).toEqual(new Set([runs[3], null]));
    expect(verifyLines(lines.map(jsonLine))).toMatchObject({ verified: true, runs: 1 });
    expect(open(path, 'read').audit.export({ run: 'no such run' }, () => {})).toBe(false);
  });

  test('since a time begins with the first run that started then', () => {
    const { path, runs } = history();

    const lines = linesOf(path, { since: morning + hour + 1 });

    expect(lines[0]).toMatchObject({ kind: 'run-started', run: runs[2] });
    expect(verifyLines(lines.map(jsonLine))).toMatchObject({ verified: true, runs: 3 });
    expect(linesOf(path, { since: morning + 9 * hour })).toEqual([]);
  });
});

describe('an export as CSV', () => {
  test('names in columns who did what to whom, and what came of it', () => {
    const { lines } = history();

    const rows = parse(`${csvHeader}${lines.map(csvLine).join('')}`, { columns: true }) as Record<string, string>[];

    const of = (record: string) => rows.find((row) => row.record === record);
    expect(rows).toHaveLength(lines.length);
    expect(of('run-started')).toMatchObject({ seq: '1', by: 'tdsync@sync-1', digest: 'c'.repeat(64) });
    expect(of('operation-completed')).toMatchObject({
      operation: 'update',
      externalId: 'emp-0',
      userName: 'emp-0@corp.example',
      reason: 'changed-upstream',
      changes: 'displayName: Old Name → New Name',
      outcome: 'done',
      requestId: 'RQ1',
    });
    expect(of('approval')).toMatchObject({ by: 'ada@desk-1', message: 'read it', digest: 'e'.repeat(64) });
    expect(of('ledger')).toMatchObject({ by: 'ada@desk-1', operation: 'release', externalId: 'emp-0' });
    expect(of('refused-operation')).toMatchObject({ seq: '', operation: 'update', externalId: 'emp-1' });
  });
});

describe('an exported file', () => {
  test('is proved without the snapshot', () => {
    const { lines, path } = history();

    const verification = verifyLines(lines.map(jsonLine));

    const { records, head, runs } = open(path, 'read').audit.verify();
    expect(verification).toMatchObject({ verified: true, records, head, runs, inherited: 0, removed: [] });
    expect(verifyLines(lines.map(jsonLine), head?.hash).verified).toBe(true);
    expect(verifyLines(lines.map(jsonLine), 'f'.repeat(64)).problem?.message).toContain('no record has the hash');
  });

  test('is proved when retention has left holes, and when its runs are from before the records', () => {
    const path = snapshotPath();
    for (const day of [0, 1, 2]) writeEventfulHistory(path, morning + 24 * day * hour);
    forgetRecords(path);
    const snapshot = open(path);
    for (const day of [3, 4]) writeEventfulHistory(path, morning + 24 * day * hour);
    snapshot.prune(morning + 26 * hour, morning + 120 * hour);

    const verification = verifyLines(linesOf(path).map(jsonLine));

    expect(verification).toMatchObject({ verified: true, runs: 18, inherited: 8 });
    expect(verification.removed).toHaveLength(1);
  });

  test('does not hide a line that was changed, taken out, put twice or moved', () => {
    const lines = history().lines.map(jsonLine);
    // The first and the last may be missing, because a part of the chain is proved as well.
    const optional = (i: number) => i === 0 || i === lines.length - 1;
    const variants = lines.flatMap((line, i) => {
      const [before, rest] = [lines.slice(0, i), lines.slice(i + 1)];
      const next = rest[0];
      return [
        ...changesOf(line).map(([name, changed]) => [`${i} ${name}`, [...before, changed, ...rest]] as const),
        ...(optional(i) ? [] : [[`${i} taken out`, [...before, ...rest]] as const]),
        [`${i} twice`, [...before, line, line, ...rest]] as const,
        ...(next === undefined ? [] : [[`${i} moved`, [...before, next, line, ...rest.slice(1)]] as const]),
      ];
    });

    const unnoticed = variants.filter(([, variant]) => verifyLines(variant).verified);

    expect(variants.length).toBeGreaterThan(200);
    expect(unnoticed.map(([name]) => name)).toEqual([]);
  });

  test('that is none is told by its line', () => {
    const { lines } = history();
    const [first = '', ...rest] = lines.map(jsonLine);

    expect(verifyLines([first, 'externalId,mail', ...rest]).problem?.message).toBe(
      'line 2: it is no line of an export',
    );
    expect(verifyLines([]).problem?.message).toBe('the file holds no record');
    expect(verifyLines([first, '', ...rest]).problem?.message).toContain('line 2: ');
    for (const strange of ['null', '1', '[]', '{}', '{"at":1}', '{"at":"x","kind":"operation"}']) {
      expect(verifyLines([strange]).verified).toBe(false);
    }
  });
});

/** The line with each of its members changed in turn, and without its operation. */
function changesOf(line: string): readonly (readonly [name: string, line: string])[] {
  const record = JSON.parse(line) as Record<string, unknown>;
  const changes = Object.entries(record).map(
    ([name, value]) => [name, { ...record, [name]: changed(name, value) }] as const,
  );
  const { operation, ...rest } = record;
  const without = operation === undefined ? [] : [['no operation', rest] as const];
  return [...changes, ...without].map(([name, value]) => [name, `${JSON.stringify(value)}\n`]);
}

function changed(name: string, value: unknown): unknown {
  if (name === 'at') return '2020-01-01T00:00:00.000Z';
  if (typeof value === 'number') return value + 100;
  return typeof value === 'object' && value !== null ? { ...value, externalId: 'somebody else' } : `${value}~`;
}
