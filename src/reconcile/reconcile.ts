/** One pass: read, plan, guard, apply, report. Every entry point comes through here. */
import type { ExternalId } from '../domain/identity.ts';
import type { Plan, Verdict } from '../domain/plan.ts';
import type { OperationReport, RunReport, RunStatus, Unfinished } from '../domain/run.ts';
import { billOf } from '../engine/bill.ts';
import {
  BreakerOpenError,
  InternalError,
  InterruptedError,
  RateLimitedError,
  StalePlanError,
  TdsyncError,
} from '../errors.ts';
import type { RunStart } from '../ports.ts';
import { type Applied, applyPlan } from './apply.ts';
import type { Context } from './context.ts';
import { type PassOptions, type Proposal, propose } from './propose.ts';

/** Plans and reports; writes nothing, neither to Twilio nor to the snapshot. */
export async function dryRunOnce(context: Context, options: PassOptions, signal: AbortSignal): Promise<RunReport> {
  const startedAt = context.clock.now();
  const { plan, verdict, additive, manner } = await propose(context, { ...options, keepMirror: false }, signal);
  const status = !verdict.allowed ? 'refused' : plan.operations.length === 0 ? 'converged' : 'planned';
  const parts = { ...(additive && { additive: additive.plan }), ...(manner && { source: manner }) };
  return reportOf(context, { dryRun: true, status, startedAt, plan, verdict, ...parts, operations: [] });
}

export interface ReconcileOptions extends PassOptions {
  readonly start: Omit<RunStart, 'at' | 'allowances' | 'configuration'>;
  /** A reviewed plan: anything else is refused. */
  readonly reviewed?: Plan;
}

export interface Reconciled {
  readonly report: RunReport;
  /** What ended the run while it was applying; the report says how far it came. */
  readonly error: TdsyncError | undefined;
}

/**
 * The caller holds the lease. Throws TdsyncError when the run ends before a plan stands, StalePlanError when the plan is not
 * the reviewed one; both are in the history then.
 */
export async function reconcileOnce(
  context: Context,
  options: ReconcileOptions,
  signal: AbortSignal,
): Promise<Reconciled> {
  const { journal, clock } = context;
  const startedAt = clock.now();
  const allowances = [...options.allowances].map(([name, limit]) => `${name}=${limit}`);
  const run = journal.start({ ...options.start, at: startedAt, allowances, configuration: context.configuration });
  try {
    const proposal = await propose(context, { ...options, keepMirror: true }, signal);
    refuseStale(options.reviewed, proposal.plan);
    // Who applies a reviewed plan wants that plan or nothing.
    const additive = options.reviewed === undefined ? proposal.additive : undefined;
    return await carryOut(run, startedAt, { ...proposal, additive }, context, options.only === undefined, signal);
  } catch (error) {
    const { code, message } = asTdsyncError(error, signal);
    const status = signal.aborted ? 'interrupted' : code === 'stale-plan' ? 'refused' : 'failed';
    endQuietly(context, run, {
      status,
      at: clock.now(),
      findings: [],
      calls: context.target.calls,
      answers: context.target.answers,
      error: { code, message },
    });
    throw asTdsyncError(error, signal);
  }
}

async function carryOut(
  run: string,
  startedAt: number,
  proposal: Proposal,
  context: Context,
  everybody: boolean,
  signal: AbortSignal,
): Promise<Reconciled> {
  const { journal, clock } = context;
  const { plan, verdict, absences, grants, read, readMs, manner, parked, blocked, breaker } = proposal;
  const chosen = verdict.allowed ? proposal : proposal.additive;
  journal.planned(run, plan, verdict, chosen?.plan, clock.now(), proposal.settled);
  if (proposal.seen !== undefined) journal.saw(run, proposal.seen, clock.now());
  const endBy = startedAt + (context.maxRunTimeMs ?? Number.POSITIVE_INFINITY);
  const applied = chosen
    ? await applyPlan(run, chosen.plan, { parked, blocked, breaker, waiting: chosen.waiting }, context, signal, endBy)
    : { operations: [], fatal: undefined, breaker: undefined, left: 0, outOfTime: false };
  const { operations } = applied;
  const unfinished = unfinishedOf(applied);
  const fatal = unfinished === undefined ? applied.fatal : undefined;
  const ended = applied.fatal ?? (unfinished && { code: 'run-time', message: unfinishedText(unfinished) });
  const status = statusOf(verdict, operations, fatal, signal);
  journal.end(run, {
    status,
    at: clock.now(),
    findings: plan.findings,
    calls: context.target.calls,
    answers: context.target.answers,
    ...(ended !== undefined && { error: { code: ended.code, message: ended.message } }),
    ...(status !== 'refused' && absences && { absences }),
    ...(status !== 'refused' && grants && { grants }),
    ...((status === 'converged' || status === 'applied') && read && { read }),
    ...(readMs !== undefined && { readMs }),
    ...(manner && { manner }),
    ...(everybody && status !== 'refused' && absences && { unparked: wantedNoMore(proposal) }),
  });
  if (everybody && (status === 'converged' || status === 'applied')) confirmRead(run, context);
  const parts = {
    ...(proposal.additive && { additive: proposal.additive.plan }),
    ...(manner && { source: manner }),
    ...(applied.breaker && { breaker: applied.breaker }),
    ...(unfinished && { unfinished }),
  };
  const report = reportOf(context, { run, dryRun: false, status, startedAt, plan, verdict, ...parts, operations });
  return { report, error: fatal };
}

