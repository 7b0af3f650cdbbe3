import { type Composition, composeHooks } from '../compose.ts';
import { TdsyncError } from '../errors.ts';
import type { RunStart } from '../ports.ts';
import { notifyHooks } from '../reconcile/notify.ts';
import type { PassOptions } from '../reconcile/propose.ts';
import type { Reconciled } from '../reconcile/reconcile.ts';
import type { NoticeSubject } from '../report/notice.ts';
import type { Session } from './session.ts';

/**
 * Does the run, then tells the hooks how it ended, also when it ended with an error. A run over chosen people, under another
 * policy than the configured one, or that undoes an earlier one says nothing about how things stand: nobody is told of it.
 */
export async function tellingHooks(
  session: Session,
  { snapshot }: Composition,
  { command, host }: Pick<RunStart, 'command' | 'host'>,
  options: PassOptions,
  signal: AbortSignal,
  run: () => Promise<Reconciled>,
): Promise<Reconciled> {
  const { configuration, loaded, rim } = session;
  const isWhole = options.only === undefined && options.undo === undefined && isAsConfigured(session);
  const hooks = isWhole ? await composeHooks(configuration, rim) : [];
  if (hooks.length === 0) return run();

  const tell = (subject: Pick<NoticeSubject, 'run' | 'status' | 'endedAt' | 'report' | 'error'>) =>
    notifyHooks(
      { organization: loaded.configuration.twilio.organizationSid, host, command, ...subject },
      { hooks, told: snapshot.told, clock: rim.clock, logger: rim.logger },
      signal,
    );
  const begun = rim.clock.now();
  try {
    const reconciled = await run();
    const { report, error } = reconciled;
    const { run: id = '', endedAt } = report;
    // A dry run's status never comes here.
    if (report.status !== 'planned') await tell({ run: id, status: report.status, endedAt, report, error });
    return reconciled;
  } catch (error) {
    // What ended before it was a run, or was refused for being stale, somebody at a terminal sees.
    const last = error instanceof TdsyncError ? lastFailed(snapshot, begun) : undefined;
    if (last !== undefined) {
      const { id, endedAt = begun } = last;
      await tell({ run: id, status: 'failed', endedAt, report: undefined, error: error as TdsyncError });
    }
    throw error;
  }
}

function isAsConfigured({ loaded, configuration }: Session): boolean {
  return loaded.configuration.rules.policy.mode === configuration.rules.policy.mode;
}

/** The run that began since, if it has failed. A snapshot that cannot be read any more has nothing to say. */
function lastFailed({ history }: Composition['snapshot'], since: number) {
  try {
    const last = history.lastRun();
    return last !== undefined && last.startedAt >= since && last.status === 'failed' ? last : undefined;
  } catch {
    return undefined;
  }
}
