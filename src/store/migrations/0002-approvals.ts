import type { Migration } from './index.ts';

/** Who let which refused plan through. Nothing is removed: an approval that was used or has expired is part of the history. */
export const approvals: Migration = {
  version: 2,
  sql: `
CREATE TABLE approvals (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  digest TEXT NOT NULL,
  user TEXT NOT NULL,
  host TEXT NOT NULL,
  at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  reason TEXT,
  used_by TEXT -- id of the run that it let through
) STRICT;
CREATE INDEX approvals_open ON approvals (digest) WHERE used_by IS NULL;
`,
};
