import Sqlite from 'better-sqlite3';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { hashOf } from '../../src/store/audit/record.ts';
import {
  type Cell,
  cellsOf,
  forgetRecords,
  hour,
  otherValue,
  tamperWith,
  writeEventfulHistory,
} from '../support/eventful-history.ts';
import { act, allowed, endOf, morning, open, planOf, snapshotPath, startOf, update } from '../support/snapshots.ts';

interface Row {
  readonly seq: number;
  readonly at: number;
  readonly run: string | null;
  readonly kind: 'run-started';
  readonly content: string;
  readonly hash: string;
}

function withHistory() {
  const path = snapshotPath();
  const runs = writeEventfulHistory(path);
  return { path, runs, ...tamperWith(path) };
}

function setCell({ table, key, rowid, column }: Cell, value: unknown) {
  return `UPDATE ${table} SET ${column} = ${literal(value)} WHERE ${key} = ${literal(rowid)}`;
}

function literal(value: unknown): string {
  if (value === null) return 'NULL';
  if (Buffer.isBuffer(value)) return `x'${value.toString('hex')}'`;
  return typeof value === 'number' ? String(value) : `'${String(value).replaceAll("'", "''")}'`;
}

describe('the records of a history', () => {
  test('prove it, whatever has happened in it', () => {
    const { verify } = withHistory();

    expect(verify()).toMatchObject({
      verified: true,
      runs: 5,
      inherited: 0,
      from: { seq: 1, at: morning },
      removed: [],
      problem: undefined,
    });
  });

  test('tell each step in its order', () => {
    const { database, runs } = withHistory();

    const rows = database.connection.prepare('SELECT run, kind FROM audit ORDER BY seq').all() as Row[];

    const [mixed, held, failed, died, last] = runs;
    const kinds = (run: string | undefined) => rows.filter((row) => row.run === run).map(({ kind }) => kind);
    const tried = ['operation-intended', 'operation-completed'];
    expect(kinds(mixed)).toEqual([
      'run-started',
      'plan-made',
      ...tried,
      ...tried,
      ...tried,
      'operation-completed',
      'run-ended',
    ]);
    expect(kinds(held)).toEqual(['run-started', 'plan-made', 'run-ended']);
    expect(kinds(failed)).toEqual(['run-started', 'run-ended']);
    expect(kinds(died)).toEqual(['run-started', 'plan-made', 'operation-intended', 'run-lost']);
    const people = rows.filter(({ run }) => run === null).map(({ kind }) => kind);
    expect(people).toEqual(['approval', 'ledger', 'ledger', 'approval-used']);
    expect(kinds(last)).toEqual(['run-started', 'plan-made', 'run-ended']);
  });

  test('hold who ran what, with which configuration and version, and which plan came of it', () => {
    const { database } = withHistory();

    const [start, plan] = database.connection
      .prepare('SELECT content FROM audit ORDER BY seq LIMIT 2')
      .all()
      .map((row) => JSON.parse((row as Row).content));

    expect(start).toEqual({
      command: 'reconcile',
      host: 'sync-1',
      pid: 42,
      user: 'tdsync',
      allowances: ['deactivations=40'],
      configuration: 'c'.repeat(64),
      version: '0.1.0',
    });
    expect(plan).toMatchObject({
      digest: 'd'.repeat(64),
      basis: { configuration: 'c', source: 's', twilio: 't' },
      verdict: { allowed: true },
      operations: { count: 5 },
      carriedOut: { count: 5 },
      findingCount: 1,
    });
  });

  test('are empty and sound in a new snapshot', () => {
    const { audit } = open(snapshotPath());

    expect(audit.head()).toBeUndefined();
    expect(audit.verify()).toMatchObject({ verified: true, records: 0, head: undefined });
  });

  test('cannot be changed by accident', () => {
    const path = snapshotPath();
    writeEventfulHistory(path);
    const connection = new Sqlite(path);
    onTestFinished(() => {
      connection.close();
    });

    expect(() => connection.exec('UPDATE audit SET at = 1')).toThrow('a record of the history is never changed');
  });
});

