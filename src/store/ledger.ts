/**
 * Who manages whom, where a person decides it: a link that goes over to another key, a user who is given back to manual
 * care. Everything is recorded with who did it and why.
 */
import type { ExternalId, UserSid } from '../domain/identity.ts';
import { InternalError } from '../errors.ts';
import { appendAct } from './audit/acts.ts';
import type { Database } from './database.ts';
import { deleteLink } from './links.ts';

/** Who acts, when and why. */
export interface Act {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly user: string;
  readonly host: string;
  readonly reason: string | undefined;
}

export interface KeyChange {
  readonly from: ExternalId;
  readonly to: ExternalId;
}

export interface LedgerEntry {
  readonly at: number;
  /** `retry`: a person is let out of quarantine; `lift`: a block, or the breaker, is. */
  readonly action: 'relink' | 'release' | 'take-back' | 'retry' | 'lift';
  /** Of `lift` the key of the block, or `breaker`. */
  readonly externalId: ExternalId;
  readonly newExternalId: ExternalId | undefined;
  /** Undefined for somebody who is not in Twilio. */
  readonly user: UserSid | undefined;
  readonly doneBy: string;
  readonly host: string;
  readonly reason: string | undefined;
}

/** Why these changes of keys cannot be made; empty when they can. Chains and swaps within the set are fine. */
export function relinkProblems(database: Database, changes: readonly KeyChange[]): readonly string[] {
  const from = new Map<ExternalId, number>();
  const to = new Map<ExternalId, number>();
  const count = (map: Map<ExternalId, number>, key: ExternalId) => map.set(key, (map.get(key) ?? 0) + 1);
  for (const change of changes) {
    count(from, change.from);
    count(to, change.to);
  }
  return changes.flatMap(({ from: old, to: next }) => [
    ...((from.get(old) ?? 0) > 1 ? [`${old} is to become more than one key`] : []),
    ...((to.get(next) ?? 0) > 1 ? [`more than one key is to become ${next}`] : []),
    ...(old === next ? [`${old} is to become itself`] : []),
    ...(linkedUser(database, old) === undefined ? [`nobody is linked to ${old}`] : []),
    ...(!from.has(next) && linkedUser(database, next) !== undefined
      ? [`${next} is linked to ${linkedUser(database, next)} already`]
      : []),
  ]);
}

/**
 * Makes all changes of keys, or none. What we know of each person goes over with the link; refusals and absences do not,
 * because they were about the old key. Whoever calls it has looked at the problems first.
 */
export function relink(database: Database, changes: readonly KeyChange[], act: Act): void {
  database.write('change the keys of links', () => {
    const problems = relinkProblems(database, changes);
    if (problems.length > 0) throw new InternalError(`cannot relink: ${problems.join('; ')}`);
    const move = (before: string, after: string) => {
      for (const table of ['links', 'last_applied'])
        database.statement(`UPDATE ${table} SET external_id = ? WHERE external_id = ?`).run(after, before);
    };
    for (const { from, to } of changes) {
      recordAct(database, 'relink', from, to, linkedUser(database, from) as UserSid, act);
      for (const table of ['absences', 'parked'])
        database.statement(`DELETE FROM ${table} WHERE external_id IN (?, ?)`).run(from, to);
    }
    // By way of keys that nobody has, so that the order does not matter.
    for (const [index, { from }] of changes.entries()) move(from, `\u0000${index}`);
    for (const [index, { to }] of changes.entries()) move(`\u0000${index}`, to);
  });
}

/** Ends the link and keeps the user from being adopted again. Its roles stay in Twilio, as the person's own. */
export function release(database: Database, externalId: ExternalId, act: Act): void {
  database.write(`release ${externalId}`, () => {
    const user = linkedUser(database, externalId);
    if (user === undefined) throw new InternalError(`cannot release ${externalId}: nobody is linked to it`);
    deleteLink(database, externalId);
    database.statement('DELETE FROM grant_records WHERE user = ?').run(user);
    database.statement('DELETE FROM parked WHERE external_id = ?').run(externalId);
    database.statement('INSERT OR REPLACE INTO releases VALUES (?, ?, ?)').run(user, externalId, act.at);
    recordAct(database, 'release', externalId, undefined, user, act);
  });
}

/** The next run may adopt the user again, by the rules. */
export function takeBack(database: Database, user: UserSid, act: Act): void {
  database.write(`take ${user} back`, () => {
    const released = releasedUsers(database).get(user);
    if (released === undefined) throw new InternalError(`cannot take ${user} back: it was not released`);
    database.statement('DELETE FROM releases WHERE user = ?').run(user);
    recordAct(database, 'take-back', released, undefined, user, act);
  });
}

/** Released users with the key that they were linked to. */
export function releasedUsers(database: Database): ReadonlyMap<UserSid, ExternalId> {
  const rows = database
    .statement<{ readonly user: UserSid; readonly externalId: ExternalId }>(
      'SELECT user, external_id AS externalId FROM releases ORDER BY user',
    )
    .all();
  return new Map(rows.map(({ user, externalId }) => [user, externalId]));
}

interface LedgerRow extends Omit<LedgerEntry, 'newExternalId' | 'reason' | 'user'> {
  readonly newExternalId: ExternalId | null;
  readonly user: UserSid | null;
  readonly reason: string | null;
}

const columns = `at, action, external_id AS externalId, new_external_id AS newExternalId, user, done_by AS doneBy, host, reason`;

/** The newest first. */
export function ledgerEntries(database: Database, limit: number): readonly LedgerEntry[] {
  return database
    .statement<LedgerRow>(`SELECT ${columns} FROM ledger ORDER BY seq DESC LIMIT ?`)
    .all(limit)
    .map(toEntry);
}

/** What people decided about one user, the newest first. */
export function ledgerEntriesOf(database: Database, user: UserSid): readonly LedgerEntry[] {
  return database
    .statement<LedgerRow>(`SELECT ${columns} FROM ledger WHERE user = ? ORDER BY seq DESC`)
    .all(user)
    .map(toEntry);
}

function toEntry(row: LedgerRow): LedgerEntry {
  const { newExternalId, user, reason } = row;
  return {
    ...row,
    newExternalId: newExternalId ?? undefined,
    user: user ?? undefined,
    reason: reason ?? undefined,
  };
}

function linkedUser(database: Database, externalId: ExternalId): UserSid | undefined {
  return database.statement<{ readonly user: UserSid }>('SELECT user FROM links WHERE external_id = ?').get(externalId)
    ?.user;
}

/** Part of the transaction of what was done. */
export function recordAct(
  database: Database,
  action: LedgerEntry['action'],
  externalId: ExternalId,
  newExternalId: ExternalId | undefined,
  user: UserSid | undefined,
  { at, user: doneBy, host, reason }: Act,
): void {
  database
    .statement(
      'INSERT INTO ledger (at, action, external_id, new_external_id, user, done_by, host, reason) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
    )
    .run(at, action, externalId, newExternalId ?? null, user ?? null, doneBy, host, reason ?? null);
  appendAct(database, 'ledger');
}
