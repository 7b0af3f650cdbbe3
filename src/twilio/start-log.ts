/**
 * When the next request may start. Of any stretch of `1.03 s` none holds more than R starts, whatever timers and callers
 * do; what is above one second is room for the disc and the network between a start and the server's own window. For an R that is
 * not whole the rule holds over `ceil(R)` starts, so that the average is met. Within the rule starts follow one another
 * at once, so that a short command never waits; once there is a pace, they are spread evenly as well.
 */
export interface StartLog {
  /** The earliest moment, in milliseconds since the epoch, at which the next start keeps the rule and the pace. */
  earliest(now: number, pace: number | undefined): number;
  /** Notes a start. True when it came as soon as the pace let it, so that a faster pace would have been used. */
  record(now: number, pace: number | undefined): boolean;
}

const windowMs = 1030;
/** What late timers cost is made up for up to this; more would make two starts of a slow pace follow one another at once. */
const catchUpMs = 20;
/** On a busy machine timers fire so late although somebody waited for them. */
const lateMs = 100;

export function createStartLog(requestsPerSecond: number): StartLog {
  const size = Math.max(1, Math.ceil(requestsPerSecond));
  const window = (size * windowMs) / requestsPerSecond;
  /** The last `size` starts; `oldest` is the slot to be overwritten next. */
  const starts = new Float64Array(size).fill(Number.NEGATIVE_INFINITY);
  let oldest = 0;
  /** When the pace has the next start; moves with the pace, because the last start counts, not the plan made then. */
  let due = Number.NEGATIVE_INFINITY;
  let last = Number.NEGATIVE_INFINITY;

  return {
    earliest(now, pace) {
      // The clock was set back: what is recorded lies in the future, so count it as just now.
      if (now < last) {
        starts.fill(now);
        last = now;
        due = now;
      }
      const spread = pace === undefined ? now : due + 1000 / pace;
      return Math.max(spread, (starts[oldest] ?? 0) + window);
    },
    record(now, pace) {
      const step = pace === undefined ? 0 : 1000 / pace;
      const ready = due + step;
      due = Math.max(ready, now - catchUpMs);
      starts[oldest] = now;
      oldest = (oldest + 1) % size;
      last = now;
      return now - ready <= Math.max(lateMs, step / 2);
    },
  };
}
