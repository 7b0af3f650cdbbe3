import { expect, test } from 'vitest';
import type { ExternalId } from '../../src/domain/identity.ts';
import { assignment, entry, lastApplied, link, rules, twilioUser, userSid } from '../support/builders.ts';
import { codesOf, findingOf, idsOf, operationOf, planFor, stepsOf } from '../support/planning.ts';

test('somebody in scope whom Twilio does not know is created with mapped attributes and grants', () => {
  const planned = planFor({ entries: [entry('ann', { givenName: 'Ann' }, ['developers'])] });

  expect(stepsOf(planned)).toEqual(['create ann', 'grant ann']);
  expect(operationOf(planned, 'create')).toMatchObject({
    reason: 'new',
    userName: 'ann@corp.example',
    changes: [
      { attribute: 'userName', before: undefined, after: 'ann@corp.example' },
      { attribute: 'name.givenName', before: undefined, after: 'Ann' },
    ],
  });
  expect(operationOf(planned, 'grant')).toMatchObject({ user: null, after: 'create ann', because: 'developers' });
});

test('a linked person who is as wanted costs nothing and is counted as unchanged', () => {
  const planned = planFor({
    entries: [entry('ann', {}, ['developers'])],
    users: [twilioUser(1, 'ann')],
    links: [link('ann', 1)],
    assignments: [assignment(1, 1)],
  });

  expect(planned.plan.operations).toEqual([]);
  expect(planned.plan.counts).toEqual({ entries: 1, inScope: 1, managed: 1, unchanged: 1, gone: 0, unmanaged: 0 });
});

test('a linked person is updated, gains what a rule gives and loses what no rule gives any more', () => {
  const planned = planFor({
    entries: [entry('ann', { givenName: 'Anna' }, ['admins'])],
    users: [twilioUser(1, 'ann', { 'name.givenName': 'Ann' })],
    links: [link('ann', 1)],
    assignments: [assignment(1, 1)],
  });

  expect(stepsOf(planned)).toEqual(['revoke ann', 'update ann', 'grant ann']);
  expect(operationOf(planned, 'update').changes).toEqual([
    { attribute: 'name.givenName', before: 'Ann', after: 'Anna' },
  ]);
});

test('a linked person who is inactive is reactivated with the changes of the meantime, and then given roles', () => {
  const planned = planFor({
    entries: [entry('ann', { givenName: 'Anna' }, ['developers'])],
    users: [twilioUser(1, 'ann', { active: false })],
    links: [link('ann', 1)],
    applied: { ann: lastApplied({}, { active: false }) },
  });

  expect(stepsOf(planned)).toEqual(['reactivate ann', 'grant ann']);
  expect(operationOf(planned, 'reactivate')).toMatchObject({ reason: 'returned', activate: true });
  expect(operationOf(planned, 'grant')).toMatchObject({ after: 'reactivate ann' });
});

test('an unmanaged user with our externalId is adopted, whatever its address and the policy for addresses', () => {
  const planned = planFor({
    rules: rules({ policy: { adoptExisting: false } }),
    entries: [entry('ann')],
    users: [twilioUser(1, 'ann', { userName: 'old@corp.example' })],
  });

  expect(stepsOf(planned)).toEqual(['adopt ann']);
  expect(operationOf(planned, 'adopt')).toMatchObject({
    reason: 'same-external-id',
    user: userSid(1),
    changes: [{ attribute: 'userName', before: 'old@corp.example', after: 'ann@corp.example' }],
  });
});

test('an unmanaged user with the address, in whatever letter case, is adopted when the policy says so', () => {
  const planned = planFor({
    entries: [entry('ann')],
    users: [twilioUser(1, 'ann', { externalId: undefined, userName: 'Ann@Corp.example' })],
  });

  expect(stepsOf(planned)).toEqual(['adopt ann']);
  expect(operationOf(planned, 'adopt')).toMatchObject({ reason: 'same-address', changes: [], activate: false });
});

