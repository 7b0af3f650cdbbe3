import type { RoleSid, ScopeSid, UserSid } from '../domain/identity.ts';
import type { Account, Role, RoleLevel } from '../domain/user.ts';
import type { MirrorAges, SnapshotStore } from '../ports.ts';
import type { Database } from './database.ts';
import { scopeOfMirror } from './mirror-assignments.ts';

interface RoleRow {
  readonly sid: RoleSid;
  readonly name: string;
  readonly lowest_level: RoleLevel | null;
}

interface AccountRow {
  readonly sid: ScopeSid;
  readonly name: string;
  readonly status: string;
  readonly owner: UserSid | null;
}

const refreshAction = 'store the roles and accounts read from Twilio';

/** Roles and accounts as last read, and the age of every mirror. */
export function mirrorRoles(database: Database): Pick<SnapshotStore, 'ages' | 'roles' | 'accounts' | 'refreshRoles'> {
  return {
    ages: () => database.read('read the age of the mirror', () => ages(database)),
    roles: () => database.read('read the roles', () => roles(database)),
    accounts: () => database.read('read the accounts', () => accounts(database)),
    refreshRoles(newRoles, newAccounts, at) {
      database.write(refreshAction, () => replace(database, newRoles, newAccounts, at));
    },
  };
}

function ages(database: Database): MirrorAges {
  const rows = database
    .statement<{ readonly mirror: string; readonly at: number }>('SELECT mirror, at FROM refreshes')
    .all();
  const assignments = new Map<ScopeSid, number>();
  for (const { mirror, at } of rows) {
    const scope = scopeOfMirror(mirror);
    if (scope !== undefined) assignments.set(scope, at);
  }
  const ageOf = (mirror: string) => rows.find((row) => row.mirror === mirror)?.at;
  return { users: ageOf('users'), roles: ageOf('roles'), assignments };
}

function roles(database: Database): Role[] {
  return database
    .statement<RoleRow>('SELECT sid, name, lowest_level FROM roles ORDER BY sid')
    .all()
    .map((row) => ({ sid: row.sid, name: row.name, lowestLevel: row.lowest_level ?? undefined }));
}

/** An empty list and a list that may not be read are two things: only the first has a refresh time. */
function accounts(database: Database): Account[] | undefined {
  if (database.statement<object>(`SELECT 1 FROM refreshes WHERE mirror = 'accounts'`).get() === undefined) {
    return undefined;
  }
  return database
    .statement<AccountRow>('SELECT sid, name, status, owner FROM accounts ORDER BY sid')
    .all()
    .map((row) => ({ sid: row.sid, name: row.name, status: row.status, owner: row.owner ?? undefined }));
}

function replace(
  database: Database,
  newRoles: readonly Role[],
  newAccounts: readonly Account[] | undefined,
  at: number,
): void {
  database.statement('DELETE FROM roles').run();
  for (const role of newRoles) {
    database.statement('INSERT INTO roles VALUES (?, ?, ?)').run(role.sid, role.name, role.lowestLevel ?? null);
  }
  database.statement('DELETE FROM accounts').run();
  for (const account of newAccounts ?? []) {
    database
      .statement('INSERT INTO accounts VALUES (?, ?, ?, ?)')
      .run(account.sid, account.name, account.status, account.owner ?? null);
  }
  database.statement(`DELETE FROM refreshes WHERE mirror IN ('roles', 'accounts')`).run();
  database.statement(`INSERT INTO refreshes VALUES ('roles', ?)`).run(at);
  if (newAccounts !== undefined) database.statement(`INSERT INTO refreshes VALUES ('accounts', ?)`).run(at);
}
