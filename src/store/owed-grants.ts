import type { Database } from './database.ts';

/**
 * Ids of grants that waited for the creation (or the adoption) of their person, which succeeded, and that were themselves
 * made by no run: the run ended in between, or Twilio refused them.
 */
export function owedGrants(database: Database): ReadonlySet<string> {
  const rows = database
    .statement<{ readonly id: string }>(
      `SELECT DISTINCT owed.id FROM operations AS owed
       JOIN operations AS first ON first.run = owed.run AND first.id = owed.operation_json ->> 'after'
       WHERE owed.kind = 'grant' AND owed.state NOT IN ('done', 'already') AND first.kind IN ('create', 'adopt')
         AND first.state IN ('done', 'already')
         AND NOT EXISTS (
           SELECT 1 FROM operations AS made
           WHERE made.external_id = owed.external_id AND made.id = owed.id AND made.state IN ('done', 'already')
             AND made.seq > owed.seq
         )`,
    )
    .all();
  return new Set(rows.map(({ id }) => id));
}
