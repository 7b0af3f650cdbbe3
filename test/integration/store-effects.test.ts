import { describe, expect, test } from 'vitest';
import type { Blocked } from '../../src/domain/blocked.ts';
import { InternalError } from '../../src/errors.ts';
import type { Effect, Parked } from '../../src/ports.ts';
import type { Snapshot } from '../../src/store/snapshot.ts';
import {
  assignment,
  developer,
  externalId,
  lastApplied,
  link,
  mainAccount,
  otherAccount,
  twilioUser,
  userSid,
} from '../support/builders.ts';
import { allowed, endOf, morning, open, planOf, snapshotPath, startOf, update } from '../support/snapshots.ts';

const emp1 = externalId('emp-1');
const grant = { role: developer, scope: mainAccount };

/** Records effects the way a run does: with the outcome of an operation. */
function record(snapshot: Snapshot, ...effects: readonly Effect[]): void {
  const { journal } = snapshot;
  const run = journal.start(startOf());
  const operation = update('emp-1', 1);
  journal.planned(run, planOf([operation]), allowed, planOf([operation]), morning);
  journal.intend(run, operation, morning);
  journal.complete(run, operation, { state: 'done' }, effects, morning);
  journal.end(run, endOf());
}

function activeUsers(snapshot: Snapshot): string[] {
  const names: string[] = [];
  snapshot.store.users((user) => {
    if (user.active) names.push(user.attributes.userName);
  });
  return names;
}

describe('users', () => {
  test('that were written are in the mirror, with the resource that Twilio answered', () => {
    const snapshot = open(snapshotPath());

    record(snapshot, { effect: 'user', user: twilioUser(1, 'emp-1'), resource: '{"v":1}' });
    record(snapshot, { effect: 'user', user: twilioUser(1, 'renamed'), resource: '{"v":2}' });

    expect(activeUsers(snapshot)).toEqual(['renamed@corp.example']);
    expect(snapshot.store.resource(userSid(1))).toBe('{"v":2}');
  });

  test('that were deactivated are inactive, and their resource is unknown until it is read again', () => {
    const snapshot = open(snapshotPath());
    record(snapshot, { effect: 'user', user: twilioUser(1, 'emp-1'), resource: '{"v":1}' });

    record(snapshot, { effect: 'user-deactivated', user: userSid(1) });

    expect(activeUsers(snapshot)).toEqual([]);
    expect(snapshot.store.resource(userSid(1))).toBeUndefined();
    const refresh = snapshot.store.refreshUsers();
    refresh.add(twilioUser(1, 'emp-1'), '{"v":1}');
    refresh.finish(1);
    expect(activeUsers(snapshot)).toEqual(['emp-1@corp.example']);
    expect(snapshot.store.resource(userSid(1))).toBe('{"v":1}');
  });
});

describe('links', () => {
  test('are stored with what was last applied, and go with it', () => {
    const snapshot = open(snapshotPath());
    const applied = lastApplied(
      { userName: 'emp-1@corp.example' },
      { returned: { userName: 'EMP-1@corp.example' }, active: false },
    );

    record(
      snapshot,
      { effect: 'linked', link: link('emp-1', 1), origin: 'created' },
      { effect: 'applied', externalId: emp1, applied },
    );
    expect([...snapshot.store.links()]).toEqual([link('emp-1', 1)]);
    expect(snapshot.store.lastApplied(emp1)).toEqual(applied);
    expect(snapshot.history.managed()).toBe(1);

    snapshot.ledger.release(emp1, { at: 1, user: 'op', host: 'h', reason: undefined });
    expect([...snapshot.store.links()]).toEqual([]);
    expect(snapshot.store.lastApplied(emp1)).toBeUndefined();
  });

  test('to another user begin anew: what was last applied is forgotten', () => {
    const snapshot = open(snapshotPath());
    record(
      snapshot,
      { effect: 'linked', link: link('emp-1', 1), origin: 'created' },
      { effect: 'applied', externalId: emp1, applied: lastApplied({ locale: 'en-US' }) },
    );

    record(snapshot, { effect: 'linked', link: link('emp-1', 1), origin: 'adopted' });
    expect(snapshot.store.lastApplied(emp1)).toEqual(lastApplied({ locale: 'en-US' }));

    record(snapshot, { effect: 'linked', link: link('emp-1', 2), origin: 'created' });
    expect([...snapshot.store.links()]).toEqual([link('emp-1', 2)]);
    expect(snapshot.store.lastApplied(emp1)).toBeUndefined();
  });

  test('of two people to one user are refused, and nothing of that outcome is stored', () => {
    const snapshot = open(snapshotPath());
    record(snapshot, { effect: 'linked', link: link('emp-1', 1), origin: 'created' });

    const second = () =>
      record(
        snapshot,
        { effect: 'user', user: twilioUser(9, 'emp-9'), resource: '{}' },
        { effect: 'linked', link: link('emp-2', 1), origin: 'adopted' },
      );

    expect(second).toThrow(InternalError);
    expect([...snapshot.store.links()]).toEqual([link('emp-1', 1)]);
    expect(snapshot.store.resource(userSid(9))).toBeUndefined();
    expect(snapshot.store.unfinished()).toEqual([]); // it is the running run's own
  });

  test('compare their keys case-exactly and come in order', () => {
    const snapshot = open(snapshotPath());
    const ids = ['b', 'B', 'a', 'Ä', "o'neil"];

    record(snapshot, ...ids.map((id, i): Effect => ({ effect: 'linked', link: link(id, i + 1), origin: 'created' })));

    expect([...snapshot.store.links()].map((each) => each.externalId)).toEqual(['B', 'a', 'b', "o'neil", 'Ä']);
  });
});

