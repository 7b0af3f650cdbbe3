import type { Migration } from './index.ts';

/** What each hook was told of last; a hook without a row has nothing to be told the end of. */
export const notices: Migration = {
  version: 7,
  sql: `
CREATE TABLE notices (
  hook TEXT PRIMARY KEY,
  trouble_json TEXT NOT NULL,
  run TEXT NOT NULL, -- id of the run that it was told after
  at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
`,
};