test('an inactive user with the address becomes active when adopted', () => {
  const planned = planFor({
    entries: [entry('ann')],
    users: [twilioUser(1, 'ann', { externalId: undefined, active: false })],
  });

  expect(operationOf(planned, 'adopt')).toMatchObject({ activate: true });
});

test('what adoption takes away waits until the person is linked', () => {
  const planned = planFor({
    entries: [entry('ann', {}, ['admins'])],
    users: [twilioUser(1, 'ann', { externalId: undefined })],
    assignments: [assignment(1, 1)],
  });

  expect(stepsOf(planned)).toEqual(['adopt ann', 'revoke ann', 'grant ann']);
  expect(operationOf(planned, 'revoke')).toMatchObject({ after: 'adopt ann' });
});

test('an unmanaged user with the address is a finding when adoption is off', () => {
  const planned = planFor({
    rules: rules({ policy: { adoptExisting: false } }),
    entries: [entry('ann')],
    users: [twilioUser(1, 'ann', { externalId: undefined })],
  });

  expect(stepsOf(planned)).toEqual([]);
  expect(findingOf(planned, 'not-adopted').message).toContain('policy.adoptExisting');
});

test('a user whose creation was begun and whose answer was lost is ours even when adoption is off', () => {
  const planned = planFor({
    rules: rules({ policy: { adoptExisting: false } }),
    entries: [entry('ann')],
    users: [twilioUser(1, 'ann', { externalId: undefined })],
    begun: ['ann@corp.example'],
  });

  expect(stepsOf(planned)).toEqual(['adopt ann']);
});

test('an unmanaged user with the address and a foreign externalId is a recycled address, not an adoption', () => {
  const planned = planFor({
    entries: [entry('ann')],
    users: [twilioUser(1, 'ann', { externalId: 'somebody-else' })],
  });

  expect(stepsOf(planned)).toEqual([]);
  expect(codesOf(planned)).toEqual(['recycled-address ann']);
  expect(findingOf(planned, 'recycled-address').message).toContain('somebody-else');
});

test('a user who is linked to one person and carries the externalId of another is ambiguous', () => {
  const planned = planFor({
    entries: [entry('ann'), entry('bob')],
    users: [twilioUser(1, 'bob', { externalId: 'ann' })],
    links: [link('bob', 1)],
  });

  expect(stepsOf(planned)).toEqual([]);
  expect(codesOf(planned)).toEqual(['ambiguous ann']);
});

test('two Twilio users with one address in different writing are ambiguous, and neither is adopted', () => {
  const planned = planFor({
    entries: [entry('ann')],
    users: [
      twilioUser(1, 'ann', { externalId: undefined }),
      twilioUser(2, 'ann', { externalId: undefined, userName: 'ANN@corp.example' }),
    ],
  });

  expect(stepsOf(planned)).toEqual([]);
  expect(codesOf(planned)).toEqual(['ambiguous ann']);
  expect(findingOf(planned, 'ambiguous').message).toMatch(/US0+1 and US0+2/);
});

test('a linked person whom Twilio no longer shows is a finding', () => {
  const planned = planFor({ entries: [entry('ann')], links: [link('ann', 1)] });

  expect(stepsOf(planned)).toEqual([]);
  expect(codesOf(planned)).toEqual(['gone ann']);
});

test('a person whom Twilio lost is created anew when the policy says so', () => {
  const planned = planFor({
    rules: rules({ policy: { recreateGone: true } }),
    entries: [entry('ann', {}, ['developers'])],
    links: [link('ann', 1)],
  });

  expect(stepsOf(planned)).toEqual(['create ann', 'grant ann']);
  expect(operationOf(planned, 'create').reason).toBe('gone');
});

