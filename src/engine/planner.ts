import { type Email, type ExternalId, normalizeEmail, type UserSid } from '../domain/identity.ts';
import type { Finding, Plan, PlanCounts } from '../domain/plan.ts';
import type { Policy } from '../domain/rules.ts';
import type { Parked } from '../ports.ts';
import { awaitAbsence } from './absence.ts';
import { orderAddresses } from './address-order.ts';
import { digestSource, digestTwilio } from './basis.ts';
import { correlate, type Links, type Situation, type UserIndex } from './correlate.ts';
import type { DesiredState } from './desired-state.ts';
import { type Draft, type DraftContext, draft } from './draft.ts';
import { sortFindings } from './finding-list.ts';
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
  readonly begun: ReadonlySet<Email>;
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
}

/** The whole way from the state of both sides to a plan. The same input in any order gives the same digest. */
export function makePlan(input: PlanInput): Planned {
  const { policy, desired, users, links, parked, now } = input;
  const findings: Finding[] = [...desired.findings];
  const absences = new Map<ExternalId, number>();
  const waiting = new Set<ExternalId>();
  const drafts: Draft[] = [];
  const isUntouchable = untouchable(policy, input.knowledge);
  const context: DraftContext = { policy, knowledge: input.knowledge, nameOf: input.nameOf };
  const chosen = choose(input);
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
      continue;
    }
    const wanted = applyMode(draft(situation, context), policy.mode, isBegun(situation, input));
    const drafted = unpark(wanted, parked.get(wanted.externalId), now);
    if (drafted.operations.length < wanted.operations.length) waiting.add(drafted.externalId);
    findings.push(...drafted.findings);
    if (drafted.operations.length === 0) {
      // Who has left for good is no longer waited for.
      if (situation.is === 'leaver' && !situation.user.active) absences.delete(drafted.externalId);
      if (situation.is === 'linked' && drafted.findings.length === 0) unchanged++;
      continue;
    }
    const off = isUntouchable(drafted.externalId, namesOf(drafted, users), drafted.user);
    if (off !== undefined) {
      findings.push(untouchedFinding(drafted, off));
      continue;
    }
    if (situation.is === 'adoptable') adopted++;
    if (chosen(drafted)) drafts.push(drafted);
  }

  const ordered = orderAddresses({ drafts, users, links, parked, now });
  findings.push(...ordered.findings);
  for (const externalId of ordered.waiting) waiting.add(externalId);
  const operations = sortOperations(ordered.drafts.flatMap((each) => each.operations));
  const idle = operations.length === 0;
  const basis = {
    configuration: input.configuration,
    source: idle ? '' : digestSource(desired),
    twilio: idle ? '' : digestTwilio(links, users, input.knowledge),
  };
  const content = { version: 1 as const, basis, operations, findings: sortFindings(findings.filter(chosen)) };
  const counts = countPeople(input, unchanged, adopted);
  return { plan: { ...content, counts, digest: planDigest(content) }, absences, waiting };
}

/** A creation of ours whose end nobody saw: the user is there by now, and nobody else's. */
function isBegun(situation: Exclude<Situation, { is: 'finding' }>, { begun }: PlanInput): boolean {
  return situation.is === 'adoptable' && begun.has(normalizeEmail(situation.desired.attributes.userName));
}

function countPeople({ desired, users, links }: PlanInput, unchanged: number, adopted: number): PlanCounts {
  let present = 0;
  for (const sid of links.byExternalId.values()) if (users.bySid.has(sid)) present++;
  return {
    entries: desired.entries,
    inScope: desired.inScope,
    managed: links.byExternalId.size,
    unchanged,
    unmanaged: users.bySid.size - present - adopted,
  };
}

interface Named {
  readonly externalId: string;
  readonly userName?: string;
  readonly user?: UserSid | undefined;
}

/** A person goes by the address that the source wants and by the one that Twilio shows. */
function namesOf({ userName, user }: Named, users: UserIndex): readonly string[] {
  const shown = user && users.bySid.get(user)?.attributes.userName;
  return [userName, shown].filter((name) => name !== undefined);
}

function choose({ only, users }: PlanInput): (named: Named) => boolean {
  if (only === undefined) return () => true;
  return (named) =>
    only.has(named.externalId) ||
    (named.user !== undefined && only.has(named.user)) ||
    namesOf(named, users).some((name) => only.has(normalizeEmail(name)));
}

function untouchedFinding(drafted: Draft, { code, because }: Untouchable): Finding {
  const { externalId, userName, user, operations } = drafted;
  const wanted = [...new Set(operations.map(({ kind }) => kind))].join(', ');
  const message = `${userName} is left alone (${wanted} wanted), because ${because}`;
  return { code, externalId, userName, ...(user !== undefined && { user }), message };
}
