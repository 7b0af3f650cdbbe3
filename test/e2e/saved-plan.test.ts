import { readFile, stat, writeFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { digest } from '../../src/engine/digest.ts';
import { expectConverged, settle, wideGuards } from '../support/convergence.ts';
import { createWorld, type ErrorDocument, type Person, type RunDocument, type World } from '../support/world.ts';

const anna: Person = { id: 'anna', groups: ['developers'] };
const ben: Person = { id: 'ben' };

/** Anna and Ben are in step; a saved plan would rename Anna's family and create Carl. */
async function worldWithPlan(): Promise<World> {
  const world = await createWorld({ sections: { guards: wideGuards } });
  await world.people([anna, ben]);
  await settle(world);
  await world.people([{ ...anna, family: 'Moved' }, ben, { id: 'carl' }]);
  const dry = await world.tdsync('reconcile', '--dry-run', '--out', world.path('plan.json'));
  expect(dry.code, dry.stderr).toBe(0);
  world.twilio.requests.clear();
  return world;
}

/** Exit 3, nothing written, and the error names exactly what moved. */
async function expectStale(world: World, why: string): Promise<void> {
  const run = await world.tdsync('apply', world.path('plan.json'), '--json');

  expect(run.code).toBe(3);
  expect(run.json<ErrorDocument>().error).toMatchObject({
    code: 'stale-plan',
    message: expect.stringContaining(`is stale: ${why}`),
    hint: expect.stringContaining('reconcile --dry-run --out'),
  });
  expect(world.twilio.requests.writes).toBe(0);
}

describe.concurrent('a saved plan', () => {
  test('is applied as it was reviewed', async () => {
    await using world = await worldWithPlan();
    const { plan } = JSON.parse(await readFile(world.path('plan.json'), 'utf8')) as RunDocument;

    const run = await world.tdsync('apply', world.path('plan.json'), '--json');

    expect(run.code).toBe(0);
    expect(run.json<RunDocument>()).toMatchObject({
      status: 'applied',
      plan: { operations: plan.operations, digest: plan.digest },
    });
    expect(world.twilio.requests.writes).toBe(2);
    await expectConverged(world);
  });

  test('can be read by its owner alone', async () => {
    await using world = await worldWithPlan();

    const { mode } = await stat(world.path('plan.json'));

    expect((mode & 0o777).toString(8)).toBe('600');
  });

  test('is stale once it was applied', async () => {
    await using world = await worldWithPlan();
    await world.tdsync('apply', world.path('plan.json'));
    world.twilio.requests.clear();

    await expectStale(world, 'nothing of it is left to do');
  });

  test('is stale when the source has moved', async () => {
    await using world = await worldWithPlan();
    await world.people([{ ...anna, family: 'Moved' }, ben, { id: 'carl' }, { id: 'dora' }]);

    await expectStale(world, 'source moved since it was made');
  });

  test('is not stale when only a person out of scope has moved', async () => {
    await using world = await worldWithPlan();
    await world.people([{ ...anna, family: 'Moved' }, ben, { id: 'carl' }, { id: 'dora', type: 'contractor' }]);

    const run = await world.tdsync('apply', world.path('plan.json'));

    expect(run.code, run.stderr).toBe(0);
  });

  test('is stale when Twilio has moved', async () => {
    await using world = await worldWithPlan();
    const attributes = { givenName: 'Else' };
    world.twilio.administer({ action: 'edit-user', user: 'ben@corp.example', attributes });

    await expectStale(world, 'twilio moved since it was made');
  });

  test('is stale when the configuration has moved', async () => {
    await using world = await worldWithPlan();
    await world.configure({ guards: wideGuards, policy: { mode: 'sync', leavers: 'report' } });

    await expectStale(world, 'configuration moved since it was made');
  });

  test('is not stale when only the pace or the log has moved', async () => {
    await using world = await worldWithPlan();
    await world.configure({ guards: wideGuards, log: { level: 'warn' } });

    const run = await world.tdsync('apply', world.path('plan.json'));

    expect(run.code, run.stderr).toBe(0);
  });

  test('carries the options that it was made with', async () => {
    await using world = await createWorld();
    await world.people([anna, ben]);

    await world.tdsync(
      'reconcile',
      '--dry-run',
      '--only',
      'anna',
      '--policy',
      'create-only',
      '--out',
      world.path('plan.json'),
    );
    const run = await world.tdsync('apply', world.path('plan.json'));

    expect(run.code, run.stderr).toBe(0);
    expect(world.twilio.state.mails.map(({ to }) => to)).toEqual(['anna@corp.example']);
  });

  test('does not get around a guard, but can be allowed by name', async () => {
    await using world = await createWorld({ sections: { guards: { creations: { count: 1 } } } });
    await world.people([anna, ben]);

    const dry = await world.tdsync('reconcile', '--dry-run', '--out', world.path('plan.json'));
    const refused = await world.tdsync('apply', world.path('plan.json'));
    const writes = world.twilio.requests.writes;
    const allowed = await world.tdsync('apply', world.path('plan.json'), '--allow', 'creations=2');

    expect([dry.code, refused.code, writes, allowed.code]).toEqual([3, 3, 0, 0]);
  });

  test('is refused when an operation was taken out, changed or added', async () => {
    await using world = await worldWithPlan();
    const text = await readFile(world.path('plan.json'), 'utf8');
    const saved = JSON.parse(text) as { plan: RunDocument['plan'] };
    const fewer = { ...saved, plan: { ...saved.plan, operations: saved.plan.operations.slice(1) } };
    await writeFile(world.path('fewer.json'), JSON.stringify(fewer));
    await writeFile(world.path('other.json'), text.replaceAll('carl@corp.example', 'eve@corp.example'));

    const runs = await Promise.all(['fewer.json', 'other.json'].map((name) => world.tdsync('apply', world.path(name))));

    for (const run of runs) {
      expect(run.code).toBe(64);
      expect(run.stderr).toContain('was changed after it was made');
    }
    expect(world.twilio.requests.total).toBe(0);
  });

  test('must be a plan', async () => {
    await using world = await createWorld();
    await world.write('empty.json', '');
    await world.write('list.json', '[]');
    const withoutOptions = {
      version: 1,
      plan: { operations: [], basis: {}, digest: digest({ operations: [], basis: {} }) },
    };
    await world.write('hollow.json', '{"version":1,"plan":{"operations":[],"basis":{},"digest":"x"}}');

    await world.write('bare.json', JSON.stringify(withoutOptions));
    const uncounted = { ...withoutOptions, options: {}, plan: { ...withoutOptions.plan, findings: [] } };
    await world.write('uncounted.json', JSON.stringify(uncounted));
    const names = ['empty.json', 'list.json', 'hollow.json', 'bare.json', 'uncounted.json', 'missing.json', '.'];
    const runs = await Promise.all(names.map((name) => world.tdsync('apply', world.path(name))));

    for (const [index, run] of runs.entries()) {
      expect([run.code, run.stderr]).toEqual([64, expect.stringContaining(world.path(names[index] ?? ''))]);
    }
  });

  test('cannot be saved by a real run, nor where nothing can be written', async () => {
    await using world = await createWorld();
    await world.people([anna]);

    const real = await world.tdsync('reconcile', '--out', world.path('plan.json'));
    const nowhere = await world.tdsync('reconcile', '--dry-run', '--out', world.path('no/such/folder/plan.json'));

    expect([real.code, real.stderr]).toEqual([64, expect.stringContaining('--out goes with --dry-run')]);
    expect([nowhere.code, nowhere.stderr]).toEqual([64, expect.stringContaining('no/such/folder/plan.json')]);
    expect(world.twilio.requests.writes).toBe(0);
  });
});
