/** The history as an auditor meets it: proved in place, exported, and proved again somewhere else. */
import Sqlite from 'better-sqlite3';
import { parse } from 'csv-parse/sync';
import { describe, expect, test } from 'vitest';
import { systemClock } from '../../src/ops/clock.ts';
import { reconcile } from '../support/convergence.ts';
import { crash } from '../support/crash.ts';
import { reconcileInProcess } from '../support/in-process.ts';
import { createWorld, type Person, type World } from '../support/world.ts';

const anna: Person = { id: 'anna', groups: ['developers'] };
const ben: Person = { id: 'ben' };

interface Verified {
  readonly verified: boolean;
  readonly records: number;
  readonly runs: number;
  readonly from?: { readonly at: string };
  readonly head?: { readonly seq: number; readonly hash: string };
  readonly removed: readonly unknown[];
  readonly problem?: { readonly run?: string; readonly message: string };
}

interface Status {
  readonly history: { readonly record: number; readonly hash: string };
}

async function verify(world: World, ...args: readonly string[]) {
  const run = await world.tdsync('runs', 'verify', ...args, '--json');
  return { code: run.code, ...run.json<Verified>() };
}

/** A run in this process, which costs a tenth of a process of its own. */
async function inStep(world: World) {
  const { code, report } = await reconcileInProcess(world, { clock: systemClock });
  expect(code).toBe(0);
  return { run: report?.run ?? '', startedAt: new Date(report?.startedAt ?? 0).toISOString() };
}

function tamper(world: World, sql: string): void {
  const database = new Sqlite(world.path('tdsync.db'));
  database.exec(sql);
  database.close();
}

