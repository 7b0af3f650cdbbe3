/** One person whom Twilio refuses does not stop the others, and is not sent again until something has changed. */
import { describe, expect, test } from 'vitest';
import type { FindingCode } from '../../src/domain/plan.ts';
import type { Seed } from '../../src/simulator/seed.ts';
import {
  createSkippingClock,
  historyOf,
  type InProcessRun,
  outcomesOf,
  reconcileInProcess,
  type SkippingClock,
} from '../support/in-process.ts';
import { mixedSections } from '../support/mixed-change.ts';
import { mailedTwice, pictureOf } from '../support/organization.ts';
import { createWorld, type Person, type World } from '../support/world.ts';

const createUser = { method: 'POST', path: '/scim/v2/Users' };
const hour = 3_600_000;
const developers = ['developers'];
const anna: Person = { id: 'anna', groups: developers };
const ben: Person = { id: 'ben', groups: developers };
const seed: Seed = { domains: ['corp.example'], outsideAddresses: ['outside@corp.example'] };

async function open(people: readonly Person[]): Promise<World & { readonly clock: SkippingClock }> {
  const clock = createSkippingClock();
  const world = await createWorld({ now: clock.now, seed });
  await world.people(people);
  return Object.assign(world, { clock });
}

function findingsOf({ report }: InProcessRun): readonly (readonly [string, FindingCode])[] {
  return (report?.findings ?? []).map(({ externalId, code }) => [externalId, code]);
}

function assigned(world: World): readonly string[] {
  return pictureOf(world.twilio).assignments;
}

interface Refusal {
  readonly person: Person;
  readonly twilioCode: number;
  /** The record with what was wrong put right. */
  readonly mended: Person;
  /** The finding of the next run. */
  readonly found: readonly [string, FindingCode];
}

const refusals: Readonly<Record<string, Refusal>> = {
  'a given name of one letter': {
    person: { id: 'bad', given: 'A', groups: developers },
    twilioCode: 25002,
    mended: { id: 'bad', given: 'Al', groups: developers },
    found: ['bad', 'parked'],
  },
  'a family name of one letter': {
    person: { id: 'bad', family: 'O', groups: developers },
    twilioCode: 25003,
    mended: { id: 'bad', family: 'Oh', groups: developers },
    found: ['bad', 'parked'],
  },
  'an address in a domain that is not verified': {
    person: { id: 'bad', mail: 'bad@elsewhere.example', groups: developers },
    twilioCode: 25017,
    mended: { id: 'bad', mail: 'bad@corp.example', groups: developers },
    found: ['', 'unverified-domain'],
  },
  'an address that somebody outside the organization has': {
    person: { id: 'bad', mail: 'outside@corp.example', groups: developers },
    twilioCode: 25022,
    mended: { id: 'bad', mail: 'inside@corp.example', groups: developers },
    found: ['bad', 'address-taken'],
  },
};
const names = Object.keys(refusals);

describe.concurrent.each(names)('a joiner with %s', (name) => {
  const { person, twilioCode, mended, found } = refusals[name] as Refusal;

  test('fails alone; exit 4, the others are applied, the grants of the person are skipped', async () => {
    await using world = await open([anna, person, ben]);

    const run = await reconcileInProcess(world, world);

    expect(run.code).toBe(4);
    const outcomes = Object.values(outcomesOf(run)).toSorted();
    expect(outcomes).toEqual(['done', 'done', 'done', 'done', 'failed', 'skipped']);
    expect(assigned(world)).toEqual([
      'anna@corp.example: Developer in Production',
      'ben@corp.example: Developer in Production',
    ]);
    const failed = run.report?.operations.find(({ outcome }) => outcome.state === 'failed');
    expect(failed?.outcome).toMatchObject({ message: expect.stringContaining(`code ${twilioCode}`) });
    expect(historyOf(world)[0]?.summary).toMatchObject({ status: 'partial' });
  });

  test('is a finding in the next run, which sends nothing and exits 0', async () => {
    await using world = await open([anna, person, ben]);
    await reconcileInProcess(world, world);
    world.twilio.requests.clear();

    const next = await reconcileInProcess(world, world);

    expect([next.code, next.report?.status]).toEqual([0, 'converged']);
    expect(findingsOf(next)).toEqual([found]);
    expect(world.twilio.requests.writes).toBe(0);
  });

  test('is created once the record is put right', async () => {
    await using world = await open([anna, person, ben]);
    await reconcileInProcess(world, world);
    await world.people([anna, mended, ben]);

    const next = await reconcileInProcess(world, world);
    const last = await reconcileInProcess(world, world);

    expect(next.code).toBe(0);
    expect(outcomesOf(next)).toMatchObject({ 'create bad': 'done' });
    expect(assigned(world)).toHaveLength(3);
    expect([last.report?.status, findingsOf(last)]).toEqual(['converged', []]);
    expect(mailedTwice(world.twilio)).toEqual([]);
  });

  test('is not sent again because somebody else changes', async () => {
    await using world = await open([anna, person]);
    await reconcileInProcess(world, world);
    await world.people([{ ...anna, family: 'Changed' }, person, ben]);
    world.twilio.requests.clear();

    const next = await reconcileInProcess(world, world);

    expect(Object.keys(outcomesOf(next)).filter((id) => id.includes('bad'))).toEqual([]);
    expect(world.twilio.requests.count(createUser)).toBe(1);
    expect(next.code).toBe(0);
  });

  test('is forgotten when the person goes away', async () => {
    await using world = await open([anna, person]);
    await reconcileInProcess(world, world);
    await world.people([anna, ben]);

    const next = await reconcileInProcess(world, world);

    expect([next.code, findingsOf(next)]).toEqual([0, []]);
  });
});

