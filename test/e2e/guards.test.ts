import { describe, expect, test } from 'vitest';
import { expectConverged, idsOf, reconcile, settle, wideGuards } from '../support/convergence.ts';
import {
  createWorld,
  type Person,
  type Result,
  type RunDocument,
  type Sections,
  type World,
} from '../support/world.ts';

const ten = Array.from({ length: 10 }, (_, index): Person => ({ id: `p${index}`, groups: ['developers'] }));

/** A world of ten developers that is in step. */
async function worldOfTen(sections: Sections = {}): Promise<World> {
  const world = await createWorld({ sections });
  await world.people(ten);
  await settle(world);
  world.twilio.requests.clear();
  return world;
}

/** Refused by exactly this guard, with its arithmetic; Twilio untouched; what to do next. */
function expectRefusal(world: World, run: Result, guard: string, arithmetic: string): void {
  expect(run.code, run.stdout).toBe(3);
  expect(run.stdout).toContain('Guards refuse this plan');
  const refusing = run.stdout.split('\n').filter((line) => line.startsWith('  ✗'));
  expect(refusing.map((line) => line.replaceAll(/ +/g, ' '))).toEqual([` ✗ ${guard} ${arithmetic}`]);
  expect(run.stdout).toContain(`--allow ${guard}=`);
  expect(world.twilio.requests.writes).toBe(0);
}

describe.concurrent('a guard', () => {
  test('refuses too many deactivations, whatever made them', async () => {
    await using world = await worldOfTen();
    await world.people(ten.map((person, index) => (index < 2 ? { ...person, status: 'disabled' } : person)));

    const run = await world.tdsync('reconcile');

    const arithmetic = '2 people would be deactivated; the limit is 1, the smaller of 25 and 10 % of 10 managed = 1';
    expectRefusal(world, run, 'deactivations', arithmetic);
  });

  test('refuses too many revocations', async () => {
    await using world = await worldOfTen();
    await world.people(ten.map((person, index) => (index < 3 ? { ...person, groups: [] } : person)));

    const run = await world.tdsync('reconcile');

    const arithmetic = '3 people would lose a role; the limit is 2, the smaller of 50 and 20 % of 10 managed = 2';
    expectRefusal(world, run, 'revocations', arithmetic);
  });

  test('refuses too many creations, the first import no exception', async () => {
    await using world = await createWorld({ sections: { guards: { creations: { count: 9 } } } });
    await world.people(ten);

    const run = await world.tdsync('reconcile');

    expectRefusal(world, run, 'creations', '10 people would be created; the limit is 9');
    expect(world.twilio.state.mails).toEqual([]);
  });

  test('refuses too many renames', async () => {
    await using world = await worldOfTen();
    await world.people(
      ten.map((person, index) => (index < 2 ? { ...person, mail: `new${index}@corp.example` } : person)),
    );

    const run = await world.tdsync('reconcile');

    const arithmetic =
      '2 people would get another address; the limit is 1, the smaller of 10 and 5 % of 10 managed = 1';
    expectRefusal(world, run, 'renames', arithmetic);
  });

  test('refuses a source that shrank', async () => {
    await using world = await worldOfTen({ guards: { deactivations: { count: 9 }, revocations: { count: 9 } } });
    await world.people(ten.slice(3));

    const run = await world.tdsync('reconcile');

    const arithmetic =
      'entries went from 10 to 7, 3 fewer; the limit is 2 (20 % of 10 entries at the last complete read = 2)';
    expectRefusal(world, run, 'sourceShrink', arithmetic);
  });

  test('refuses a filter that matches nobody, whatever the limits', async () => {
    const filter = 'entry.employeeType == "employe"';
    const most = { count: 99 };
    const limits = { deactivations: most, revocations: most, roleRevocations: most, sourceShrink: { percent: 100 } };
    await using world = await worldOfTen();
    await world.configure({ filter, guards: limits });

    const run = await world.tdsync('reconcile');

    const arithmetic = 'people in scope fell from 10 to 0: an empty scope is always refused';
    expectRefusal(world, run, 'sourceShrink', arithmetic);
  });

  test('refuses in a dry run as well', async () => {
    await using world = await worldOfTen();
    await world.people(ten.slice(2));

    const run = await world.tdsync('reconcile', '--dry-run');

    const arithmetic = '2 people would be deactivated; the limit is 1, the smaller of 25 and 10 % of 10 managed = 1';
    expectRefusal(world, run, 'deactivations', arithmetic);
    expect(run.stdout).toContain('Dry run: refused');
  });

  test('lets the plan through for one run when it is allowed by name, and the history says so', async () => {
    await using world = await worldOfTen();
    await world.people(ten.slice(2));

    const refused = await world.tdsync('reconcile');
    const allowed = await reconcile(world, '--allow', 'deactivations=2');
    const runs = await world.tdsync('runs', allowed.run ?? '');

    expect([refused.code, allowed.status]).toEqual([3, 'applied']);
    expect(runs.stdout).toContain('allowed deactivations=2');
    await expectConverged(world);
  });

  test('holds against an allowance that is too small', async () => {
    await using world = await worldOfTen();
    await world.people(ten.slice(3));
    const others = ['--allow', 'revocations=3', '--allow', 'sourceShrink'];

    const run = await world.tdsync('reconcile', ...others, '--allow', 'deactivations=2');

    const arithmetic = '3 people would be deactivated; the limit is 2, allowed for this run';
    expectRefusal(world, run, 'deactivations', arithmetic);
  });

  test('keeps the refused plan for status until a run goes through', async () => {
    await using world = await worldOfTen();
    await world.people(ten.slice(2));

    const run = (await world.tdsync('reconcile', '--json')).json<RunDocument>();
    const status = await world.tdsync('status');
    const document = (await world.tdsync('status', '--json')).json<{ refusedPlan: { digest: string; run: string } }>();
    await reconcile(world, '--allow', 'deactivations=2');
    const after = (await world.tdsync('status', '--json')).json<{ refusedPlan?: unknown }>();

    expect(status.stdout).toContain(`Refused plan of run ${run.run}: 4 operations, digest ${run.plan.digest}`);
    expect(status.stdout).toContain('2 people would be deactivated');
    expect(document.refusedPlan).toMatchObject({ digest: run.plan.digest, run: run.run });
    expect(after.refusedPlan).toBeUndefined();
  });

  test('never counts a refused read as the last complete one', async () => {
    await using world = await worldOfTen();
    await world.people(ten.slice(3));

    const first = await world.tdsync('reconcile');
    const second = await world.tdsync('reconcile');

    expect([first.code, second.code]).toEqual([3, 3]);
    expect(second.stdout).toContain('entries went from 10 to 7');
  });

  test.for([
    [
      'deletions',
      '"deletions" is not a guard to allow; write one of deactivations, revocations, roleRevocations, creations',
    ],
    ['deactivations=', '"deactivations=" is not a guard'],
    ['deactivations=some', '"deactivations=some" is not a guard'],
    ['deactivations=-1', '"deactivations=-1" is not a guard'],
  ] as const)('cannot be allowed by %s', async ([allowance, message]) => {
    await using world = await createWorld();

    const run = await world.tdsync('reconcile', '--allow', allowance);

    expect([run.code, run.stderr]).toEqual([64, expect.stringContaining(message)]);
    expect(world.twilio.requests.total).toBe(0);
  });
});

