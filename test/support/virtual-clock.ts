import type { Clock } from '../../src/ports.ts';

export interface VirtualClock extends Clock {
  /** Every sleep asked for, in milliseconds. */
  readonly sleeps: readonly number[];
  advance(ms: number): void;
}

/** Time that passes only by sleeping, and then at once. */
export function createVirtualClock(start = Date.UTC(2026, 5, 1, 12)): VirtualClock {
  let now = start;
  const sleeps: number[] = [];
  return {
    sleeps,
    now: () => now,
    async sleep(ms, signal) {
      signal?.throwIfAborted();
      sleeps.push(ms);
      const until = now + ms;
      await new Promise((resolve) => setImmediate(resolve));
      signal?.throwIfAborted();
      now = Math.max(now, until);
    },
    advance(ms) {
      now += ms;
    },
  };
}