test('a refused record is sent again after an hour, then after two, and not in between', async () => {
  await using world = await open([anna, { id: 'bad', mail: 'bad@elsewhere.example' }]);
  const posts: number[] = [];
  await reconcileInProcess(world, world);

  for (const hours of [0.9, 0.2, 1.8, 0.3]) {
    world.clock.advance(hours * hour);
    world.twilio.requests.clear();
    await reconcileInProcess(world, world);
    posts.push(world.twilio.requests.count(createUser));
  }

  expect(posts).toEqual([0, 1, 0, 1]);
});

test('a person of a domain that has been verified since is created when the time has come', async () => {
  await using world = await open([anna, { id: 'bad', mail: 'bad@elsewhere.example' }]);
  await reconcileInProcess(world, world);
  world.twilio.administer({ action: 'verify-domain', domain: 'elsewhere.example' });
  world.clock.advance(hour);

  const next = await reconcileInProcess(world, world);
  const last = await reconcileInProcess(world, world);

  expect(outcomesOf(next)).toEqual({ 'create bad': 'done' });
  expect([last.report?.status, findingsOf(last)]).toEqual(['converged', []]);
});

test('an address taken outside the organization is never sent again by itself', async () => {
  await using world = await open([anna, { id: 'bad', mail: 'outside@corp.example' }]);
  await reconcileInProcess(world, world);
  world.twilio.requests.clear();

  for (let day = 0; day < 5; day++) {
    world.clock.advance(24 * hour);
    await reconcileInProcess(world, world);
  }

  expect(world.twilio.requests.writes).toBe(0);
});

test('a refused change of a person leaves the person as before, and the roles go on', async () => {
  await using world = await open([{ ...anna, groups: [] }, ben]);
  await reconcileInProcess(world, world);
  await world.people([{ ...anna, given: 'A' }, ben]);

  const run = await reconcileInProcess(world, world);
  world.twilio.requests.clear();
  const next = await reconcileInProcess(world, world);

  expect(run.code).toBe(4);
  expect(assigned(world)).toHaveLength(2);
  expect(world.twilio.state.users.byUserName('anna@corp.example')?.givenName).toBe('Given-anna');
  expect([next.code, findingsOf(next), world.twilio.requests.writes]).toEqual([0, [['anna', 'parked']], 0]);
});

test('a refused role holds up neither the other roles of the person nor anybody else, and is not sent again', async () => {
  await using world = await open([
    { id: 'anna', groups: ['operators'] },
    { id: 'ben', groups: developers },
  ]);
  await world.configure(mixedSections);
  world.twilio.quirks.roleCeiling = 1;

  const run = await reconcileInProcess(world, world);
  world.twilio.requests.clear();
  const next = await reconcileInProcess(world, world);
  const writes = world.twilio.requests.writes;
  world.twilio.quirks.roleCeiling = 50;
  world.clock.advance(hour);
  const later = await reconcileInProcess(world, world);

  expect(run.code).toBe(4);
  expect([next.code, findingsOf(next), writes]).toEqual([0, [['anna', 'parked']], 0]);
  expect([later.code, assigned(world).length]).toEqual([0, 3]);
});

test('the organization is full: each joiner is refused, nobody else is touched, and room is used when there is some', async () => {
  await using world = await open([anna]);
  await reconcileInProcess(world, world);
  world.twilio.state.quota = world.twilio.state.users.size + 1;
  await world.people([{ ...anna, family: 'Changed' }, ben, { id: 'cleo' }, { id: 'dan' }]);

  const run = await reconcileInProcess(world, world);
  world.twilio.state.quota = 100;
  world.clock.advance(hour);
  const later = await reconcileInProcess(world, world);

  expect(run.code).toBe(4);
  expect(Object.values(outcomesOf(run)).filter((state) => state === 'failed')).toHaveLength(2);
  expect(later.code).toBe(0);
  expect(mailedTwice(world.twilio)).toEqual([]);
  expect(world.twilio.state.mails).toHaveLength(4);
});
