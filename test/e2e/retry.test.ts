/** What Twilio refused is listed with the reason, and let out of quarantine by a person. */
import { describe, expect, test } from 'vitest';
import { wideGuards } from '../support/convergence.ts';
import { historyProblem, outcomesOf, reconcileInProcess } from '../support/in-process.ts';
import { createWorld, type Person, type World } from '../support/world.ts';

const createUser = { method: 'POST', path: '/scim/v2/Users' };
const anna: Person = { id: 'anna', groups: ['developers'] };
const bad: Person = { id: 'bad', given: 'A' };
const outside: Person = { id: 'outside', mail: 'outside@corp.example' };
const stranger: Person = { id: 'stranger', mail: 'stranger@elsewhere.example' };
const iso = expect.stringMatching(/^\d{4}-\d\d-\d\dT/);

interface QuarantineDocument {
  readonly people: readonly { readonly externalId: string }[];
  readonly blocks: readonly { readonly key: string }[];
}

/** One run over these people. */
async function refused(people: readonly Person[]): Promise<World> {
  const world = await createWorld({
    sections: { guards: { ...wideGuards, creations: { count: 2_000 } } },
    seed: { domains: ['corp.example'], outsideAddresses: ['outside@corp.example'] },
  });
  await world.people(people);
  await reconcileInProcess(world, { asWritten: true });
  world.twilio.requests.clear();
  return world;
}

async function created(world: World): Promise<readonly string[]> {
  const run = await reconcileInProcess(world, { asWritten: true });
  return Object.keys(outcomesOf(run)).filter((id) => id.startsWith('create'));
}

