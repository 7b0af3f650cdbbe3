import { describe, expect, test } from 'vitest';
import { expectConverged, settle, wideGuards } from '../support/convergence.ts';
import { reconcileInProcess } from '../support/in-process.ts';
import { createWorld, type Person, type World } from '../support/world.ts';

const people: readonly Person[] = ['anna', 'ben', 'cleo'].map((id) => ({ id, groups: ['developers'] }));

async function worldOfThree(): Promise<World> {
  const world = await createWorld({ sections: { guards: wideGuards } });
  await world.people(people);
  await settle(world);
  world.twilio.requests.clear();
  return world;
}

describe.concurrent('tdsync release', () => {
  test('leaves the person alone from then on, whatever the source says, and reports it', async () => {
    await using world = await worldOfThree();

    const released = await world.tdsync('release', 'anna@corp.example', '--reason', 'works on loan');
    await world.people([{ id: 'anna', family: 'Changed', groups: [] }, ...people.slice(1)]);
    const changed = await reconcileInProcess(world);
    await world.people(people.slice(1));
    const left = await reconcileInProcess(world);

    expect([released.code, released.stdout]).toEqual([0, expect.stringContaining('is released')]);
    expect(changed.report?.findings).toEqual([
      expect.objectContaining({ code: 'released', userName: 'anna@corp.example' }),
    ]);
    expect([changed.report?.status, left.report?.status]).toEqual(['converged', 'converged']);
    expect(world.twilio.requests.writes).toBe(0);
  });

  test('is undone by --undo: the next run adopts the person again', async () => {
    await using world = await worldOfThree();
    await world.tdsync('release', 'anna');

    const undone = await world.tdsync('release', 'anna@corp.example', '--undo');
    const next = await reconcileInProcess(world);

    expect([undone.code, next.report?.plan.operations.map(({ kind }) => kind)]).toEqual([0, ['adopt']]);
    await expectConverged(world);
  });

  test('changes nothing with --dry-run', async () => {
    await using world = await worldOfThree();

    const dry = await world.tdsync('release', 'anna', '--dry-run');

    expect([dry.code, dry.stdout]).toEqual([0, expect.stringContaining('would be released')]);
    await expectConverged(world);
  });

  test.each([
    ['somebody who is not known', ['nobody'], '"nobody" is nobody whom the snapshot knows'],
    ['undoing what was not done', ['anna', '--undo'], 'anna@corp.example was not released'],
  ])('refuses %s', async (_what, args, message) => {
    await using world = await worldOfThree();

    const run = await world.tdsync('release', ...args);

    expect([run.code, run.stderr]).toEqual([64, expect.stringContaining(message)]);
  });
});
