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

/** The same people, with their addresses, under other keys. */
function rekeyed(keys: Readonly<Record<string, string>>): readonly Person[] {
  return people.map((person) => ({
    ...person,
    id: keys[person.id] ?? person.id,
    mail: `${person.id}@corp.example`,
    given: `Given-${person.id}`,
    family: `Family-${person.id}`,
  }));
}

describe.concurrent('tdsync relink', () => {
  test('keeps a person who got another key in the source: nothing is revoked, created or renamed', async () => {
    await using world = await worldOfThree();
    await world.people(rekeyed({ anna: '100' }));

    const relinked = await world.tdsync('relink', 'anna', '100', '--reason', 'new HR system');
    const { report } = await reconcileInProcess(world);

    expect([relinked.code, relinked.stdout]).toEqual([0, expect.stringContaining('anna → 100')]);
    expect(report?.status).toBe('converged');
    expect(world.twilio.requests.writes).toBe(0);
  });

  test('takes many pairs from a file, chains and swaps among them, all or none', async () => {
    await using world = await worldOfThree();
    await world.write('keys.csv', 'old,new\nanna,ben\nben,anna\ncleo,"300"\n');
    await world.write('wrong.csv', 'old,new\nanna,x1\nnobody,x2\nben,cleo\n');
    await world.people(rekeyed({ anna: 'ben', ben: 'anna', cleo: '300' }));

    const wrong = await world.tdsync('relink', '--file', 'wrong.csv');
    const right = await world.tdsync('relink', '--file', 'keys.csv');
    const { report } = await reconcileInProcess(world);

    expect(wrong.code).toBe(64);
    expect(wrong.stderr).toContain('nobody is linked to nobody; cleo is linked to US');
    expect([right.code, report?.status]).toEqual([0, 'converged']);
    await expectConverged(world);
  });

  test('says with --dry-run what it would do, and does nothing', async () => {
    await using world = await worldOfThree();

    const dry = await world.tdsync('relink', 'anna', '100', '--dry-run');
    const again = await world.tdsync('relink', 'anna', '100', '--dry-run');

    expect([dry.code, again.code]).toEqual([0, 0]);
    expect(dry.stdout).toContain('1 link would go over to another key');
    await expectConverged(world);
  });

  test.each([
    ['two keys at once to one', ['--file', 'twice.csv'], 'more than one key is to become x'],
    ['a key to itself', ['anna', 'anna'], 'anna is to become itself'],
    ['a row without a key', ['--file', 'empty.csv'], 'empty.csv:3: a key is empty'],
    ['a file without a second column', ['--file', 'narrow.csv'], 'narrow.csv:1: a header line with two columns'],
    ['a row with three fields', ['--file', 'wide.csv'], 'wide.csv:2 cannot be read'],
    ['a file that is not there', ['--file', 'none.csv'], 'none.csv cannot be read'],
    ['one key', ['anna'], 'the old and the new key are needed'],
  ])('refuses %s, with a place and a reason', async (_what, args, message) => {
    await using world = await worldOfThree();
    await world.write('twice.csv', 'old,new\nanna,x\nben,x\n');
    await world.write('empty.csv', 'old,new\nanna,x\nben,\n');
    await world.write('narrow.csv', 'old\nanna\n');
    await world.write('wide.csv', 'old,new\nanna,x,y\n');

    const run = await world.tdsync('relink', ...args);

    expect([run.code, run.stderr]).toEqual([64, expect.stringContaining(message)]);
    await expectConverged(world);
  });
});
