import type { Migration } from './index.ts';

/*
 * Three groups: the mirror of Twilio (users, user_resources, assignments, roles, accounts, refreshes), what we know and
 * Twilio does not (links, last_applied, own_grants, absences, parked, last_complete_read), and the history (runs and below).
 * Times are milliseconds since the epoch; columns named *_json hold JSON text.
 */
export const initial: Migration = {
  version: 1,
  sql: `
CREATE TABLE snapshot (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  organization TEXT NOT NULL
) STRICT;

CREATE TABLE refreshes (
  mirror TEXT PRIMARY KEY, -- users, roles, accounts, or assignments and a scope
  at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE users (
  sid TEXT PRIMARY KEY,
  user_name TEXT NOT NULL,
  given_name TEXT,
  family_name TEXT,
  display_name TEXT,
  locale TEXT,
  timezone TEXT,
  external_id TEXT,
  active INTEGER NOT NULL,
  version TEXT,
  digest TEXT -- of the row and its resource; null when they may be out of date
) STRICT, WITHOUT ROWID;

-- Apart from users, so that reading all users does not read all resources. No row: the resource may be out of date.
CREATE TABLE user_resources (
  user TEXT PRIMARY KEY,
  resource TEXT NOT NULL
) STRICT;

CREATE TABLE assignments (
  sid TEXT PRIMARY KEY,
  user TEXT NOT NULL,
  role TEXT NOT NULL,
  scope TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX assignments_by_user ON assignments (user, role, scope);
CREATE INDEX assignments_by_scope ON assignments (scope);

CREATE TABLE roles (
  sid TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  lowest_level TEXT
) STRICT, WITHOUT ROWID;

CREATE TABLE accounts (
  sid TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  status TEXT NOT NULL,
  owner TEXT
) STRICT, WITHOUT ROWID;

CREATE TABLE links (
  external_id TEXT PRIMARY KEY,
  user TEXT NOT NULL UNIQUE,
  origin TEXT NOT NULL CHECK (origin IN ('created', 'adopted')),
  since INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE last_applied (
  external_id TEXT PRIMARY KEY,
  sent_json TEXT NOT NULL,
  returned_json TEXT NOT NULL,
  active INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE own_grants (
  user TEXT NOT NULL,
  role TEXT NOT NULL,
  scope TEXT NOT NULL,
  PRIMARY KEY (user, role, scope)
) STRICT, WITHOUT ROWID;
CREATE INDEX own_grants_by_scope ON own_grants (scope);

CREATE TABLE absences (
  external_id TEXT PRIMARY KEY,
  reads INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE parked (
  external_id TEXT PRIMARY KEY,
  record TEXT NOT NULL,
  code TEXT NOT NULL,
  message TEXT NOT NULL,
  since INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  retry_at INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE last_complete_read (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  entries INTEGER NOT NULL,
  in_scope INTEGER NOT NULL
) STRICT;

-- Standing findings repeat from run to run: each set is stored once, under its SHA-256.
CREATE TABLE finding_sets (
  digest TEXT PRIMARY KEY,
  findings_json TEXT NOT NULL
) STRICT;

CREATE TABLE runs (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  command TEXT NOT NULL,
  host TEXT NOT NULL,
  pid INTEGER NOT NULL,
  user TEXT NOT NULL,
  allowances_json TEXT NOT NULL,
  started_at INTEGER NOT NULL,
  ended_at INTEGER,
  status TEXT, -- null while running
  digest TEXT, -- of the plan; null until there is one
  counts_json TEXT,
  verdict_json TEXT,
  tally_json TEXT, -- operations by kind and state
  findings TEXT REFERENCES finding_sets (digest),
  finding_count INTEGER NOT NULL DEFAULT 0,
  calls_json TEXT,
  error_code TEXT,
  error_message TEXT
) STRICT;

CREATE TABLE operations (
  seq INTEGER PRIMARY KEY,
  run INTEGER NOT NULL REFERENCES runs (seq) ON DELETE CASCADE,
  id TEXT NOT NULL,
  external_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  operation_json TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('pending', 'intended', 'done', 'already', 'failed', 'skipped')),
  code TEXT,
  message TEXT,
  request_id TEXT,
  intended_at INTEGER,
  finished_at INTEGER,
  checked_by TEXT, -- id of the run that looked at what an intended operation had come to
  UNIQUE (run, id)
) STRICT;
CREATE INDEX operations_by_person ON operations (external_id);
CREATE INDEX operations_unfinished ON operations (run) WHERE state = 'intended' AND checked_by IS NULL;

-- A refused plan's operations stand only here: deflated JSON of the whole plan, once per digest.
CREATE TABLE refused_plans (
  digest TEXT PRIMARY KEY,
  plan BLOB NOT NULL
) STRICT;
`,
};
