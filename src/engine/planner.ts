import type { Blocked, BlockKey } from '../domain/blocked.ts';
import type { OpenBreaker } from '../domain/breaker.ts';
import { type Email, type ExternalId, normalizeEmail } from '../domain/identity.ts';
import type { Finding, Plan, PlanCounts } from '../domain/plan.ts';
import type { Policy } from '../domain/rules.ts';
import type { GrantFindings, GrantRecord } from '../domain/user.ts';
import type { Parked } from '../ports.ts';
import { awaitAbsence } from './absence.ts';
import { orderAddresses } from './address-order.ts';
import { digestSource, digestTwilio } from './basis.ts';
import { blockedFinding, withoutBlocked } from './blocked.ts';
import { breakerFindings } from './breaker.ts';
import { choose, namesOf } from './choose.ts';
import { correlate, type Links, type Situation, type UserIndex } from './correlate.ts';
import type { DesiredState } from './desired-state.ts';
import { type Draft, type DraftContext, draft } from './draft.ts';
import { takenOverFinding } from './drift-finding.ts';
import { sortFindings } from './finding-list.ts';
import { forgettable } from './forgettable.ts';
import { groupGone } from './gone.ts';
import { sortOperations } from './operation-order.ts';
import { unpark } from './parking.ts';
import { type Knowledge, type Untouchable, untouchable } from './people.ts';
import { planDigest } from './plan-digest.ts';
import { applyMode } from './policy.ts';
import { isSettled } from './settled.ts';

export interface PlanInput {
  readonly policy: Policy;
  readonly desired: DesiredState;
  readonly users: UserIndex;
  readonly links: Links;
  readonly knowledge: Knowledge;
  /** Complete reads in a row that each linked person was missing from before this one. */
  readonly absences: ReadonlyMap<ExternalId, number>;
  readonly parked: ReadonlyMap<ExternalId, Parked>;
  readonly blocked: ReadonlyMap<BlockKey, Blocked>;
  readonly begun: ReadonlySet<Email>;
  /** Ids of grants that were planned with a creation and never made: `create-only` still gives them. */
  readonly owed?: ReadonlySet<string>;
  /** What a systemic failure left. */
  readonly breaker?: OpenBreaker | undefined;
  readonly nameOf: DraftContext['nameOf'];
  /** Digest of the configuration's deciding part. */
  readonly configuration: string;
  /** Milliseconds since the epoch: which parked records may be tried again. */
  readonly now: number;
  /** Plans for these people alone: externalIds, normalised addresses or user SIDs. Undefined means everybody. */
  readonly only?: ReadonlySet<string>;
}

export interface Planned {
  readonly plan: Plan;
  /** Absence counts to be stored when this read is accepted. */
  readonly absences: ReadonlyMap<ExternalId, number>;
  /** People of whom something is left out, because Twilio refused it before. */
  readonly waiting: ReadonlySet<ExternalId>;
  /** What is to be remembered of grants when this plan is accepted. */
  readonly grants: GrantFindings;
}

