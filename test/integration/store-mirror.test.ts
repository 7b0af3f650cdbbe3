import Sqlite from 'better-sqlite3';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { RoleAssignment, TwilioUser } from '../../src/domain/user.ts';
import type { SnapshotStore } from '../../src/ports.ts';
import {
  accounts,
  administrator,
  assignment,
  developer,
  mainAccount,
  otherAccount,
  roles,
  twilioUser,
  userSid,
} from '../support/builders.ts';
import { open, snapshotPath } from '../support/snapshots.ts';

function usersOf(store: SnapshotStore): TwilioUser[] {
  const users: TwilioUser[] = [];
  store.users((user) => users.push(user));
  return users;
}

function refresh(store: SnapshotStore, users: readonly TwilioUser[], at: number): void {
  const mirror = store.refreshUsers();
  for (const user of users) mirror.add(user, resourceOf(user));
  mirror.finish(at);
}

function resourceOf(user: TwilioUser): string {
  return JSON.stringify({ id: user.sid, userName: user.attributes.userName, version: user.version });
}

describe('the mirror of users', () => {
  test('gives back every user as it was read, with all attributes or only the address', () => {
    const path = snapshotPath();
    const full = twilioUser(2, 'emp-2', {
      'name.givenName': 'Łucja',
      'name.familyName': "O'Neill",
      displayName: 'Łucja "Lu" O\u2019Neill 🎉',
      locale: 'pl-PL',
      timezone: 'Europe/Warsaw',
    });
    const bare: TwilioUser = {
      ...twilioUser(1, 'emp-1', { externalId: undefined, active: false }),
      version: undefined,
    };
    const writer = open(path);
    refresh(writer.store, [full, bare], 7);
    writer.close();

    const { store } = open(path, 'read');

    expect(usersOf(store)).toEqual([bare, full]);
    expect(store.ages().users).toBe(7);
    expect(store.resource(full.sid)).toBe(resourceOf(full));
    expect(store.resource(userSid(9))).toBeUndefined();
  });

  test('loses those that a refresh did not see, and changes those that differ', () => {
    const { store } = open(snapshotPath());
    refresh(store, [twilioUser(1, 'emp-1'), twilioUser(2, 'emp-2'), twilioUser(3, 'emp-3')], 1);

    refresh(store, [twilioUser(3, 'emp-3'), twilioUser(1, 'renamed'), twilioUser(4, 'emp-4')], 2);

    expect(usersOf(store).map(({ attributes }) => attributes.userName)).toEqual([
      'renamed@corp.example',
      'emp-3@corp.example',
      'emp-4@corp.example',
    ]);
    expect(store.resource(userSid(1))).toContain('renamed');
    expect(store.resource(userSid(2))).toBeUndefined();
    expect(store.ages().users).toBe(2);
  });

  test('stays usable, at its old age, when a refresh is abandoned', () => {
    const { store } = open(snapshotPath());
    refresh(store, [twilioUser(1, 'emp-1'), twilioUser(2, 'emp-2')], 1);

    const abandoned = store.refreshUsers();
    for (let i = 2; i < 3_500; i += 1) abandoned.add(twilioUser(i, `new-${i}`), '{}');

    const names = new Map(usersOf(store).map(({ sid, attributes }) => [sid, attributes.userName]));
    expect(names.get(userSid(1))).toBe('emp-1@corp.example');
    expect(store.ages().users).toBe(1);
  });

  test('is not written for users that did not change', () => {
    const path = snapshotPath();
    const { store } = open(path);
    const users = Array.from({ length: 2_500 }, (_, i) => twilioUser(i, `emp-${i}`));
    refresh(store, users, 1);
    const observer = new Sqlite(path, { readonly: true });
    onTestFinished(() => {
      observer.close();
    });
    const before = observer.pragma('data_version');

    const mirror = store.refreshUsers();
    for (const user of users) mirror.add(user, resourceOf(user));

    expect(observer.pragma('data_version')).toEqual(before);
    mirror.finish(2);
    expect(observer.pragma('data_version')).not.toEqual(before);
    expect(usersOf(store)).toEqual(users);
    expect(store.ages().users).toBe(2);
  });

  test('keeps what came last of a user that is listed twice', () => {
    const { store } = open(snapshotPath());
    refresh(store, [twilioUser(1, 'emp-1')], 1);

    refresh(store, [twilioUser(1, 'other'), twilioUser(1, 'emp-1')], 2);

    expect(usersOf(store).map(({ attributes }) => attributes.userName)).toEqual(['emp-1@corp.example']);
  });

  test('hands over users in pages, so that a caller may ask for more in between', () => {
    const { store } = open(snapshotPath());
    refresh(
      store,
      Array.from({ length: 4_500 }, (_, i) => twilioUser(i, `emp-${i}`)),
      1,
    );

    let resources = 0;
    store.users(({ sid }) => {
      if (store.resource(sid) !== undefined) resources += 1;
    });

    expect(resources).toBe(4_500);
  });

  test('lets what a callback throws through, and works on', () => {
    const { store } = open(snapshotPath());
    refresh(store, [twilioUser(1, 'emp-1')], 1);

    const interrupted = () =>
      store.users(() => {
        throw new RangeError('enough');
      });

    expect(interrupted).toThrow(RangeError);
    expect(usersOf(store)).toHaveLength(1);
  });

  test('seeds others with users and resources', () => {
    const snapshot = open(snapshotPath());
    const user = twilioUser(1, 'emp-1');
    refresh(snapshot.store, [user], 1);

    const all = [...snapshot.resources()];

    expect(all).toEqual([{ user, resource: resourceOf(user) }]);
  });
});

