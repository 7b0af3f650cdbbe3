/**
 * `kill -9` at each moment of a command: each request sent, each answer read, each transaction begun and committed. The
 * moments are counted in an undisturbed run. `CRASHES=all` tries them all (`npm run test:crashes`), otherwise a few.
 */
import Sqlite from 'better-sqlite3';
import { afterAll, describe, expect, test } from 'vitest';
import { endOf, prepareStages, type ScenarioName } from '../support/deaths.ts';
import { harmed, momentsToTry } from '../support/harm.ts';
import { historyOf, historyProblem, outcomesOf } from '../support/in-process.ts';
import { assignedTwice, mailedTwice } from '../support/organization.ts';
import type { World } from '../support/world.ts';

const everything = process.env.CRASHES === 'all';
const stages = await prepareStages();
afterAll(() => stages[Symbol.asyncDispose]());

/** Scenarios with how many moments are tried when not all are. */
const tried: Readonly<Record<ScenarioName, number>> = {
  reconcile: 7,
  'reconcile, one call at a time': 0,
  'apply a saved plan': 2,
  undo: 2,
  'dry run': 1,
  'reconcile with a snapshot of an older version': 2,
};

async function momentsOf(scenario: ScenarioName): Promise<readonly string[]> {
  await using stage = await stages.open(scenario);
  const { moments, code, stderr } = await harmed(stage.world, stage.args, 'list');
  if (code !== 0) throw new Error(`${scenario}: ${stderr}`);
  // The rest is as in any run.
  return scenario.includes('older version')
    ? moments.slice(
        0,
        moments.findIndex((each) => each.startsWith('sent')),
      )
    : moments;
}

interface Death {
  readonly scenario: ScenarioName;
  readonly number: number;
  readonly total: number;
  /** `sent`, `answered`, `begin` or `commit`. */
  readonly kind: string;
}

const deaths: Death[] = [];
for (const scenario of Object.keys(tried) as ScenarioName[]) {
  if (!everything && tried[scenario] === 0) continue;
  const moments = await momentsOf(scenario);
  for (const number of momentsToTry(moments.length, everything, tried[scenario])) {
    const kind = moments[number - 1]?.split(' ')[0] ?? '';
    deaths.push({ scenario, number, total: moments.length, kind });
  }
}

function integrity(world: World): unknown {
  const database = new Sqlite(world.path('tdsync.db'));
  try {
    return database.pragma('integrity_check', { simple: true });
  } finally {
    database.close();
  }
}

describe.concurrent('whoever comes next ends where an undisturbed run ends, after a death in', () => {
  test.for(deaths)('$scenario, at moment $number of $total', async ({ scenario, number, kind }, { task }) => {
    task.meta.cell = { matrix: 'Deaths', row: scenario, column: kind };
    await using stage = await stages.open(scenario);
    const { world } = stage;
    const before = await world.files();

    const killed = await harmed(world, stage.args, `kill@${number}`);
    if (scenario === 'dry run') expect(await world.files()).toMatchObject(before);
    const found = { integrity: integrity(world), history: historyProblem(world) };
    const [dead] = historyOf(world);
    const next = await stage.goOn();
    const end = endOf(world);
    const last = await stage.goOn();

    const where = killed.moments.slice(-3).join(', ');
    // Which of two concurrent calls comes first is chance, and may make a run a moment shorter.
    expect([killed.signal ?? killed.code], where).toEqual([killed.after.length === 0 && killed.signal ? 'SIGKILL' : 0]);
    expect(found, where).toEqual({ integrity: 'ok', history: undefined });
    expect(next.code, `${where} ${JSON.stringify(outcomesOf(next))}`).toBe(0);
    expect(end, where).toEqual(await stages.undisturbed(scenario));
    expect([mailedTwice(world.twilio), assignedTwice(world.twilio)], where).toEqual([[], []]);
    expect(last.report?.status, where).toBe('converged');
    expect(historyProblem(world)).toBeUndefined();
    const recorded = historyOf(world).find(({ summary }) => summary.id === dead?.summary.id);
    if (dead?.summary.status === 'running') expect(recorded?.summary.status).toBe('interrupted');
    const unknown = recorded?.operations.filter(({ state }) => state === 'intended') ?? [];
    expect(unknown.map(({ checkedBy }) => checkedBy)).toEqual(unknown.map(() => next.report?.run));
  });
});
