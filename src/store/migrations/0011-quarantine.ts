import type { Migration } from './index.ts';

/**
 * The breaker that a systemic failure opened, and what people release from quarantine. A table's check cannot be changed,
 * so the ledger is made anew; its rows stay as they are, which their records in the history prove.
 */
export const quarantine: Migration = {
  version: 11,
  sql: `
CREATE TABLE breaker (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  since INTEGER NOT NULL,
  at INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  run TEXT NOT NULL,
  kinds_json TEXT NOT NULL,
  causes_json TEXT NOT NULL
) STRICT;

CREATE TABLE new_ledger (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  at INTEGER NOT NULL,
  action TEXT NOT NULL CHECK (action IN ('relink', 'release', 'take-back', 'retry', 'lift')),
  external_id TEXT NOT NULL, -- of lift: the key of a block, or breaker
  new_external_id TEXT,
  user TEXT, -- SID; null where nobody in Twilio is meant
  done_by TEXT NOT NULL,
  host TEXT NOT NULL,
  reason TEXT
) STRICT;
INSERT INTO new_ledger SELECT seq, at, action, external_id, new_external_id, user, done_by, host, reason FROM ledger;
DROP TABLE ledger;
ALTER TABLE new_ledger RENAME TO ledger;
`,
};