describe.concurrent('tdsync retry', () => {
  test('lists who is quarantined, why, since when, how often tried, and when next', async () => {
    await using world = await refused([anna, bad, outside, stranger]);

    const { stdout } = await world.tdsync('retry');
    const document = (await world.tdsync('retry', '--json')).json<QuarantineDocument>();
    const status = await world.tdsync('status');

    expect(stdout).toMatch(
      /bad@corp\.example \(bad\) {2}parked since \d{4}-.*, refused 1 time, tried again after \d{4}-.*\n.*code 25002/,
    );
    expect(stdout).toMatch(
      /outside@corp\.example \(outside\) {2}address-taken .*not tried again until the record changes/,
    );
    expect(stdout).toContain('Twilio has not verified the domain elsewhere.example');
    expect(document).toMatchObject({
      people: [
        { externalId: 'bad', userName: 'bad@corp.example', code: 'parked', attempts: 1, sinceAt: iso, retryAt: iso },
        { externalId: 'outside', code: 'address-taken' },
      ],
      blocks: [{ key: 'domain elsewhere.example', attempts: 1, sinceAt: iso, retryAt: iso }],
    });
    expect(status.stdout).toContain('Quarantined:   2 people, domain elsewhere.example, next try ');
  });

  test('lets the people who are named, by address or key, be tried by the next run, and nobody else', async () => {
    await using world = await refused([anna, bad, { id: 'worse', given: 'B' }, outside]);

    const before = await created(world);
    const run = await world.tdsync('retry', 'outside@corp.example', 'bad', '--reason', 'asked Twilio');

    expect([before, run.code]).toEqual([[], 0]);
    expect(await created(world)).toEqual(['create bad', 'create outside']);
    expect(await created(world)).toEqual([]);
    expect(historyProblem(world)).toBeUndefined();
    const { stdout } = await world.tdsync('runs', '--export', 'csv');
    expect(stdout).toMatch(/ledger,.*retry.*asked Twilio/);
  });

  test('by a user SID lets a linked person be tried, and a refusal then waits longer', async () => {
    await using world = await refused([anna]);
    await world.people([{ ...anna, given: 'A' }]);
    await reconcileInProcess(world, { asWritten: true });
    const sid = world.twilio.state.users.byUserName('anna@corp.example')?.sid ?? '';

    const run = await world.tdsync('retry', sid);
    await reconcileInProcess(world, { asWritten: true });
    const { people } = (await world.tdsync('retry', '--json')).json<QuarantineDocument>();

    expect(run.stdout).toContain('anna@corp.example (anna)');
    expect(people).toMatchObject([{ externalId: 'anna', attempts: 2 }]);
    const why = await world.tdsync('why', 'anna');
    expect(why.stdout).toMatch(/refused by Twilio 2 times since .*\n.*`tdsync retry anna`/);
  });

  test('lets a domain be tried by one call, whoever waits for it', async () => {
    const many = Array.from({ length: 300 }, (_, index): Person => {
      return { id: `p${index}`, mail: `p${index}@elsewhere.example` };
    });
    await using world = await refused([anna, ...many]);
    const lifted = await world.tdsync('retry', '--domain', '@Elsewhere.Example');

    const { report, code } = await reconcileInProcess(world, { asWritten: true });

    expect([lifted.code, code, world.twilio.requests.count(createUser)]).toEqual([0, 4, 1]);
    expect(report?.operations.filter(({ outcome }) => outcome.state === 'skipped')).toHaveLength(299);
    const next = await reconcileInProcess(world, { asWritten: true });
    expect(next.report?.findings).toMatchObject([
      { code: 'unverified-domain', message: expect.stringContaining('300 people wait') },
    ]);
  });

  test('lets everything out with --all, and the quota by its name', async () => {
    await using world = await refused([anna, bad, outside, stranger]);
    world.twilio.state.quota = world.twilio.state.users.size;
    await world.people([anna, bad, outside, stranger, { id: 'zoe' }]);
    await reconcileInProcess(world, { asWritten: true });

    const quota = await world.tdsync('retry', '--quota');
    world.twilio.state.quota = 100;
    const joined = await created(world);
    const dry = await world.tdsync('retry', '--all', '--dry-run');
    const waiting = await created(world);
    const all = await world.tdsync('retry', '--all', '--json');

    expect([quota.code, joined, waiting]).toEqual([0, ['create zoe'], []]);
    expect(dry.stdout).toContain(
      'Would be tried again by the next run:\n  domain elsewhere.example\n  bad@corp.example',
    );
    expect(all.json<QuarantineDocument>()).toMatchObject({ blocks: ['domain elsewhere.example'], breaker: false });
    expect(await created(world)).toEqual(['create bad', 'create outside', 'create stranger']);
    expect(historyProblem(world)).toBeUndefined();
  });

  test('closes the circuit breaker, which many refusals in a row have opened', async () => {
    const many = Array.from({ length: 14 }, (_, index): Person => ({ id: `p${index + 10}`, given: 'A' }));
    await using world = await createWorld({ sections: { guards: wideGuards } });
    await world.people([anna, ...many]);

    const run = await world.tdsync('reconcile');
    const status = await world.tdsync('status');
    const closed = await world.tdsync('retry', '--breaker');
    const again = await world.tdsync('retry', '--breaker');

    expect([run.code, run.stderr]).toEqual([4, expect.stringContaining('people in a row were refused')]);
    expect(run.stdout).toMatch(
      /Circuit breaker open: it ended run .*\n {2}create refused with 400 with code 25002: 1\d times, p10@corp/,
    );
    expect(status.stdout).toMatch(/Circuit breaker open: it ended run .*\n {2}create refused/);
    expect([closed.code, again.code, again.stderr]).toEqual([0, 64, expect.stringContaining('is not open')]);
    expect(await created(world)).toHaveLength(14);
  });

  test('refuses what cannot be meant, and lets nobody out then', async () => {
    await using world = await refused([anna, bad, stranger]);
    const cases: readonly (readonly [readonly string[], string])[] = [
      [['bad', 'nobody'], '"nobody" is nobody whom the snapshot knows'],
      [['bad', 'anna'], 'anna is not quarantined'],
      [['stranger@elsewhere.example'], 'stranger@elsewhere.example is not quarantined'],
      [['bad', '--all'], 'name whom to try again, or --all, not both'],
      [['bad', '--domain', 'corp.example'], 'domain corp.example is not held back'],
    ];

    for (const [args, message] of cases) {
      const run = await world.tdsync('retry', ...args);
      expect([run.code, run.stderr]).toEqual([64, expect.stringContaining(message)]);
    }
    expect(await created(world)).toEqual([]);
  });

  test('has nothing to say of a quarantine that is empty', async () => {
    await using world = await refused([anna]);

    const { code, stdout } = await world.tdsync('retry', '--all');

    expect([code, stdout]).toEqual([0, 'Nothing is quarantined.\n']);
  });
});
