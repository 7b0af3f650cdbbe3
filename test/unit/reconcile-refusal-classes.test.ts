/** What Twilio refuses for the person's sake, or for a whole domain, is asked once and told once. */
import { expect, test } from 'vitest';
import { TargetRejectedError } from '../../src/errors.ts';
import type { Reconciled } from '../../src/reconcile/reconcile.ts';
import { notDoneSummary } from '../../src/report/not-done.ts';
import {
  assignment,
  assignmentSid,
  entry,
  link,
  mainAccount,
  noLimits,
  rules,
  twilioUser,
  userSid,
} from '../support/builders.ts';
import { createWorld, runIn, type World, type WorldState } from '../support/memory-world.ts';

const hour = 3_600_000;
const ann: WorldState = { twilio: { users: [twilioUser(1, 'ann')] }, snapshot: { links: [link('ann', 1)] } };

function open(state: WorldState): World {
  return createWorld({ rules: rules({ guards: noLimits }), ...state });
}

function refuse(world: World, start: string, twilioCode: number | undefined): void {
  world.twilio.before = (write) => {
    if (write.startsWith(start))
      throw new TargetRejectedError(`${write}: no`, { status: 400, twilioCode, method: 'POST' });
  };
}

function codesOf({ report }: Reconciled): readonly string[] {
  return report.findings.map(({ code, externalId }) => `${code} ${externalId}`);
}

test.each([
  [25009, 'suspended'],
  [25016, 'owner'],
])(
  'code %i: nothing more is asked for the person, in this run or the next, and one finding tells of it',
  async (code, found) => {
    const world = open({ ...ann, entries: [entry('ann', { givenName: 'New' }, ['developers', 'admins'])] });
    refuse(world, 'update', code);

    const first = await runIn(world);
    world.entries = [entry('ann', { givenName: 'Newer' }, ['developers'])];
    const second = await runIn(world);
    world.now += hour;
    world.twilio.before = () => {};
    const third = await runIn(world);

    expect(first.asked).toEqual([`update ${userSid(1)}`]);
    expect(first.report.operations.map(({ outcome }) => outcome.state)).toEqual(['failed', 'skipped', 'skipped']);
    expect([second.asked, codesOf(second)]).toEqual([[], [`${found} ann`]]);
    expect(second.report.findings[0]?.message).toContain('ann@corp.example is left alone (update, grant wanted)');
    expect([third.report.status, third.asked.length]).toEqual(['applied', 2]);
  },
);

test('somebody who is not managed is asked about one role, and keeps the rest of what is wanted', async () => {
  const world = open({ ...ann, entries: [entry('ann', { givenName: 'New' }, ['developers', 'admins'])] });
  refuse(world, 'assign', 25201);

  const first = await runIn(world);
  const second = await runIn(world);

  expect(first.asked).toEqual([`update ${userSid(1)}`, `assign ${userSid(1)}`]);
  expect([second.asked, codesOf(second)]).toEqual([[], ['not-managed ann']]);
});

test('a ceiling of 25 roles is recognised by what the person holds, asked once, and gone with a revocation', async () => {
  const held = Array.from({ length: 25 }, (_, index) => {
    return assignment(100 + index, 1, { role: `IX${String(index).padStart(32, '9')}` as never, scope: mainAccount });
  });
  const records = held.map((each) => ({ ...each, origin: 'found' }) as const);
  const world = open({
    entries: [entry('ann', {}, ['developers', 'admins'])],
    twilio: { users: [twilioUser(1, 'ann')], assignments: held },
    snapshot: { links: [link('ann', 1)], records },
  });
  refuse(world, 'assign', undefined);

  const first = await runIn(world);
  const second = await runIn(world);

  expect(first.asked).toHaveLength(1);
  expect(second.asked).toEqual([]);
  expect(codesOf(second)).toEqual(['role-ceiling ann']);

  // A role that a rule named goes: there is room for another.
  world.twilio.before = () => {};
  const surplus = assignment(1, 1);
  world.twilio.assignments.set(assignmentSid(1), surplus);
  world.entries = [entry('ann', {}, ['admins'])];
  const third = await runIn(world);
  expect(third.asked.map((write) => write.split(' ')[0])).toEqual(['revoke', 'assign']);
});

test('a thousand people of one domain cost one call, one line, and one finding', async () => {
  const world = open({ entries: Array.from({ length: 1_000 }, (_, index) => entry(`p${index}`)) });
  refuse(world, 'create', 25017);

  const first = await runIn(world);
  const second = await runIn(world);
  world.now += hour;
  const third = await runIn(world);

  expect([first.asked.length, second.asked.length, third.asked.length]).toEqual([1, 0, 1]);
  expect(notDoneSummary(first.report.operations)).toEqual([
    expect.objectContaining({ kind: 'create', state: 'failed', people: 1 }),
    {
      kind: 'create',
      state: 'skipped',
      message: 'Twilio has not verified the domain corp.example for this organization (25017)',
      people: 999,
      examples: ['p1@corp.example', 'p10@corp.example', 'p100@corp.example'],
    },
  ]);
  expect(second.report.findings).toEqual([
    expect.objectContaining({ code: 'unverified-domain', message: expect.stringContaining('1000 people wait') }),
  ]);
});

test('of a domain whose time has come one is tried, alone, however many may be under way', async () => {
  const world = open({ entries: Array.from({ length: 40 }, (_, index) => entry(`p${index}`)), maxConcurrent: 8 });
  refuse(world, 'create', 25017);
  await runIn(world);

  world.now += hour;
  const { asked } = await runIn(world);

  expect(asked).toHaveLength(1);
});

test('a refusal that nobody wants undone any more is forgotten', async () => {
  const world = open({ entries: [entry('ann')] });
  refuse(world, 'create', 25002);
  await runIn(world);
  expect(world.snapshot.parked.size).toBe(1);

  world.entries = [entry('bob')];
  world.twilio.before = () => {};
  await runIn(world);

  expect(world.snapshot.parked.size).toBe(0);
});
