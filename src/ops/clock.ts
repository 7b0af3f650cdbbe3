import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '../ports.ts';

/** The longest that a timer can wait, 24.8 days; a longer one would fire at once. */
const longestTimerMs = 2 ** 31 - 1;

/** The machine's own time. */
export const systemClock: Clock = {
  now: () => Date.now(),
  async sleep(ms, signal) {
    try {
      for (let left = Math.max(0, ms); left >= 0; left -= longestTimerMs) {
        await delay(Math.min(left, longestTimerMs), undefined, signal === undefined ? {} : { signal });
      }
    } catch (error) {
      // The caller sees why it was asked to stop, not that a timer was cancelled.
      throw signal?.aborted ? signal.reason : error;
    }
  },
};
