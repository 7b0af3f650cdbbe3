import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { expectConverged, idsOf, reconcile, settle, wideGuards } from '../support/convergence.ts';
import { createWorld, type Person, type RunDocument, type World } from '../support/world.ts';

const size = 150;
const everybody = Array.from(
  { length: size },
  (_, index): Person => ({ id: `p${index}`, groups: ['developers', 'support'] }),
);

describe('an organization of 150 people survives', () => {
  let world: World;
  beforeAll(async () => {
    // Twilio has them already, so that the first run only has to take them over.
    world = await createWorld({
      sections: {
        source: { type: 'csv', users: 'people.csv', id: 'employeeId', groups: { column: 'groups', separator: ',' } },
        roles: [
          { group: 'developers', grants: [{ role: 'Developer', scope: 'Production' }] },
          { group: 'support', grants: [{ role: 'Support', scope: 'Production' }] },
        ],
      },
      seed: {
        users: everybody.map(({ id }) => ({
          userName: `${id}@corp.example`,
          externalId: id,
          name: { givenName: `Given-${id}`, familyName: `Family-${id}` },
          displayName: `Given-${id} Family-${id}`,
        })),
        assignments: everybody.flatMap(({ id }) =>
          ['Developer', 'Support'].map((role) => ({ user: `${id}@corp.example`, role, scope: 'Production' })),
        ),
      },
    });
    await write('developers, support');
    const first = await reconcile(world, '--allow', 'adoptions');
    expect(first.plan.operations.map(({ kind }) => kind)).toEqual(Array(size).fill('adopt'));
    expect(world.twilio.requests.writes).toBe(0);
  });
  afterAll(() => world[Symbol.asyncDispose]());
  beforeEach(() => world.twilio.requests.clear());

  /** The file with everybody in these groups. */
  async function write(groups: string, rows = size): Promise<void> {
    await world.people(everybody.slice(0, rows).map((person) => ({ ...person, groups: [groups] })));
  }

  test.for([
    ['a group of a rule that was renamed: exit 5', 5, 'developers,suport', size],
    ['a file with its header alone: exit 5', 5, 'developers,support', 0],
    ['a file that lost half of its people: exit 3', 3, 'developers,support', size / 2],
  ] as const)('%s', async ([, code, groups, rows]) => {
    await write(groups, rows);

    const run = await world.tdsync('reconcile');

    expect([run.code, world.twilio.requests.writes]).toEqual([code, 0]);
  });

  test('a group that almost everybody lost, though it is still there: exit 3', async () => {
    await world.people(
      everybody.map((person, index) => ({ ...person, groups: [index === 0 ? 'developers,support' : 'support'] })),
    );

    const run = await world.tdsync('reconcile');

    expect([run.code, world.twilio.requests.writes]).toEqual([3, 0]);
    expect(run.stdout).toContain('149 people would lose a role; the limit is 30');
  });

  test('blanks around the names of groups: nobody loses anything', async () => {
    await write(' developers ,\tsupport');

    await expectConverged(world);
  });

  test('people who vanish in Twilio because their domain lapsed: exit 3, told once for the domain, nobody is created', async () => {
    await write('developers,support');
    world.twilio.administer({ action: 'lapse-domain', domain: 'corp.example' });

    const run = await world.tdsync('reconcile', '--json');
    const allowed = await world.tdsync('reconcile', '--allow', 'gone');
    const next = await world.tdsync('reconcile');

    const { plan, verdict } = run.json<RunDocument>();
    expect([run.code, allowed.code, next.code, world.twilio.requests.writes]).toEqual([3, 0, 0, 0]);
    expect(plan.findings.map(({ code, externalId }) => [code, externalId])).toEqual([['gone', '']]);
    expect(plan.findings[0]?.message).toContain(
      `no longer shows ${size} linked people in corp.example (p0@corp.example, `,
    );
    expect(plan.findings[0]?.message).toContain('whether it is still verified');
    expect(verdict.guards.find(({ guard }) => guard === 'gone')?.message).toBe(
      `${size} people in scope have vanished from Twilio; the limit is 15, the smaller of 25 and 10 % of ${size} managed = 15`,
    );
    expect(next.stdout).toContain('0 people in scope have vanished from Twilio, beside 150 who were gone before');
  });
});

const anna: Person = { id: 'anna', groups: ['developers'] };
const ben: Person = { id: 'ben', groups: ['developers'] };

