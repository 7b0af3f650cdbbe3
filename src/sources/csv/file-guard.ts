import { constants, type FileHandle, open, stat } from 'node:fs/promises';
import { SourceIncompleteError, SourceUnavailableError } from '../../errors.ts';
import type { Clock } from '../../ports.ts';

/** A file that is read as one version: whoever read it asks at the end whether it is still the same. */
export interface GuardedFile {
  readonly path: string;
  readonly handle: FileHandle;
  /** The same for two paths that lead to one file. */
  readonly identity: string;
  /** Bytes when it was opened. */
  readonly size: number;
  /** Throws SourceIncompleteError when the file was written, replaced or removed since it was opened. */
  confirmUnchanged(cause?: unknown): Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens a regular file and judges its age (`maxAgeMs`, milliseconds since the last write).
 * Throws SourceUnavailableError when it cannot be opened, SourceIncompleteError when it is empty or too old.
 */
export async function openGuarded(path: string, maxAgeMs: number | undefined, clock: Clock): Promise<GuardedFile> {
  // Without O_NONBLOCK, opening a named pipe would wait for a writer for ever.
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch((error: unknown) => {
    throw unreadable(path, 'opened', error);
  });
  try {
    const before = await handle.stat({ bigint: true });
    if (!before.isFile()) {
      throw new SourceUnavailableError(`${path}: is ${before.isDirectory() ? 'a directory' : 'not a regular file'}`, {
        hint: 'name the CSV file itself',
      });
    }
    if (before.size === 0n) {
      throw new SourceIncompleteError(`${path}: is empty`, { hint: 'look whether the export that writes it failed' });
    }
    checkAge(path, clock.now() - Number(before.mtimeMs), maxAgeMs);
    return {
      path,
      handle,
      identity: `${before.dev}:${before.ino}`,
      size: Number(before.size),
      async confirmUnchanged(cause) {
        const opened = await handle.stat({ bigint: true });
        const named = await stat(path, { bigint: true }).catch(() => undefined);
        if (isSame(before, opened) && named !== undefined && isSame(before, named)) return;
        throw changedWhileRead(path, cause);
      },
      close: () => handle.close(),
    };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

export function changedWhileRead(path: string, cause?: unknown): SourceIncompleteError {
  return new SourceIncompleteError(`${path}: changed while it was read, so its row count proves nothing`, {
    hint: 'the next run reads it again; have the producer write another file and rename it into place',
    cause,
  });
}

/** What the operating system said about a file, in words. */
export function unreadable(path: string, verb: string, error: unknown): SourceUnavailableError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
  const known = reasons[code];
  return new SourceUnavailableError(`${path}: cannot be ${verb}: ${known?.reason ?? code}`, {
    hint: known?.hint ?? 'look at the disk or mount that holds it',
    cause: error,
  });
}

const reasons: Readonly<Record<string, { readonly reason: string; readonly hint: string }>> = {
  ENOENT: { reason: 'no such file', hint: 'check the path, and that the export that writes it has run' },
  ENOTDIR: { reason: 'a part of the path is no directory', hint: 'check the path' },
  EACCES: { reason: 'permission denied', hint: 'let the user that runs tdsync read the file and enter its folders' },
  EPERM: { reason: 'permission denied', hint: 'let the user that runs tdsync read the file and enter its folders' },
};

interface Identity {
  readonly dev: bigint;
  readonly ino: bigint;
  readonly size: bigint;
  readonly mtimeNs: bigint;
  /** Moves with every write, also when the producer sets the time of the last write back. */
  readonly ctimeNs: bigint;
}

function isSame(a: Identity, b: Identity): boolean {
  return a.dev === b.dev && a.ino === b.ino && a.size === b.size && a.mtimeNs === b.mtimeNs && a.ctimeNs === b.ctimeNs;
}

function checkAge(path: string, ageMs: number, maxAgeMs: number | undefined): void {
  if (maxAgeMs === undefined || ageMs <= maxAgeMs) return;
  throw new SourceIncompleteError(
    `${path}: was last written ${duration(ageMs)} ago, longer than source.maxAge (${duration(maxAgeMs)})`,
    { hint: 'look whether the export that writes it still runs' },
  );
}

function duration(ms: number): string {
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 1) return `${Math.floor(ms / 1000)} s`;
  if (minutes < 120) return `${minutes} min`;
  return minutes < 48 * 60 ? `${Math.floor(minutes / 60)} h` : `${Math.floor(minutes / 1440)} days`;
}
