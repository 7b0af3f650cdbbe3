import { expect } from 'vitest';
import { systemClock } from '../../src/ops/clock.ts';
import { historyProblem, reconcileInProcess } from './in-process.ts';
import type { RunDocument, World } from './world.ts';

/** A guards section for worlds so small that half of the people may change at once. */
export const wideGuards = {
  deactivations: { count: 9 },
  revocations: { count: 9 },
  roleRevocations: { count: 9 },
  renames: { count: 9 },
  sourceShrink: { percent: 90 },
};

/** Brings a world in step before the test begins: in this process, which costs a tenth of a process of its own. */
export async function settle(world: World): Promise<void> {
  const { code, error } = await reconcileInProcess(world, { clock: systemClock });

  expect([code, error]).toEqual([0, undefined]);
}

/**
 * Runs once more: nothing to do, and it costs a token and the list of users, whatever the number of people. The history
 * that led here is proved, too.
 */
export async function expectConverged(world: World): Promise<void> {
  world.twilio.requests.clear();
  const { code, report } = await reconcileInProcess(world, { clock: systemClock });

  expect(report?.plan.operations).toEqual([]);
  expect([code, report?.status]).toEqual([0, 'converged']);
  expect(world.twilio.requests.counts).toEqual({ 'POST /v2/token': 1, 'GET /scim/v2/Users': 1 });
  expect(historyProblem(world)).toBeUndefined();
}

/** `tdsync reconcile --json`, once; expects every operation to succeed; returns the report. */
export async function reconcile(world: World, ...args: readonly string[]): Promise<RunDocument> {
  const run = await world.tdsync('reconcile', '--json', ...args);

  const trouble = run.stderr.split('\n').filter((line) => line !== '' && !line.startsWith('{"level":"info"'));
  expect([run.code, trouble], run.stdout.slice(-2_000)).toEqual([0, []]);
  return run.json<RunDocument>();
}

/** Ids of operations, in order: `grant anna IX… AC…` without the SIDs. */
export function idsOf(operations: RunDocument['plan']['operations']): readonly string[] {
  return operations.map(({ id }) => id.split(' ').slice(0, 2).join(' '));
}
