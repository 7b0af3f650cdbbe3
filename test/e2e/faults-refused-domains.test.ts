/** What Twilio refuses to a whole domain, or to the whole organization, is asked and told once, not once per person. */
import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { createSkippingClock, outcomesOf, reconcileInProcess, type SkippingClock } from '../support/in-process.ts';
import { mailedTwice } from '../support/organization.ts';
import { createWorld, type Person, type World } from '../support/world.ts';

const createUser = { method: 'POST', path: '/scim/v2/Users' };
const hour = 3_600_000;
const anna: Person = { id: 'anna', groups: ['developers'] };
const elsewhere = Array.from({ length: 12 }, (_, index): Person => {
  return { id: `p${index + 10}`, mail: `p${index + 10}@elsewhere.example`, groups: ['developers'] };
});

async function open(people: readonly Person[]): Promise<World & { readonly clock: SkippingClock }> {
  const clock = createSkippingClock();
  const world = await createWorld({ now: clock.now, seed: { domains: ['corp.example'] } });
  // One call at a time, so that the first refusal is known before the second could be sent.
  const { twilio } = parse(await readFile(world.path('tdsync.yaml'), 'utf8'));
  await world.configure({ twilio: { ...twilio, limits: { ...twilio.limits, maxConcurrent: 1 } } });
  await world.people(people);
  return Object.assign(world, { clock });
}

function statesOf(run: Parameters<typeof outcomesOf>[0], kind: string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const [id, state] of Object.entries(outcomesOf(run))) {
    if (id.startsWith(kind)) counts[state] = (counts[state] ?? 0) + 1;
  }
  return counts;
}

describe.concurrent('a domain that is not verified', () => {
  test('is asked for once, the rest is skipped with the reason, and everybody else is applied', async () => {
    await using world = await open([...elsewhere, anna]);

    const run = await world.tdsync('reconcile');

    expect(run.code).toBe(4);
    // Twelve strangers and anna: one refusal, and anna.
    expect(world.twilio.requests.count(createUser)).toBe(2);
    expect(world.twilio.state.users.byUserName('anna@corp.example')).toBeDefined();
    const told = run.stdout.split('\n').filter((line) => line.startsWith('  ✗ create'));
    expect(told).toEqual([
      expect.stringContaining('create p10@elsewhere.example failed'),
      '  ✗ create p11@elsewhere.example, p12@elsewhere.example, p13@elsewhere.example and 8 more skipped: Twilio has not verified the domain elsewhere.example for this organization (25017)',
    ]);
  });

  test('is one finding from then on, and is asked again after one hour, then two, once each', async () => {
    await using world = await open([...elsewhere, anna]);
    await reconcileInProcess(world, world);
    const seen: (readonly [number, number | undefined, readonly string[]])[] = [];

    for (const hours of [0.9, 0.2, 1.8, 0.3]) {
      world.clock.advance(hours * hour);
      world.twilio.requests.clear();
      const { code, report } = await reconcileInProcess(world, world);
      const codes = (report?.findings ?? []).map((each) => each.code);
      seen.push([world.twilio.requests.count(createUser), code, codes]);
    }

    const waiting = [0, 0, ['unverified-domain']] as const;
    expect(seen).toEqual([waiting, [1, 4, []], waiting, [1, 4, []]]);
  });

  test('that has been verified lets everybody in when the time has come, once each', async () => {
    await using world = await open([...elsewhere, anna]);
    await reconcileInProcess(world, world);
    world.twilio.administer({ action: 'verify-domain', domain: 'elsewhere.example' });
    world.clock.advance(hour);

    const next = await reconcileInProcess(world, world);
    await world.people([...elsewhere, anna, { id: 'later', mail: 'later@elsewhere.example' }]);
    const later = await reconcileInProcess(world, world);
    const last = await reconcileInProcess(world, world);

    expect(statesOf(next, 'create')).toEqual({ done: 12 });
    expect(outcomesOf(later)).toEqual({ 'create later': 'done' });
    expect([last.report?.status, last.report?.findings]).toEqual(['converged', []]);
    expect(mailedTwice(world.twilio)).toEqual([]);
  });

  test('holds back nobody whose address is corrected', async () => {
    await using world = await open([...elsewhere, anna]);
    await reconcileInProcess(world, world);
    await world.people(
      [...elsewhere, anna, { id: 'p10', mail: 'p10@corp.example' }].filter(
        (each) => each.mail !== 'p10@elsewhere.example',
      ),
    );

    const next = await reconcileInProcess(world, world);

    expect(outcomesOf(next)).toEqual({ 'create p10': 'done' });
    expect(next.report?.findings).toMatchObject([{ message: expect.stringContaining('11 people wait') }]);
  });
});

test('an organization that is full is asked once, changes of others go on, and one finding tells who waits', async () => {
  await using world = await open([anna]);
  await reconcileInProcess(world, world);
  world.twilio.state.quota = world.twilio.state.users.size;
  world.twilio.requests.clear();
  await world.people([{ ...anna, family: 'Changed' }, { id: 'ben' }, { id: 'cleo' }, { id: 'dan' }]);

  const first = await reconcileInProcess(world, world);
  const asked = world.twilio.requests.count(createUser);
  const second = await reconcileInProcess(world, world);
  world.twilio.state.quota = 100;
  world.clock.advance(hour);
  const third = await reconcileInProcess(world, world);
  const last = await reconcileInProcess(world, world);

  expect([first.code, asked]).toEqual([4, 1]);
  expect(statesOf(first, 'create')).toEqual({ failed: 1, skipped: 2 });
  expect(outcomesOf(first)['update anna']).toBe('done');
  expect([second.code, second.report?.plan.operations]).toEqual([0, []]);
  expect(second.report?.findings).toMatchObject([
    { code: 'quota-reached', message: expect.stringContaining('3 people wait (ben@corp.example, cleo@') },
  ]);
  expect(statesOf(third, 'create')).toEqual({ done: 3 });
  expect([last.report?.status, last.report?.findings]).toEqual(['converged', []]);
});
