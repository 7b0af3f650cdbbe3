import type { Migration } from './index.ts';

/*
 * The source's entries as last read, for incremental reads. A full read is written under the next generation while it goes on,
 * and counts from the moment in which the state names that generation.
 */
export const sourceCache: Migration = {
  version: 5,
  sql: `
CREATE TABLE source_cache (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  generation INTEGER NOT NULL,
  method TEXT NOT NULL,
  digest TEXT NOT NULL,
  server TEXT NOT NULL,
  context TEXT NOT NULL,
  cookie BLOB NOT NULL,
  full_read_at INTEGER NOT NULL,
  records INTEGER NOT NULL
) STRICT;

CREATE TABLE source_entries (
  generation INTEGER NOT NULL,
  uuid TEXT NOT NULL,
  dn TEXT NOT NULL,
  values_json TEXT NOT NULL,
  unreadable_json TEXT NOT NULL,
  groups_json TEXT NOT NULL,
  missing INTEGER NOT NULL,
  PRIMARY KEY (generation, uuid)
) STRICT, WITHOUT ROWID;

ALTER TABLE runs ADD COLUMN manner_json TEXT; -- how the source was read; null where there is only one way
`,
};
