import type { Migration } from './index.ts';

/**
 * Counts that only grow, though retention removes the runs that they count. What the history still knows is counted first;
 * what came back for each request was not kept before. The read of the source remembers how long it took.
 */
export const totals: Migration = {
  version: 13,
  sql: `
CREATE TABLE totals (
  total TEXT NOT NULL CHECK (total IN ('runs', 'errors', 'operations', 'requests')),
  kind TEXT NOT NULL, -- status of a run, code of an error, kind of operation, or endpoint
  outcome TEXT NOT NULL, -- of operations, and what came back for requests; empty for the others
  n INTEGER NOT NULL,
  PRIMARY KEY (total, kind, outcome)
) STRICT, WITHOUT ROWID;
INSERT INTO totals SELECT 'runs', status, '', count(*) FROM runs WHERE status IS NOT NULL GROUP BY status;
INSERT INTO totals SELECT 'errors', error_code, '', count(*) FROM runs WHERE error_code IS NOT NULL GROUP BY error_code;
INSERT INTO totals
  SELECT 'operations', kinds.key, iif(states.key = 'intended', 'unknown', states.key), sum(states.value)
  FROM runs, json_each(iif(json_valid(tally_json), tally_json, '{}')) AS kinds, json_each(kinds.value) AS states
  WHERE status IS NOT NULL AND states.key <> 'pending' GROUP BY 2, 3;

ALTER TABLE last_complete_read ADD COLUMN duration_ms INTEGER;
`,
};
