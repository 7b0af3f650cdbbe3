/**
 * One run at a time per snapshot, across processes. The lease is an open transaction on a lock database of its own,
 * `<snapshot>.lock`: the kernel drops its file lock when the process ends, however it ends, so a lease is never stale and
 * never needs to be broken by hand. The file stays when the lease is released: whoever deletes a lock file lets two
 * processes lock two files of one name. Who holds it stands beside it in `<snapshot>.lock.json`, for messages only.
 */
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import Sqlite from 'better-sqlite3';
import { LeaseHeldError } from '../errors.ts';
import { createPrivateFile } from './private-file.ts';
import { storageCode, translating } from './sqlite-errors.ts';

export interface LeaseHolder {
  readonly pid: number;
  readonly host: string;
  readonly command: string;
  /** Milliseconds since the epoch. */
  readonly since: number;
}

export interface Lease extends Disposable {
  /** May be called again. */
  release(): void;
}

/** A connection that nobody refers to is closed by the garbage collector, and its lock would go with it. */
const held = new Set<Sqlite.Database>();

/**
 * Throws LeaseHeldError at once when another run, in this process or another, holds the lease of the snapshot at `path`;
 * SnapshotUnusableError when the lock cannot be made.
 */
export function acquireLease(path: string, holder: LeaseHolder): Lease {
  const snapshot = resolve(path);
  const lock = `${snapshot}.lock`;
  const connection = translating(lock, 'take the lease of the snapshot', () => holdLock(lock));
  if (connection === undefined) throw leaseHeld(snapshot, readHolder(`${lock}.json`));
  held.add(connection);
  const release = () => {
    if (!connection.open) return;
    held.delete(connection);
    try {
      rmSync(`${lock}.json`, { force: true });
    } finally {
      connection.close(); // rolls the transaction back, and the lock goes with it
    }
  };
  try {
    translating(lock, 'take the lease of the snapshot', () => writeHolder(`${lock}.json`, holder));
  } catch (error) {
    held.delete(connection);
    connection.close();
    throw error;
  }
  return { release, [Symbol.dispose]: release };
}

/** Undefined when somebody else holds it. */
function holdLock(lock: string): Sqlite.Database | undefined {
  createPrivateFile(lock);
  const connection = new Sqlite(lock, { fileMustExist: true, timeout: 0 });
  try {
    connection.exec('BEGIN IMMEDIATE');
    return connection;
  } catch (error) {
    connection.close();
    if (storageCode(error)?.startsWith('SQLITE_BUSY')) return undefined;
    throw error;
  }
}

/** In one step, so that nobody reads half of it. */
function writeHolder(file: string, holder: LeaseHolder): void {
  writeFileSync(`${file}.new`, JSON.stringify(holder), { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

/** Undefined between a holder's locking and its writing, and for a file of another make. */
function readHolder(file: string): LeaseHolder | undefined {
  try {
    const holder = JSON.parse(readFileSync(file, 'utf8')) as Partial<LeaseHolder>;
    const { pid, host, command, since } = holder;
    if (typeof pid !== 'number' || typeof since !== 'number' || !Number.isFinite(since)) return undefined;
    if (typeof host !== 'string' || typeof command !== 'string') return undefined;
    return { pid, host, command, since };
  } catch {
    return undefined;
  }
}

function leaseHeld(snapshot: string, holder: LeaseHolder | undefined): LeaseHeldError {
  const who =
    holder === undefined
      ? 'who it is cannot be read'
      : `${holder.command}, process ${holder.pid} on ${holder.host}, since ${new Date(holder.since).toISOString()}`;
  return new LeaseHeldError(`another run holds the snapshot ${snapshot}: ${who}`, {
    hint: 'Wait until it has ended, or stop it with SIGTERM: it finishes the call in flight first. The lease ends with its process and is never left behind.',
  });
}
