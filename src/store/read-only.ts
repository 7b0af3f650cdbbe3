/**
 * Opening a snapshot without changing it. A database in write-ahead-log mode is not easily read: SQLite wants the `-shm`
 * index beside it, even for reading, and makes it when it is missing.
 *
 * | situation                                                     | what is read                                  |
 * |---------------------------------------------------------------|-----------------------------------------------|
 * | no file, or an empty one                                      | an empty database in memory                   |
 * | writable folder, or `-wal` and `-shm` present (a live writer) | the file itself, opened read-only             |
 * | read-only folder or disk, no `-wal` or an empty one           | the file's bytes, in memory                   |
 * | read-only folder or disk, `-wal` with contents but no `-shm`  | a copy of both in a temporary folder          |
 * | schema older than ours                                        | a copy in memory, migrated there              |
 */
import { copyFileSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import type { ScopeSid } from '../domain/identity.ts';
import { SnapshotUnusableError } from '../errors.ts';
import { type Database, wrapConnection } from './database.ts';
import { type Migration, migrations } from './migrations/index.ts';
import { checkOrganization, identifySchema, migrate } from './schema.ts';
import { storageCode, translating } from './sqlite-errors.ts';

const busyTimeout = 5_000;
const copyAttempts = 5;

export interface Opened {
  readonly connection: Sqlite.Database;
  /** After the connection was closed. */
  dispose(): void;
}

export function openForReading(
  path: string,
  organization: ScopeSid | undefined,
  steps: readonly Migration[] = migrations,
): { readonly database: Database; close(): void } {
  return translating(path, 'read the snapshot', () => {
    const opened = upToDate(openAnyWay(path), path, steps);
    const close = () => {
      opened.connection.close();
      opened.dispose();
    };
    try {
      checkOrganization(opened.connection, path, organization);
    } catch (error) {
      close();
      throw error;
    }
    return { database: wrapConnection(opened.connection, path), close };
  });
}

/** With the schema as it is. The caller closes the connection, then disposes. */
export function openAnyWay(path: string): Opened {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined || stats.size === 0) return inMemory(new Sqlite(':memory:'));
  try {
    return inMemory(openReadOnly(path));
  } catch (error) {
    if (!isRefusedCompanion(error) || stats.isDirectory()) throw error;
    return openCopy(path);
  }
}

function inMemory(connection: Sqlite.Database): Opened {
  return { connection, dispose: () => {} };
}

/** Opens the file and reads from it: opening alone proves nothing. */
function openReadOnly(path: string): Sqlite.Database {
  const connection = new Sqlite(path, { readonly: true, fileMustExist: true, timeout: busyTimeout });
  try {
    connection.prepare('SELECT count(*) FROM sqlite_schema').get();
  } catch (error) {
    connection.close();
    throw error;
  }
  return connection;
}

/** SQLite may not make `-shm` or `-wal`, or may not recover with them. */
function isRefusedCompanion(error: unknown): boolean {
  const code = storageCode(error) ?? '';
  return code.startsWith('SQLITE_CANTOPEN') || code.startsWith('SQLITE_READONLY');
}

/** For a folder where SQLite can make no file. Throws when the snapshot cannot be caught standing still. */
export function openCopy(path: string): Opened {
  for (let attempt = 1; attempt <= copyAttempts; attempt += 1) {
    const before = fingerprint(path);
    const opened = (sizeOf(`${path}-wal`) ?? 0) === 0 ? bytesInMemory(readFileSync(path)) : temporaryCopy(path);
    if (fingerprint(path) === before) return opened;
    opened.connection.close();
    opened.dispose();
  }
  throw new SnapshotUnusableError(`cannot read the snapshot: ${path}: it changes all the time while it is copied`, {
    hint: 'Run again while no run is active, or where its folder is writable.',
  });
}

/** Size and time of the file and its log: equal before and after a copy, the copy is of one state. */
function fingerprint(path: string): string {
  return [path, `${path}-wal`]
    .map((file) => statSync(file, { bigint: true, throwIfNoEntry: false }))
    .map((stats) => (stats === undefined ? '-' : `${stats.ino} ${stats.size} ${stats.mtimeNs}`))
    .join(' ');
}

function sizeOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.size;
}

/** In memory there is no write-ahead log: the header's two version bytes must say so (SQLite file format, section 1.3). */
function bytesInMemory(bytes: Buffer): Opened {
  bytes[18] = 1;
  bytes[19] = 1;
  return inMemory(new Sqlite(bytes));
}

function temporaryCopy(path: string): Opened {
  const folder = mkdtempSync(join(tmpdir(), 'tdsync-')); // mode 0700
  const dispose = () => rmSync(folder, { recursive: true, force: true });
  try {
    const copy = join(folder, 'snapshot.db');
    copyFileSync(path, copy);
    copyFileSync(`${path}-wal`, `${copy}-wal`);
    return { connection: new Sqlite(copy, { fileMustExist: true, timeout: busyTimeout }), dispose };
  } catch (error) {
    dispose();
    throw error;
  }
}

/** An older or empty schema is migrated in a private copy: the file stays as it is. */
function upToDate(opened: Opened, path: string, steps: readonly Migration[]): Opened {
  try {
    const version = identifySchema(opened.connection, path, steps);
    if (version === steps.length) return opened;
    const own = version === 0 ? inMemory(new Sqlite(':memory:')) : bytesInMemory(opened.connection.serialize());
    opened.connection.close();
    opened.dispose();
    migrate(own.connection, path, steps);
    return own;
  } catch (error) {
    if (opened.connection.open) opened.connection.close();
    opened.dispose();
    throw error;
  }
}
