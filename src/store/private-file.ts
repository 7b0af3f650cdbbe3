import { chmodSync, closeSync, mkdirSync, openSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { storageCode } from './sqlite-errors.ts';

export const othersBits = 0o077;

/**
 * Makes the file, empty and for the owner only (0600), and its folder (0700), where they are missing. SQLite gives
 * `-wal` and `-shm` the mode of the file. An existing file is never opened here: closing it again would drop the POSIX locks
 * that another connection of this process holds on it.
 */
export function createPrivateFile(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  try {
    closeSync(openSync(path, 'wx', 0o600));
  } catch (error) {
    if (storageCode(error) !== 'EEXIST') throw error;
  }
}

/** Takes the group's and the others' access to the file away; returns what to tell the operator, if anything. */
export function tightenMode(path: string): string | undefined {
  const mode = permissions(path);
  if (mode === undefined || (mode & othersBits) === 0) return undefined;
  const before = formatMode(mode);
  try {
    chmodSync(path, mode & ~othersBits);
  } catch (error) {
    return `${path} has mode ${before}, so others than its owner can reach it, and the mode cannot be changed (${storageCode(error)}): run chmod 600 as its owner`;
  }
  return `${path} had mode ${before}, so others than its owner could reach it: changed to ${formatMode(mode & ~othersBits)}`;
}

/** Permission bits; undefined when there is no such file. */
export function permissions(path: string): number | undefined {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats === undefined ? undefined : stats.mode & 0o777;
}

export function formatMode(mode: number): string {
  return mode.toString(8).padStart(4, '0');
}
