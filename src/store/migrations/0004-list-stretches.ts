import type { Migration } from './index.ts';

/** The list of users as it last came; see list-stretches.ts. A memory only: both tables may be emptied at any time. */
export const listStretches: Migration = {
  version: 4,
  sql: `
CREATE TABLE list_stretches (
  after TEXT PRIMARY KEY, -- the user before the first of them; empty at the start of the list
  bytes INTEGER NOT NULL,
  digest TEXT NOT NULL,
  users_json TEXT NOT NULL
) STRICT;

-- Users whose row was written since the stretches were: what a stretch says of them may be out of date.
CREATE TABLE touched_users (
  user TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;
`,
};
