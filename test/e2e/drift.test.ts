import { describe, expect, test } from 'vitest';
import type { DriftReport } from '../../src/domain/drift.ts';
import { expectConverged, idsOf, reconcile, settle, wideGuards } from '../support/convergence.ts';
import { reconcileInProcess } from '../support/in-process.ts';
import { pictureOf } from '../support/organization.ts';
import { createWorld, type Person, type World } from '../support/world.ts';

const anna: Person = { id: 'anna', groups: ['developers'] };
const ben: Person = { id: 'ben' };
const cleo: Person = { id: 'cleo', groups: ['developers'] };

async function settled(drift: 'overwrite' | 'report'): Promise<World> {
  const policy = { mode: 'sync', adoptExisting: true, drift };
  const world = await createWorld({ sections: { guards: wideGuards, policy, snapshot: fresh } });
  await world.people([anna, ben, cleo]);
  await settle(world);
  return world;
}

/** Role assignments are read at each run. */
const fresh = { path: 'tdsync.db', refreshAssignments: '0s' };

/** Somebody in the Console: another name, a role taken from anna, one given to ben, cleo deactivated. */
function changeByHand({ twilio }: World): void {
  twilio.administer({ action: 'edit-user', user: 'anna@corp.example', attributes: { familyName: 'Else' } });
  const sid = assignmentOf(twilio, 'anna@corp.example');
  twilio.administer({ action: 'remove-assignment', sid });
  twilio.administer({ action: 'assign-role', user: 'ben@corp.example', role: 'Developer', scope: 'Production' });
  twilio.administer({ action: 'set-status', user: 'cleo@corp.example', status: 'inactive' });
}

function assignmentOf(twilio: World['twilio'], userName: string): string {
  const { users = [], assignments = [] } = twilio.snapshot();
  const user = users.find((each) => each.userName === userName)?.id;
  return assignments.find((each) => each.user === user)?.sid ?? '';
}

async function expectNoDrift(world: World): Promise<void> {
  const { code, stdout } = await world.tdsync('drift', '--detailed-exitcode');

  expect([code, stdout]).toEqual([0, expect.stringContaining('No drift')]);
}

describe.concurrent('tdsync drift', () => {
  test('lists what was changed in Twilio alone, exits 2 when asked to, and writes nothing anywhere', async () => {
    await using world = await settled('overwrite');
    const none = await world.tdsync('drift', '--detailed-exitcode');
    changeByHand(world);
    await world.people([anna, { ...ben, family: 'Changed' }, cleo]);
    const before = [await world.files(), pictureOf(world.twilio)];
    world.twilio.requests.clear();

    const text = await world.tdsync('drift');
    const json = await world.tdsync('drift', '--json', '--detailed-exitcode');

    expect([none.code, none.stdout]).toEqual([0, expect.stringContaining('No drift')]);
    expect([text.code, json.code, world.twilio.requests.writes]).toEqual([0, 2, 0]);
    expect([await world.files(), pictureOf(world.twilio)]).toEqual(before);
    const { people } = json.json<DriftReport>();
    expect(
      people.flatMap(({ externalId, drift }) => drift.map((each) => [externalId, each.kind, each.origin])),
    ).toEqual([
      ['anna', 'attribute', 'changed-in-twilio'],
      ['anna', 'grant', 'changed-in-twilio'],
      ['ben', 'grant', 'changed-in-twilio'],
      ['cleo', 'activity', 'changed-in-twilio'],
    ]);
    expect(text.stdout).toContain('- Developer in Production  taken away in Twilio, wanted by developers');
    expect(text.stdout).toContain('+ Developer in Production  given in Twilio, no rule gives it');
  });

  test('with drift: overwrite a run makes all of it as wanted, and says why', async () => {
    await using world = await settled('overwrite');
    changeByHand(world);

    const run = await reconcile(world);

    expect(run.plan.operations.map(({ kind, externalId, reason }) => `${kind} ${externalId} ${reason}`)).toEqual([
      'revoke ben changed-in-twilio',
      'update anna changed-in-twilio',
      'reactivate cleo changed-in-twilio',
      'grant anna changed-in-twilio',
    ]);
    await expectNoDrift(world);
  });

  test('with drift: report a run leaves it and tells it, and applies what changes in the source beside it', async () => {
    await using world = await settled('report');
    changeByHand(world);
    const picture = pictureOf(world.twilio);

    const left = await reconcile(world);
    const untouched = pictureOf(world.twilio);
    await world.people([anna, { ...ben, given: 'New' }, cleo, { id: 'dan', groups: ['developers'] }]);
    const upstream = await reconcile(world);
    await world.people([{ ...anna, groups: [] }, ben, cleo]);
    await reconcileInProcess(world);
    await world.people([anna, ben, cleo]);
    const again = await reconcile(world);

    expect([left.plan.operations, untouched]).toEqual([[], picture]);
    expect(left.findings.map(({ code, externalId }) => `${code} ${externalId}`)).toEqual([
      'drift anna',
      'drift ben',
      'drift cleo',
    ]);
    expect(idsOf(upstream.plan.operations)).toEqual(['update ben', 'create dan', 'grant dan']);
    // Out of the group and in again is a change of the source, whatever was taken away before.
    expect(idsOf(again.plan.operations)).toEqual(['grant anna']);
  });
});

test('a role that somebody gave by hand and that a rule gives too is taken over, which is told once', async () => {
  await using world = await createWorld({ sections: { guards: wideGuards, snapshot: fresh } });
  await world.people([anna, ben]);
  await settle(world);
  world.twilio.administer({ action: 'assign-role', user: 'ben@corp.example', role: 'Developer', scope: 'Production' });
  await world.people([anna, { ...ben, groups: ['developers'] }]);

  const first = await reconcile(world);
  await world.configure({ guards: wideGuards });
  await expectConverged(world);
  await world.configure({ guards: wideGuards, roles: [] });
  const unnamed = await reconcile(world);

  expect([first.plan.operations, first.findings]).toEqual([
    [],
    [expect.objectContaining({ code: 'taken-over', externalId: 'ben' })],
  ]);
  // The rule is gone: what was granted by it goes, what somebody gave stays.
  expect(idsOf(unnamed.plan.operations)).toEqual(['revoke anna']);
  expect(pictureOf(world.twilio).assignments).toEqual(['ben@corp.example: Developer in Production']);
});
