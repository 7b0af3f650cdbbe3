import { describe, expect, test } from 'vitest';
import { settle, wideGuards } from '../support/convergence.ts';
import { historyOf } from '../support/in-process.ts';
import { type OrganizationPicture, pictureOf } from '../support/organization.ts';
import { createWorld, type Person, type RunDocument, type World } from '../support/world.ts';

const before: readonly Person[] = [
  { id: 'anna', groups: ['developers'] },
  { id: 'ben', groups: ['developers'] },
  { id: 'cleo', groups: ['developers', 'support'] },
  { id: 'dora', groups: ['support'] },
];
const roles = [
  { group: 'developers', grants: [{ role: 'Developer', scope: 'Production' }] },
  { group: 'support', grants: [{ role: 'Support', scope: 'Production' }] },
];

/** Four people in step, then a run with a leaver, movers, a swap of addresses and a joiner. Returns that run's id. */
async function worldAfterRun(): Promise<{ world: World; run: string; picture: OrganizationPicture }> {
  const world = await createWorld({ sections: { guards: wideGuards, roles } });
  await world.people(before);
  await settle(world);
  const picture = pictureOf(world.twilio);
  await world.people([
    { id: 'ben', mail: 'cleo@corp.example', family: 'Married', groups: ['support'] },
    { id: 'cleo', mail: 'ben@corp.example', groups: ['developers', 'support'] },
    { id: 'dora', family: 'Moved', groups: ['support', 'developers'] },
    { id: 'emil', groups: ['developers'] },
  ]);
  await settle(world);
  const [run] = historyOf(world);
  world.twilio.requests.clear();
  return { world, run: run?.summary.id ?? '', picture };
}

describe.concurrent('tdsync undo', () => {
  test('restores what the run changed: people, roles, names and swapped addresses; who was created is deactivated', async () => {
    const { world, run, picture } = await worldAfterRun();
    await using _world = world;

    const undone = await world.tdsync('undo', run, '--json');

    expect(undone.code, undone.stdout + undone.stderr).toBe(0);
    expect(undone.json<RunDocument>().status).toBe('applied');
    const after = pictureOf(world.twilio);
    const emil = [...world.twilio.state.users].find(({ userName }) => userName === 'emil@corp.example');
    expect(emil?.status).toBe('inactive');
    expect(withoutEmil(after)).toEqual(withoutEmil(picture));
  });

  test('says with --dry-run what it would do, and a second undo finds nothing left', async () => {
    const { world, run } = await worldAfterRun();
    await using _world = world;

    const dry = await world.tdsync('undo', run, '--dry-run', '--detailed-exitcode');
    expect(world.twilio.requests.writes).toBe(0);
    await world.tdsync('undo', run);
    const again = await world.tdsync('undo', run, '--json');

    expect(dry.code, dry.stdout).toBe(2);
    expect(dry.stdout).toContain('undoes an earlier run');
    expect(again.json<RunDocument>().plan.operations).toEqual([]);
  });

  test('takes one person back with --only', async () => {
    const { world, run } = await worldAfterRun();
    await using _world = world;

    const undone = await world.tdsync('undo', run, '--only', 'anna', '--json');

    const { operations } = undone.json<RunDocument>().plan;
    expect(operations.map(({ kind, externalId }) => `${kind} ${externalId}`)).toEqual([
      'reactivate anna',
      'grant anna',
    ]);
  });

  test('leaves what somebody changed since, and says so', async () => {
    const { world, run } = await worldAfterRun();
    await using _world = world;
    await world.people([
      { id: 'ben', mail: 'cleo@corp.example', family: 'Married', groups: ['support'] },
      { id: 'cleo', mail: 'ben@corp.example', groups: ['developers', 'support'] },
      { id: 'dora', family: 'Divorced', groups: ['support', 'developers'] },
      { id: 'emil', groups: ['developers'] },
    ]);
    await settle(world);

    const undone = await world.tdsync('undo', run, '--only', 'dora', '--dry-run', '--json');

    const { plan } = undone.json<RunDocument>();
    expect(plan.operations.map(({ kind }) => kind)).toEqual(['revoke']);
    expect(plan.findings.map(({ code }) => code)).toEqual(['not-undone', 'not-undone']);
    expect(plan.findings[0]?.message).toContain('Divorced"');
  });

  test('is judged by the guards', async () => {
    const { world, run } = await worldAfterRun();
    await using _world = world;
    await world.configure({ roles, guards: { ...wideGuards, deactivations: { count: 0 } } });

    const refused = await world.tdsync('undo', run);

    expect(refused.code).toBe(3);
    expect(refused.stdout).toContain('1 person would be deactivated; the limit is 0');
    expect(world.twilio.requests.writes).toBe(0);
  });

  test('can be reviewed and applied like any plan', async () => {
    const { world, run } = await worldAfterRun();
    await using _world = world;
    await world.tdsync('undo', run, '--dry-run', '--out', 'undo.json');

    const applied = await world.tdsync('apply', 'undo.json', '--json');

    expect([applied.code, applied.json<RunDocument>().status]).toEqual([0, 'applied']);
  });

  test.each([
    ['a run that does not exist', '20200101T000000Z-001', 'there is no run'],
    ['no run at all', 'last', 'there is no run'],
  ])('refuses %s', async (_what, run, message) => {
    const { world } = await worldAfterRun();
    await using _world = world;

    const result = await world.tdsync('undo', run);

    expect([result.code, result.stderr]).toEqual([64, expect.stringContaining(message)]);
  });
});

/** Nothing of whoever the run created, who stays in Twilio as an inactive user. */
function withoutEmil({ users, assignments }: OrganizationPicture): OrganizationPicture {
  return {
    users: users.filter((user) => !('userName' in user) || user.userName !== 'emil@corp.example'),
    assignments: assignments.filter((assignment) => !assignment.startsWith('emil@')),
  };
}