/** The whole way from the state of both sides to a plan. The same input in any order gives the same digest. */
export function makePlan(input: PlanInput): Planned {
  const { policy, desired, users, links, parked, now } = input;
  const findings: Finding[] = [...desired.findings];
  const absences = new Map<ExternalId, number>();
  const waiting = new Set<ExternalId>();
  const kept: GrantRecord[] = [];
  const undecided = new Set<ExternalId>();
  const concerned = new Map<Blocked, string[]>();
  const drafts: Draft[] = [];
  const isUntouchable = untouchable(policy, input.knowledge);
  const context: DraftContext = { policy, knowledge: input.knowledge, nameOf: input.nameOf };
  const chosen = choose(input.only, users);
  let unchanged = 0;
  let adopted = 0;

  for (const situation of correlate(input)) {
    if (situation.is === 'finding') {
      findings.push(situation.finding);
      continue;
    }
    if (situation.is === 'linked' && isSettled(situation.desired, situation.user, input.knowledge)) {
      unchanged++;
      continue;
    }
    const pending = situation.is === 'leaver' ? awaitAbsence(situation, input, absences) : undefined;
    if (pending !== undefined) {
      findings.push(pending);
      undecided.add(pending.externalId as ExternalId);
      continue;
    }
    const wanted = applyMode(draft(situation, context), policy.mode, isBegun(situation, input), input.owed);
    const { drafted, block } = withoutBlocked(unpark(wanted, parked.get(wanted.externalId), now), input.blocked, now);
    if (drafted.operations.length < wanted.operations.length) waiting.add(drafted.externalId);
    findings.push(...drafted.findings);
    const off = isUntouchable(drafted.externalId, namesOf(drafted, users), drafted.user);
    if (block !== undefined && off === undefined && chosen(drafted)) {
      concerned.set(block, [...(concerned.get(block) ?? []), drafted.userName]);
    }
    const records = off === undefined && chosen(drafted) ? (drafted.records ?? []) : [];
    const takenOver = takenOverFinding(whoIs(drafted), records, input.nameOf);
    if (takenOver !== undefined) findings.push(takenOver);
    kept.push(...records);
    if (drafted.operations.length === 0) {
      // Who has left for good is no longer waited for.
      if (situation.is === 'leaver' && !situation.user.active) absences.delete(drafted.externalId);
      if (situation.is === 'linked' && drafted.findings.length === 0) unchanged++;
      continue;
    }
    if (off !== undefined) {
      findings.push(untouchedFinding(drafted, off));
      continue;
    }
    if (situation.is === 'adoptable') adopted++;
    if (chosen(drafted)) drafts.push(drafted);
  }

  const forgotten = forgettable(input, undecided).filter(({ user }) => {
    const externalId = links.byUser.get(user);
    return externalId === undefined ? input.only === undefined : chosen({ externalId, user });
  });
  const ordered = orderAddresses({ drafts, users, links, parked, now });
  findings.push(...ordered.findings);
  for (const externalId of ordered.waiting) waiting.add(externalId);
  const blockages = [...concerned].map(([block, userNames]) => blockedFinding(block, userNames));
  const operations = sortOperations(ordered.drafts.flatMap((each) => each.operations));
  const idle = operations.length === 0;
  const basis = {
    configuration: input.configuration,
    source: idle ? '' : digestSource(desired),
    twilio: idle ? '' : digestTwilio(links, users, input.knowledge),
  };
  const content = {
    version: 1 as const,
    basis,
    operations,
    findings: sortFindings([
      ...groupGone(findings.filter(chosen), users),
      ...blockages,
      ...breakerFindings(input.breaker, operations),
    ]),
    counts: countPeople(input, unchanged, adopted),
  };
  return { plan: { ...content, digest: planDigest(content) }, absences, waiting, grants: { kept, forgotten } };
}

/** A creation of ours whose end nobody saw: the user is there by now, and nobody else's. */
function isBegun(situation: Exclude<Situation, { is: 'finding' }>, { begun }: PlanInput): boolean {
  return situation.is === 'adoptable' && begun.has(normalizeEmail(situation.desired.attributes.userName));
}

function countPeople({ desired, users, links, knowledge }: PlanInput, unchanged: number, adopted: number): PlanCounts {
  let present = 0;
  let gone = 0;
  for (const [externalId, sid] of links.byExternalId) {
    if (users.bySid.has(sid)) present++;
    else if (desired.users.get(externalId)?.active && !knowledge.justCreated(externalId)) gone++;
  }
  return {
    entries: desired.entries,
    inScope: desired.inScope,
    managed: links.byExternalId.size,
    unchanged,
    gone,
    unmanaged: users.bySid.size - present - adopted,
  };
}

function whoIs({ externalId, userName, user }: Draft): Pick<Finding, 'externalId' | 'userName' | 'user'> {
  return { externalId, userName, ...(user !== undefined && { user }) };
}

function untouchedFinding(drafted: Draft, { code, because }: Untouchable): Finding {
  const { userName, operations } = drafted;
  const wanted = [...new Set(operations.map(({ kind }) => kind))].join(', ');
  const message = `${userName} is left alone (${wanted} wanted), because ${because}`;
  return { ...whoIs(drafted), code, message };
}
