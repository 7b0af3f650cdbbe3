/** Writes that took effect and whose end nobody saw: the next run remembers them as its own. */
import { readFile } from 'node:fs/promises';
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

const report = { mode: 'sync', adoptExisting: true, drift: 'report' };
const user = '/scim/v2/Users/{id}';

test('an update that nobody saw is ours: what changes in the source later is no drift', async () => {
  const clock = createSkippingClock();
  await using world = await change.open({ now: clock.now, sections: { policy: report } });
  world.twilio.faults.add(
    { match: { method: 'PUT', path: user, body: { externalId: 'married' } }, times: 1, fault: 'reset-after' },
    { match: { method: 'GET', path: user }, fault: { status: 503 } },
  );
  const lost = await reconcileInProcess(world, { clock });
  world.twilio.faults.clear();
  await reconcileInProcess(world, { clock });
  const text = await readFile(world.path('people.csv'), 'utf8');
  await world.write('people.csv', text.replace(/(married@.*)After/, '$1Third'));

  const next = await reconcileInProcess(world, { clock });

  expect(lost.code).not.toBe(0);
  expect(next.report?.operations.map(({ operation }) => [operation.id, operation.reason])).toEqual([
    ['update married', 'changed-upstream'],
  ]);
  expect(next.report?.findings).toEqual([]);
  expect(world.twilio.state.users.byUserName('married@corp.example')?.familyName).toBe('Third');
});

test('a deactivation that nobody saw is ours: who comes back is made active again', async () => {
  const clock = createSkippingClock();
  const quirks = { inactiveInList: 'hidden' } as const;
  await using world = await change.open({ now: clock.now, quirks, sections: { policy: report } });
  const people = await readFile(world.path('people.csv'), 'utf8');
  world.twilio.faults.add({ match: { method: 'DELETE', path: user }, fault: 'reset-after' });
  const lost = await reconcileInProcess(world, { clock });
  world.twilio.faults.clear();
  await reconcileInProcess(world, { clock });
  const row = 'leaver,leaver@corp.example,Given-leaver,Family-leaver,employee,enabled,developers';
  await world.write('people.csv', `${people}${row}\r\n`);

  const next = await reconcileInProcess(world, { clock });

  expect(lost.code).not.toBe(0);
  expect(next.report?.operations.map(({ operation }) => operation.kind)).toEqual(['reactivate', 'grant']);
  expect(next.report?.findings).toEqual([]);
});
