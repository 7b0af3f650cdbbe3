/** Grants that we made, or found and took over: with the assignment, since when, and by which run. */
import type { AssignmentSid, RoleSid, ScopeSid, UserSid } from '../domain/identity.ts';
import type { Grant, GrantRecord, RoleAssignment } from '../domain/user.ts';
import type { Database } from './database.ts';
import { paged } from './paging.ts';

interface GrantRecordRow {
  readonly sid: AssignmentSid;
  readonly user: UserSid;
  readonly role: RoleSid;
  readonly scope: ScopeSid;
  readonly origin: GrantRecord['origin'];
}

export function grantRecords(database: Database): Iterable<GrantRecord> {
  return paged<GrantRecordRow, [string, string, string]>(
    database,
    'read the records of grants',
    `SELECT assignment AS sid, user, role, scope, origin FROM grant_records
     WHERE (user, role, scope) > (?, ?, ?) ORDER BY user, role, scope LIMIT ?`,
    ['', '', ''],
    (last) => [last.user, last.role, last.scope],
  );
}

/** Those made or found since then, in milliseconds since the epoch. */
export function grantsSince(database: Database, since: number): readonly RoleAssignment[] {
  return database
    .statement<RoleAssignment>('SELECT assignment AS sid, user, role, scope FROM grant_records WHERE since >= ?')
    .all(since);
}

// What follows is part of a transaction of the caller's.

/** The same assignment keeps its record: what we made does not become found. */
export function putGrantRecord(database: Database, record: GrantRecord, at: number, run: string): void {
  database
    .statement(
      `INSERT INTO grant_records (user, role, scope, assignment, origin, since, run) VALUES (?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (user, role, scope) DO UPDATE SET assignment = excluded.assignment, origin = excluded.origin,
       since = excluded.since, run = excluded.run WHERE assignment <> excluded.assignment`,
    )
    .run(record.user, record.role, record.scope, record.sid, record.origin, at, run);
}

export function deleteGrantRecord(
  database: Database,
  user: UserSid,
  { role, scope }: Grant,
  assignment: AssignmentSid,
): void {
  database
    .statement('DELETE FROM grant_records WHERE user = ? AND role = ? AND scope = ? AND assignment = ?')
    .run(user, role, scope, assignment);
}
