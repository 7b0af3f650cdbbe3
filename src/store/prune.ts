import { looksOf, removeRecords } from './audit/retention.ts';
import type { Database } from './database.ts';
import { dropSeenEntries } from './seen-entries.ts';

const action = 'delete old runs';
const runsAtOnce = 50;

/**
 * Deletes runs that started before `before` (milliseconds since the epoch) with their operations and findings; returns their
 * number. Their records in the audit trail go with them, and it says so; see audit/retention.ts. Links and everything else that a plan is computed from stay, and so do, however old: the last run, the last good
 * one, the last with a plan, the last refused one, any with an operation that nobody has checked yet, and any that checked
 * one of a run that stays.
 * A few runs per transaction, so that another process never waits long.
 */
export function prune(database: Database, before: number, at: number): number {
  const candidates = database.read(action, () =>
    database
      .statement<{ readonly id: string }>(
        `SELECT id FROM runs WHERE started_at < ?
         AND seq <> (SELECT max(seq) FROM runs)
         AND seq IS NOT (SELECT max(seq) FROM runs WHERE status IN ('converged', 'applied'))
         AND seq IS NOT (SELECT max(seq) FROM runs WHERE digest IS NOT NULL AND ended_at IS NOT NULL)
         AND seq IS NOT (SELECT max(seq) FROM runs WHERE status = 'refused')
         AND NOT EXISTS (SELECT 1 FROM operations WHERE run = runs.seq AND state = 'intended' AND checked_by IS NULL)
         ORDER BY seq`,
      )
      .all(before),
  );
  const leaving = new Set(candidates.map(({ id }) => id));
  // In their order: a run looks at earlier ones.
  const old = candidates.filter(({ id }) => {
    const needed = looksOf(database, id).some((looked) => !leaving.has(looked) && exists(database, looked));
    if (needed) leaving.delete(id);
    return !needed;
  });
  for (let first = 0; first < old.length; first += runsAtOnce) {
    const ids = old.slice(first, first + runsAtOnce).map(({ id }) => id);
    database.write(action, () => {
      for (const id of ids) database.statement('DELETE FROM runs WHERE id = ?').run(id);
      removeRecords(database, ids, before, at);
    });
  }
  if (old.length > 0) database.write(action, () => dropUnreferenced(database));
  database.write(action, () => dropSeenEntries(database, before));
  return old.length;
}

function exists(database: Database, run: string): boolean {
  return database.statement('SELECT 1 FROM runs WHERE id = ?').get(run) !== undefined;
}

function dropUnreferenced(database: Database): void {
  database
    .statement('DELETE FROM finding_sets WHERE digest NOT IN (SELECT findings FROM runs WHERE findings IS NOT NULL)')
    .run();
  database
    .statement(
      `DELETE FROM refused_plans WHERE digest NOT IN
       (SELECT digest FROM runs WHERE digest IS NOT NULL AND NOT verdict_json ->> 'allowed')`,
    )
    .run();
}
