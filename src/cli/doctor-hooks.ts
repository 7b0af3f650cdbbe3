import { composeHooks } from '../compose.ts';
import { TdsyncError } from '../errors.ts';
import { renderTestNotice } from '../report/notice.ts';
import type { Check } from './doctor.ts';
import { type Session, whoRuns } from './session.ts';

/** Sends a test message to each hook, all at once. What hooks were told of runs stays as it is. */
export async function checkHooks({ configuration, rim }: Session, signal: AbortSignal): Promise<Check[]> {
  const hooks = await composeHooks(configuration, rim);
  if (hooks.length === 0) {
    return [{ check: 'notify', state: 'warning', message: 'no hook is configured', hint: 'name one under `notify`' }];
  }
  const { host } = whoRuns('doctor');
  return Promise.all(
    hooks.map(async (hook): Promise<Check> => {
      const { organizationSid } = configuration.twilio;
      try {
        await hook.deliver(renderTestNotice(organizationSid, host, rim.clock.now(), hook.format), signal);
        return { check: 'notify', state: 'ok', message: `${hook.name} took a test message` };
      } catch (error) {
        if (!(error instanceof TdsyncError)) throw error;
        const { message, hint } = error;
        return { check: 'notify', state: 'failed', message, ...(hint !== undefined && { hint }) };
      }
    }),
  );
}
