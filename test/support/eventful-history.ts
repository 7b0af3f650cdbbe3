/** A history in which everything has happened that can happen, and hands to tamper with it. */
import { rmSync } from 'node:fs';
import Sqlite from 'better-sqlite3';
import { onTestFinished } from 'vitest';
import type { Outcome } from '../../src/domain/run.ts';
import type { Effect } from '../../src/ports.ts';
import { type Verification, verifyAudit } from '../../src/store/audit/verify.ts';
import { type Database, wrapConnection } from '../../src/store/database.ts';
import { audit } from '../../src/store/migrations/0006-audit.ts';
import { migrations } from '../../src/store/migrations/index.ts';
import { openForWriting } from '../../src/store/open-for-writing.ts';
import { openSnapshot } from '../../src/store/snapshot.ts';
import { externalId, organization, userSid } from './builders.ts';
import { allowed, endOf, finding, morning, planOf, refused, startOf, update } from './snapshots.ts';

export const hour = 3_600_000;

const outcomes: readonly Outcome[] = [
  { state: 'done', requestId: 'RQ1' },
  { state: 'already' },
  { state: 'failed', code: 'twilio-rejected', message: 'invalid locale', requestId: 'RQ2' },
  { state: 'skipped', message: 'waits for "update emp-2"' },
];

/**
 * Five runs, an hour apart: operations with every outcome and one that never came to its turn; a plan refused and carried
 * out in part, then approved; a person released and taken back; a run that failed; one that carried out what was approved
 * and died with an open intent; and one that looked at what had become of it. Returns their ids.
 */
export function writeEventfulHistory(path: string, at = morning): readonly string[] {
  using snapshot = openSnapshot(path, 'write', organization);
  const { journal } = snapshot;
  const hours = (n: number) => at + n * hour;
  const operations = outcomes.map((_, i) => update(`emp-${i}`, i));

  const mixed = journal.start(startOf({ at: hours(0), allowances: ['deactivations=40'] }));
  const mixedPlan = planOf([...operations, update('emp-9', 9)], { findings: [finding('emp-5')] });
  journal.planned(mixed, mixedPlan, allowed, mixedPlan, hours(0) + 1);
  outcomes.forEach((outcome, i) => {
    const operation = operations[i] ?? update('emp-9', 9);
    if (outcome.state !== 'skipped') journal.intend(mixed, operation, hours(0) + 10 * i + 2);
    journal.complete(mixed, operation, outcome, effectsOf(i), hours(0) + 10 * i + 3);
  });
  journal.end(mixed, endOf({ status: 'partial', at: hours(0) + 99, calls: { 'GET /scim/v2/Users': 3 } }));

  const held = journal.start(startOf({ at: hours(1) }));
  const heldPlan = planOf([update('emp-1', 1), update('emp-2', 2)], { digest: 'e'.repeat(64) });
  journal.planned(held, heldPlan, refused, planOf([update('emp-2', 2)]), hours(1) + 1);
  journal.end(held, endOf({ status: 'refused', at: hours(1) + 2 }));
  const who = { user: 'ada', host: 'desk-1', at: hours(1) + 3, reason: 'read it' };
  snapshot.approve({ ...who, digest: heldPlan.digest, expiresAt: hours(25) });
  snapshot.ledger.release(externalId('emp-0'), who);
  snapshot.ledger.takeBack(userSid(0), { ...who, at: hours(1) + 4, reason: undefined });

  const failed = journal.start(startOf({ at: hours(2) }));
  journal.end(
    failed,
    endOf({ status: 'failed', at: hours(2) + 1, error: { code: 'source-unavailable', message: 'no' } }),
  );

  const died = journal.start(startOf({ at: hours(3) }));
  const diedPlan = planOf([update('emp-1', 1, 'B'), update('emp-2', 2)], { digest: heldPlan.digest });
  const approval = { ...who, digest: heldPlan.digest, expiresAt: hours(25) };
  journal.planned(died, diedPlan, { ...allowed, approval }, diedPlan, hours(3) + 1);
  journal.intend(died, update('emp-1', 1, 'B'), hours(3) + 2);

  const last = journal.start(startOf({ at: hours(4), command: 'daemon' }));
  const lastPlan = planOf([], { findings: [finding('emp-6')] });
  journal.planned(last, lastPlan, allowed, lastPlan, hours(4) + 1);
  journal.end(last, endOf({ status: 'converged', at: hours(4) + 2 }));
  return [mixed, held, failed, died, last];
}

