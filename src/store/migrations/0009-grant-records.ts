import type { Migration } from './index.ts';

/**
 * Which run made each link, and a record of each grant with its assignment instead of the bare pairs in `own_grants`. What the
 * history still knows of older links and grants is taken from it; `since` and `run` are null where it does not.
 */
export const grantRecords: Migration = {
  version: 9,
  sql: `
ALTER TABLE links ADD COLUMN run TEXT; -- id of the run that made it
UPDATE links SET run = (
  SELECT runs.id FROM operations JOIN runs ON runs.seq = operations.run
  WHERE operations.external_id = links.external_id AND operations.kind IN ('create', 'adopt')
    AND operations.finished_at = links.since
);

CREATE TABLE grant_records (
  user TEXT NOT NULL,
  role TEXT NOT NULL,
  scope TEXT NOT NULL,
  assignment TEXT NOT NULL, -- SID
  origin TEXT NOT NULL CHECK (origin IN ('granted', 'found')),
  since INTEGER,
  run TEXT, -- id of the run that made or found it
  PRIMARY KEY (user, role, scope)
) STRICT, WITHOUT ROWID;
INSERT INTO grant_records
  SELECT user, role, scope, min(assignments.sid), 'granted', NULL, NULL
  FROM own_grants JOIN assignments USING (user, role, scope) GROUP BY user, role, scope;
UPDATE grant_records SET (since, run) = (
  SELECT operations.finished_at, runs.id FROM links
  JOIN operations ON operations.external_id = links.external_id
  JOIN runs ON runs.seq = operations.run
  WHERE links.user = grant_records.user AND operations.kind = 'grant' AND operations.state IN ('done', 'already')
    AND operations.operation_json ->> '$.grant.role' = grant_records.role
    AND operations.operation_json ->> '$.grant.scope' = grant_records.scope
  ORDER BY operations.seq DESC LIMIT 1
);
DROP TABLE own_grants;
`,
};
