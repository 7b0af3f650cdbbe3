import type { Migration } from './index.ts';

/**
 * What is remembered of people who are missing: from Twilio, how many at the last complete read (null: not counted then);
 * from the source, the entry as last kept, and the run that missed it first.
 */
export const lastSeen: Migration = {
  version: 12,
  sql: `
ALTER TABLE last_complete_read ADD COLUMN gone INTEGER;

CREATE TABLE missing_entries (
  external_id TEXT PRIMARY KEY,
  run TEXT NOT NULL,
  at INTEGER NOT NULL,
  entry_json TEXT NOT NULL,
  missing_run TEXT NOT NULL,
  missing_at INTEGER NOT NULL
) STRICT;
`,
};
