import type { Migration } from './index.ts';

/** What people, not runs, changed about who manages whom. `releases` is what holds now, `ledger` what was ever done. */
export const ledger: Migration = {
  version: 3,
  sql: `
CREATE TABLE releases (
  user TEXT PRIMARY KEY, -- SID
  external_id TEXT NOT NULL,
  at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE ledger (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  at INTEGER NOT NULL,
  action TEXT NOT NULL CHECK (action IN ('relink', 'release', 'take-back')),
  external_id TEXT NOT NULL,
  new_external_id TEXT,
  user TEXT NOT NULL, -- SID
  done_by TEXT NOT NULL,
  host TEXT NOT NULL,
  reason TEXT
) STRICT;
`,
};