describe.concurrent('a narrower run', () => {
  test('touches the chosen people alone, by address, key or SID', async () => {
    await using world = await worldOfTen({ guards: wideGuards });
    const sid = world.twilio.state.users.byUserName('p2@corp.example')?.sid ?? '';
    await world.people([...ten.map((person) => ({ ...person, family: 'Moved' })), { id: 'new' }]);

    const run = await reconcile(world, '--only', 'P0@Corp.example', '--only', 'p1', '--only', sid, '--only', 'new');
    const rest = await reconcile(world);

    expect(idsOf(run.plan.operations)).toEqual(['update p0', 'update p1', 'update p2', 'create new']);
    expect(rest.plan.operations.map(({ kind }) => kind)).toEqual(Array(7).fill('update'));
    await expectConverged(world);
  });

  test('says so when it was chosen for somebody whom nobody knows', async () => {
    await using world = await worldOfTen();

    const run = await world.tdsync(
      'reconcile',
      '--dry-run',
      '--only',
      'P0@corp.example',
      '--only',
      'Nobody@corp.example',
    );

    const warnings = run.logs().filter(({ level }) => level === 'warn');
    expect(warnings).toMatchObject([{ only: 'Nobody@corp.example', msg: expect.stringContaining('neither in scope') }]);
  });

  test('leaves a leaver in place who is not among the chosen', async () => {
    await using world = await worldOfTen();
    await world.people(ten.slice(1).map((person) => ({ ...person, family: 'Moved' })));

    const run = await reconcile(world, '--only', 'p5');

    expect(idsOf(run.plan.operations)).toEqual(['update p5']);
    expect(world.twilio.state.users.byUserName('p0@corp.example')?.status).toBe('active');
  });

  test('takes nothing away with --policy upsert-only, and only creates with create-only', async () => {
    await using world = await worldOfTen({ guards: wideGuards });
    await world.people([
      ...ten.slice(1).map((person) => ({ ...person, family: 'Moved', groups: [] })),
      { id: 'new', groups: ['developers'] },
    ]);

    const create = await reconcile(world, '--dry-run', '--policy', 'create-only');
    const upsert = await reconcile(world, '--dry-run', '--policy', 'upsert-only');
    const sync = await reconcile(
      world,
      '--dry-run',
      '--policy',
      'sync',
      '--allow',
      'revocations',
      '--allow',
      'roleRevocations',
    );

    const kinds = (run: RunDocument) => [...new Set(run.plan.operations.map(({ kind }) => kind))];
    expect(kinds(create)).toEqual(['create', 'grant']);
    expect(kinds(upsert)).toEqual(['update', 'create', 'grant']);
    expect(kinds(sync)).toEqual(['revoke', 'deactivate', 'update', 'create', 'grant']);
  });

  test('refuses a policy that does not exist', async () => {
    await using world = await createWorld();

    const run = await world.tdsync('reconcile', '--policy', 'delete-all');

    expect(run.code).toBe(64);
    expect(run.stderr).toContain('sync, upsert-only, create-only');
  });
});