describe.concurrent('a person about whom there is doubt is left alone, and the others go on', () => {
  test('two people with one address in two spellings: a finding names both, and neither loses anything', async () => {
    await using world = await createWorld({ sections: { guards: wideGuards } });
    await world.people([anna, ben]);
    await settle(world);
    await world.people([{ ...anna, family: 'Moved' }, { ...ben, mail: ' ANNA@corp.example' }, { id: 'carl' }]);

    const run = await reconcile(world);

    expect(idsOf(run.plan.operations)).toEqual(['create carl']);
    expect(run.findings.map(({ code, externalId }) => [code, externalId])).toEqual([
      ['duplicate-address', 'anna'],
      ['duplicate-address', 'ben'],
    ]);
    for (const { message } of run.findings) {
      expect(message).toContain('people.csv:2');
      expect(message).toContain('people.csv:3');
    }
    await expectConverged(world);
  });

  test('two rows with one key, a row without key, a row without address', async () => {
    await using world = await createWorld({ sections: { guards: wideGuards } });
    await world.people([anna, ben]);
    await settle(world);
    await world.people([
      anna,
      ben,
      { ...ben, mail: 'other@corp.example' },
      { id: ' ', mail: 'x@corp.example' },
      { id: 'dora', mail: '' },
    ]);

    const run = await reconcile(world);

    expect(run.status).toBe('converged');
    expect(run.findings.map(({ code, externalId }) => [code, externalId]).toSorted()).toEqual([
      ['duplicate-external-id', 'ben'],
      ['invalid', 'dora'],
      ['unidentified', ''],
    ]);
    for (const { message } of run.findings) expect(message).toMatch(/people\.csv:\d/);
  });

  test('an address that moved to somebody new while its holder is still there', async () => {
    await using world = await createWorld({ sections: { guards: wideGuards } });
    await world.people([anna, ben]);
    await settle(world);
    await world.people([ben, { id: 'new-anna', mail: 'anna@corp.example', groups: ['developers'] }]);

    const run = await reconcile(world);

    expect(idsOf(run.plan.operations)).toEqual(['revoke anna', 'deactivate anna']);
    expect(run.findings).toMatchObject([{ code: 'recycled-address', externalId: 'new-anna' }]);
    const user = world.twilio.state.users.byUserName('anna@corp.example');
    expect(user?.externalId).toBe('anna');
    expect([...world.twilio.state.assignments.ofIdentity(user?.sid ?? '')]).toEqual([]);
  });

  test('a login outside the organization holds the address: it is asked for once, not at every run', async () => {
    await using world = await createWorld({ seed: { outsideAddresses: ['anna@corp.example'] } });
    await world.people([anna, ben]);

    const first = await world.tdsync('reconcile');
    world.twilio.requests.clear();
    const second = await reconcile(world);

    expect(first.code).toBe(4);
    expect(second.findings).toMatchObject([{ code: 'address-taken', externalId: 'anna' }]);
    expect(world.twilio.requests.counts).toEqual({ 'POST /v2/token': 1, 'GET /scim/v2/Users': 1 });
  });

  test('the owner, protected and suspended people, and users that are not ours', async () => {
    await using world = await createWorld({
      sections: { policy: { mode: 'sync', adoptExisting: true, protect: ['Ben@corp.example'] }, guards: wideGuards },
      seed: {
        ownerUserName: 'owner@corp.example',
        users: [
          { userName: 'owner@corp.example', externalId: 'owner' },
          { userName: 'ben@corp.example', externalId: 'ben' },
          { userName: 'sue@corp.example', externalId: 'sue', suspended: true },
          { userName: 'stranger@corp.example' },
        ],
        assignments: [{ user: 'stranger@corp.example', role: 'Developer', scope: 'Production' }],
      },
    });
    const before = world.twilio.snapshot();
    await world.people([
      ben,
      { id: 'owner' },
      { id: 'sue' },
      { id: 'other', groups: ['developers'], type: 'contractor' },
    ]);

    const first = await world.tdsync('reconcile', '--json');
    const second = await reconcile(world);

    expect(first.code).toBe(4);
    expect(second.plan.operations).toEqual([]);
    expect(new Set(second.findings.map(({ code }) => code))).toEqual(new Set(['owner', 'protected', 'suspended']));
    expect(world.twilio.snapshot().users).toEqual(before.users);
    expect(world.twilio.snapshot().assignments).toEqual(before.assignments);
  });
});

describe.concurrent('the policy decides', () => {
  test('how often somebody must be missing before they count as gone', async () => {
    await using world = await createWorld({
      sections: { policy: { mode: 'sync', confirmAbsence: 3 }, guards: wideGuards },
    });
    await world.people([anna, ben]);
    await settle(world);
    await world.people([anna]);

    const first = await reconcile(world);
    const dry = await reconcile(world, '--dry-run');
    const second = await reconcile(world);
    const status = await world.tdsync('status');
    await world.write('people.csv', '');
    const failed = await world.tdsync('reconcile');
    await world.people([anna]);
    const third = await reconcile(world);

    expect([first, dry, second].map(({ plan }) => plan.operations)).toEqual([[], [], []]);
    expect(second.findings).toMatchObject([{ code: 'absence-pending', externalId: 'ben' }]);
    expect(status.stdout).toContain('1 missing from the source');
    expect(failed.code).toBe(5);
    expect(idsOf(third.plan.operations)).toEqual(['revoke ben', 'deactivate ben']);
  });

  test('what becomes of leavers and of drift', async () => {
    await using world = await createWorld({ sections: { guards: wideGuards } });
    await world.people([anna, ben]);
    await settle(world);
    await world.people([anna]);
    world.twilio.administer({ action: 'edit-user', user: 'anna@corp.example', attributes: { familyName: 'Else' } });

    await world.configure({ guards: wideGuards, policy: { mode: 'sync', leavers: 'report', drift: 'report' } });
    const report = await reconcile(world);
    await world.configure({ guards: wideGuards, policy: { mode: 'sync', leavers: 'revoke-only', drift: 'report' } });
    const revoke = await reconcile(world);
    await expectConverged(world);

    expect(report.plan.operations).toEqual([]);
    expect(report.findings.map(({ code, externalId }) => [code, externalId]).toSorted()).toEqual([
      ['drift', 'anna'],
      ['leaver-reported', 'ben'],
    ]);
    expect(idsOf(revoke.plan.operations)).toEqual(['revoke ben']);
  });

  test('whether a user with the same address is taken over', async () => {
    await using world = await createWorld({
      sections: { policy: { mode: 'sync', adoptExisting: false } },
      seed: { users: [{ userName: 'anna@corp.example' }] },
    });
    await world.people([anna, ben]);

    const run = await reconcile(world);

    expect(idsOf(run.plan.operations)).toEqual(['create ben', 'grant ben']);
    expect(run.findings).toMatchObject([{ code: 'not-adopted', externalId: 'anna' }]);
  });
});
