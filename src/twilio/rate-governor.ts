/**
 * Every request to the API passes here, each retry anew. Bottleneck keeps the order and the concurrency; the pace is
 * ours, because Bottleneck counts its spacing from whenever a job happens to register and knows neither sliding windows
 * nor a pause for everybody.
 */
import Bottleneck from 'bottleneck';
import type { Clock } from '../ports.ts';
import { createStartLog } from './start-log.ts';

export interface RateLimits {
  /** Fractions are allowed: 0.5 is one request every two seconds. */
  readonly requestsPerSecond: number;
  readonly maxConcurrent: number;
}

export interface RateGovernor {
  /**
   * Runs `task` when there is room for it. The task awaits `start` directly before it sends, so that preparations
   * (a fresh token) never bunch requests together. Aborting the signal ends a wait with the signal's reason.
   */
  schedule<T>(task: (start: () => Promise<void>) => Promise<T>, signal?: AbortSignal): Promise<T>;
  /** 429: nobody starts for `ms`, and the pace slows down; a longer pause already running stays. */
  pause(ms: number): void;
  /** An answer that was not 429: the pace recovers step by step. */
  succeeded(): void;
}

const slower = 1.5;
const slowest = 16;
const recovery = 0.98;

export function createRateGovernor(limits: RateLimits, clock: Clock): RateGovernor {
  const bottleneck = new Bottleneck({ maxConcurrent: limits.maxConcurrent });
  const log = createStartLog(limits.requestsPerSecond);
  let pausedAt = Number.NEGATIVE_INFINITY;
  let pausedUntil = Number.NEGATIVE_INFINITY;
  let queue: Promise<unknown> = Promise.resolve();

  /** One at a time and in order: two that looked at the log together would start together. */
  function start(signal: AbortSignal | undefined): Promise<void> {
    const mine = queue.then(() => turn(signal));
    queue = mine.catch(() => undefined);
    return mine;
  }

  async function turn(signal: AbortSignal | undefined): Promise<void> {
    for (;;) {
      signal?.throwIfAborted();
      const now = clock.now();
      keepPauseShort(now);
      const at = Math.max(log.earliest(now), pausedUntil);
      if (at <= now) {
        log.record(now);
        return;
      }
      await clock.sleep(Math.ceil(at - now), signal);
    }
  }

  /** The clock was set back: what is left of the pause counts from now. */
  function keepPauseShort(now: number): void {
    if (now >= pausedAt) return;
    pausedUntil -= pausedAt - now;
    pausedAt = now;
  }

  return {
    schedule: (task, signal) => bottleneck.schedule(() => task(() => start(signal))),
    pause(ms) {
      const now = clock.now();
      keepPauseShort(now);
      // Answers to requests that were on their way when the pause began say nothing new about the pace.
      if (now >= pausedUntil) log.stretch = Math.min(log.stretch * slower, slowest);
      pausedUntil = Math.max(pausedUntil, now + ms);
      pausedAt = now;
    },
    succeeded() {
      log.stretch = Math.max(1, log.stretch * recovery);
    },
  };
}
