import type { Database } from './database.ts';

const action = 'delete old runs';

/**
 * Deletes runs that started before `before` (milliseconds since the epoch) with their operations and findings; returns their
 * number. Links and everything else that a plan is computed from stay, and so do, however old: the last run, the last good
 * one, the last with a plan, the last refused one, and any with an operation that nobody has checked yet.
 * One run per transaction, so that another process never waits long.
 */
export function prune(database: Database, before: number): number {
  const old = database.read(action, () =>
    database
      .statement<{ readonly seq: number }>(
        `SELECT seq FROM runs WHERE started_at < ?
         AND seq <> (SELECT max(seq) FROM runs)
         AND seq IS NOT (SELECT max(seq) FROM runs WHERE status IN ('converged', 'applied'))
         AND seq IS NOT (SELECT max(seq) FROM runs WHERE digest IS NOT NULL AND ended_at IS NOT NULL)
         AND seq IS NOT (SELECT max(seq) FROM runs WHERE status = 'refused')
         AND NOT EXISTS (SELECT 1 FROM operations WHERE run = runs.seq AND state = 'intended' AND checked_by IS NULL)
         ORDER BY seq`,
      )
      .all(before),
  );
  for (const { seq } of old) {
    database.write(action, () => database.statement('DELETE FROM runs WHERE seq = ?').run(seq));
  }
  if (old.length > 0) database.write(action, () => dropUnreferenced(database));
  return old.length;
}

function dropUnreferenced(database: Database): void {
  database
    .statement('DELETE FROM finding_sets WHERE digest NOT IN (SELECT findings FROM runs WHERE findings IS NOT NULL)')
    .run();
  database
    .statement('DELETE FROM refused_plans WHERE digest NOT IN (SELECT digest FROM runs WHERE digest IS NOT NULL)')
    .run();
}
