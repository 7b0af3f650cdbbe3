/** Tells the hooks how a run ended. It comes after everything else, and nothing that goes wrong here touches the run. */
import type { Told } from '../domain/notice.ts';
import { decideNotice } from '../engine/notices.ts';
import { TdsyncError } from '../errors.ts';
import type { Clock, Hook, Logger, NoticeStore } from '../ports.ts';
import { type NoticeSubject, renderNotice } from '../report/notice.ts';

export interface NotifyContext {
  readonly hooks: readonly Hook[];
  readonly told: NoticeStore;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * All at once, each on its own. What a hook was told is stored when it has taken it; what it did not take is told after
 * the next run, if it still holds then. Throws nothing.
 */
export async function notifyHooks(subject: NoticeSubject, context: NotifyContext, signal: AbortSignal): Promise<void> {
  await Promise.all(context.hooks.map((hook) => tell(hook, subject, context, signal)));
}

async function tell(
  hook: Hook,
  subject: NoticeSubject,
  { told, clock, logger }: NotifyContext,
  signal: AbortSignal,
): Promise<void> {
  const fields = { hook: hook.name, run: subject.run };
  try {
    const before = told.told(hook.key);
    const { event, trouble } = decideNotice(subject, before, hook.on);
    if (event !== undefined) {
      await hook.deliver(renderNotice(event, subject, before?.trouble, hook.format), signal);
      logger.info({ ...fields, event }, 'the hook was told');
    } else if (trouble === before?.trouble) return;
    const now: Told | undefined = trouble && { trouble, run: subject.run, at: clock.now() };
    told.keepTold(hook.key, now);
  } catch (error) {
    const what = signal.aborted
      ? { message: 'asked to stop before the hook was told' }
      : error instanceof TdsyncError
        ? { message: error.message, code: error.code, hint: error.hint }
        : { message: 'the hook could not be told', err: error };
    const { message, ...rest } = what;
    logger.warn({ ...fields, ...rest }, `${message}; the next run tells it, if it still holds`);
  }
}