test('a person whom Twilio lost and who is back under the same externalId is adopted rather than created twice', () => {
  const planned = planFor({
    rules: rules({ policy: { recreateGone: true } }),
    entries: [entry('ann')],
    users: [twilioUser(2, 'ann')],
    links: [link('ann', 1)],
  });

  expect(stepsOf(planned)).toEqual(['adopt ann']);
});

test('nobody without a link is touched when absent from the source; they are counted', () => {
  const planned = planFor({
    users: [twilioUser(1, 'ann'), twilioUser(2, 'bob', { active: false })],
    assignments: [assignment(1, 1)],
  });

  expect(planned.plan.operations).toEqual([]);
  expect(planned.plan.findings).toEqual([]);
  expect(planned.plan.counts.unmanaged).toBe(2);
});

test.each([
  ['address', 'ann@corp.example'],
  ['address in another writing', ' ANN@Corp.Example'],
  ['externalId', 'ann'],
  ['SID', userSid(1)],
])('a person protected by %s is never changed, and what was wanted is said', (_by, name) => {
  const planned = planFor({
    rules: rules({ policy: { protect: [name] } }),
    entries: [entry('ann', { givenName: 'Anna' }, ['developers'])],
    users: [twilioUser(1, 'ann')],
    links: [link('ann', 1)],
  });

  expect(stepsOf(planned)).toEqual([]);
  expect(findingOf(planned, 'protected').message).toContain('update, grant wanted');
});

test('protection by address holds when the source gives the person another address', () => {
  const planned = planFor({
    rules: rules({ policy: { protect: ['ann@corp.example'] } }),
    entries: [entry('ann', { mail: 'renamed@corp.example' })],
    users: [twilioUser(1, 'ann')],
    links: [link('ann', 1)],
  });

  expect(stepsOf(planned)).toEqual([]);
  expect(codesOf(planned)).toEqual(['protected ann']);
});

test('a protected user is not adopted by externalId under another address', () => {
  const planned = planFor({
    rules: rules({ policy: { protect: ['owner@corp.example'] } }),
    entries: [entry('ann')],
    users: [twilioUser(1, 'ann', { userName: 'owner@corp.example' })],
  });

  expect(stepsOf(planned)).toEqual([]);
  expect(codesOf(planned)).toEqual(['protected ann']);
});

test('a protected leaver stays', () => {
  const planned = planFor({
    rules: rules({ policy: { protect: ['ann@corp.example'] } }),
    users: [twilioUser(1, 'ann')],
    links: [link('ann', 1)],
  });

  expect(codesOf(planned)).toEqual(['protected ann']);
  expect(planned.plan.operations).toEqual([]);
});

test('an owner of an account is never changed', () => {
  const planned = planFor({
    users: [twilioUser(1, 'ann')],
    links: [link('ann', 1)],
    accounts: [{ sid: assignment(1, 1).scope, name: 'Main', status: 'active', owner: userSid(1) }],
  });

  expect(codesOf(planned)).toEqual(['owner ann']);
});

test('a user whom Twilio refused as suspended is not changed before the time has come', () => {
  const suspended = { externalId: 'ann' as ExternalId, record: 'x', code: 'suspended', message: 'suspended' } as const;
  const parked = [{ ...suspended, since: 0, attempts: 1, retryAt: 2 }];
  const given = { users: [twilioUser(1, 'ann')], links: [link('ann', 1)], parked };
  const planned = planFor({ ...given, now: 1 });
  expect(stepsOf(planFor({ ...given, now: 2 }))).toEqual(['deactivate ann']);

  expect(codesOf(planned)).toEqual(['suspended ann']);
});

test('a protected person with nothing to change is no finding', () => {
  const planned = planFor({
    rules: rules({ policy: { protect: ['ann'] } }),
    entries: [entry('ann')],
    users: [twilioUser(1, 'ann')],
    links: [link('ann', 1)],
  });

  expect(planned.plan.findings).toEqual([]);
});