function effectsOf(index: number): readonly Effect[] {
  if (index > 0) return [];
  const link = { externalId: externalId('emp-0'), user: userSid(0) };
  return [{ effect: 'linked', link, origin: 'adopted' }];
}

export interface Tampering {
  readonly database: Database;
  verify(known?: string): Verification;
  /** Verifies after `change`, which is taken back afterwards. */
  tampered(change: (connection: Sqlite.Database) => void, known?: string): Verification;
}

/** Somebody with the file and a tool of their own: no trigger, no constraint holds them. */
export function tamperWith(path: string): Tampering {
  const connection = new Sqlite(path);
  onTestFinished(() => {
    connection.close();
  });
  connection.pragma('foreign_keys = OFF');
  connection.pragma('ignore_check_constraints = ON');
  connection.exec('DROP TRIGGER audit_stays');
  const database = wrapConnection(connection, path);
  const verify = (known?: string) => verifyAudit(database, known);
  return {
    database,
    verify,
    tampered(change, known) {
      connection.exec('BEGIN');
      try {
        change(connection);
        return verify(known);
      } finally {
        connection.exec('ROLLBACK');
      }
    },
  };
}

/** The history as a program without audit trail left it: the same rows, and the schema before. */
export function forgetRecords(path: string): void {
  const former = `${path}.former`;
  const whole = new Sqlite(path);
  whole.prepare('VACUUM INTO ?').run(former);
  whole.close();
  for (const file of [path, `${path}-wal`, `${path}-shm`]) rmSync(file, { force: true });
  const before = migrations.slice(0, audit.version - 1);
  const { connection } = openForWriting(path, organization, before).database;
  connection.pragma('foreign_keys = OFF');
  connection.prepare('ATTACH ? AS former').run(former);
  const tables = connection
    .prepare(
      `SELECT name FROM main.sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'
       AND name IN (SELECT name FROM former.sqlite_schema)`,
    )
    .all() as { readonly name: string }[];
  for (const { name } of tables) {
    const columns = connection.prepare('SELECT name FROM pragma_table_info(?)').pluck().all(name).join(', ');
    connection.exec(
      `DELETE FROM main.${name}; INSERT INTO main.${name} (${columns}) SELECT ${columns} FROM former.${name}`,
    );
  }
  connection.close();
  rmSync(former);
}

export interface Cell {
  readonly table: string;
  readonly rowid: number | string;
  readonly key: string;
  readonly column: string;
  readonly value: unknown;
}

/** What the tables that tell of the past consist of, but for the numbers of rows, which say nothing but their order. */
export function cellsOf({ connection }: Database): readonly Cell[] {
  const tables = {
    audit: 'seq',
    runs: 'seq',
    operations: 'seq',
    approvals: 'seq',
    ledger: 'seq',
    finding_sets: 'digest',
    refused_plans: 'digest',
  };
  return Object.entries(tables).flatMap(([table, key]) => {
    const rows = connection.prepare(`SELECT * FROM ${table} ORDER BY ${key}`).all() as Record<string, unknown>[];
    return rows.flatMap((row) =>
      Object.entries(row)
        .filter(([column]) => table === 'audit' || column !== 'seq')
        .map(([column, value]) => ({ table, rowid: row[key] as number | string, key, column, value })),
    );
  });
}

/** Something else of a kind that the column takes. */
export function otherValue({ table, column, value }: Cell): unknown {
  if (typeof value === 'number') return value + 1_000;
  if (Buffer.isBuffer(value)) return Buffer.concat([value.subarray(0, -1), Buffer.from([(value.at(-1) ?? 0) ^ 1])]);
  if (typeof value === 'string') return `${value}~`;
  const numbers = ['ended_at', 'intended_at', 'finished_at'];
  if (numbers.includes(column)) return 1;
  return column.endsWith('_json') ? '{}' : `${table} forged`;
}
