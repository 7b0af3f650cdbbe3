import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '../ports.ts';

/** The machine's own time. */
export const systemClock: Clock = {
  now: () => Date.now(),
  async sleep(ms, signal) {
    try {
      await delay(ms, undefined, signal === undefined ? {} : { signal });
    } catch (error) {
      // The caller sees why it was asked to stop, not that a timer was cancelled.
      throw signal?.aborted ? signal.reason : error;
    }
  },
};