test('upsert-only gives and changes, and takes nothing away', () => {
  const planned = planFor({
    rules: rules({ policy: { mode: 'upsert-only' } }),
    entries: [entry('ann', { givenName: 'Anna' }, ['admins']), entry('new')],
    users: [twilioUser(1, 'ann'), twilioUser(2, 'gone')],
    links: [link('ann', 1), link('gone', 2)],
    assignments: [assignment(1, 1), assignment(2, 2)],
  });

  expect(stepsOf(planned)).toEqual(['update ann', 'create new', 'grant ann']);
});

test('create-only creates people with their grants, and changes nobody who is there', () => {
  const planned = planFor({
    rules: rules({ policy: { mode: 'create-only' } }),
    entries: [entry('ann', { givenName: 'Anna' }, ['admins']), entry('new', {}, ['admins']), entry('known')],
    users: [twilioUser(1, 'ann'), twilioUser(2, 'known', { externalId: undefined })],
    links: [link('ann', 1)],
  });

  expect(stepsOf(planned)).toEqual(['create new', 'grant new']);
});

test('operations stand in phases: revocations, deactivations, writes, creations, grants; by person within each', () => {
  const planned = planFor({
    entries: [
      entry('b-mover', { givenName: 'B' }, ['admins']),
      entry('a-new', {}, ['developers']),
      entry('c-back'),
      entry('d-known'),
    ],
    users: [
      twilioUser(1, 'b-mover'),
      twilioUser(2, 'z-leaver'),
      twilioUser(3, 'c-back', { active: false }),
      twilioUser(4, 'd-known', { externalId: undefined }),
    ],
    links: [link('b-mover', 1), link('z-leaver', 2), link('c-back', 3)],
    assignments: [assignment(1, 1), assignment(2, 2)],
  });

  expect(stepsOf(planned)).toEqual([
    'revoke b-mover',
    'revoke z-leaver',
    'deactivate z-leaver',
    'update b-mover',
    'reactivate c-back',
    'adopt d-known',
    'create a-new',
    'grant a-new',
    'grant b-mover',
  ]);
});

test('a plan for some people holds their operations and findings alone, whichever name they are given by', () => {
  const given = {
    entries: [entry('ann', { mail: 'new@corp.example' }), entry('bob', { givenName: 'B' }), entry('bad', { mail: '' })],
    users: [twilioUser(1, 'ann'), twilioUser(2, 'bob'), twilioUser(3, 'bad')],
    links: [link('ann', 1), link('bob', 2), link('bad', 3)],
  };

  for (const name of ['ann', 'new@corp.example', 'ann@corp.example', userSid(1)]) {
    const planned = planFor({ ...given, only: [name] });
    expect(idsOf(planned)).toEqual(['update ann']);
    expect(planned.plan.findings).toEqual([]);
  }
});

test('create-only goes on with a creation of ours whose end nobody saw, and takes nothing away', () => {
  const given = {
    rules: rules({ policy: { mode: 'create-only', adoptExisting: false } }),
    entries: [entry('ann', {}, ['developers'])],
    users: [twilioUser(1, 'ann')],
  } as const;

  expect(stepsOf(planFor({ ...given, begun: ['ann@corp.example'] }))).toEqual(['adopt ann', 'grant ann']);
  expect(stepsOf(planFor(given))).toEqual([]);
});

test('create-only still gives the grants that were planned with a creation and never made, and no other', () => {
  const given = {
    rules: rules({ policy: { mode: 'create-only' } }),
    entries: [entry('ann', { givenName: 'Changed' }, ['developers', 'admins'])],
    users: [twilioUser(1, 'ann')],
    links: [link('ann', 1)],
  } as const;
  const [owed = '', other = ''] = idsOf(planFor({ ...given, rules: rules() })).filter((id) => id.startsWith('grant'));

  expect(other).not.toBe('');
  expect(idsOf(planFor({ ...given, owed: [owed] }))).toEqual([owed]);
});
