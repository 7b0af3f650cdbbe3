/** Runs on a schedule until it is asked to stop. One run at a time; what one run could not do, the next one does. */
import { schedule as scheduleTask } from 'node-cron';
import type { ScheduleSettings } from './config/configuration.ts';
import type { Clock, Logger } from './ports.ts';

export interface DaemonParts {
  readonly schedule: ScheduleSettings;
  /** One run. Must not throw for what the next run may mend. */
  readonly tick: (signal: AbortSignal) => Promise<void>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** From 0 up to 1, for the jitter. */
  readonly random: () => number;
}

/** Resolves when the signal has aborted and the run under way has ended. Rejects with what a tick throws. */
export async function runDaemon(parts: DaemonParts, signal: AbortSignal): Promise<void> {
  const { schedule, clock, logger, random } = parts;
  let running: Promise<void> | undefined;
  const end = Promise.withResolvers<void>();

  async function tick(): Promise<void> {
    const delay = Math.floor(random() * schedule.jitterMs);
    try {
      if (delay > 0) await clock.sleep(delay, signal);
    } catch {
      return; // asked to stop while waiting
    }
    if (!signal.aborted) await parts.tick(signal);
  }

  function start(why: 'schedule' | 'start'): void {
    if (signal.aborted) return;
    if (running !== undefined) {
      logger.warn({ why }, 'a run is still under way; this start is left out');
      return;
    }
    running = tick()
      .catch((error: unknown) => end.reject(error))
      .finally(() => {
        running = undefined;
        if (signal.aborted) end.resolve();
      });
  }

  const task = scheduleTask(schedule.cron, () => start('schedule'), {
    ...(schedule.timezone !== undefined && { timezone: schedule.timezone }),
    name: 'reconcile',
    suppressMissedWarning: true,
  });
  const stop = () => {
    if (running === undefined) end.resolve();
  };
  signal.addEventListener('abort', stop, { once: true });
  logger.info(
    { cron: schedule.cron, timezone: schedule.timezone, next: task.getNextRun()?.toISOString() },
    'daemon started',
  );
  if (schedule.runOnStart) start('start');
  if (signal.aborted) stop();
  try {
    await end.promise;
  } finally {
    signal.removeEventListener('abort', stop);
    await task.destroy();
    logger.info({}, 'daemon stopped');
  }
}
