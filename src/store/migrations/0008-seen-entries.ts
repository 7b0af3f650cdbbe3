import type { Migration } from './index.ts';

/** The source's entries of people in scope, or linked, as last read: what `why` explains. */
export const seenEntries: Migration = {
  version: 8,
  sql: `
CREATE TABLE seen_entries (
  external_id TEXT PRIMARY KEY,
  run TEXT NOT NULL,
  at INTEGER NOT NULL,
  hash INTEGER NOT NULL, -- of the entry, to tell at the next read whether it is the same
  entry_json TEXT NOT NULL
) STRICT;
`,
};