/** Who was refused something that nobody wants any more, of a plan for everybody. */
function wantedNoMore({ plan, waiting, parked }: Proposal): readonly ExternalId[] {
  if (parked.size === 0) return [];
  const wanted = new Set(plan.operations.map(({ externalId }) => externalId));
  return [...parked.keys()].filter((externalId) => !waiting.has(externalId) && !wanted.has(externalId));
}

/** Too little time, or too little room at Twilio, is no failure: what was done stands, and the next run goes on. */
function unfinishedOf({ fatal, left, outOfTime }: Applied): Unfinished | undefined {
  if (fatal instanceof RateLimitedError) return { because: 'rate-limit', left };
  return outOfTime && fatal === undefined ? { because: 'run-time', left } : undefined;
}

function unfinishedText({ left }: Unfinished): string {
  return `the time for a run was over; ${left} operations are left to the next run`;
}

function statusOf(
  verdict: Verdict,
  operations: readonly OperationReport[],
  fatal: TdsyncError | undefined,
  signal: AbortSignal,
): RunStatus {
  // What it had counted failed person by person, and everything before that was done.
  if (fatal instanceof BreakerOpenError) return 'partial';
  if (fatal !== undefined) return 'failed';
  if (!verdict.allowed) return 'refused';
  const unfinished = operations.some(({ outcome }) => outcome.state === 'failed' || outcome.state === 'skipped');
  if (signal.aborted && unfinished) return 'interrupted';
  if (unfinished) return 'partial';
  return operations.length === 0 ? 'converged' : 'applied';
}

function refuseStale(reviewed: Plan | undefined, plan: Plan): void {
  if (reviewed === undefined || reviewed.digest === plan.digest) return;
  throw new StalePlanError(
    `apply: the reviewed plan ${reviewed.digest.slice(0, 12)} is stale: ${whatMoved(reviewed, plan)}; the plan is now ${plan.digest.slice(0, 12)}`,
    { hint: 'make a new plan with `tdsync reconcile --dry-run --out plan.json` and review it' },
  );
}

function whatMoved(reviewed: Plan, plan: Plan): string {
  if (reviewed.operations.length + plan.operations.length === 0)
    return 'what was read or found moved since it was made';
  if (plan.operations.length === 0)
    return 'nothing of it is left to do, because it was applied or both sides agree by now';
  if (reviewed.operations.length === 0) return 'it had nothing to do, and now there is something';
  const parts = (['configuration', 'source', 'twilio'] as const).filter(
    (part) => reviewed.basis[part] !== plan.basis[part],
  );
  return `${parts.length === 0 ? 'what was found' : parts.join(' and ')} moved since it was made`;
}

function reportOf(context: Context, parts: Omit<RunReport, 'endedAt' | 'findings' | 'calls' | 'bill'>): RunReport {
  return {
    ...parts,
    endedAt: context.clock.now(),
    findings: parts.plan.findings,
    calls: { ...context.target.calls },
    bill: billOf(parts.plan.operations, context.requestsPerSecond, context.target.names),
  };
}

/** The run is over and good: that the next read must begin further back does not change that. */
function confirmRead(run: string, { source, logger }: Context): void {
  try {
    source.incremental?.confirm();
  } catch (error) {
    logger.warn({ run, err: error }, 'what was read of the source could not be kept: the next run reads it again');
  }
}

/** A snapshot that can no longer be written must not hide the error that ended the run. */
function endQuietly(context: Context, run: string, end: Parameters<Context['journal']['end']>[1]): void {
  try {
    context.journal.end(run, end);
  } catch (error) {
    context.logger.error({ run, err: error }, 'the end of the run could not be recorded');
  }
}

function asTdsyncError(error: unknown, signal: AbortSignal): TdsyncError {
  if (error instanceof TdsyncError) return error;
  if (signal.aborted) return new InterruptedError('the run was asked to stop before it had a plan', { cause: error });
  const message = error instanceof Error ? error.message : String(error);
  return new InternalError(`unexpected: ${message}`, {
    cause: error,
    hint: 'this is a bug; please report it with the log',
  });
}