describe('grants', () => {
  const given = { ...assignment(1, 1), origin: 'granted' } as const;
  const assigned: Effect = { effect: 'assigned', assignment: assignment(1, 1), origin: 'granted' };

  function records(snapshot: Snapshot) {
    return [...snapshot.store.grantRecords()];
  }

  test('that we made and those that were there already are told apart', () => {
    const snapshot = open(snapshotPath());

    record(snapshot, assigned, { effect: 'assigned', assignment: assignment(2, 2), origin: 'found' });

    expect(records(snapshot)).toEqual([given, { ...assignment(2, 2), origin: 'found' }]);
    expect([...snapshot.store.assignments()]).toEqual([assignment(1, 1), assignment(2, 2)]);
  });

  test('that were revoked are neither there nor remembered', () => {
    const snapshot = open(snapshotPath());
    record(snapshot, assigned);

    record(snapshot, { effect: 'revoked', assignment: assignment(1, 1).sid, user: userSid(1), grant });

    expect(records(snapshot)).toEqual([]);
    expect([...snapshot.store.assignments()]).toEqual([]);
  });

  test('stay remembered when another assignment of the same role is revoked', () => {
    const snapshot = open(snapshotPath());
    record(snapshot, assigned);

    record(snapshot, { effect: 'revoked', assignment: assignment(7, 1).sid, user: userSid(1), grant });

    expect(records(snapshot)).toEqual([given]);
  });

  test('that vanished from Twilio stay remembered with their assignment, so that their loss can be told', () => {
    const snapshot = open(snapshotPath());
    record(snapshot, assigned);

    snapshot.store.refreshAssignments(mainAccount, [assignment(7, 1)], 1);
    snapshot.store.refreshAssignments(otherAccount, [], 1);
    snapshot.store.refreshAssignmentsOf(userSid(1), []);

    expect(records(snapshot)).toEqual([given]);
  });

  test('that we made do not become found, and one that was made anew replaces the record', () => {
    const snapshot = open(snapshotPath());
    record(snapshot, assigned);

    record(snapshot, { effect: 'assigned', assignment: assignment(1, 1), origin: 'found' });
    expect(records(snapshot)).toEqual([given]);

    record(snapshot, { effect: 'assigned', assignment: assignment(7, 1), origin: 'found' });
    expect(records(snapshot)).toEqual([{ ...assignment(7, 1), origin: 'found' }]);
  });

  test('of which a run found out something without an operation are remembered or forgotten at its end', () => {
    const snapshot = open(snapshotPath());
    record(snapshot, assigned, { effect: 'assigned', assignment: assignment(2, 2), origin: 'granted' });
    const found = { ...assignment(3, 3), origin: 'found' } as const;

    const run = snapshot.journal.start(startOf());
    snapshot.journal.end(run, endOf({ grants: { kept: [found], forgotten: [given] } }));

    expect(records(snapshot)).toEqual([{ ...assignment(2, 2), origin: 'granted' }, found]);
  });
});

describe('parked people', () => {
  const parked: Parked = {
    externalId: emp1,
    record: 'a'.repeat(64),
    code: 'address-taken',
    message: 'the address has a Twilio login elsewhere',
    since: 5,
    attempts: 1,
    retryAt: undefined,
  };

  test('are kept with what was refused, are parked again with a new time, and are let go', () => {
    const snapshot = open(snapshotPath());

    record(snapshot, { effect: 'parked', parked });
    expect([...snapshot.store.parked()]).toEqual([parked]);

    record(snapshot, { effect: 'parked', parked: { ...parked, attempts: 2, retryAt: 99 } });
    expect([...snapshot.store.parked()]).toEqual([{ ...parked, attempts: 2, retryAt: 99 }]);

    record(snapshot, { effect: 'unparked', externalId: emp1 });
    expect([...snapshot.store.parked()]).toEqual([]);
  });
});

test('blocks of a domain or of the organization are kept, change, and are lifted', () => {
  const snapshot = open(snapshotPath());
  const domain: Blocked = { key: 'domain else.example', since: 5, attempts: 1, retryAt: 10 };
  const quota: Blocked = { key: 'quota', since: 6, attempts: 1, retryAt: 11 };

  record(snapshot, { effect: 'blocked', blocked: domain }, { effect: 'blocked', blocked: quota });
  expect(snapshot.store.blocks()).toEqual([domain, quota]);

  record(snapshot, { effect: 'blocked', blocked: { ...domain, attempts: 2, retryAt: 20 } });
  record(snapshot, { effect: 'unblocked', key: 'quota' });
  expect(snapshot.store.blocks()).toEqual([{ ...domain, attempts: 2, retryAt: 20 }]);
});