describe('the mirror of role assignments', () => {
  const inOther = { role: administrator, scope: otherAccount };

  function sids(store: SnapshotStore): string[] {
    return [...store.assignments()].map(({ sid }) => sid);
  }

  test('is replaced scope by scope, each with its own age', () => {
    const { store } = open(snapshotPath());
    const [one, two, three] = [assignment(1, 1), assignment(2, 2), assignment(3, 1, inOther)] as [
      RoleAssignment,
      RoleAssignment,
      RoleAssignment,
    ];
    store.refreshAssignments(mainAccount, [one, two], 1);
    store.refreshAssignments(otherAccount, [three], 2);

    store.refreshAssignments(mainAccount, [two, assignment(4, 4)], 3);

    expect([...store.assignments()]).toEqual([two, three, assignment(4, 4)]);
    expect(store.ages().assignments).toEqual(
      new Map([
        [mainAccount, 3],
        [otherAccount, 2],
      ]),
    );
  });

  test('is replaced for one person in all scopes, and the ages stay', () => {
    const { store } = open(snapshotPath());
    store.refreshAssignments(mainAccount, [assignment(1, 1), assignment(2, 2)], 1);
    store.refreshAssignments(otherAccount, [assignment(3, 1, inOther)], 1);

    store.refreshAssignmentsOf(userSid(1), [assignment(5, 1, inOther)]);

    expect(sids(store)).toEqual([assignment(2, 2).sid, assignment(5, 1).sid]);
    expect(store.ages().assignments.get(mainAccount)).toBe(1);
  });

  test('may be written while it is being read', () => {
    const { store } = open(snapshotPath());
    store.refreshAssignments(
      mainAccount,
      Array.from({ length: 5_000 }, (_, i) => assignment(i, i)),
      1,
    );

    let seen = 0;
    for (const { user } of store.assignments()) {
      if (seen === 0) store.refreshAssignmentsOf(user, []);
      seen += 1;
    }

    expect(seen).toBe(5_000);
    expect(sids(store)).toHaveLength(4_999);
  });

  test('may be left in the middle, and the snapshot can be closed then', () => {
    const snapshot = open(snapshotPath());
    snapshot.store.refreshAssignments(mainAccount, [assignment(1, 1), assignment(2, 2)], 1);

    const reading = snapshot.store.assignments()[Symbol.iterator]();
    reading.next();

    expect(() => snapshot.close()).not.toThrow();
  });
});

describe('the mirror of roles and accounts', () => {
  test('gives back what was read', () => {
    const { store } = open(snapshotPath());
    const owned = accounts.map((account) => ({ ...account, owner: userSid(1) }));
    const unknownLevel = roles.map((role) => ({ ...role, lowestLevel: undefined }));
    store.refreshRoles(roles, accounts, 1);

    store.refreshRoles(unknownLevel, owned, 2);

    expect(store.roles()).toEqual(unknownLevel);
    expect(store.accounts()).toEqual(owned);
    expect(store.ages().roles).toBe(2);
  });

  test('tells no accounts from accounts that may not be listed', () => {
    const { store } = open(snapshotPath());

    expect(store.accounts()).toBeUndefined();
    store.refreshRoles([{ sid: developer, name: 'Developer', lowestLevel: 'ACCOUNT' }], [], 1);
    expect(store.accounts()).toEqual([]);
    store.refreshRoles([], undefined, 2);
    expect(store.accounts()).toBeUndefined();
    expect(store.roles()).toEqual([]);
  });
});
