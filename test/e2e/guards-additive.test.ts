import { describe, expect, test } from 'vitest';
import { expectConverged, idsOf, settle } from '../support/convergence.ts';
import { historyOf, reconcileInProcess } from '../support/in-process.ts';
import { createWorld, type Person, type RunDocument, type Sections, type World } from '../support/world.ts';

const ten = Array.from({ length: 10 }, (_, index): Person => ({ id: `p${index}`, groups: ['developers'] }));
const newcomer: Person = { id: 'new', groups: ['developers'] };

async function worldOfTen(sections: Sections): Promise<World> {
  const world = await createWorld({ sections });
  await world.people(ten);
  await settle(world);
  world.twilio.requests.clear();
  return world;
}

describe.concurrent('a refused plan with guards.onRefusal additive', () => {
  test('does what takes nothing away, holds the rest back, and still counts as refused', async () => {
    await using world = await worldOfTen({ guards: { onRefusal: 'additive' } });
    await world.people([...ten.slice(3), newcomer]);

    const run = await reconcileInProcess(world);
    const [recorded] = historyOf(world);
    const status = await world.tdsync('status');

    expect([run.code, run.report?.status]).toEqual([3, 'refused']);
    expect(run.report?.operations.map(({ operation, outcome }) => [operation.kind, outcome.state])).toEqual([
      ['create', 'done'],
      ['grant', 'done'],
    ]);
    expect([...world.twilio.state.users].filter(({ status }) => status === 'inactive')).toEqual([]);
    expect(recorded?.summary.operations).toMatchObject({
      create: { done: 1 },
      grant: { done: 1 },
      revoke: { pending: 3 },
      deactivate: { pending: 3 },
    });
    expect(status.stdout).toContain('Refused plan of run');
  });

  test('says so in the text of the run and of the dry run before it', async () => {
    await using world = await worldOfTen({ guards: { onRefusal: 'additive' } });
    await world.people([...ten.slice(3), newcomer]);

    const dry = await world.tdsync('reconcile', '--dry-run');
    const run = await world.tdsync('reconcile');

    expect([dry.code, run.code]).toEqual([3, 3]);
    expect(dry.stdout).toContain('what takes nothing away would be done (2 operations), 6 operations held back');
    expect(run.stdout).toContain('what takes nothing away was tried (2 operations), 6 operations held back');
    expect(run.stdout).toContain('--allow deactivations=3');
  });

  test('does the rest once it is allowed', async () => {
    await using world = await worldOfTen({ guards: { onRefusal: 'additive' } });
    await world.people([...ten.slice(3), newcomer]);

    await reconcileInProcess(world);
    const allowed = await reconcileInProcess(world, { allow: ['deactivations', 'revocations', 'sourceShrink'] });

    expect(allowed.report?.status).toBe('applied');
    expect(idsOf(allowed.report?.plan.operations ?? []).filter((id) => !/^(revoke|deactivate) /.test(id))).toEqual([]);
    await expectConverged(world);
  });

  test('does nothing when it would add too much, and nothing when a reviewed plan is applied', async () => {
    await using world = await worldOfTen({});
    await world.configure({ guards: { onRefusal: 'additive', creations: { count: 0 } } });
    await world.people([...ten.slice(3), newcomer]);

    const adding = await reconcileInProcess(world);
    await world.people(ten.slice(3));
    await world.tdsync('reconcile', '--dry-run', '--out', 'plan.json');
    const reviewed = await world.tdsync('apply', 'plan.json', '--json');

    expect([adding.code, adding.report?.operations]).toEqual([3, []]);
    expect([reviewed.code, reviewed.json<RunDocument>().operations]).toEqual([3, []]);
    expect(world.twilio.requests.writes).toBe(0);
  });
});

describe.concurrent('a role that must keep a holder', () => {
  const roles = [
    { group: 'admins', grants: [{ role: 'Administrator', scope: 'Production' }] },
    { group: 'developers', grants: [{ role: 'Developer', scope: 'Production' }] },
  ];

  test('keeps its last one, who is disabled in the source', async () => {
    await using world = await createWorld({ sections: { roles, guards: { keepAtLeastOne: ['Administrator'] } } });
    await world.people([{ id: 'boss', groups: ['admins'] }, ...ten]);
    await settle(world);
    await world.people([{ id: 'boss', groups: ['admins'], status: 'disabled' }, ...ten]);

    const run = await world.tdsync('reconcile');

    expect(run.code, run.stdout).toBe(3);
    expect(run.stdout).toContain('nobody would hold Administrator in Production any more; name a successor first');
  });

  test('passes on in one run', async () => {
    await using world = await createWorld({ sections: { roles, guards: { keepAtLeastOne: ['Administrator'] } } });
    await world.people([{ id: 'boss', groups: ['admins'] }, ...ten]);
    await settle(world);
    await world.people([...ten.slice(1), { id: 'p0', groups: ['admins', 'developers'] }]);

    const run = await reconcileInProcess(world);

    expect([run.code, run.report?.status]).toEqual([0, 'applied']);
    await expectConverged(world);
  });

  test('must exist', async () => {
    await using world = await createWorld({ sections: { guards: { keepAtLeastOne: ['Emperor'] } } });
    await world.people(ten);

    const run = await world.tdsync('reconcile');

    expect(run.code).toBe(78);
    expect(run.stderr).toContain('guards.keepAtLeastOne[0]: no role is named "Emperor"');
    expect(world.twilio.requests.writes).toBe(0);
  });
});
