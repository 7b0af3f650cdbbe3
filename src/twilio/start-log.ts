/**
 * When the next request may start. Of any stretch of `1.03 s` none holds more than R starts, whatever timers and callers
 * do; what is above one second is room for the disc and the network between a start and the server's own window. For an R that is
 * not whole the rule holds over `ceil(R)` starts, so that the average is met. Within the rule starts follow one another
 * at once, so that a short command never waits; after a 429 they are spread evenly until the pace has recovered.
 */
export interface StartLog {
  /** The earliest moment, in milliseconds since the epoch, at which the next start keeps the rule. */
  earliest(now: number): number;
  record(now: number): void;
  /** Above 1, starts are spread evenly and so many times further apart than R needs; the rule stays. */
  stretch: number;
}

const windowMs = 1030;
const catchUpMs = 20;

export function createStartLog(requestsPerSecond: number): StartLog {
  const spacing = 1000 / requestsPerSecond;
  const size = Math.max(1, Math.ceil(requestsPerSecond));
  const window = (size * windowMs) / requestsPerSecond;
  /** The last `size` starts; `oldest` is the slot to be overwritten next. */
  const starts = new Float64Array(size).fill(Number.NEGATIVE_INFINITY);
  let oldest = 0;
  let next = Number.NEGATIVE_INFINITY;
  let last = Number.NEGATIVE_INFINITY;

  const log: StartLog = {
    stretch: 1,
    earliest(now) {
      // The clock was set back: what is recorded lies in the future, so count it as just now.
      if (now < last) {
        starts.fill(now);
        last = now;
        next = now + spacing;
      }
      return Math.max(log.stretch > 1 ? next : now, (starts[oldest] ?? 0) + window);
    },
    record(now) {
      const step = spacing * log.stretch;
      // What late timers cost is made up for, within limits; else each would be lost for good.
      next = Math.max(next, now - Math.max(step, catchUpMs)) + step;
      starts[oldest] = now;
      oldest = (oldest + 1) % size;
      last = now;
    },
  };
  return log;
}
