import { describe, expect, test } from 'vitest';
import { reconcile, settle, wideGuards } from '../support/convergence.ts';
import { createWorld, type Person, type World } from '../support/world.ts';

const anna: Person = { id: 'anna', groups: ['developers'] };
const ben: Person = { id: 'ben', groups: ['developers'] };

interface Details {
  readonly person: { readonly origin: string; readonly run: string; readonly linkedAt: string };
  readonly grants: readonly {
    readonly roleName: string;
    readonly scopeName: string;
    readonly origin: string;
    readonly run?: string;
    readonly held: boolean;
  }[];
  readonly decisions: readonly { readonly action: string; readonly reason?: string }[];
}

/** Anna is created; ben was there with a role of the rule and another one. */
async function worldOfTwo(): Promise<World & { readonly firstRun: string }> {
  const world = await createWorld({
    sections: { guards: wideGuards, snapshot: { path: 'tdsync.db', refreshAssignments: '0s' } },
    seed: { users: [{ userName: 'ben@corp.example' }] },
  });
  for (const [role, scope] of [['Developer', 'Production'] as const, ['Support', 'Production'] as const]) {
    world.twilio.administer({ action: 'assign-role', user: 'ben@corp.example', role, scope });
  }
  await world.people([anna, ben]);
  const { run = '' } = await reconcile(world);
  return Object.assign(world, { firstRun: run });
}

async function detailsOf(world: World, name: string): Promise<Details> {
  return (await world.tdsync('managed', name, '--json')).json<Details>();
}

describe.concurrent('tdsync managed', () => {
  test('lists who is managed, created or adopted, since when and by which run', async () => {
    await using world = await worldOfTwo();

    const text = await world.tdsync('managed');
    const json = await world.tdsync('managed', '--json');

    expect(text.stdout.split('\n')).toEqual([
      expect.stringMatching(`^anna@corp.example \\(anna\\)  created \\d{4}-.*Z by run ${world.firstRun}$`),
      expect.stringMatching(`^ben@corp.example \\(ben\\)  adopted \\d{4}-.*Z by run ${world.firstRun}$`),
      '',
    ]);
    expect(json.json<{ people: readonly object[] }>().people).toEqual([
      expect.objectContaining({ externalId: 'anna', origin: 'created', run: world.firstRun, active: true }),
      expect.objectContaining({ externalId: 'ben', origin: 'adopted', run: world.firstRun, active: true }),
    ]);
  });

  test('shows who made each role of one person, and which are no longer there', async () => {
    await using world = await worldOfTwo();
    const developer = { roleName: 'Developer', scopeName: 'Production', run: world.firstRun };
    const { users = [], assignments = [] } = world.twilio.snapshot();
    const annaSid = users.find(({ userName }) => userName === 'anna@corp.example')?.id;

    const created = await detailsOf(world, 'anna');
    const adopted = await detailsOf(world, 'ben@corp.example');
    const sid = assignments.find(({ user }) => user === annaSid)?.sid ?? '';
    world.twilio.administer({ action: 'remove-assignment', sid });
    await world.configure({ policy: { mode: 'sync', drift: 'report' }, guards: wideGuards });
    await reconcile(world, '--refresh');
    const taken = await detailsOf(world, 'anna');
    const text = await world.tdsync('managed', 'ben');

    expect(created.grants).toEqual([expect.objectContaining({ ...developer, origin: 'granted', held: true })]);
    expect(adopted.grants.toSorted((a, b) => (a.roleName < b.roleName ? -1 : 1))).toEqual([
      expect.objectContaining({ ...developer, origin: 'found', held: true }),
      expect.objectContaining({ roleName: 'Support', origin: 'by-hand', held: true }),
    ]);
    expect(taken.grants).toEqual([expect.objectContaining({ ...developer, origin: 'granted', held: false })]);
    expect(text.stdout).toContain('Support in Production  given in Twilio\n');
    expect(text.stdout).toMatch(/Developer in Production {2}given in Twilio, and by a rule too: taken over .* by run/);
  });

  test('keeps origin and roles through a change of key, and shows who decided it', async () => {
    await using world = await worldOfTwo();
    await world.tdsync('relink', 'anna', 'anna-2', '--reason', 'HR migration');
    await world.people([{ ...anna, id: 'anna-2', mail: 'anna@corp.example' }, ben]);
    await settle(world);

    const { person, grants, decisions } = await detailsOf(world, 'anna-2');

    expect(person).toMatchObject({ origin: 'created', run: world.firstRun });
    expect(grants).toEqual([expect.objectContaining({ origin: 'granted', run: world.firstRun, held: true })]);
    expect(decisions).toEqual([expect.objectContaining({ action: 'relink', reason: 'HR migration' })]);
  });

  test('says of somebody who is not managed why, and exits 64', async () => {
    await using world = await worldOfTwo();
    await world.tdsync('release', 'anna');

    const released = await world.tdsync('managed', 'anna@corp.example');
    const unknown = await world.tdsync('managed', 'nobody');

    expect([released.code, released.stderr]).toEqual([64, expect.stringContaining('the person was released')]);
    expect([unknown.code, unknown.stderr]).toEqual([64, expect.stringContaining('nobody whom the snapshot knows')]);
  });
});
