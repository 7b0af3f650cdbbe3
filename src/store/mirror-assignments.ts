import type { AssignmentSid, ScopeSid, UserSid } from '../domain/identity.ts';
import type { RoleAssignment } from '../domain/user.ts';
import type { SnapshotStore } from '../ports.ts';
import type { Database } from './database.ts';
import { paged } from './paging.ts';

const refreshAction = 'store the role assignments read from Twilio';

/** How `refreshes` names the mirror of one scope's assignments. */
const scopePrefix = 'assignments ';
function assignmentsMirror(scope: ScopeSid): string {
  return `${scopePrefix}${scope}`;
}
export function scopeOfMirror(mirror: string): ScopeSid | undefined {
  return mirror.startsWith(scopePrefix) ? (mirror.slice(scopePrefix.length) as ScopeSid) : undefined;
}

/** Twilio's role assignments as last read, each scope with its own age. */
export function mirrorAssignments(
  database: Database,
): Pick<SnapshotStore, 'assignments' | 'refreshAssignments' | 'refreshAssignmentsOf'> {
  return {
    assignments: () =>
      paged<RoleAssignment, [string]>(
        database,
        'read the role assignments',
        'SELECT sid, user, role, scope FROM assignments WHERE sid > ? ORDER BY sid LIMIT ?',
        [''],
        (last) => [last.sid],
      ),
    refreshAssignments(scope, assignments, at) {
      database.write(refreshAction, () => {
        replace(database, 'scope', scope, assignments);
        database
          .statement('INSERT INTO refreshes VALUES (?, ?) ON CONFLICT (mirror) DO UPDATE SET at = excluded.at')
          .run(assignmentsMirror(scope), at);
      });
    },
    refreshAssignmentsOf(user, assignments) {
      database.write(refreshAction, () => replace(database, 'user', user, assignments));
    },
  };
}

/** Makes the rows of one scope, or of one user, equal to what was read, writing only what differs. */
function replace(
  database: Database,
  by: 'scope' | 'user',
  value: ScopeSid | UserSid,
  assignments: readonly RoleAssignment[],
): void {
  const same = database.statement<object>(
    'SELECT 1 FROM assignments WHERE sid = ? AND user = ? AND role = ? AND scope = ?',
  );
  const seen = new Set<AssignmentSid>();
  for (const assignment of assignments) {
    seen.add(assignment.sid);
    const { sid, user, role, scope } = assignment;
    if (same.get(sid, user, role, scope) === undefined) putAssignment(database, assignment);
  }
  const stored = database
    .statement<{ readonly sid: AssignmentSid }>(`SELECT sid FROM assignments WHERE ${by} = ?`)
    .all(value);
  for (const { sid } of stored) {
    if (!seen.has(sid)) database.statement('DELETE FROM assignments WHERE sid = ?').run(sid);
  }
}

/** Part of a transaction of the caller's. */
export function putAssignment(database: Database, assignment: RoleAssignment): void {
  database
    .statement(
      `INSERT INTO assignments (sid, user, role, scope) VALUES (?, ?, ?, ?)
       ON CONFLICT (sid) DO UPDATE SET user = excluded.user, role = excluded.role, scope = excluded.scope`,
    )
    .run(assignment.sid, assignment.user, assignment.role, assignment.scope);
}

export function rolesHeld(database: Database, user: UserSid): number {
  return (
    database.statement<{ readonly n: number }>('SELECT count(*) AS n FROM assignments WHERE user = ?').get(user)?.n ?? 0
  );
}
