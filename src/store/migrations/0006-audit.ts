import { inherit } from '../audit/inherit.ts';
import type { Migration } from './index.ts';

/*
 * The chain of records that proves the history; see audit/record.ts. Rows are added at the end and removed by retention
 * alone. Runs that are there already get a record each that says so.
 */
export const audit: Migration = {
  version: 6,
  sql: `
CREATE TABLE audit (
  seq INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  run TEXT, -- id of the run; null when it is of none
  kind TEXT NOT NULL,
  content TEXT NOT NULL, -- canonical JSON
  hash TEXT NOT NULL -- SHA-256, hex, over the hash before and the other columns
) STRICT;
CREATE INDEX audit_by_run ON audit (run);

CREATE TRIGGER audit_stays BEFORE UPDATE ON audit BEGIN
  SELECT RAISE(ABORT, 'a record of the history is never changed');
END;
`,
  fill: inherit,
};
