/** What a run would do: read both sides, plan, ask the guards. The same code for dry runs and for real ones. */
import type { Blocked, BlockKey } from '../domain/blocked.ts';
import type { OpenBreaker } from '../domain/breaker.ts';
import type { ExternalId } from '../domain/identity.ts';
import type { Approval, Plan, PlanCounts, Verdict } from '../domain/plan.ts';
import type { GuardName, Policy } from '../domain/rules.ts';
import type { Seen } from '../domain/seen-entry.ts';
import type { ReadManner } from '../domain/source-read.ts';
import type { GrantFindings } from '../domain/user.ts';
import { additivePolicy, addsTooMuch, takesAway } from '../engine/additive.ts';
import { holdersOf } from '../engine/guard-roles.ts';
import { guard } from '../engine/guards.ts';
import { makePlan, type Planned } from '../engine/planner.ts';
import type { Effect, Parked } from '../ports.ts';
import type { Context } from './context.ts';
import { readState, type State } from './read-state.ts';
import type { ReadOptions } from './read-twilio.ts';
import { proposeUndo, type Undone } from './undo.ts';
import { warnOfUnknown } from './unknown-choices.ts';

export interface PassOptions {
  readonly refresh?: boolean | undefined;
  /** externalIds, addresses or user SIDs; undefined means everybody. */
  readonly only?: ReadonlySet<string> | undefined;
  readonly allowances: ReadonlyMap<GuardName, number>;
  /** Takes back what a run did, instead of following the source. */
  readonly undo?: Undone | undefined;
}

export interface Proposal {
  readonly plan: Plan;
  readonly verdict: Verdict;
  /** People of whom something is left out, because Twilio refused it before. */
  readonly waiting: ReadonlySet<ExternalId>;
  readonly parked: ReadonlyMap<ExternalId, Parked>;
  readonly blocked: ReadonlyMap<BlockKey, Blocked>;
  readonly breaker: OpenBreaker | undefined;
  /** What a refused plan still does: its part that takes nothing away, when the configuration chose that. */
  readonly additive: Pick<Planned, 'plan' | 'waiting'> | undefined;
  /** What the read of the source leaves behind when the run was good; undefined when none was read. */
  readonly absences: ReadonlyMap<ExternalId, number> | undefined;
  readonly read: PlanCounts | undefined;
  /** How long that read took, in milliseconds. */
  readonly readMs: number | undefined;
  /** How the source was read, where there is more than one way. */
  readonly manner: ReadManner | undefined;
  /** Undefined when the source was not read. */
  readonly seen: Seen | undefined;
  /** What is remembered, after all, of operations whose end nobody saw, when the run is not refused. */
  readonly settled: readonly Effect[];
  /** What is to be remembered of grants when the run was not refused. */
  readonly grants: GrantFindings | undefined;
}

export type ProposeOptions = PassOptions & Pick<ReadOptions, 'keepMirror'>;

/** Throws SourceError, TargetError or ConfigError when there can be no plan. */
export async function propose(context: Context, options: ProposeOptions, signal: AbortSignal): Promise<Proposal> {
  const { store, clock } = context;
  const proposal =
    options.undo === undefined
      ? await followSource(context, options, signal)
      : await proposeUndo(context, options.undo, options, signal);
  context.progress.clear();
  const { plan, verdict } = proposal;
  const approval = verdict.allowed ? undefined : store.approval(plan.digest, clock.now());
  return approval === undefined ? proposal : { ...proposal, verdict: approved(verdict, approval) };
}

/** A person's word counts more than a guard's, for exactly the plan that was read. */
function approved(verdict: Verdict, approval: Approval): Verdict {
  return { ...verdict, allowed: true, approval };
}

async function followSource(context: Context, options: ProposeOptions, signal: AbortSignal): Promise<Proposal> {
  const { rules, store, clock } = context;
  const state = await readState(context, { refresh: options.refresh, keepMirror: options.keepMirror }, signal);
  const holders = holdersOf(state.users.bySid.values(), state.knowledge.assignmentsOf);
  const lastRead = store.lastCompleteRead();
  const absences = store.absences();
  const plan = (policy: Policy): Planned & { readonly verdict: Verdict } => {
    const planned = makePlan({
      ...state,
      policy,
      absences,
      nameOf: state.entitlements.nameOf,
      configuration: context.configuration,
      now: clock.now(),
      ...(options.only !== undefined && { only: options.only }),
    });
    const verdict = guard({
      plan: planned.plan,
      limits: rules.guards,
      allowances: options.allowances,
      lastRead,
      holders,
      watched: state.watched,
    });
    return { ...planned, verdict };
  };
  const proposed = plan(rules.policy);
  const additive =
    takesAway(proposed.verdict) && rules.onRefusal === 'additive' ? plan(additivePolicy(rules.policy)) : undefined;
  warnOfUnknown(options.only, state, context.logger);
  return {
    ...proposed,
    parked: state.parked,
    blocked: state.blocked,
    breaker: state.breaker,
    settled: state.settled,
    additive: additive && !addsTooMuch(additive.verdict) ? additive : undefined,
    read: proposed.plan.counts,
    readMs: state.readMs,
    manner: state.read.manner,
    seen: seenOf(proposed.plan, state),
  };
}

/** Who is linked and has no entry is in the plan, once at least: as a leaver, or as waited for. */
function seenOf({ operations, findings }: Plan, { desired, entries }: State): Seen {
  const people = [...new Set([...operations, ...findings].map(({ externalId }) => externalId))];
  const isThere = (key: ExternalId) => desired.users.has(key) || desired.held.has(key) || desired.outOfScope.has(key);
  return { entries, missing: people.flatMap((key) => (key === '' || isThere(key) ? [] : key)) };
}
