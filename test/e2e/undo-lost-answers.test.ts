/** Undo gives back what a run did, also where nobody saw the answer: the organization is as it was before the run. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createSkippingClock, historyOf, outcomesOf, reconcileInProcess } from '../support/in-process.ts';
import { type MixedChange, prepareMixedChange } from '../support/mixed-change.ts';
import { pictureOf } from '../support/organization.ts';
import type { World } from '../support/world.ts';

const writes = {
  'creating a user': { method: 'POST', path: '/scim/v2/Users' },
  'replacing a user': { method: 'PUT', path: '/scim/v2/Users/{id}' },
  'deactivating a user': { method: 'DELETE', path: '/scim/v2/Users/{id}' },
  'assigning a role': { method: 'POST', path: '/v2/Organizations/RoleAssignments' },
  'revoking a role': { method: 'DELETE', path: '/v2/Organizations/RoleAssignments/{id}' },
} as const;

let change: MixedChange;
let undone: ReturnType<typeof pictureOf>;
let known: ReturnType<typeof pictureOf>;

async function undoLast(world: World, clock: ReturnType<typeof createSkippingClock>): Promise<void> {
  const undo = historyOf(world)[0]?.summary.id ?? '';
  const { code, report } = await reconcileInProcess(world, { clock, undo });
  expect([code, report?.status]).toEqual([0, 'applied']);
}

/** Without those whom a run that was cut short may not have come to: who was to be created or adopted. */
function withoutNewcomers({ twilio }: World): ReturnType<typeof pictureOf> {
  const { users, assignments } = pictureOf(twilio);
  return { assignments, users: users.filter((user) => !/joiner-|adoptee@/.test(JSON.stringify(user))) };
}

beforeAll(async () => {
  change = await prepareMixedChange();
  await using world = await change.open();
  const clock = createSkippingClock();
  await reconcileInProcess(world, { clock });
  await undoLast(world, clock);
  undone = pictureOf(world.twilio);
  known = withoutNewcomers(world);
});
afterAll(() => change[Symbol.asyncDispose]());

describe.concurrent.each(Object.entries(writes))('%s', (_name, match) => {
  test('an answer that was lost once, so that Twilio was found as wanted when it was tried again', async () => {
    const clock = createSkippingClock();
    await using world = await change.open({ now: clock.now });
    for (let after = 0; after < 40; after += 2) {
      world.twilio.faults.add({ match, after, times: 1, fault: 'reset-after' });
    }
    const run = await reconcileInProcess(world, { clock });
    world.twilio.faults.clear();
    expect(run.code, JSON.stringify(outcomesOf(run))).toBe(0);

    await undoLast(world, clock);

    expect(pictureOf(world.twilio)).toEqual(undone);
  });

  test('an answer that never came, so that nobody knows', async () => {
    const clock = createSkippingClock();
    await using world = await change.open({ now: clock.now });
    world.twilio.faults.add({ match, fault: 'reset-after' });
    await reconcileInProcess(world, { clock });
    world.twilio.faults.clear();

    await undoLast(world, clock);

    expect(withoutNewcomers(world)).toEqual(known);
  });
});
