import type { Migration } from './index.ts';

/** Refusals that concern a whole domain, or the organization. */
export const blocks: Migration = {
  version: 10,
  sql: `
CREATE TABLE blocks (
  key TEXT PRIMARY KEY, -- domain and its name, or quota
  since INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  retry_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
`,
};
