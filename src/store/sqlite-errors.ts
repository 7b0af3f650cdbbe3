import { accessSync, constants, statSync } from 'node:fs';
import Sqlite from 'better-sqlite3';
import { InternalError, SnapshotCorruptError, SnapshotUnusableError, TdsyncError } from '../errors.ts';

/**
 * Turns what SQLite or the file system threw into the error that a person can act upon.
 * `action` completes "cannot …", e.g. `open the snapshot`. What is neither SQLite's nor the file system's is returned as it is.
 */
export function translateStorageError(error: unknown, path: string, action: string): unknown {
  if (error instanceof TdsyncError) return error;
  const code = storageCode(error);
  if (code === undefined) return error;
  if (isCorruption(code)) {
    return corrupt(path, `cannot ${action}: ${corruptionReason(code, error)}`, error);
  }
  const trouble = troubleOf(code, path);
  if (trouble === undefined) {
    return new InternalError(`cannot ${action} in ${path}: ${(error as Error).message} (${code})`, { cause: error });
  }
  return new SnapshotUnusableError(`cannot ${action}: ${path}: ${trouble.reason}`, {
    hint: trouble.hint,
    cause: error,
  });
}

/** Runs `work`; what storage throws comes out translated. */
export function translating<Result>(path: string, action: string, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    throw translateStorageError(error, path, action);
  }
}

/** The damage, and the way out, which is the same for every kind of damage. */
export function corrupt(path: string, reason: string, cause?: unknown): SnapshotCorruptError {
  return new SnapshotCorruptError(`snapshot ${path}: ${reason}`, {
    hint:
      `Move ${path} (with ${path}-wal and ${path}-shm, if present) away and run again, or restore a backup. ` +
      'Everything but the history is rebuilt from Twilio: people are found again by their externalId and, with policy.adoptExisting, by their address. ' +
      'Look at a dry run first.',
    cause,
  });
}

/** SQLite's result code, or the errno name of a failed system call; undefined for any other error. */
export function storageCode(error: unknown): string | undefined {
  if (error instanceof Sqlite.SqliteError) return error.code;
  if (error instanceof Error && 'syscall' in error && 'code' in error && typeof error.code === 'string') {
    return error.code;
  }
  return undefined;
}

/** The code of a damaged file, or of one that is no database. */
export function isCorruption(code: string): boolean {
  return code.startsWith('SQLITE_CORRUPT') || code === 'SQLITE_NOTADB' || code === 'SQLITE_FORMAT';
}

function corruptionReason(code: string, error: unknown): string {
  return code === 'SQLITE_NOTADB'
    ? 'the file is not an SQLite database'
    : `the file is damaged (${(error as Error).message})`;
}

interface Trouble {
  readonly reason: string;
  readonly hint: string;
}

function troubleOf(code: string, path: string): Trouble | undefined {
  if (startsWithAny(code, ['SQLITE_FULL', 'ENOSPC', 'EDQUOT'])) {
    return {
      reason: 'the disk is full',
      hint: `Free space on the disk that holds ${path} and run again; what was recorded before stays recorded.`,
    };
  }
  if (startsWithAny(code, ['SQLITE_BUSY', 'SQLITE_LOCKED', 'SQLITE_PROTOCOL'])) {
    return {
      reason: 'another process keeps it locked',
      hint: 'Wait for that process or end it, then run again. Keep the snapshot on a local disk: network file systems often break locks.',
    };
  }
  if (startsWithAny(code, ['SQLITE_READONLY', 'SQLITE_CANTOPEN', 'SQLITE_PERM', 'SQLITE_AUTH', 'E'])) {
    return { reason: accessReason(code, path), hint: accessHint(path) };
  }
  if (startsWithAny(code, ['SQLITE_IOERR', 'SQLITE_NOLFS'])) {
    if (isFolder(path)) return { reason: aFolder, hint: accessHint(path) };
    return {
      reason: `reading or writing failed (${code})`,
      hint: `Look at the disk that holds ${path} and the system log, then run again.`,
    };
  }
  return undefined;
}

function accessHint(path: string): string {
  return `Make ${path} and its folder belong to the user that runs tdsync (modes 0600 and 0700), or set snapshot.path to another place.`;
}

const aFolder = 'it is a folder, not a file';

const systemReasons: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'the disk is read-only',
  EISDIR: aFolder,
  ENOTDIR: 'a part of its path is a file, not a folder',
  EEXIST: 'a part of its path is a file, not a folder',
};

/** SQLite says no more than "unable to open": asks the file system why. */
function accessReason(code: string, path: string): string {
  const known = systemReasons[code];
  if (known !== undefined) return known;
  try {
    if (isFolder(path)) return aFolder;
    accessSync(path, constants.R_OK);
    accessSync(path, constants.W_OK);
  } catch (error) {
    const errno = storageCode(error);
    return (errno === undefined ? undefined : systemReasons[errno]) ?? `it cannot be opened (${errno ?? code})`;
  }
  return code.startsWith('SQLITE_READONLY') || code.startsWith('SQLITE_CANTOPEN')
    ? `its folder does not let SQLite make the files it needs beside it (${code})`
    : `access was refused (${code})`;
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

function startsWithAny(code: string, starts: readonly string[]): boolean {
  return starts.some((start) => code.startsWith(start));
}
