import Sqlite from 'better-sqlite3';
import type { ScopeSid } from '../domain/identity.ts';
import { type Database, wrapConnection } from './database.ts';
import { type Migration, migrations } from './migrations/index.ts';
import { createPrivateFile, tightenMode } from './private-file.ts';
import { bindOrganization, identifySchema, migrate } from './schema.ts';
import { storageCode, translating } from './sqlite-errors.ts';

/** Milliseconds that a statement waits for another process's transaction. */
const busyTimeout = 5_000;
const journalModeAttempts = 250;
const journalModePause = 20;
/** A run reads the mirror from one end to the other, which a larger cache would only hold on to. */
const cacheKibibytes = 8 * 1024;
/** Bytes that the write-ahead log shrinks to after a large import. */
const journalSizeLimit = 64 * 1024 * 1024;

/** `notices`: what was found loose and was tightened. */
export function openForWriting(
  path: string,
  organization: ScopeSid | undefined,
  steps: readonly Migration[] = migrations,
): { readonly database: Database; readonly notices: readonly string[] } {
  return translating(path, 'open the snapshot', () => {
    createPrivateFile(path);
    // Before SQLite makes -wal and -shm in the file's image.
    const notices = [path, `${path}-wal`, `${path}-shm`].map(tightenMode).filter((notice) => notice !== undefined);
    const connection = new Sqlite(path, { fileMustExist: true, timeout: busyTimeout });
    try {
      // First of all: a file that is not ours must stay as it is.
      identifySchema(connection, path, steps);
      useWriteAheadLog(connection);
      connection.pragma('synchronous = FULL');
      connection.pragma('foreign_keys = ON');
      connection.pragma(`cache_size = ${-cacheKibibytes}`);
      connection.pragma(`journal_size_limit = ${journalSizeLimit}`);
      migrate(connection, path, steps);
      bindOrganization(connection, path, organization);
    } catch (error) {
      connection.close();
      throw error;
    }
    return { database: wrapConnection(connection, path), notices };
  });
}

/** SQLite does not wait when two connections change the mode together, so this does. */
function useWriteAheadLog(connection: Sqlite.Database): void {
  for (let attempt = 1; ; attempt += 1) {
    try {
      connection.pragma('journal_mode = WAL');
      return;
    } catch (error) {
      const busy = storageCode(error)?.startsWith('SQLITE_BUSY') ?? false;
      if (!busy || attempt === journalModeAttempts) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, journalModePause);
    }
  }
}
