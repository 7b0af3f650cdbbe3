import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { UserSid } from '../../src/domain/identity.ts';
import type { TwilioUser } from '../../src/domain/user.ts';
import type { KnownList, SnapshotStore } from '../../src/ports.ts';
import type { Snapshot } from '../../src/store/snapshot.ts';
import { createUserListScanner } from '../../src/twilio/user-list-scanner.ts';
import { parseObject, readUser } from '../../src/twilio/wire.ts';
import { holds } from '../support/properties.ts';
import { allowed, open, snapshotPath, startOf } from '../support/snapshots.ts';
import { scimUser, userSid } from '../support/twilio-scripts.ts';

type List = readonly object[];

/** Reads the list as the adapter does, and says how many users were taken from memory. */
function read(list: List, pieceSize: number, known: KnownList, onUser: (user: TwilioUser, text?: string) => void) {
  let last: UserSid | '' = '';
  let recognised = 0;
  const hand = (user: TwilioUser, text?: string) => {
    last = user.sid;
    onUser(user, text);
  };
  const scanner = createUserListScanner((text) => hand(readUser(parseObject(text)), text), {
    next: () => known.after(last),
    onKnown(users) {
      recognised += users.length;
      for (const user of users) hand(user);
    },
  });
  const bytes = Buffer.from(JSON.stringify({ totalResults: list.length, Resources: list }));
  for (let at = 0; at < bytes.length; at += pieceSize) scanner.write(bytes.subarray(at, at + pieceSize));
  scanner.end();
  return recognised;
}

/** One reading into the snapshot; `until` abandons it after so many users. */
function refresh({ store }: Snapshot, list: List, pieceSize = 4_000, until = Number.POSITIVE_INFINITY) {
  const mirror = store.refreshUsers();
  const users: TwilioUser[] = [];
  const recognised = read(list, pieceSize, mirror, (user, text) => {
    users.push(user);
    if (text !== undefined && users.length <= until) mirror.add(user, text);
  });
  if (until === Number.POSITIVE_INFINITY) mirror.finish(1);
  return { users, recognised };
}

function mirrored(store: SnapshotStore) {
  const users: TwilioUser[] = [];
  store.users((user) => users.push(user));
  return users.map((user) => ({ user, resource: store.resource(user.sid) }));
}

const plain = (list: List) => list.map((resource) => readUser(JSON.parse(JSON.stringify(resource))));
const bySid = (a: { user: TwilioUser }, b: { user: TwilioUser }) => (a.user.sid < b.user.sid ? -1 : 1);
const asMirrored = (list: List) =>
  list.map((resource) => ({ user: readUser(resource), resource: JSON.stringify(resource) })).sort(bySid);
const people = (count: number): List => Array.from({ length: count }, (_, index) => scimUser(index + 1));

describe('a list that is remembered', () => {
  test('is read, and mirrored, exactly as one that is not, whatever became of it in between', () => {
    const number = fc.nat({ max: 399 });
    const step = fc.record({
      change: fc.array(number, { maxLength: 3 }),
      remove: fc.array(number, { maxLength: 2 }),
      move: fc.option(fc.tuple(number, number)),
      add: fc.array(number, { maxLength: 2 }),
      written: fc.option(number),
      abandoned: fc.option(number),
      pieceSize: fc.integer({ min: 100, max: 90_000 }),
    });
    holds(
      fc.property(fc.array(step, { minLength: 1, maxLength: 6 }), (steps) => {
        const snapshot = open(snapshotPath());
        let list = [...people(400)];
        let next = 1_000;
        refresh(snapshot, list);
        for (const { change, remove, move, add, written, abandoned, pieceSize } of steps) {
          const before = list;
          list = list.map((each, index) =>
            change.includes(index) ? { ...each, displayName: `Löwe ${next++}` } : each,
          );
          list = list.filter((_, index) => !remove.includes(index));
          if (move !== null) list.splice(move[0], 0, ...list.splice(move[1], 1));
          for (const place of add) list.splice(place, 0, scimUser(next++));
          const other = written === null ? undefined : before[written];
          if (other !== undefined) write(snapshot, { ...other, displayName: 'written by us' });
          if (abandoned !== null) refresh(snapshot, list.toReversed(), pieceSize, abandoned);

          const { users } = refresh(snapshot, list, pieceSize);

          expect(users).toEqual(plain(list));
          expect(mirrored(snapshot.store)).toEqual(asMirrored(list));
        }
        snapshot.close();
      }),
      12,
    );
  });

  test('costs nothing per user when it comes again', () => {
    const snapshot = open(snapshotPath());
    const list = people(1_000);

    expect(refresh(snapshot, list).recognised).toBe(0);
    expect(refresh(snapshot, list).recognised).toBe(1_000);
  });

  test('is looked at closely only around what changed, and known again after', () => {
    const snapshot = open(snapshotPath());
    const list = people(1_000);
    refresh(snapshot, list);
    const changed = [...list.slice(0, 500), { ...scimUser(501), displayName: 'Other' }, ...list.slice(501, 999)];

    const { recognised } = refresh(snapshot, changed);

    expect(recognised).toBeGreaterThan(700);
    expect(refresh(snapshot, changed).recognised).toBe(999);
  });

  test('is looked at closely around people whom we wrote', () => {
    const snapshot = open(snapshotPath());
    const list = people(1_000);
    refresh(snapshot, list);
    write(snapshot, { ...scimUser(501), displayName: 'written by us' });

    const { users, recognised } = refresh(snapshot, list);

    expect(recognised).toBe(1_000 - 128);
    expect(users).toEqual(plain(list));
    expect(mirrored(snapshot.store)[500]?.user.attributes.displayName).toBe('Person 501');
  });
});

/** What a run stores after an update of this user. */
function write({ journal }: Snapshot, resource: object) {
  const user = readUser(resource);
  const run = journal.start(startOf({ at: 1 }));
  const operation = { kind: 'update', id: 'update x', externalId: 'x', userName: 'x', user: userSid(1), changes: [] };
  const plan = { operations: [operation], findings: [], counts: {}, digest: 'd' } as never;
  journal.planned(run, plan, allowed, plan, 1);
  journal.intend(run, operation as never, 1);
  const effect = { effect: 'user', user, resource: JSON.stringify(resource) } as const;
  journal.complete(run, operation as never, { state: 'done' } as never, [effect], 1);
  journal.end(run, { status: 'applied', at: 1, findings: [], calls: {} });
}
