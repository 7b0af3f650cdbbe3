import type { Database } from '../database.ts';
import { inheritActs } from './acts.ts';
import { digesting, inheritedText, operationRows } from './operations.ts';
import { appendRunRecord, refusedPlanHash, runState } from './run-state.ts';

/**
 * Begins the chain in a snapshot with a history: each run gets one record of what was found of it, and so does what people did. That says nothing about
 * what was done to it before. The record has the time at which the run started, so that it comes out the same each time.
 */
export function inherit(database: Database): void {
  inheritActs(database);
  const ids = database.statement<{ readonly id: string }>('SELECT id FROM runs ORDER BY seq').all();
  for (const { id } of ids) {
    const state = runState(database, id);
    if (state === undefined) continue;
    const digest = digesting();
    const checked: [run: string, operation: string, by: string][] = [];
    for (const row of operationRows(database, state.seq)) {
      digest.add(inheritedText(row.operation, row));
      if (row.checkedBy !== null) checked.push([id, row.id, row.checkedBy]);
    }
    const refusedPlan = typeof state.digest === 'string' ? refusedPlanHash(database, state.digest) : undefined;
    appendRunRecord(database, 'run-inherited', id, state.startedAt as number, {
      carriedOut: digest.result(),
      checked,
      refusedPlan,
    });
  }
}
