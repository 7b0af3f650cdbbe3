import { runDaemon } from '../daemon.ts';
import { ConfigError, LeaseHeldError, StoreError, TdsyncError } from '../errors.ts';
import { onShutdown } from '../ops/shutdown.ts';
import type { Logger } from '../ports.ts';
import type { Reconciled } from '../reconcile/reconcile.ts';
import type { GlobalOptions } from './command-line.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { runOnce } from './one-run.ts';
import { openSession, type Session } from './session.ts';
import { startWatching } from './watching.ts';

/** An orchestrator kills after ten seconds; what is then in flight is looked at by the next run. */
const patienceMs = 9_000;

export async function daemon(options: GlobalOptions): Promise<ExitCode> {
  const session = openSession(options);
  const { schedule } = session.configuration;
  const { clock, logger } = session.rim;
  if (schedule === undefined) {
    const message = 'missing; the daemon needs to know when to run, for example cron: "*/15 * * * *"';
    throw new ConfigError([{ path: 'schedule', message, file: session.loaded.file }]);
  }

  using shutdown = onShutdown();
  await using _watching = await startWatching(session);
  const tick = (signal: AbortSignal) => runOfDaemon(session, signal);
  const stopped = runDaemon({ schedule, clock, logger, random: Math.random, tick }, shutdown.signal);
  const late = Promise.withResolvers<ExitCode>();
  shutdown.signal.addEventListener('abort', () => {
    logger.info({}, 'asked to stop; finishing the call in flight');
    setTimeout(() => late.resolve(exitCodes.partial), patienceMs).unref();
  });
  const code = await Promise.race([stopped.then(() => exitCodes.ok), late.promise]);
  if (code === exitCodes.ok) return code;
  logger.warn({}, 'the call in flight did not end in time; the next run looks at what became of it');
  process.exit(code);
}

/** One run of a daemon's life. Throws only what no later run could mend. */
export async function runOfDaemon(session: Session, signal: AbortSignal): Promise<void> {
  const { logger } = session.rim;
  try {
    await runOnce(session, 'daemon', { allowances: new Map() }, signal, (ended) => logRun(logger, ended));
  } catch (error) {
    if (!(error instanceof TdsyncError)) throw error;
    // A snapshot that cannot be used stays so until a person acts: an orchestrator's restart makes that visible.
    if (error instanceof StoreError && !(error instanceof LeaseHeldError)) throw error;
    const { code, hint } = error;
    if (error instanceof LeaseHeldError) logger.warn({ code, hint }, error.message);
    else logger.error({ code, hint }, error.message);
  }
}

function logRun(logger: Logger, { report, error }: Reconciled): void {
  const { run, status, plan, verdict, operations, startedAt, endedAt } = report;
  const failed = operations.filter(({ outcome }) => outcome.state === 'failed').length;
  const fields = {
    run,
    status,
    operations: plan.operations.length,
    failed,
    findings: plan.findings.length,
    durationMs: endedAt - startedAt,
    digest: plan.digest,
  };
  if (error !== undefined) logger.error({ ...fields, code: error.code, hint: error.hint }, error.message);
  else if (status === 'refused') {
    const refusing = verdict.guards.filter(({ passed }) => !passed).map(({ guard, message }) => `${guard}: ${message}`);
    logger.error(
      { ...fields, guards: refusing },
      report.additive
        ? 'a guard refuses the plan; only what takes nothing away was done'
        : 'a guard refuses the plan; nothing was written',
    );
  } else if (status === 'partial') logger.warn(fields, 'run ended');
  else logger.info(fields, 'run ended');
}
