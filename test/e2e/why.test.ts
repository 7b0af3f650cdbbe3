import { describe, expect, test } from 'vitest';
import { settle, wideGuards } from '../support/convergence.ts';
import { reconcileInProcess } from '../support/in-process.ts';
import { createWorld, type Person, type Sections, type World } from '../support/world.ts';

const people: readonly Person[] = [
  { id: 'anna', groups: ['developers'] },
  { id: 'ben', groups: ['support'] },
  { id: 'cleo', type: 'contractor', groups: ['developers'] },
];
const sections: Sections = {
  guards: wideGuards,
  filter: 'entry.employeeType != "contractor" && (entry.mail != "" || entry.accountStatus == "x")',
  roles: [
    { group: 'developers', grants: [{ role: 'Developer', scope: 'Production' }] },
    { group: 'support', when: 'entry.accountStatus == "disabled"', grants: [{ role: 'Support', scope: 'Production' }] },
  ],
};

async function worldOfThree(): Promise<World> {
  const world = await createWorld({ sections });
  await world.people(people);
  await settle(world);
  return world;
}

/** The output with runs of spaces as one, so that it can be compared without columns. */
async function why(world: World, ...args: readonly string[]): Promise<string> {
  const run = await world.tdsync('why', ...args);
  expect(run.code, run.stderr).toBe(0);
  return run.stdout.replaceAll(/ +/g, ' ');
}

describe.concurrent('tdsync why', () => {
  test('shows entry, filter, mapping, roles with their rules, what was done, and that nothing is to be done', async () => {
    await using world = await worldOfThree();
    world.twilio.requests.clear();

    const text = await why(world, 'anna@corp.example');

    expect(text).toContain('anna@corp.example US');
    expect(text).toContain('managed under the key anna, active');
    expect(text).toContain('Entry people.csv:2, as run ');
    expect(text).toContain(' mail anna@corp.example\n');
    expect(text).toContain(' groups developers\n');
    expect(text).toContain(
      'Filter ✓ in scope\n ✓ entry.employeeType != "contractor"\n ✓ (entry.mail != "" || entry.accountStatus == "x")',
    );
    expect(text).toContain(' userName anna@corp.example by mail');
    expect(text).toContain(' ✓ rule 1, developers: Developer in Production');
    expect(text).toContain(
      ' ✗ rule 2, support and entry.accountStatus == "disabled": Support in Production: no member of support',
    );
    expect(text).toContain(' has Developer in Production given by us, wanted, IY');
    expect(text).toMatch(/Last changes\n \S+ grant Developer in Production \(by developers\), done run/);
    expect(text).toMatch(/Next run .*\n nothing to do/);
    expect(world.twilio.requests.total).toBe(0);
  });

  test('explains one role alone, also one that a condition keeps away', async () => {
    await using world = await worldOfThree();

    const text = await why(world, 'ben', 'Support');
    const none = await why(world, 'ben', 'Billing Manager');

    expect(text).toContain(
      ' ✗ rule 2, support and entry.accountStatus == "disabled": Support in Production: entry.accountStatus == "disabled" is false',
    );
    expect(text).not.toContain('Mapping');
    expect(none).toContain('no rule gives "Billing Manager", and the person does not have it');
  });

  test('says which part of the filter fails for somebody who left the scope, and what the next run does', async () => {
    await using world = await worldOfThree();
    await world.configure({ ...sections, guards: { deactivations: { count: 0 } } });
    await world.people([{ id: 'anna', type: 'contractor', groups: ['developers'] }, ...people.slice(1)]);
    await reconcileInProcess(world);

    const text = await why(world, 'anna');

    expect(text).toContain('Filter ✗ out of scope\n ✗ entry.employeeType != "contractor"\n ✓ (entry.mail');
    expect(text).toContain(' revoke Developer in Production (no longer in scope)\n deactivate (no longer in scope)');
  });

  test('knows somebody who is missing from the source, and somebody whose values fit no rule', async () => {
    await using world = await createWorld({ sections: { ...sections, policy: { mode: 'sync', confirmAbsence: 3 } } });
    await world.people(people);
    await settle(world);
    await world.people([
      { id: 'ben', groups: ['support'] },
      { id: 'dora', mail: 'no address', groups: ['developers'] },
    ]);
    await reconcileInProcess(world, { allow: ['sourceShrink'] });

    const missing = await why(world, 'anna');
    const invalid = await why(world, 'dora');

    expect(missing).toMatch(/Entry none: the source holds no entry with this key since run \S+ at /);
    expect(missing).toMatch(/ the last one people\.csv:2, as run \S+ read it at /);
    expect(missing).toContain(' mail anna@corp.example\n');
    expect(missing).toContain(' groups developers\n');
    expect(missing).toContain('missing from 1 of 3 complete reads in a row');
    expect(invalid).toContain('not in Twilio, as far as the last run saw');
    expect(invalid).toContain('"no address" is not an e-mail address');
    expect(invalid).toContain('! invalid');
  });

  test('still knows who was missing from a source that a guard refused, and forgets it when they are back', async () => {
    await using world = await worldOfThree();
    await world.people(people.slice(1));
    await world.configure({ ...sections, guards: { deactivations: { count: 0 } } });
    await reconcileInProcess(world);

    const missing = await why(world, 'anna@corp.example');
    await world.people(people);
    await reconcileInProcess(world);
    const back = await why(world, 'anna');

    expect(missing).toContain('Entry none: the source holds no entry');
    expect(missing).toContain(' the last one people.csv:2, as run ');
    expect(missing).toContain(' revoke Developer in Production (no longer in the source)');
    expect(back).toContain('Entry people.csv:2, as run ');
    expect(back).toMatch(/Next run .*\n nothing to do/);
  });

  test('asks neither source nor Twilio, and speaks JSON', async () => {
    await using world = await worldOfThree();
    await world.write('people.csv', '');
    world.twilio.requests.clear();

    const run = await world.tdsync('why', 'anna', '--json');

    const found = run.json<{ userName: string; seen: { entry: { id: string } }; next: { operations: unknown[] } }>();
    expect([run.code, found.userName, found.seen.entry.id, found.next.operations]).toEqual([
      0,
      'anna@corp.example',
      'anna',
      [],
    ]);
  });

  test('does not know who was never seen', async () => {
    await using world = await worldOfThree();

    const run = await world.tdsync('why', 'nobody@corp.example');

    expect([run.code, run.stderr]).toEqual([64, expect.stringContaining('is nobody whom the snapshot knows')]);
  });
});
