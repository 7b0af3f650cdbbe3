/** What stops everybody rather than one person: rate limits, tokens, permissions, a Twilio that does not answer. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { permissionNames } from '../../src/simulator/permissions.ts';
import {
  createSkippingClock,
  historyOf,
  type InProcessRun,
  outcomesOf,
  reconcileInProcess,
} from '../support/in-process.ts';
import { type MixedChange, prepareMixedChange } from '../support/mixed-change.ts';
import { mailedTwice, type OrganizationPicture, pictureOf } from '../support/organization.ts';
import { plantedSecret, type World } from '../support/world.ts';

const users = '/scim/v2/Users';
const user = '/scim/v2/Users/{id}';
const assignments = '/v2/Organizations/RoleAssignments';
const listUsers = { method: 'GET', path: users };

let change: MixedChange;
let undisturbed: OrganizationPicture;
let ordinaryWrites: number;

beforeAll(async () => {
  change = await prepareMixedChange();
  await using world = await change.open();
  await reconcileInProcess(world);
  undisturbed = pictureOf(world.twilio);
  ordinaryWrites = world.twilio.requests.writes;
});

afterAll(() => change[Symbol.asyncDispose]());

function notDone(run: InProcessRun): number {
  return Object.values(outcomesOf(run)).filter((state) => state === 'failed' || state === 'skipped').length;
}

function expectUndisturbed(world: World): void {
  expect(pictureOf(world.twilio)).toEqual(undisturbed);
  expect(mailedTwice(world.twilio)).toEqual([]);
}

function client(world: World): string {
  return [...world.twilio.state.clients.keys()][0] ?? '';
}

/** Does something as soon as the simulator has answered the nth request of a kind. */
async function afterRequest(world: World, match: { method?: string; path?: string }, nth: number, act: () => void) {
  await world.twilio.requests.waitFor(match, nth);
  act();
}

describe.concurrent('429', () => {
  test.each([
    ['creating a user', { method: 'POST', path: users }],
    ['replacing a user', { method: 'PUT', path: user }],
    ['deactivating a user', { method: 'DELETE', path: user }],
    ['assigning a role', { method: 'POST', path: assignments }],
    ['listing users', listUsers],
    ['a token', { method: 'POST', path: '/v2/token' }],
  ])('on %s: the run waits as long as Retry-After says, and goes on', async (_name, match) => {
    const clock = createSkippingClock();
    await using world = await change.open({ now: clock.now });
    world.twilio.faults.add({ match, times: 1, fault: { status: 429, headers: { 'Retry-After': '40' } } });

    const run = await reconcileInProcess(world, { clock });

    expect(run.code).toBe(0);
    expectUndisturbed(world);
    expect(clock.waits.filter((ms) => ms > 39_000)).toHaveLength(1);
  });

  test('for longer than the budget: what was done is kept, exit 4, and the next run goes on', async () => {
    const clock = createSkippingClock();
    await using world = await change.open({ now: clock.now });
    world.twilio.faults.add({ match: { method: 'POST', path: users }, fault: { status: 429 } });

    const run = await reconcileInProcess(world, { clock, environment: { TDSYNC_TWILIO_MAX_THROTTLING: '1m' } });
    world.twilio.faults.clear();
    const next = await reconcileInProcess(world, { clock });

    expect([run.code, run.report?.status]).toEqual([4, 'partial']);
    expect(run.report?.unfinished).toEqual({ because: 'rate-limit', left: notDone(run) });
    expect(Object.values(outcomesOf(run))).toContain('done');
    expect(historyOf(world)[1]?.summary).toMatchObject({ status: 'partial', error: { code: 'twilio-rate-limited' } });
    expect(clock.waits.reduce((sum, ms) => sum + ms, 0)).toBeLessThan(120_000);
    expect(next.code).toBe(0);
    expectUndisturbed(world);
  });

  test('for longer than the budget before there is a plan ends the run with exit 6', async () => {
    const clock = createSkippingClock();
    await using world = await change.open({ now: clock.now });
    world.twilio.faults.add({ match: listUsers, fault: { status: 429 } });

    const run = await reconcileInProcess(world, { clock });

    expect([run.code, run.error?.code]).toEqual([6, 'twilio-rate-limited']);
    expect(world.twilio.requests.writes).toBe(0);
  });

  test('until the time for a run is over: no operation starts any more, exit 4, and the next run goes on', async () => {
    const clock = createSkippingClock();
    await using world = await change.open({ now: clock.now });
    const slow = { status: 429, headers: { 'Retry-After': '40' } };
    world.twilio.faults.add({ match: { method: 'POST', path: users }, times: 1, fault: slow });

    const run = await reconcileInProcess(world, { clock, environment: { TDSYNC_TWILIO_MAX_RUN_TIME: '30s' } });
    const writes = world.twilio.requests.writes;
    const next = await reconcileInProcess(world, { clock });

    expect([run.code, run.report?.status]).toEqual([4, 'partial']);
    expect(run.report?.unfinished).toEqual({ because: 'run-time', left: notDone(run) });
    expect(notDone(run)).toBeGreaterThan(0);
    expect(historyOf(world)[1]?.summary).toMatchObject({ status: 'partial', error: { code: 'run-time' } });
    expect(next.code).toBe(0);
    expect(world.twilio.requests.writes).toBeGreaterThan(writes);
    expectUndisturbed(world);
  });

  test.each([
    ['garbage', 'soon'],
    ['negative', '-5'],
    ['a date long gone', 'Thu, 01 Jan 1970 00:00:00 GMT'],
    ['a date that is none', 'Someday, 99 Foo 2026 99:99:99 GMT'],
    ['more seconds than there are', '99999999999999999999999'],
    ['a thousand digits', '9'.repeat(1000)],
  ])('with a Retry-After that is %s: the run backs off within reason, and goes on', async (_name, header) => {
    const clock = createSkippingClock();
    await using world = await change.open({ now: clock.now });
    const fault = { status: 429, headers: { 'Retry-After': header } };
    world.twilio.faults.add({ match: { method: 'POST', path: users }, times: 2, fault });

    const run = await reconcileInProcess(world, { clock });

    expect(run.code).toBe(0);
    expect(Math.max(...clock.waits)).toBeLessThanOrEqual(120_000);
    expect(clock.waits.filter((ms) => ms >= 500)).not.toEqual([]);
    expectUndisturbed(world);
  });

  test('as a 503 that says when to come back: all calls stay away until then', async () => {
    const clock = createSkippingClock();
    await using world = await change.open({ now: clock.now });
    const fault = { status: 503, headers: { 'Retry-After': '40' } };
    world.twilio.faults.add({ match: { method: 'PUT', path: user }, times: 1, fault });

    const run = await reconcileInProcess(world, { clock });

    expect(run.code).toBe(0);
    expect(clock.waits.filter((ms) => ms > 39_000)).not.toEqual([]);
    expectUndisturbed(world);
  });

  test('at a limit below the configured rate: every window of a second stays at the limit, and nothing is lost', async () => {
    await using world = await change.open();
    world.twilio.limits.requestsPerSecond = 20;
    world.twilio.quirks.retryAfter = 'absent';

    const run = await world.tdsync('reconcile');

    expect(run.code, run.stderr).toBe(0);
    expectUndisturbed(world);
    expect(world.twilio.requests.writes - (world.twilio.requests.statuses['429'] ?? 0)).toBeLessThanOrEqual(
      ordinaryWrites,
    );
  });
});

