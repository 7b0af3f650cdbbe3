import type { Migration } from './index.ts';

/** The source's entries of people whom runs had something to do with, as last read: what `why` explains. */
export const seenEntries: Migration = {
  version: 8,
  sql: `
CREATE TABLE seen_entries (
  external_id TEXT PRIMARY KEY,
  run TEXT NOT NULL,
  at INTEGER NOT NULL,
  entry_json TEXT NOT NULL
) STRICT;
`,
};
