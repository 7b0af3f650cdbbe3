/**
 * A lock between processes that the kernel drops when its process ends, however it ends: an open transaction on a lock
 * database of its own. So it is never stale and never needs to be broken by hand. The file stays when the lock is
 * released: whoever deletes a lock file lets two processes lock two files of one name.
 */
import Sqlite from 'better-sqlite3';
import { createPrivateFile } from './private-file.ts';
import { storageCode } from './sqlite-errors.ts';

/** A connection that nobody refers to is closed by the garbage collector, and its lock would go with it. */
const held = new Set<Sqlite.Database>();

export interface KernelLock {
  /** May be called again. */
  release(): void;
}

/** Undefined when somebody else holds it, in this process or another. Throws what SQLite or the file system throws. */
export function tryLock(lock: string): KernelLock | undefined {
  createPrivateFile(lock);
  const connection = new Sqlite(lock, { fileMustExist: true, timeout: 0 });
  try {
    connection.exec('BEGIN IMMEDIATE');
  } catch (error) {
    connection.close();
    if (storageCode(error)?.startsWith('SQLITE_BUSY')) return undefined;
    throw error;
  }
  held.add(connection);
  return {
    release() {
      if (held.delete(connection)) connection.close(); // rolls the transaction back, and the lock goes with it
    },
  };
}