describe.concurrent('a token', () => {
  test('that is revoked in the middle of a run is replaced, and the run goes on', async () => {
    const clock = createSkippingClock();
    await using world = await change.open({ now: clock.now });
    const revoked = afterRequest(world, { method: 'PUT' }, 2, () => world.twilio.tokens.revokeAll());

    const run = await reconcileInProcess(world, { clock });
    await revoked;

    expect(run.code).toBe(0);
    expectUndisturbed(world);
    expect(world.twilio.tokens.issued).toBe(2);
  });

  test('that expires without a word about when is replaced, and the run goes on', async () => {
    const clock = createSkippingClock();
    const quirks = { tokenForm: 'opaque', expiresIn: 'absurd' } as const;
    await using world = await change.open({ now: clock.now, quirks, limits: { tokenLifetime: 100 } });
    const expired = afterRequest(world, { method: 'PUT' }, 2, () => clock.advance(101_000));

    const run = await reconcileInProcess(world, { clock });
    await expired;

    expect(run.code).toBe(0);
    expectUndisturbed(world);
    expect(world.twilio.requests.statuses['401']).toBeGreaterThan(0);
  });

  test('that is refused although it is new ends the run with exit 6 after one more try', async () => {
    const clock = createSkippingClock();
    await using world = await change.open({ now: clock.now });
    world.twilio.faults.add({ match: { method: 'PUT', path: user }, fault: { status: 401 } });

    const run = await reconcileInProcess(world, { clock });
    world.twilio.faults.clear();
    const next = await reconcileInProcess(world, { clock });

    expect([run.code, run.error?.code]).toEqual([6, 'twilio-unauthorized']);
    expect(next.code).toBe(0);
    expectUndisturbed(world);
  });

  test('that can no longer be had, because the secret was rotated, ends the run with exit 6', async () => {
    const clock = createSkippingClock();
    await using world = await change.open({ now: clock.now });
    const rotated = afterRequest(world, { method: 'PUT' }, 2, () => {
      world.twilio.state.setClient({ clientId: client(world), clientSecret: 'rotated' });
      world.twilio.tokens.revokeAll();
    });

    const run = await reconcileInProcess(world, { clock });
    await rotated;
    world.twilio.state.setClient({ clientId: client(world), clientSecret: plantedSecret });
    const next = await reconcileInProcess(world, { clock });

    expect([run.code, run.error?.code]).toEqual([6, 'twilio-unauthorized']);
    expect(run.error?.hint).toContain('TWILIO_CLIENT_SECRET');
    expect(next.code).toBe(0);
    expectUndisturbed(world);
  });
});

