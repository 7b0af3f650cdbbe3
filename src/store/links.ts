import type { ExternalId, UserSid } from '../domain/identity.ts';
import type { CompleteReadCounts, FindingCode } from '../domain/plan.ts';
import type { LastApplied, Link } from '../domain/user.ts';
import type { Parked, SnapshotStore } from '../ports.ts';
import type { Database } from './database.ts';
import { grantRecords, grantsSince } from './grant-records.ts';
import { paged } from './paging.ts';

type KnownToUs = Pick<
  SnapshotStore,
  'links' | 'lastApplied' | 'createdSince' | 'absences' | 'grantRecords' | 'grantsSince' | 'parked' | 'lastCompleteRead'
>;

interface ParkedRow {
  readonly externalId: ExternalId;
  readonly record: string;
  readonly code: FindingCode;
  readonly message: string;
  readonly since: number;
  readonly attempts: number;
  readonly retryAt: number | null;
}

/** What we know and Twilio does not: links, last-applied values, absences, ownership of grants, parked people. */
export function knownToUs(database: Database): KnownToUs {
  return {
    links: () =>
      paged<Link, [string]>(
        database,
        'read the links',
        'SELECT external_id AS externalId, user FROM links WHERE external_id > ? ORDER BY external_id LIMIT ?',
        [''],
        (last) => [last.externalId],
      ),
    createdSince: (externalId, time) =>
      database.read(`look since when ${externalId} is linked`, () => {
        const sql = `SELECT 1 FROM links WHERE external_id = ? AND origin = 'created' AND since > ?`;
        return database.statement(sql).get(externalId, time) !== undefined;
      }),
    lastApplied: (externalId) =>
      database.read(`read what was last applied to ${externalId}`, () => lastApplied(database, externalId)),
    absences: () => database.read('read the absences', () => absences(database)),
    grantRecords: () => grantRecords(database),
    grantsSince: (since) => database.read('read the records of grants', () => grantsSince(database, since)),
    *parked() {
      const rows = paged<ParkedRow, [string]>(
        database,
        'read the parked people',
        `SELECT external_id AS externalId, record, code, message, since, attempts, retry_at AS retryAt FROM parked
         WHERE external_id > ? ORDER BY external_id LIMIT ?`,
        [''],
        (last) => [last.externalId],
      );
      for (const row of rows) yield { ...row, retryAt: row.retryAt ?? undefined };
    },
    lastCompleteRead: () =>
      database.read('read the size of the last complete read', () => {
        const row = database
          .statement<Pick<CompleteReadCounts, 'entries' | 'inScope'> & { readonly gone: number | null }>(
            'SELECT entries, in_scope AS inScope, gone FROM last_complete_read',
          )
          .get();
        return row && { ...row, gone: row.gone ?? undefined };
      }),
  };
}

function lastApplied(database: Database, externalId: ExternalId): LastApplied | undefined {
  const row = database
    .statement<{ readonly sent: string; readonly returned: string; readonly active: number }>(
      'SELECT sent_json AS sent, returned_json AS returned, active FROM last_applied WHERE external_id = ?',
    )
    .get(externalId);
  if (row === undefined) return undefined;
  return { sent: JSON.parse(row.sent), returned: JSON.parse(row.returned), active: row.active === 1 };
}

function absences(database: Database): Map<ExternalId, number> {
  const rows = database
    .statement<{ readonly externalId: ExternalId; readonly reads: number }>(
      'SELECT external_id AS externalId, reads FROM absences ORDER BY external_id',
    )
    .all();
  return new Map(rows.map((row) => [row.externalId, row.reads]));
}

// What follows is part of a transaction of the caller's.

/** Another user under a known externalId begins anew: what was last applied was applied to somebody else's record. */
export function putLink(database: Database, link: Link, origin: 'created' | 'adopted', at: number, run: string): void {
  const before = database
    .statement<{ readonly user: UserSid }>('SELECT user FROM links WHERE external_id = ?')
    .get(link.externalId);
  if (before !== undefined && before.user === link.user) return;
  database.statement('DELETE FROM last_applied WHERE external_id = ?').run(link.externalId);
  database
    .statement(
      `INSERT INTO links (external_id, user, origin, since, run) VALUES (?, ?, ?, ?, ?) ON CONFLICT (external_id)
       DO UPDATE SET user = excluded.user, origin = excluded.origin, since = excluded.since, run = excluded.run`,
    )
    .run(link.externalId, link.user, origin, at, run);
}

/** Records of grants stay: they are facts about the user, and go when a run finds that the grant is neither wanted nor there. */
export function deleteLink(database: Database, externalId: ExternalId): void {
  database.statement('DELETE FROM links WHERE external_id = ?').run(externalId);
  database.statement('DELETE FROM last_applied WHERE external_id = ?').run(externalId);
  database.statement('DELETE FROM absences WHERE external_id = ?').run(externalId);
}

export function putLastApplied(database: Database, externalId: ExternalId, applied: LastApplied): void {
  database
    .statement(
      `INSERT INTO last_applied (external_id, sent_json, returned_json, active) VALUES (?, ?, ?, ?) ON CONFLICT (external_id)
       DO UPDATE SET sent_json = excluded.sent_json, returned_json = excluded.returned_json, active = excluded.active`,
    )
    .run(externalId, JSON.stringify(applied.sent), JSON.stringify(applied.returned), applied.active ? 1 : 0);
}

export function putParked(database: Database, parked: Parked): void {
  database
    .statement('INSERT OR REPLACE INTO parked VALUES (?, ?, ?, ?, ?, ?, ?)')
    .run(
      parked.externalId,
      parked.record,
      parked.code,
      parked.message,
      parked.since,
      parked.attempts,
      parked.retryAt ?? null,
    );
}

export function replaceAbsences(database: Database, counts: ReadonlyMap<ExternalId, number>): void {
  database.statement('DELETE FROM absences').run();
  for (const [externalId, reads] of counts) {
    database.statement('INSERT INTO absences VALUES (?, ?)').run(externalId, reads);
  }
}

export function putLastCompleteRead(
  database: Database,
  { entries, inScope, gone }: CompleteReadCounts,
  durationMs: number | undefined,
): void {
  database
    .statement(
      'INSERT OR REPLACE INTO last_complete_read (id, entries, in_scope, gone, duration_ms) VALUES (1, ?, ?, ?, ?)',
    )
    .run(entries, inScope, gone ?? null, durationMs ?? null);
}
