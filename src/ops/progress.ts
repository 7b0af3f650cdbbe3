import type { Clock, Progress } from '../ports.ts';

/** What a terminal is to progress; `process.stderr` is one. */
export interface ProgressStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

export interface ProgressOptions {
  /** Default true. Whatever it says, nothing is written where no terminal is. */
  readonly enabled?: boolean;
}

const redrawMs = 100;
/** A rate over a shorter time says nothing. */
const rateAfterMs = 1000;

/** One line, rewritten: activity, count, total, share, rate and remaining time. */
export function createProgress(stream: ProgressStream, clock: Clock, options: ProgressOptions = {}): Progress {
  if (stream.isTTY !== true || options.enabled === false) {
    return { update() {}, clear() {} };
  }
  let current: Activity | undefined;
  let drawnAt = Number.NEGATIVE_INFINITY;
  let visible = false;
  return {
    update(activity, done, total) {
      const now = clock.now();
      if (current?.name !== activity) {
        current = { name: activity, startedAt: now, from: done };
      }
      if (now - drawnAt < redrawMs) return;
      drawnAt = now;
      visible = true;
      // The last column stays free: some terminals wrap as soon as it is written.
      const text = describe(current, now, done, total).slice(0, (stream.columns ?? 80) - 1);
      stream.write(`\r${text}\u001b[K`);
    },
    clear() {
      if (visible) stream.write('\r\u001b[K');
      visible = false;
      drawnAt = Number.NEGATIVE_INFINITY;
    },
  };
}

interface Activity {
  readonly name: string;
  readonly startedAt: number;
  /** What was done already when it began. */
  readonly from: number;
}

function describe({ name, startedAt, from }: Activity, now: number, done: number, total: number | undefined): string {
  const parts = [name, total === undefined ? `${done}` : `${done}/${total}`];
  if (total !== undefined && total > 0) {
    parts.push(`${Math.floor((100 * done) / total)}%`);
  }
  const elapsedMs = now - startedAt;
  const perSecond = (1000 * (done - from)) / elapsedMs;
  if (elapsedMs >= rateAfterMs && perSecond > 0) {
    parts.push(`${perSecond < 10 ? perSecond.toFixed(1) : Math.round(perSecond)}/s`);
    if (total !== undefined && total > done) {
      parts.push(`${formatSeconds(Math.ceil((total - done) / perSecond))} left`);
    }
  }
  return parts.join('  ');
}

function formatSeconds(seconds: number): string {
  const minutes = Math.floor(seconds / 60);
  if (minutes === 0) return `${seconds}s`;
  return minutes < 60 ? `${minutes}m ${seconds % 60}s` : `${Math.floor(minutes / 60)}h ${minutes % 60}m`;
}