describe.concurrent.each(permissionNames)('without the permission %s', (missing) => {
  test('the run ends with exit 6 naming it, and is completed when it is granted', async () => {
    const clock = createSkippingClock();
    await using world = await change.open({ now: clock.now });
    const permissions = permissionNames.filter((name) => name !== missing);
    world.twilio.state.setClient({ clientId: client(world), clientSecret: plantedSecret, permissions });

    const run = await reconcileInProcess(world, { clock, refresh: true });
    world.twilio.state.setClient({ clientId: client(world), clientSecret: plantedSecret });
    const next = await reconcileInProcess(world, { clock });

    // A user is read on its own only where something is in doubt.
    const needed = missing !== 'managed-users/read';
    expect(run.code).toBe(needed ? 6 : 0);
    if (needed) expect(`${run.error?.message} ${run.error?.hint}`).toContain(missing);
    expect(next.code).toBe(0);
    expectUndisturbed(world);
  });
});

describe.concurrent('a role that was assigned, but could not be looked at', () => {
  test.each([
    ['the look is answered with nonsense', { method: 'GET', path: assignments }, { status: 200, body: '' }, 6],
    ['the look is not permitted', { method: 'GET', path: assignments }, { status: 403 }, 6],
    ['the look is called a bad request', { method: 'GET', path: assignments }, { status: 400 }, 6],
    ['the look is never answered', { method: 'GET', path: assignments }, 'reset-before', 4],
    ['no token is to be had for the look', { method: 'POST', path: '/v2/token' }, { status: 400 }, 6],
  ] as const)('because %s is not assigned again by the next run', async (_name, match, fault, code) => {
    const clock = createSkippingClock();
    await using world = await change.open({ now: clock.now });
    const assigned = { method: 'POST', path: assignments };
    world.twilio.faults.add({ match: assigned, times: 1, fault: 'reset-after' });
    const lost = afterRequest(world, assigned, 1, () => {
      world.twilio.tokens.revokeAll();
      world.twilio.faults.add({ match, fault });
    });

    const run = await reconcileInProcess(world, { clock });
    await lost;
    world.twilio.faults.clear();
    const next = await reconcileInProcess(world, { clock });

    expect(run.code).toBe(code);
    expect(next.code).toBe(0);
    expectUndisturbed(world);
  });
});

test('a 404 that is not Twilio’s does not count as revoked or deactivated', async () => {
  const clock = createSkippingClock();
  await using world = await change.open({ now: clock.now });
  const notFound = { status: 404, body: '<html>no such page</html>' };
  world.twilio.faults.add({ match: { method: 'DELETE', path: `${assignments}/{id}` }, fault: notFound });
  world.twilio.faults.add({ match: { method: 'DELETE', path: user }, fault: notFound });

  const run = await reconcileInProcess(world, { clock });
  world.twilio.faults.clear();
  const next = await reconcileInProcess(world, { clock });

  expect([4, 6]).toContain(run.code);
  expect(next.code).toBe(0);
  expectUndisturbed(world);
});

describe.concurrent('Twilio does not answer', () => {
  test('three writes in a row: the run ends with exit 6, the rest is left for the next one', async () => {
    const clock = createSkippingClock();
    await using world = await change.open({ now: clock.now });
    world.twilio.faults.add({ match: { method: 'POST', path: users }, fault: 'reset-before' });

    const run = await reconcileInProcess(world, { clock });

    const states = Object.values(outcomesOf(run));
    expect([run.code, run.error?.code]).toEqual([6, 'twilio-unavailable']);
    expect(states.filter((state) => state === 'failed')).toHaveLength(3);
    expect(states.filter((state) => state === 'skipped')).toHaveLength(8);
    expect(historyOf(world)[0]?.summary).toMatchObject({ status: 'failed', error: { code: 'twilio-unavailable' } });
  });

  test.each([
    ['the list of users', listUsers],
    ['the list of roles', { method: 'GET', path: '/v2/Organizations/Roles' }],
    ['the list of assignments', { method: 'GET', path: assignments }],
    ['tokens', { method: 'POST', path: '/v2/token' }],
  ])('for %s: exit 6, nothing written', async (_name, match) => {
    const clock = createSkippingClock();
    await using world = await change.open({ now: clock.now });
    world.twilio.faults.add({ match, fault: 'reset-before' });

    const run = await reconcileInProcess(world, { clock, refresh: true });

    expect([run.code, run.error?.code]).toEqual([6, 'twilio-unavailable']);
    expect(world.twilio.requests.writes).toBe(0);
  });

  test('with a list that is shorter than it says: exit 6, nothing written', async () => {
    const clock = createSkippingClock();
    await using world = await change.open({ now: clock.now, quirks: { listLimit: 3 } });

    const run = await reconcileInProcess(world, { clock });

    expect([run.code, run.error?.code]).toEqual([6, 'twilio-contract']);
    expect(world.twilio.requests.writes).toBe(0);
  });

  test('with a whole list: it is read again and the run goes on', async () => {
    const clock = createSkippingClock();
    await using world = await change.open({ now: clock.now });
    world.twilio.faults.add({ match: listUsers, times: 3, fault: 'truncate' });

    const run = await reconcileInProcess(world, { clock });

    expect(run.code).toBe(0);
    expectUndisturbed(world);
  });
});
