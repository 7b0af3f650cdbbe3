import type { OperationKind } from '../domain/operation.ts';
import type { Plan } from '../domain/plan.ts';
import type { Outcome } from '../domain/run.ts';
import type { Database } from './database.ts';

/** `pending`: planned, not tried. `intended`: the call was about to be made, and its outcome is not recorded. */
export type OperationState = 'pending' | 'intended' | Outcome['state'];

/** Number of operations by kind and state. */
export type Tally = Readonly<Partial<Record<OperationKind, Readonly<Partial<Record<OperationState, number>>>>>>;

type MutableTally = Partial<Record<OperationKind, Partial<Record<OperationState, number>>>>;

/** A plan before anything was tried. */
export function tallyPlan(plan: Plan): Tally {
  const tally: MutableTally = {};
  for (const { kind } of plan.operations) tally[kind] = { pending: (tally[kind]?.pending ?? 0) + 1 };
  return tally;
}

/** Counts the operations of a run as they stand. */
export function tallyOf(database: Database, run: number): Tally {
  const rows = database
    .statement<{ readonly kind: OperationKind; readonly state: OperationState; readonly n: number }>(
      'SELECT kind, state, count(*) AS n FROM operations WHERE run = ? GROUP BY kind, state',
    )
    .all(run);
  const tally: MutableTally = {};
  for (const { kind, state, n } of rows) tally[kind] = { ...tally[kind], [state]: n };
  return tally;
}

/**
 * Keeps the count of a run that has ended, so that the list of runs need not count again.
 * A refused plan's operations have no rows: its count, made from the plan, stays.
 */
export function storeTally(database: Database, run: number): void {
  database
    .statement(`UPDATE runs SET tally_json = ? WHERE seq = ? AND verdict_json ->> 'allowed'`)
    .run(JSON.stringify(tallyOf(database, run)), run);
}
