/** Every kind of write, every way to lose or spoil its answer: the run ends where an undisturbed one ends, and nothing is done twice. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Fault } from '../../src/simulator/faults.ts';
import { createSkippingClock, outcomesOf, reconcileInProcess } from '../support/in-process.ts';
import { type MixedChange, prepareMixedChange } from '../support/mixed-change.ts';
import { mailedTwice, type OrganizationPicture, pictureOf } from '../support/organization.ts';

const writes = {
  'creating a user': { method: 'POST', path: '/scim/v2/Users' },
  'replacing a user': { method: 'PUT', path: '/scim/v2/Users/{id}' },
  'deactivating a user': { method: 'DELETE', path: '/scim/v2/Users/{id}' },
  'assigning a role': { method: 'POST', path: '/v2/Organizations/RoleAssignments' },
  'revoking a role': { method: 'DELETE', path: '/v2/Organizations/RoleAssignments/{id}' },
} as const;

/** Exit codes when no answer ever comes: a look finds what took effect, three unanswered in a row end the run, one alone is a failure. */
const whenAlways: Readonly<Record<Write, { readonly withoutEffect: number; readonly afterEffect: number }>> = {
  'creating a user': { withoutEffect: 6, afterEffect: 0 },
  'replacing a user': { withoutEffect: 6, afterEffect: 0 },
  'deactivating a user': { withoutEffect: 4, afterEffect: 4 },
  'assigning a role': { withoutEffect: 6, afterEffect: 0 },
  'revoking a role': { withoutEffect: 6, afterEffect: 6 },
};
type Write = keyof typeof writes;
const everyWrite = Object.keys(writes) as Write[];

const faults: Readonly<Record<string, Fault>> = {
  'the connection is reset before it takes effect': 'reset-before',
  'the connection is reset after it took effect': 'reset-after',
  'the answer breaks off in the middle': 'truncate',
  'an edge proxy answers with HTML': 'html',
  'Twilio answers 500 without effect': { status: 500 },
  'Twilio answers 500 after it took effect': { status: 500, effect: true },
  'Twilio answers 503 with a time to come back': { status: 503, headers: { 'Retry-After': '2' } },
  'Twilio answers 500 with an empty body after it took effect': { status: 500, body: '', effect: true },
  'Twilio answers 504 with text after it took effect': { status: 504, body: 'upstream timed out', effect: true },
};

let change: MixedChange;
let undisturbed: OrganizationPicture;

beforeAll(async () => {
  change = await prepareMixedChange();
  await using world = await change.open();
  await reconcileInProcess(world);
  undisturbed = pictureOf(world.twilio);
});

afterAll(() => change[Symbol.asyncDispose]());

describe.concurrent.each(everyWrite)('%s', (write) => {
  const match = writes[write];

  test.each(Object.keys(faults))('once when %s', async (name) => {
    const clock = createSkippingClock();
    await using world = await change.open({ now: clock.now });
    world.twilio.faults.add({ match, times: 1, fault: faults[name] ?? 'html' });

    const run = await reconcileInProcess(world, { clock });
    const disturbed = pictureOf(world.twilio);
    const next = await reconcileInProcess(world, { clock });

    expect(run.code, JSON.stringify(outcomesOf(run))).toBe(0);
    expect(disturbed).toEqual(undisturbed);
    expect(mailedTwice(world.twilio)).toEqual([]);
    expect(next.report?.status).toBe('converged');
  });

  test.each(Object.keys(faults))('every second time when %s', async (name) => {
    const clock = createSkippingClock();
    await using world = await change.open({ now: clock.now });
    for (let after = 1; after < 40; after += 2) {
      world.twilio.faults.add({ match, after, times: 1, fault: faults[name] ?? 'html' });
    }

    const run = await reconcileInProcess(world, { clock });
    const disturbed = pictureOf(world.twilio);
    const next = await reconcileInProcess(world, { clock });

    expect(run.code, JSON.stringify(outcomesOf(run))).toBe(0);
    expect(disturbed).toEqual(undisturbed);
    expect(mailedTwice(world.twilio)).toEqual([]);
    expect(next.report?.status).toBe('converged');
  });

  test.each([
    ['reset-before', 'withoutEffect'],
    ['html', 'withoutEffect'],
    ['reset-after', 'afterEffect'],
    ['truncate', 'afterEffect'],
  ] as const)('always, as by %s, is completed by the next run', async (fault, effect) => {
    const clock = createSkippingClock();
    await using world = await change.open({ now: clock.now });
    world.twilio.faults.add({ match, fault });

    const run = await reconcileInProcess(world, { clock });
    world.twilio.faults.clear();
    const second = await reconcileInProcess(world, { clock });
    const third = await reconcileInProcess(world, { clock });

    expect(run.code).toBe(whenAlways[write][effect]);
    expect(second.code, JSON.stringify(outcomesOf(second))).toBe(0);
    expect(pictureOf(world.twilio)).toEqual(undisturbed);
    expect(mailedTwice(world.twilio)).toEqual([]);
    expect(third.report?.status).toBe('converged');
  });

  test.each(['hang', 'hang-after'] as const)('once without any answer (%s)', async (fault) => {
    const clock = createSkippingClock();
    await using world = await change.open({ now: clock.now });
    world.twilio.faults.add({ match, times: 1, fault });

    const run = await reconcileInProcess(world, { clock, environment: { TDSYNC_TWILIO_TIMEOUT: '500ms' } });
    const disturbed = pictureOf(world.twilio);
    const next = await reconcileInProcess(world, { clock });

    expect(run.code, JSON.stringify(outcomesOf(run))).toBe(0);
    expect(disturbed).toEqual(undisturbed);
    expect(mailedTwice(world.twilio)).toEqual([]);
    expect(next.report?.status).toBe('converged');
  });
});
