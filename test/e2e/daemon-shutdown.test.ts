/** Asked to stop: the call in flight is finished and recorded, the rest is left to the next run, and nothing waits for ever. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { historyOf, outcomesOf, reconcileInProcess } from '../support/in-process.ts';
import { type MixedChange, prepareMixedChange } from '../support/mixed-change.ts';
import { mailedTwice, type OrganizationPicture, pictureOf } from '../support/organization.ts';
import { untilUnderWay } from '../support/underway.ts';
import type { World } from '../support/world.ts';

const createUser = { method: 'POST', path: '/scim/v2/Users' };
const listUsers = { method: 'GET', path: '/scim/v2/Users' };
const oneAtATime = { environment: { TDSYNC_TWILIO_MAX_CONCURRENT: '1', TDSYNC_TWILIO_TIMEOUT: '60s' } };

let change: MixedChange;
let undisturbed: OrganizationPicture;

beforeAll(async () => {
  change = await prepareMixedChange();
  await using world = await open();
  await reconcileInProcess(world);
  undisturbed = pictureOf(world.twilio);
});

afterAll(() => change[Symbol.asyncDispose]());

function open(schedule: object = {}): Promise<World> {
  return change.open({ sections: { schedule: { cron: '0 0 29 2 *', ...schedule } } });
}

/** The operations of the newest run by state. */
function states(world: World): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { state } of historyOf(world)[0]?.operations ?? []) counts[state] = (counts[state] ?? 0) + 1;
  return counts;
}

async function expectCompleted(world: World): Promise<void> {
  const next = await reconcileInProcess(world);
  const last = await reconcileInProcess(world);

  expect(next.code, JSON.stringify(outcomesOf(next))).toBe(0);
  expect(pictureOf(world.twilio)).toEqual(undisturbed);
  expect(mailedTwice(world.twilio)).toEqual([]);
  expect(last.report?.status).toBe('converged');
}

describe.concurrent.each([
  ['daemon', 0],
  ['reconcile', 4],
] as const)('%s asked to stop', (command, code) => {
  test.each(['SIGTERM', 'SIGINT'] as const)(
    `in the middle of a call (%s): finishes it, records it, leaves the rest, exits ${code}`,
    async (signal) => {
      await using world = await open();
      const first = world.twilio.requests.waitFor(createUser).then(() => {
        world.twilio.limits.latency = 1_000;
      });

      const running = world.start([command], oneAtATime);
      await first;
      await untilUnderWay(world, 1);
      running.kill(signal);
      const result = await running.ended;

      expect([result.code, result.signal], result.stderr).toEqual([code, null]);
      expect(historyOf(world)[0]?.summary.status).toBe('interrupted');
      const { done = 0, pending = 0, ...others } = states(world);
      expect(others).toEqual({});
      expect(done).toBe(world.twilio.requests.writes);
      expect(pending).toBeGreaterThan(0);
      world.twilio.limits.latency = 0;
      await expectCompleted(world);
    },
  );

  test(`while Twilio's users are read: drops the reading, writes nothing, exits ${code}`, async () => {
    await using world = await open();
    world.twilio.faults.add({ match: listUsers, times: 1, fault: 'hang' });

    const running = world.start([command], oneAtATime);
    await world.twilio.requests.waitFor(listUsers);
    running.kill('SIGTERM');
    const result = await running.ended;

    expect([result.code, result.signal], result.stderr).toEqual([code, null]);
    expect(historyOf(world)[0]?.summary).toMatchObject({ status: 'interrupted' });
    expect(world.twilio.requests.writes).toBe(0);
    await expectCompleted(world);
  });

  test('twice: ends at once with the number of the signal, and the next run looks at what became of the call', async () => {
    await using world = await open();
    world.twilio.faults.add({ match: createUser, times: 1, fault: 'hang-after' });

    const running = world.start([command], oneAtATime);
    await world.twilio.requests.waitFor(createUser);
    running.kill('SIGTERM');
    if (command === 'daemon') await running.line('asked to stop');
    // Two signals of one kind that nobody has taken yet are one.
    running.kill('SIGINT');
    const result = await running.ended;

    expect(result.signal).toBeNull();
    expect([130, 143]).toContain(result.code);
    expect(states(world)).toMatchObject({ intended: 1 });
    await expectCompleted(world);
  });
});

