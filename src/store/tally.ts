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
 * Keeps the count of a run that has ended, so that the list of runs need not count again. Of a refused plan only what was
 * carried out has rows; the rest of it is still counted as pending, from the count made of the plan.
 */
export function storeTally(database: Database, run: number): void {
  const row = database
    .statement<{ readonly tally: string | null; readonly refused: number | null }>(
      `SELECT tally_json AS tally, NOT verdict_json ->> 'allowed' AS refused FROM runs WHERE seq = ?`,
    )
    .get(run);
  const rows = tallyOf(database, run);
  const tally = row?.refused === 1 && row.tally !== null ? withRest(JSON.parse(row.tally) as Tally, rows) : rows;
  database.statement('UPDATE runs SET tally_json = ? WHERE seq = ?').run(JSON.stringify(tally), run);
}

function withRest(planned: Tally, carriedOut: Tally): Tally {
  const tally: MutableTally = { ...carriedOut };
  for (const [kind, states] of Object.entries(planned) as [OperationKind, Partial<Record<OperationState, number>>][]) {
    const tried = Object.values(carriedOut[kind] ?? {}).reduce((sum, count) => sum + count, 0);
    const rest = Object.values(states).reduce((sum, count) => sum + count, 0) - tried;
    if (rest > 0) tally[kind] = { ...carriedOut[kind], pending: (carriedOut[kind]?.pending ?? 0) + rest };
  }
  return tally;
}
