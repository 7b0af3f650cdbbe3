/** Counts over all runs that ever ended here. They are written with the end of each run, and never go back. */
import type { Answers } from '../domain/run.ts';
import type { Totals } from '../domain/standing.ts';
import type { Database } from './database.ts';
import type { Tally } from './tally.ts';

type Total = keyof Totals;

/** Counts a run that has ended, once its row says all about it. Part of a transaction of the caller's. */
export function addToTotals(database: Database, run: number, answers: Answers = {}): void {
  const row = database
    .statement<{ readonly status: string; readonly error: string | null; readonly tally: string | null }>(
      'SELECT status, error_code AS error, tally_json AS tally FROM runs WHERE seq = ?',
    )
    .get(run);
  if (row === undefined) return;
  const insert = database.statement(
    'INSERT INTO totals VALUES (?, ?, ?, ?) ON CONFLICT (total, kind, outcome) DO UPDATE SET n = n + excluded.n',
  );
  const add = (total: Total, kind: string, outcome: string, n: number) => insert.run(total, kind, outcome, n);

  add('runs', row.status, '', 1);
  if (row.error !== null) add('errors', row.error, '', 1);
  const tally = (row.tally === null ? {} : JSON.parse(row.tally)) as Tally;
  for (const [kind, states] of Object.entries(tally)) {
    for (const [state, n] of Object.entries(states)) {
      // What was only planned came to nothing, and the next run plans it anew.
      if (state !== 'pending') add('operations', kind, state === 'intended' ? 'unknown' : state, n);
    }
  }
  for (const [endpoint, kinds] of Object.entries(answers)) {
    for (const [kind, n] of Object.entries(kinds)) add('requests', endpoint, kind, n);
  }
}

export function readTotals(database: Database): Totals {
  const rows = database
    .statement<{ readonly total: Total; readonly kind: string; readonly outcome: string; readonly n: number }>(
      'SELECT total, kind, outcome, n FROM totals ORDER BY total, kind, outcome',
    )
    .all();
  const flat = (total: Total) =>
    Object.fromEntries(rows.filter((row) => row.total === total).map(({ kind, n }) => [kind, n]));
  const nested = (total: Total) => {
    const counts: Record<string, Record<string, number>> = {};
    for (const { kind, outcome, n } of rows.filter((row) => row.total === total)) {
      counts[kind] = { ...counts[kind], [outcome]: n };
    }
    return counts;
  };
  return { runs: flat('runs'), errors: flat('errors'), operations: nested('operations'), requests: nested('requests') };
}