describe.concurrent('the daemon asked to stop', () => {
  test('during a call that never ends: gives up on it within the patience of an orchestrator; the next run looks', async () => {
    await using world = await open();
    world.twilio.faults.add({ match: createUser, times: 1, fault: 'hang-after' });

    const running = world.start(['daemon'], oneAtATime);
    await world.twilio.requests.waitFor(createUser);
    running.kill('SIGTERM');
    const { code, signal, stderr } = await running.ended;

    expect([code, signal]).toEqual([4, null]);
    expect(stderr).toContain('did not end in time');
    expect(states(world)).toMatchObject({ intended: 1 });
    await expectCompleted(world);
  });

  test('while it waits for its time: exits 0', async () => {
    await using world = await open({ runOnStart: false });

    const running = world.start(['daemon']);
    await running.line('daemon started');
    running.kill('SIGTERM');
    const { code, stderr } = await running.ended;

    expect(code, stderr).toBe(0);
    expect(stderr).toContain('daemon stopped');
  });

  test('while it puts a run off by the jitter: exits 0 without the run', async () => {
    await using world = await open({ jitter: '24h' });

    const running = world.start(['daemon']);
    await running.line('daemon started');
    running.kill('SIGTERM');
    const { code, stderr } = await running.ended;

    expect(code, stderr).toBe(0);
    expect(world.twilio.requests.total).toBe(0);
  });

  test('while it waits as long as Retry-After says: leaves the call to the next run', async () => {
    await using world = await open();
    world.twilio.faults.add({ match: createUser, fault: { status: 429, headers: { 'Retry-After': '60' } } });

    const running = world.start(['daemon'], oneAtATime);
    await running.line('Twilio asks for fewer requests');
    running.kill('SIGTERM');
    const { signal } = await running.ended;

    expect(signal).toBeNull();
    world.twilio.faults.clear();
    await expectCompleted(world);
  });
});

describe.concurrent('two runs at once', () => {
  test('the second ends with exit 75 and names the first, which goes on', async () => {
    await using world = await open();
    world.twilio.limits.latency = 300;

    const first = world.start(['reconcile']);
    await world.twilio.requests.waitFor({ path: '/v2/token' });
    const second = await world.tdsync('reconcile');
    world.twilio.limits.latency = 0;
    const { code, stderr } = await first.ended;

    expect(code, stderr).toBe(0);
    expect(second.code).toBe(75);
    expect(second.stderr).toContain(`reconcile, process ${first.pid} on`);
    expect(pictureOf(world.twilio)).toEqual(undisturbed);
  });

  test('a dry run needs no lease', async () => {
    await using world = await open();
    world.twilio.faults.add({ match: createUser, times: 1, fault: 'hang' });

    const first = world.start(['reconcile'], oneAtATime);
    await world.twilio.requests.waitFor(createUser);
    const dry = await world.tdsync('reconcile', '--dry-run');
    first.kill('SIGKILL');
    await first.ended;

    expect(dry.code, dry.stderr).toBe(0);
    expect(dry.stdout).toContain('joiner-3');
  });

  test('the lease goes with a process that is killed', async () => {
    await using world = await open();
    world.twilio.faults.add({ match: createUser, times: 1, fault: 'hang' });

    const first = world.start(['reconcile'], oneAtATime);
    await world.twilio.requests.waitFor(createUser);
    const refused = await world.tdsync('reconcile');
    first.kill('SIGKILL');
    await first.ended;
    const second = await world.tdsync('reconcile');

    expect(refused.code).toBe(75);
    expect(second.code, second.stderr).toBe(0);
    expect(pictureOf(world.twilio)).toEqual(undisturbed);
  });
});