describe('tampering is found', () => {
  test('in every column of every row', () => {
    const { database, tampered } = withHistory();
    const cells = cellsOf(database);

    const unnoticed = cells.filter((cell) => tampered((db) => db.exec(setCell(cell, otherValue(cell)))).verified);

    expect(cells.length).toBeGreaterThan(300);
    expect(unnoticed.map(({ table, rowid, column }) => `${table} ${rowid} ${column}`)).toEqual([]);
  });

  test('in every column of a history from before the records', () => {
    const path = snapshotPath();
    writeEventfulHistory(path);
    forgetRecords(path);
    open(path).close();
    const { database, tampered, verify } = tamperWith(path);

    const unnoticed = cellsOf(database).filter(
      (cell) => tampered((db) => db.exec(setCell(cell, otherValue(cell)))).verified,
    );

    expect(verify()).toMatchObject({ verified: true, records: 8, runs: 5, inherited: 5 });
    expect(unnoticed.map(({ table, rowid, column }) => `${table} ${rowid} ${column}`)).toEqual([]);
  });

  test('whatever is written into whichever cell', () => {
    const { database, tampered } = withHistory();
    const cells = cellsOf(database).filter(({ value }) => typeof value === 'string');
    const changes = fc.tuple(
      fc.nat(cells.length - 1),
      fc.nat(200),
      fc.string({ minLength: 1, maxLength: 3, unit: 'grapheme-ascii' }),
    );

    fc.assert(
      fc.property(changes, ([index, place, text]) => {
        const cell = cells[index] as Cell;
        const value = String(cell.value);
        const changed = `${value.slice(0, place)}${text}${value.slice(place + text.length)}`;
        // JSON may be laid out in another way and say the same.
        fc.pre(changed.replaceAll(' ', '') !== value.replaceAll(' ', ''));
        expect(tampered((db) => db.exec(setCell(cell, changed))).verified).toBe(false);
      }),
      { numRuns: 400 },
    );
  });

  test('when any one row is taken out', () => {
    const { database, tampered } = withHistory();
    const rows = new Map(cellsOf(database).map((cell) => [`${cell.table} ${cell.rowid}`, cell]));

    const unnoticed = [...rows.values()].filter(({ table, key, rowid }) => {
      return tampered((db) => db.exec(`DELETE FROM ${table} WHERE ${key} = ${literal(rowid)}`)).verified;
    });

    expect(rows.size).toBeGreaterThan(30);
    expect(unnoticed.map(({ table, rowid }) => `${table} ${rowid}`)).toEqual([]);
  });

  test('when two neighbours change places', () => {
    const { database, tampered, verify } = withHistory();
    const count = verify().records;
    const swap = (table: string, a: number) =>
      `UPDATE ${table} SET seq = -1 WHERE seq = ${a}; UPDATE ${table} SET seq = ${a} WHERE seq = ${a + 1}; UPDATE ${table} SET seq = ${a + 1} WHERE seq = -1;`;

    const records = Array.from({ length: count - 1 }, (_, i) => tampered((db) => db.exec(swap('audit', i + 1))));
    const operations = [1, 2, 3, 4].map((seq) => tampered((db) => db.exec(swap('operations', seq))));
    const runs = [1, 2, 3, 4].map((seq) => tampered((db) => db.exec(swap('runs', seq))));

    expect(database.connection.prepare('SELECT count(*) AS n FROM operations').get()).toEqual({ n: 8 });
    expect([...records, ...operations, ...runs].filter(({ verified }) => verified)).toEqual([]);
  });

  test('when a run or an operation is put in that never was', () => {
    const { tampered, runs } = withHistory();
    const copy = (columns: string, values: string) => `INSERT INTO ${columns} SELECT ${values}`;

    const run = tampered((db) =>
      db.exec(
        `INSERT INTO runs (id, command, host, pid, user, allowances_json, started_at) VALUES ('20261125T000000Z-001', 'apply', 'h', 1, 'u', '[]', 1)`,
      ),
    );
    const operation = tampered((db) =>
      db.exec(
        copy(
          'operations (run, id, external_id, kind, operation_json, state)',
          "run, 'update emp-x', external_id, kind, operation_json, state FROM operations WHERE seq = 5",
        ),
      ),
    );

    expect(run.problem?.message).toBe('run 20261125T000000Z-001 stands in the history, and no record tells of it');
    expect(operation.problem).toMatchObject({ run: runs[0] });
  });

  test('at the record after one whose hash was made to fit', () => {
    const { database, tampered } = withHistory();
    const row = (seq: number) => database.connection.prepare('SELECT * FROM audit WHERE seq = ?').get(seq) as Row;
    const forged = { ...row(7), at: 1 };

    const { problem } = tampered((db) =>
      db.prepare('UPDATE audit SET at = ?, hash = ? WHERE seq = 7').run(forged.at, hashOf(row(6).hash, forged)),
    );

    expect(problem).toMatchObject({ seq: 8, message: expect.stringContaining('the one before it was written anew') });
  });

  test('and told with the record, the run and what does not fit', () => {
    const { tampered, runs } = withHistory();

    const changed = tampered((db) => db.exec('UPDATE audit SET at = at + 1 WHERE seq = 4'));
    const missing = tampered((db) => db.exec('DELETE FROM audit WHERE seq IN (4, 5)'));
    const whitewashed = tampered((db) => db.exec("UPDATE runs SET status = 'applied' WHERE status = 'partial'"));
    const outcome = tampered((db) => db.exec("UPDATE operations SET state = 'done' WHERE state = 'failed'"));

    expect(changed.problem).toMatchObject({ seq: 4, run: runs[0] });
    expect(changed.records).toBe(3);
    expect(missing.problem).toMatchObject({
      seq: 6,
      message: 'records 4 to 5 are missing, and retention did not remove what is missing here',
    });
    expect(whitewashed.problem).toMatchObject({
      seq: 10,
      message: `run ${runs[0]}: status is "applied" in the history, and "partial" by its records`,
    });
    expect(outcome.problem?.message).toContain('state is "done" in the history, and "failed" by its records');
  });

  test('at the end of the chain only by a hash that was noted down: whoever takes the rows along leaves no trace', () => {
    const { tampered, verify, runs } = withHistory();
    const { head } = verify();
    const last = `'${runs.at(-1)}'`;
    // All that the last run left: its row, its records, its look at the run that had died, its findings.
    const cut = `DELETE FROM audit WHERE run = ${last}; DELETE FROM audit WHERE kind = 'run-lost'; DELETE FROM runs WHERE id = ${last};
      UPDATE operations SET checked_by = NULL; UPDATE runs SET status = NULL WHERE status = 'interrupted';
      UPDATE runs SET tally_json = '{"update":{"pending":2}}' WHERE status IS NULL;`;

    const alone = tampered((db) => db.exec(cut));
    const noted = tampered((db) => db.exec(cut), head?.hash);

    expect(alone.verified).toBe(true);
    expect(noted.problem?.message).toContain(`no record has the hash ${head?.hash}`);
    expect(verify(head?.hash).verified).toBe(true);
  });
});

