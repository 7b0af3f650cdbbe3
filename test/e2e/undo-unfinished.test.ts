/** Taking back, when it is not known what became of something: of the undoing itself, or of the run before it. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createSkippingClock, historyOf, reconcileInProcess } from '../support/in-process.ts';
import { type MixedChange, prepareMixedChange } from '../support/mixed-change.ts';
import { assignedTwice, pictureOf } from '../support/organization.ts';

let change: MixedChange;

beforeAll(async () => {
  change = await prepareMixedChange();
});

afterAll(() => change[Symbol.asyncDispose]());

const assignments = '/v2/Organizations/RoleAssignments';

test('a role whose return nobody saw is looked for before it is given again', async () => {
  const clock = createSkippingClock();
  await using world = await change.open({ now: clock.now });
  const undo = (await reconcileInProcess(world, { clock })).report?.run ?? '';
  world.twilio.faults.add(
    { match: { method: 'POST', path: assignments }, times: 1, fault: 'reset-after' },
    { match: { method: 'GET', path: assignments }, fault: { status: 503 } },
  );

  const lost = await reconcileInProcess(world, { clock, undo });
  world.twilio.faults.clear();
  const again = await reconcileInProcess(world, { clock, undo });

  expect([lost.code, again.code]).not.toContain(1);
  expect(again.code).toBe(0);
  expect(assignedTwice(world.twilio)).toEqual([]);
  expect(pictureOf(world.twilio).assignments.length).toBeGreaterThan(0);
  const [, first] = historyOf(world);
  const unknown = first?.operations.filter(({ state }) => state === 'intended') ?? [];
  expect(unknown.map(({ checkedBy }) => checkedBy)).toEqual(unknown.map(() => again.report?.run));
  expect(unknown.length).toBeGreaterThan(0);
});
