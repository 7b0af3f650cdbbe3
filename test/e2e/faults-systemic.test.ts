/** A fault of Twilio's that looks like the fault of everybody in turn, and a run that ends between a person and the roles. */
import { expect, test } from 'vitest';
import { wideGuards } from '../support/convergence.ts';
import {
  createSkippingClock,
  historyOf,
  historyProblem,
  outcomesOf,
  reconcileInProcess,
} from '../support/in-process.ts';
import { mailedTwice, pictureOf } from '../support/organization.ts';
import { createWorld, type Person } from '../support/world.ts';

const createUser = { method: 'POST', path: '/scim/v2/Users' };
const assignRole = { method: 'POST', path: '/v2/Organizations/RoleAssignments' };
const minute = 60_000;

test('everybody is refused for a while: few calls are lost, nobody waits for long, nobody gets two mails', async () => {
  const people = Array.from({ length: 60 }, (_, index): Person => ({ id: `p${index + 10}`, groups: ['developers'] }));
  const clock = createSkippingClock();
  await using world = await createWorld({ now: clock.now, sections: { guards: wideGuards } });
  await world.people(people);
  const body = JSON.stringify({ code: 25006, detail: 'the body does not follow the schema', status: '400' });
  world.twilio.faults.add({ match: createUser, fault: { status: 400, body } });
  const seen: (readonly [number | undefined, string | undefined, number])[] = [];
  const pass = async () => {
    world.twilio.requests.clear();
    const { code, report } = await reconcileInProcess(world, { clock });
    seen.push([code, report?.status, world.twilio.requests.count(createUser)]);
  };

  await pass();
  const first = seen.pop();
  for (let run = 0; run < 3; run++) {
    clock.advance(10 * minute);
    await pass();
  }
  world.twilio.faults.clear();
  clock.advance(10 * minute);
  await pass();
  await pass();
  await pass();

  // What was under way when the tenth was refused is lost too.
  expect(first?.[2]).toBeGreaterThanOrEqual(10);
  expect(first?.[2]).toBeLessThanOrEqual(11);
  const lost = (first?.[2] ?? 0) + 3;
  expect([first?.slice(0, 2), ...seen]).toEqual([
    [4, 'partial'],
    [4, 'partial', 1],
    [4, 'partial', 1],
    [4, 'partial', 1],
    [0, 'applied', 60 - lost],
    [0, 'applied', lost],
    [0, 'converged', 0],
  ]);
  expect(pictureOf(world.twilio).assignments).toHaveLength(60);
  expect(mailedTwice(world.twilio)).toEqual([]);
  expect(historyOf(world).map(({ summary }) => summary.error?.code)).toContain('breaker-open');
  expect(historyProblem(world)).toBeUndefined();
});

test('in create-only mode, roles that a run did not come to give to whom it created are given by the next', async () => {
  const clock = createSkippingClock();
  await using world = await createWorld({
    now: clock.now,
    sections: { guards: wideGuards, policy: { mode: 'create-only' } },
  });
  await world.people(['anna', 'ben', 'cleo', 'dan'].map((id) => ({ id, groups: ['developers'] })));
  world.twilio.faults.add({ match: assignRole, fault: { status: 503 } });

  const first = await reconcileInProcess(world, { clock });
  world.twilio.faults.clear();
  const second = await reconcileInProcess(world, { clock });
  const third = await reconcileInProcess(world, { clock });

  expect([first.code, world.twilio.state.users.size]).toEqual([6, 5]);
  expect(Object.keys(outcomesOf(second)).every((id) => id.startsWith('grant'))).toBe(true);
  expect([second.code, third.report?.status]).toEqual([0, 'converged']);
  expect(pictureOf(world.twilio).assignments).toHaveLength(4);
});
