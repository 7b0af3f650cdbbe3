/**
 * One run at a time per snapshot, across processes: a kernel lock on `<snapshot>.lock`, so that a lease is never stale. Who
 * holds it stands beside it in `<snapshot>.lock.json`, for messages only.
 */
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { LeaseHeldError } from '../errors.ts';
import { tryLock } from './kernel-lock.ts';
import { translating } from './sqlite-errors.ts';

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

/**
 * Throws LeaseHeldError at once when another run, in this process or another, holds the lease of the snapshot at `path`;
 * SnapshotUnusableError when the lock cannot be made.
 */
export function acquireLease(path: string, holder: LeaseHolder): Lease {
  const snapshot = resolve(path);
  const lock = `${snapshot}.lock`;
  const hold = translating(lock, 'take the lease of the snapshot', () => tryLock(lock));
  if (hold === undefined) throw leaseHeld(snapshot, readHolder(`${lock}.json`));
  let released = false;
  const release = () => {
    if (released) return;
    released = true;
    try {
      rmSync(`${lock}.json`, { force: true });
    } finally {
      hold.release();
    }
  };
  try {
    translating(lock, 'take the lease of the snapshot', () => writeHolder(`${lock}.json`, holder));
  } catch (error) {
    hold.release();
    throw error;
  }
  return { release, [Symbol.dispose]: release };
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
