import type Sqlite from 'better-sqlite3';
import type { ScopeSid } from '../domain/identity.ts';
import { SchemaTooNewError, SnapshotUnusableError } from '../errors.ts';
import { wrapConnection } from './database.ts';
import { type Migration, migrations } from './migrations/index.ts';
import { corrupt } from './sqlite-errors.ts';

/** SQLite's `application_id` of a snapshot: "TDSy" in ASCII (SQLite file format, section 1.3.17). */
export const applicationId = 0x54445379;

/** Version of the schema in the file; 0 for a new, empty database. `steps`: those that this program knows. */
export function identifySchema(
  connection: Sqlite.Database,
  path: string,
  steps: readonly Migration[] = migrations,
): number {
  // In one transaction: between two of these questions another process may make the schema.
  const look = connection.transaction(() => ({
    application: Number(connection.pragma('application_id', { simple: true })),
    version: Number(connection.pragma('user_version', { simple: true })),
    tables: connection.prepare<[], { readonly n: number }>('SELECT count(*) AS n FROM sqlite_schema').get()?.n,
  }));
  const { application, version, tables } = look();
  if (application === applicationId) {
    if (version > steps.length) throw tooNew(path, version, steps.length);
    return version;
  }
  if (application === 0 && version === 0 && tables === 0) return 0;
  throw corrupt(path, 'the file is an SQLite database of another program, not a snapshot');
}

function tooNew(path: string, version: number, known: number): SchemaTooNewError {
  return new SchemaTooNewError(
    `snapshot ${path} has schema version ${version}; this version of tdsync knows versions up to ${known}`,
    { hint: 'Upgrade tdsync, or set snapshot.path to another file.' },
  );
}

/**
 * Brings the schema up to date. Each step looks at the version inside its own transaction, so that of several processes
 * that open a snapshot together one migrates and the others find it done.
 */
export function migrate(connection: Sqlite.Database, path: string, steps: readonly Migration[] = migrations): void {
  const step = connection.transaction((): boolean => {
    const migration = steps[identifySchema(connection, path, steps)];
    if (migration === undefined) return false;
    connection.exec(migration.sql);
    migration.fill?.(wrapConnection(connection, path));
    connection.pragma(`application_id = ${applicationId}`);
    connection.pragma(`user_version = ${migration.version}`);
    return true;
  });
  if (identifySchema(connection, path, steps) === steps.length) return;
  while (step.immediate());
}

/** The organization that the snapshot belongs to; undefined before a first run bound it. */
export function boundOrganization(connection: Sqlite.Database): ScopeSid | undefined {
  return connection.prepare<[], { readonly organization: ScopeSid }>('SELECT organization FROM snapshot').get()
    ?.organization;
}

/** Links of one organization mean nothing in another: refuses to mix them. */
export function checkOrganization(connection: Sqlite.Database, path: string, organization: ScopeSid | undefined): void {
  const bound = boundOrganization(connection);
  if (organization === undefined || bound === undefined || bound === organization) return;
  throw new SnapshotUnusableError(
    `snapshot ${path} belongs to the Twilio organization ${bound}, not to ${organization}`,
    { hint: 'Set snapshot.path to a file of this organization, or correct twilio.organizationSid.' },
  );
}

/** Binds a new snapshot to its organization, for good. */
export function bindOrganization(connection: Sqlite.Database, path: string, organization: ScopeSid | undefined): void {
  if (organization !== undefined && boundOrganization(connection) === undefined) {
    connection
      .prepare('INSERT INTO snapshot (id, organization) VALUES (1, ?) ON CONFLICT DO NOTHING')
      .run(organization);
  }
  checkOrganization(connection, path, organization);
}
