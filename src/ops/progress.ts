import type { Clock, Progress } from '../ports.ts';

/** How often the line is rewritten at most. */
const intervalMs = 100;

/** One line, rewritten in place: activity, count, rate per second and remaining time. Silent unless enabled. */
export function createProgress(
  stream: { write(text: string): unknown },
  clock: Clock,
  options: { readonly enabled: boolean },
): Progress {
  if (!options.enabled) return { update() {}, clear() {} };
  let activity = '';
  let startedAt = 0;
  let shownAt = 0;
  let visible = false;
  return {
    update(next, done, total) {
      const now = clock.now();
      if (next !== activity) {
        activity = next;
        startedAt = now;
      } else if (now - shownAt < intervalMs && done !== total) return;
      shownAt = now;
      visible = true;
      stream.write(`\r\u001b[2K${line(activity, done, total, (now - startedAt) / 1_000)}`);
    },
    clear() {
      if (visible) stream.write('\r\u001b[2K');
      visible = false;
      activity = '';
    },
  };
}

function line(activity: string, done: number, total: number | undefined, seconds: number): string {
  const rate = seconds > 0 ? done / seconds : 0;
  const parts = [`${activity}: ${done}${total === undefined ? '' : ` of ${total}`}`];
  if (rate > 0) parts.push(`${rate.toFixed(rate < 10 ? 1 : 0)}/s`);
  if (rate > 0 && total !== undefined && total > done) parts.push(`${Math.ceil((total - done) / rate)} s left`);
  return parts.join(', ');
}