describe.concurrent('the history', () => {
  test('is proved in place and as a file, and its head is told by status and in the log', async () => {
    await using world = await createWorld();
    await world.people([anna, ben]);
    const first = await world.tdsync('reconcile', '--json');
    const logged = first.logs().find(({ msg }) => msg === 'history recorded');
    const { history } = (await world.tdsync('status', '--json')).json<Status>();
    await world.people([{ ...anna, family: 'Moved' }, ben]);
    await inStep(world);

    const text = await world.tdsync('runs', 'verify', '--head', history.hash);
    const exported = await world.tdsync('runs', '--export', 'jsonl');
    const file = await world.write('history.jsonl', exported.stdout);
    const inPlace = await verify(world);
    const asFile = await verify(world, file, '--head', history.hash);
    const foreign = await verify(world, '--head', 'f'.repeat(64));

    expect(logged).toMatchObject({ record: history.record, hash: history.hash });
    expect([text.code, text.stdout]).toEqual([0, expect.stringContaining(`Head:     ${inPlace.head?.hash}`)]);
    expect(inPlace).toMatchObject({ code: 0, verified: true });
    expect(asFile).toMatchObject({ code: 0, verified: true, records: inPlace.records, head: inPlace.head });
    expect(foreign).toMatchObject({ code: 1, verified: false });
    expect(exported.stdout).toContain('"before":"Family-anna","after":"Moved"');
  });

  test('that somebody has changed is told with exit 1, in place and as a file', async () => {
    await using world = await createWorld();
    await world.people([anna]);
    const { run } = await inStep(world);
    const exported = (await world.tdsync('runs', '--export', 'jsonl')).stdout;
    const file = await world.write('history.jsonl', exported.replace('"state":"done"', '"state":"already"'));

    tamper(world, "UPDATE runs SET user = 'nobody'");
    const text = await world.tdsync('runs', 'verify');
    const inPlace = await verify(world);
    const asFile = await verify(world, file);

    expect([text.code, text.stdout]).toEqual([1, expect.stringContaining('BROKEN at record ')]);
    expect(inPlace).toMatchObject({ code: 1, problem: { run, message: expect.stringContaining('user is "nobody"') } });
    expect(asFile).toMatchObject({ code: 1, problem: { message: expect.stringMatching(/^line \d+: its hash/) } });
  });

  test('goes to a spreadsheet without a formula in it', async () => {
    await using world = await createWorld();
    const evil = '=HYPERLINK("http://evil.example","x")';
    await world.people([{ ...anna, id: '@anna', mail: 'anna@corp.example', given: evil }, ben]);
    await inStep(world);

    const { code, stdout } = await world.tdsync('runs', '--export', 'csv');

    const rows = parse(stdout, { columns: true }) as Record<string, string>[];
    const created = rows.filter(({ record, operation }) => record === 'operation-completed' && operation === 'create');
    expect(code).toBe(0);
    expect(created.map(({ externalId, userName, outcome }) => [externalId, userName, outcome])).toEqual([
      ["'@anna", 'anna@corp.example', 'done'],
      ['ben', 'ben@corp.example', 'done'],
    ]);
    expect(created[0]?.changes).toContain(evil);
    expect(created[0]?.requestId).toMatch(/^RQ/);
    const cells = rows.flatMap((row) => Object.values(row));
    expect(cells.filter((cell) => /^[=+\-@\t\r]/.test(cell))).toEqual([]);
  });

  test('can be exported for one run, or since a time', async () => {
    await using world = await createWorld();
    await world.people([anna]);
    const first = await inStep(world);
    const second = await inStep(world);
    const runsIn = (stdout: string) => [
      ...new Set(stdout.split('\n').flatMap((line) => (line === '' ? [] : (JSON.parse(line).run as string)))),
    ];

    const one = await world.tdsync('runs', '--export', 'jsonl', '--run', first.run);
    const named = await world.tdsync('runs', second.run, '--export', 'jsonl');
    const since = await world.tdsync('runs', '--export', 'jsonl', '--since', second.startedAt);
    const ago = await world.tdsync('runs', '--export', 'jsonl', '--since', '1d');
    const nobody = await world.tdsync('runs', '--export', 'csv', '--run', 'x');
    const vague = await world.tdsync('runs', '--export', 'csv', '--since', 'monday');
    const alone = await world.tdsync('runs', '--since', '1d');

    expect([one, named, since].map(({ stdout }) => runsIn(stdout))).toEqual([[first.run], [second.run], [second.run]]);
    expect(runsIn(ago.stdout)).toEqual([first.run, second.run]);
    expect([nobody.code, vague.code, alone.code]).toEqual([64, 64, 64]);
    expect(nobody.stderr).toContain('there is no run x');
  });

  test('of a run that was killed is whole, and that of the next one too', async () => {
    await using world = await createWorld();
    await world.people([anna, ben]);

    await crash(world, { fate: 'hang-after', method: 'POST', path: '/scim/v2/Users', nth: 2 });
    const killed = await verify(world);
    await inStep(world);
    const later = await verify(world);

    expect(killed).toMatchObject({ code: 0, verified: true, runs: 1 });
    expect(later).toMatchObject({ code: 0, verified: true, runs: 2 });
  });

  test('stays proved when old runs go', async () => {
    await using world = await createWorld();
    await world.people([anna]);
    await inStep(world);
    await inStep(world);
    const snapshot = { path: 'tdsync.db', keepRuns: '0s' };
    await world.configure({ snapshot });

    const last = await reconcile(world);
    const after = await verify(world);
    const file = await world.write('history.jsonl', (await world.tdsync('runs', '--export', 'jsonl')).stdout);
    const asFile = await verify(world, file);

    expect(after).toMatchObject({ code: 0, verified: true, runs: 1, from: { at: last.startedAt } });
    expect(after.removed).toHaveLength(1);
    expect(asFile).toMatchObject({ code: 0, verified: true, runs: 1 });
  });

  test('of a snapshot without a run is empty', async () => {
    await using world = await createWorld();

    const text = await world.tdsync('runs', 'verify');
    const csv = await world.tdsync('runs', '--export', 'csv');
    const strange = await world.tdsync('runs', 'verify', '--head', 'abc');
    const missing = await world.tdsync('runs', 'verify', world.path('nowhere.jsonl'));

    expect([text.code, text.stdout]).toEqual([0, 'No record yet.\n']);
    expect([csv.code, csv.stdout]).toEqual([0, expect.stringMatching(/^seq,time,run,record,.*hash\r\n$/)]);
    expect([strange.code, missing.code]).toEqual([64, 64]);
    expect(missing.stderr).toContain('nowhere.jsonl');
  });
});