describe('a history from before the records', () => {
  test('is taken over run by run, and goes on', () => {
    const path = snapshotPath();
    writeEventfulHistory(path);
    forgetRecords(path);

    const snapshot = open(path);
    const run = snapshot.journal.start(startOf({ at: morning + 9 * hour }));
    snapshot.journal.planned(run, planOf([]), allowed, undefined, morning + 9 * hour);
    snapshot.journal.end(run, endOf({ status: 'converged' }));

    expect(snapshot.audit.verify()).toMatchObject({ verified: true, runs: 6, inherited: 5, records: 11 });
  });

  test('with a run that died shows how that ended', async () => {
    const path = snapshotPath();
    const process = act('intend', path);
    const died = await process.line();
    process.process.kill('SIGKILL');
    await process.ended;
    forgetRecords(path);

    const snapshot = open(path);
    const run = snapshot.journal.start(startOf());
    snapshot.journal.planned(run, planOf([]), allowed, undefined, morning);

    expect(snapshot.history.run(died)?.operations).toMatchObject([{ state: 'intended', checkedBy: run }]);
    expect(snapshot.audit.verify()).toMatchObject({ verified: true, inherited: 1 });
  });

  test('is verified in memory when it is read, and the file stays as it is', () => {
    const path = snapshotPath();
    writeEventfulHistory(path);
    forgetRecords(path);

    const read = open(path, 'read').audit.verify();
    const written = open(path).audit.verify();

    expect(read).toMatchObject({ verified: true, inherited: 5 });
    expect(written.head).toEqual(read.head);
  });
});

describe('after a process was killed', () => {
  test('the records fit what it left, and go on', async () => {
    const path = snapshotPath();
    const killed = act('intend', path);
    await killed.line();
    const underWay = open(path, 'read').audit.verify();
    killed.process.kill('SIGKILL');
    await killed.ended;

    const left = open(path, 'read').audit.verify();
    writeEventfulHistory(path);
    const later = open(path, 'read').audit.verify();

    expect(underWay).toMatchObject({ verified: true, records: 3, runs: 1 });
    expect(left).toEqual(underWay);
    expect(later).toMatchObject({ verified: true, runs: 6 });
  });

  test('no step is half done, wherever it stops', () => {
    const snapshot = open(snapshotPath());
    const run = snapshot.journal.start(startOf());
    const plan = planOf([update('emp-1', 1)]);
    snapshot.journal.planned(run, plan, allowed, plan, morning);
    const before = snapshot.audit.head();

    // Twice the same user: the effects fail after outcome and record were written.
    const link = { effect: 'linked', origin: 'created' } as const;
    const user = update('emp-1', 1).user;
    const effects = ['emp-1', 'emp-2'].map((id) => ({ ...link, link: { externalId: update(id, 1).externalId, user } }));
    expect(() => snapshot.journal.complete(run, update('emp-1', 1), { state: 'done' }, effects, morning)).toThrow();

    expect(snapshot.audit.head()).toEqual(before);
    expect(snapshot.audit.verify().verified).toBe(true);
  });
});
