/** One run: lease, composition, signals, report. */
import { compose } from '../compose.ts';
import type { Plan } from '../domain/plan.ts';
import type { RunReport } from '../domain/run.ts';
import type { TdsyncError } from '../errors.ts';
import { onShutdown } from '../ops/shutdown.ts';
import type { PassOptions } from '../reconcile/propose.ts';
import { dryRunOnce, type Reconciled, reconcileOnce } from '../reconcile/reconcile.ts';
import { reportJson } from '../report/json.ts';
import { renderRun } from '../report/run-text.ts';
import { type ExitCode, exitCodeOf, exitCodeOfRun } from './exit-codes.ts';
import { type PlanFile, writePlanFile } from './plan-file.ts';
import { locating, type Session, whoRuns } from './session.ts';
import { tellingHooks } from './tell-hooks.ts';
import { complain, errorText, palette, print } from './terminal.ts';
import { UsageError } from './usage-error.ts';

export interface Presentation {
  readonly json?: boolean;
  readonly detailedExitcode?: boolean;
}

/** Writes nothing to Twilio and nothing to the snapshot; takes no lease, so that it can be run beside a daemon. */
export async function dryRun(session: Session, options: PassOptions): Promise<RunReport> {
  const { configuration, compiled, digest, rim } = session;
  using shutdown = onShutdown();
  await using composition = await compose(configuration, compiled, digest, rim, 'read', session.source);
  return await locating(session, () => dryRunOnce(composition.context, options, shutdown.signal));
}

/** Throws UsageError for a plan that would be saved and applied at once. */
export function refuseOutWithoutDryRun(out: string | undefined, isDryRun: boolean | undefined): void {
  if (out === undefined || isDryRun === true) return;
  throw new UsageError('--out goes with --dry-run: it saves a plan for review');
}

/** How a dry run ends, whatever it planned: the plan is saved when asked for, with what it takes to make it again, and shown. */
export function concludeDryRun(
  report: RunReport,
  out: string | undefined,
  options: PlanFile['options'],
  presentation: Presentation,
): ExitCode {
  if (out !== undefined) {
    const { plan, verdict, bill } = report;
    const madeAt = new Date(report.endedAt).toISOString();
    writePlanFile(out, { version: 1, madeAt, options, plan, verdict, bill });
  }
  present(report, presentation);
  return exitCodeOfRun(report.status, presentation.detailedExitcode === true);
}

/**
 * Takes the lease for one run and lets it go after. `onEnd` comes before the hooks, for which nobody should wait with the report.
 * Throws LeaseHeldError when another run has it.
 */
export async function runOnce(
  session: Session,
  command: string,
  options: PassOptions & { readonly reviewed?: Plan },
  signal: AbortSignal,
  onEnd: (reconciled: Reconciled) => void = () => {},
): Promise<Reconciled> {
  const { configuration, compiled, digest, rim } = session;
  const { acquireLease } = await import('../store/lease.ts');
  const start = whoRuns(command);
  using _lease = acquireLease(configuration.snapshot.path, { ...start, since: rim.clock.now() });
  await using composition = await compose(configuration, compiled, digest, rim, 'write');
  return await tellingHooks(session, composition, start, options, signal, async () => {
    const reconciled = await locating(session, () => reconcileOnce(composition.context, { ...options, start }, signal));
    const { snapshot } = composition;
    const now = rim.clock.now();
    snapshot.prune(now - configuration.snapshot.keepRunsMs, now);
    const head = snapshot.audit.head();
    rim.logger.info({ run: reconciled.report.run, record: head?.seq, hash: head?.hash }, 'history recorded');
    onEnd(reconciled);
    return reconciled;
  });
}

export async function realRun(
  session: Session,
  command: string,
  options: PassOptions & { readonly reviewed?: Plan },
  presentation: Presentation,
): Promise<ExitCode> {
  using shutdown = onShutdown();
  const { report, error } = await runOnce(session, command, options, shutdown.signal, (ended) => {
    present(ended.report, presentation, ended.error);
    if (ended.error !== undefined) complain(errorText(ended.error));
  });
  return error === undefined ? exitCodeOfRun(report.status, presentation.detailedExitcode === true) : exitCodeOf(error);
}

export function present(report: RunReport, { json }: Presentation, error?: TdsyncError): void {
  print(json ? reportJson(report, error) : renderRun(report, { palette: palette() }));
}
