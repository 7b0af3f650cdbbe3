/**
 * The refresh token in a file of its own: JSON, mode 0600, beside the snapshot and never in it, because a snapshot is copied,
 * looked at and sent along with reports.
 *
 * Twilio may end the old refresh token when it gives a new one. So room for the new one is made, on the disk, before it
 * is asked for, and what is kept takes the place of the file in one step: whenever the process or the machine stops, the
 * file holds one whole token. Between Twilio's answer and that step a crash can lose it; nothing can close that gap, and
 * a person has to approve again.
 */
import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import type { Authorization, AuthorizationStore } from '../domain/authorization.ts';
import { ConfigError, LeaseHeldError } from '../errors.ts';
import type { Clock } from '../ports.ts';
import { parseAuthorization, renderAuthorization } from './authorization-json.ts';
import { type KernelLock, tryLock } from './kernel-lock.ts';
import { formatMode, othersBits } from './private-file.ts';
import { storageCode } from './sqlite-errors.ts';

/** A token of 2,000 characters and what else stands there take half of it. */
const room = 8 * 1024;
const largest = 64 * 1024;
const [shortestPauseMs, longestPauseMs] = [100, 2000];
/** A refresh with all its retries and waits is over by then. */
const patienceMs = 600_000;

/** `onToken` is told of each refresh token that is read or kept, so that no output repeats it. */
export function createAuthorizationFile(
  file: string,
  clock: Clock,
  onToken: (refreshToken: string) => void = () => {},
): AuthorizationStore {
  return {
    place: file,
    read() {
      const authorization = readAuthorization(file);
      if (authorization !== undefined) onToken(authorization.refreshToken);
      return authorization;
    },
    async exclusively(work, signal) {
      const lock = await waitForLock(file, clock, signal);
      try {
        const fresh = attempting(file, 'written', () => makeRoom(file));
        try {
          return await work((authorization) => {
            onToken(authorization.refreshToken);
            attempting(file, 'written', () => fresh.keep(authorization));
          });
        } finally {
          fresh.end();
        }
      } finally {
        lock.release();
      }
    },
  };
}

/** Undefined when there is no such file. Throws ConfigError. */
export function readAuthorization(file: string): Authorization | undefined {
  const text = attempting(file, 'read', () => {
    try {
      return readPrivate(file);
    } catch (error) {
      if (storageCode(error) === 'ENOENT') return undefined;
      throw error;
    }
  });
  if (text === undefined) return undefined;
  const authorization = parseAuthorization(text);
  if (authorization !== undefined) return authorization;
  throw problem(`${file} is damaged, or no file of tdsync`, 'Run `tdsync authorize`, which writes it anew.');
}

function readPrivate(file: string): string {
  // Not blocking, so that a pipe of that name is found out about instead of waited for.
  const descriptor = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stats = fstatSync(descriptor);
    if (!stats.isFile() || stats.size > largest) {
      throw problem(`${file} is no file of tdsync`, 'Name another file, or remove this one.');
    }
    if ((stats.mode & othersBits) !== 0) {
      throw problem(
        `${file} has mode ${formatMode(stats.mode & 0o777)}: others than its owner can reach the refresh token`,
        `chmod 600 ${file}; if somebody may have read it, revoke the app under "authorized apps" in the Twilio Console and run \`tdsync authorize\` again.`,
      );
    }
    return readFileSync(descriptor, 'utf8');
  } finally {
    closeSync(descriptor);
  }
}

async function waitForLock(file: string, clock: Clock, signal: AbortSignal | undefined): Promise<KernelLock> {
  const until = clock.now() + patienceMs;
  for (let pause = shortestPauseMs; ; pause = Math.min(2 * pause, longestPauseMs)) {
    signal?.throwIfAborted();
    const lock = attempting(file, 'locked', () => {
      mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
      return tryLock(`${file}.lock`);
    });
    if (lock !== undefined) return lock;
    if (clock.now() >= until) {
      throw new LeaseHeldError(`another process has been renewing the refresh token in ${file} for 10 minutes`, {
        hint: 'Find the other tdsync process that uses this file, and stop it with SIGTERM.',
      });
    }
    await clock.sleep(Math.min(pause, until - clock.now()), signal);
  }
}

/** A file beside the other, with blanks for what is to stand there. Only who holds the lock makes one. */
function makeRoom(file: string) {
  const path = `${file}.new`;
  rmSync(path, { force: true });
  let descriptor: number | undefined = openSync(path, 'wx', 0o600);
  const close = () => {
    if (descriptor !== undefined) closeSync(descriptor);
    descriptor = undefined;
  };
  const end = () => {
    close();
    rmSync(path, { force: true });
  };
  try {
    writeSync(descriptor, ' '.repeat(room));
    fsyncSync(descriptor);
  } catch (error) {
    end();
    throw error;
  }
  return {
    keep(authorization: Authorization) {
      const bytes = Buffer.from(renderAuthorization(authorization));
      const target = descriptor ?? openSync(path, 'wx', 0o600);
      descriptor = target;
      writeSync(target, bytes, 0, bytes.length, 0);
      ftruncateSync(target, bytes.length);
      fsyncSync(target);
      close();
      renameSync(path, file);
      syncFolder(dirname(file));
    },
    end,
  };
}

/** The name, too, must outlive a power cut; where a folder cannot be synced, it does as the file system likes. */
function syncFolder(folder: string): void {
  const descriptor = openSync(folder, 'r');
  try {
    fsyncSync(descriptor);
  } catch {
    // Not every file system can.
  } finally {
    closeSync(descriptor);
  }
}

function attempting<Result>(file: string, done: 'read' | 'written' | 'locked', work: () => Result): Result {
  try {
    return work();
  } catch (cause) {
    const code = storageCode(cause);
    if (code === undefined) throw cause;
    const hint =
      done === 'read'
        ? 'Check that the user who runs tdsync owns the file.'
        : `Check the rights, the mount and the room of ${dirname(file)}: a refresh token that cannot be kept is not asked for.`;
    throw problem(`${file} cannot be ${done} (${code})`, hint, cause);
  }
}

function problem(message: string, hint: string, cause?: unknown): ConfigError {
  return new ConfigError([{ path: 'twilio.oauth.tokenFile', message }], { hint, cause });
}
