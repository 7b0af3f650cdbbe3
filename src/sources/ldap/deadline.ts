import { SourceIncompleteError } from '../../errors.ts';

/** Why a read was given up: it took longer than it may as a whole. Whoever knows how far it came says so to the operator. */
export class ReadDeadlineError extends Error {
  constructor(readMs: number) {
    super(`the whole read did not end within ${readMs} ms`);
  }
}

export const deadlineHint =
  'raise timeouts.read, or find out why the directory is slow: a filter on attributes without an index, or a far server';

/** What timers take; a longer time would end at once. */
const longestTimer = 2 ** 31 - 1;

export interface Deadline extends Disposable {
  /** Aborts with the caller's reason, or with ReadDeadlineError. */
  readonly signal: AbortSignal;
}

export function startDeadline(readMs: number, signal: AbortSignal): Deadline {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(new ReadDeadlineError(readMs)), Math.min(readMs, longestTimer));
  return {
    signal: AbortSignal.any([signal, controller.signal]),
    [Symbol.dispose]: () => clearTimeout(timer),
  };
}

/** `place`: where the read was, e.g. `ldaps://dc1: connecting`. */
export function deadlineError(place: string, error: ReadDeadlineError): SourceIncompleteError {
  return new SourceIncompleteError(`${place}: ${error.message}`, { hint: deadlineHint, cause: error });
}
