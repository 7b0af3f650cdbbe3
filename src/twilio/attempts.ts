/** The loop around attempts: what `decide` says is carried out here, with p-retry, our clock and our limits. */
import pRetry from 'p-retry';
import type { TargetError } from '../errors.ts';
import type { Clock } from '../ports.ts';
import { backoffMs, type Decision, type RetryLimits } from './retry.ts';

/** One attempt that did not end in `done`. Internal to this folder. */
export class AttemptFailure extends Error {
  readonly decision: Exclude<Decision, 'done'>;
  /** What to tell the caller when it is not tried again. */
  readonly error: TargetError;
  /** What the server asked for, already below the ceiling. */
  readonly retryAfterMs: number | undefined;

  constructor(decision: Exclude<Decision, 'done'>, error: TargetError, retryAfterMs: number | undefined) {
    super(error.message);
    this.name = 'AttemptFailure';
    this.decision = decision;
    this.error = error;
    this.retryAfterMs = retryAfterMs;
  }
}

export interface AttemptRules {
  readonly limits: RetryLimits;
  readonly clock: Clock;
  readonly random: () => number;
  /** Called on 429 with the time to wait; returns when the wait is over, or at once when something else does the waiting. */
  readonly wait: (ms: number) => Promise<void>;
  /** Called on 401. */
  readonly renewToken: () => void;
  readonly signal?: AbortSignal | undefined;
  /** An answer that comes after the signal has aborted still counts: what it holds is not to be had again. */
  readonly keepsAnswer?: boolean;
}

/**
 * Repeats `attempt` while its failures say so. Throws the last AttemptFailure, the signal's reason, or whatever else
 * the attempt threw. 429 has a budget of its own: it is not a fault, so it does not use up the attempts.
 */
export async function withRetries<T>(attempt: (number: number) => Promise<T>, rules: AttemptRules): Promise<T> {
  const { limits, clock, random, signal } = rules;
  let faults = 0;
  let throttled = 0;
  let waited = 0;
  let renewed = false;

  async function again(error: Error): Promise<boolean> {
    if (!(error instanceof AttemptFailure)) return false;
    signal?.throwIfAborted();
    switch (error.decision) {
      case 'new-token':
        if (renewed) return false;
        renewed = true;
        rules.renewToken();
        return true;
      case 'wait': {
        // `Retry-After: 0` would be no backoff at all.
        const ms = Math.max(error.retryAfterMs ?? 0, backoffMs(++throttled, limits, random));
        waited += ms;
        if (waited > limits.rateLimitBudgetMs) return false;
        await rules.wait(ms);
        return true;
      }
      case 'retry':
        if (++faults >= limits.attempts) return false;
        await clock.sleep(Math.max(error.retryAfterMs ?? 0, backoffMs(faults, limits, random)), signal);
        return true;
      default:
        return false;
    }
  }

  return pRetry(attempt, {
    retries: Number.POSITIVE_INFINITY,
    // Waiting is done in `again`, through our clock.
    minTimeout: 0,
    shouldRetry: ({ error }) => again(error),
    // p-retry throws a result away when its signal has aborted meanwhile.
    ...(signal !== undefined && rules.keepsAnswer !== true && { signal }),
  });
}
