/** Every call, every way to lose or spoil its answer: the run ends where an undisturbed one ends, and nothing is done twice. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { blindWrites } from '../support/blind-writes.ts';
import { endsTheRun, faultCases, isHarmless, patienceFor, rulesOf } from '../support/fault-matrix.ts';
import {
  createSkippingClock,
  historyOf,
  historyProblem,
  outcomesOf,
  reconcileInProcess,
} from '../support/in-process.ts';
import { type MixedChange, prepareMixedChange } from '../support/mixed-change.ts';
import { mailedTwice, type OrganizationPicture, pictureOf } from '../support/organization.ts';
import type { World } from '../support/world.ts';

let change: MixedChange;
let undisturbed: OrganizationPicture;

beforeAll(async () => {
  change = await prepareMixedChange();
  await using world = await change.open();
  await reconcileInProcess(world, { refresh: true });
  undisturbed = pictureOf(world.twilio);
});

afterAll(() => change[Symbol.asyncDispose]());

/** Of the preparation. */
const runsBefore = 2;

/** What the history says of the run that met the fault, and of each operation whose end nobody saw, by whom it was checked. */
function recordOf(world: World) {
  const run = historyOf(world).at(-1 - runsBefore);
  const unknown = (run?.operations ?? []).filter(({ state }) => state === 'intended');
  return { status: run?.summary.status, error: run?.summary.error?.message, unknown, texts: JSON.stringify(run) };
}

describe.concurrent('the end is that of an undisturbed run', () => {
  test.for(faultCases())('when to "$call" comes $fault: $moment', async (faultCase, { task }) => {
    const { call, fault, moment } = faultCase;
    task.meta.cell = { matrix: 'Faults × calls', row: fault, column: call };
    const clock = createSkippingClock();
    await using world = await change.open({ now: clock.now });
    world.twilio.faults.add(...rulesOf(faultCase));

    const run = await reconcileInProcess(world, { clock, refresh: true, environment: patienceFor(faultCase) });
    const disturbed = pictureOf(world.twilio);
    world.twilio.faults.clear();
    const next = await reconcileInProcess(world, { clock });
    const last = await reconcileInProcess(world, { clock });

    const mends = (moment !== 'always' && !endsTheRun(faultCase)) || isHarmless(faultCase);
    expect(mends ? [0] : [0, 4, 6]).toContain(run.code);
    if (run.code === 0) expect(disturbed).toEqual(undisturbed);
    expect(next.code, JSON.stringify(outcomesOf(next))).toBe(0);
    expect(pictureOf(world.twilio)).toEqual(undisturbed);
    expect(last.report?.status).toBe('converged');
    expect(mailedTwice(world.twilio)).toEqual([]);
    expect(blindWrites(world.twilio.requests)).toEqual([]);
    expect(historyProblem(world)).toBeUndefined();
    const { status, error, unknown, texts } = recordOf(world);
    expect(status).toBe(run.code === 0 ? 'applied' : run.code === 4 ? 'partial' : 'failed');
    if (run.code === 6) expect(error).toMatch(/^(GET|POST|PUT|DELETE) \//);
    if (run.code === 4) expect(unknown.length + (texts.match(/"state":"failed"/g)?.length ?? 0)).toBeGreaterThan(0);
    expect(unknown.map(({ checkedBy }) => checkedBy)).toEqual(unknown.map(() => next.report?.run));
  });
});
