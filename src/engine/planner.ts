import { compareStrings, type Email, type ExternalId, normalizeEmail } from '../domain/identity.ts';
import { type Operation, phases } from '../domain/operation.ts';
import type { Finding, Plan, PlanCounts } from '../domain/plan.ts';
import type { Policy } from '../domain/rules.ts';
import type { Parked } from '../ports.ts';
import { orderAddresses } from './address-order.ts';
import { digestSource, digestTwilio } from './basis.ts';
import { correlate, type Links, type Situation, type UserIndex } from './correlate.ts';
import type { DesiredState } from './desired-state.ts';
import { digest } from './digest.ts';
import { type Draft, type DraftContext, draft } from './draft.ts';
import { type Knowledge, untouchable } from './people.ts';
import { applyMode } from './policy.ts';

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
}

/** The whole way from the state of both sides to a plan. The same input in any order gives the same digest. */
export function makePlan(input: PlanInput): Planned {
  const { policy, desired, users, links } = input;
  const findings: Finding[] = [...desired.findings];
  const absences = new Map<ExternalId, number>();
  const drafts: Draft[] = [];
  const isUntouchable = untouchable(policy, input.knowledge);
  const context: DraftContext = { policy, knowledge: input.knowledge, nameOf: input.nameOf };
  const chosen = choose(input.only);
  let unchanged = 0;
  let adopted = 0;

  for (const situation of correlate(input)) {
    if (situation.is === 'finding') {
      findings.push(situation.finding);
      continue;
    }
    const waiting = situation.is === 'leaver' ? awaitAbsence(situation, input, absences) : undefined;
    if (waiting !== undefined) {
      findings.push(waiting);
      continue;
    }
    const drafted = unpark(applyMode(draft(situation, context), policy.mode), input);
    findings.push(...drafted.findings);
    if (drafted.operations.length === 0) {
      if (situation.is === 'linked' && drafted.findings.length === 0) unchanged++;
      continue;
    }
    const off = isUntouchable(drafted.externalId, drafted.userName, drafted.user);
    if (off !== undefined) {
      findings.push(untouchedFinding(drafted, off));
      continue;
    }
    if (situation.is === 'adoptable') adopted++;
    if (chosen(drafted)) drafts.push(drafted);
  }

  const ordered = orderAddresses(drafts, users.byAddress, links);
  findings.push(...ordered.findings);
  const operations = sortOperations(ordered.drafts.flatMap((each) => each.operations));
  let present = 0;
  for (const sid of links.byExternalId.values()) if (users.bySid.has(sid)) present++;
  const counts: PlanCounts = {
    entries: desired.entries,
    inScope: desired.inScope,
    managed: links.byExternalId.size,
    unchanged,
    unmanaged: users.bySid.size - present - adopted,
  };
  const basis = {
    configuration: input.configuration,
    source: digestSource(desired),
    twilio: digestTwilio(links, users, input.knowledge),
  };
  const sorted = sortFindings(findings.filter(chosen));
  const content = { version: 1 as const, basis, operations, findings: sorted };
  return { plan: { ...content, counts, digest: digest(content) }, absences };
}

interface Named {
  readonly externalId: string;
  readonly userName?: string;
  readonly user?: string | undefined;
}

function choose(only: ReadonlySet<string> | undefined): (named: Named) => boolean {
  if (only === undefined) return () => true;
  return ({ externalId, userName, user }) =>
    only.has(externalId) ||
    (userName !== undefined && only.has(normalizeEmail(userName))) ||
    (user !== undefined && only.has(user));
}

/** A finding while the person has not been missing often enough; counts the present absence either way. */
function awaitAbsence(
  { externalId, user, reason }: Extract<Situation, { is: 'leaver' }>,
  { absences, policy, desired }: PlanInput,
  next: Map<ExternalId, number>,
): Finding | undefined {
  if (reason !== 'absent') return undefined;
  const { userName } = user.attributes;
  const who = { externalId, user: user.sid, userName };
  if (desired.heldAddresses.has(normalizeEmail(userName))) {
    const message = `${userName} is missing by key, but an entry without a key has the address; not treated as absent`;
    return { ...who, code: 'unidentified', message };
  }
  const count = (absences.get(externalId) ?? 0) + 1;
  next.set(externalId, count);
  if (count >= policy.confirmAbsence) return undefined;
  const message = `${userName} is missing from the source for the ${ordinal(count)} complete read; ${policy.confirmAbsence} in a row make a leaver`;
  return { ...who, code: 'absence-pending', message };
}

function ordinal(count: number): string {
  return count === 1 ? 'first' : count === 2 ? 'second' : count === 3 ? 'third' : `${count}th`;
}

/** What Twilio refused is not sent again until it changes or its time has come; what waits for it is left out with it. */
function unpark(drafted: Draft, { parked, now }: PlanInput): Draft {
  const park = parked.get(drafted.externalId);
  if (park === undefined || (park.retryAt !== undefined && park.retryAt <= now)) return drafted;
  const refused = drafted.operations.find((operation) => recordDigest(operation) === park.record);
  if (refused === undefined) return drafted;
  const { externalId, userName, user } = drafted;
  const retry =
    park.retryAt === undefined ? 'until the record changes' : `until ${new Date(park.retryAt).toISOString()}`;
  const finding: Finding = {
    code: park.code,
    externalId,
    userName,
    ...(user !== undefined && { user }),
    message: `${refused.kind} was refused by Twilio (${park.message}); not tried again ${retry}`,
  };
  return {
    ...drafted,
    operations: drafted.operations.filter((operation) => operation !== refused && operation.after !== refused.id),
    findings: [...drafted.findings, finding],
  };
}

/** Tells whether an operation is the very one that Twilio refused. */
export function recordDigest(operation: Operation): string {
  const { after: _after, reason: _reason, ...record } = operation;
  return digest(record);
}

function untouchedFinding(drafted: Draft, { code, because }: { code: Finding['code']; because: string }): Finding {
  const { externalId, userName, user, operations } = drafted;
  const wanted = [...new Set(operations.map(({ kind }) => kind))].join(', ');
  const message = `${userName} is left alone (${wanted} wanted), because ${because}`;
  return { code, externalId, userName, ...(user !== undefined && { user }), message };
}

/** Phase, then externalId, then the person's own order; a step stands after the one it waits for. */
function sortOperations(operations: readonly Operation[]): readonly Operation[] {
  const ids = new Map(operations.map((operation) => [operation.id, operation]));
  const phaseOf = (operation: Operation): number => {
    const before = operation.after === undefined ? undefined : ids.get(operation.after);
    return Math.max(phases[operation.kind], before ? phases[before.kind] : 0);
  };
  const sorted = operations
    .map((operation, index) => ({ operation, index, phase: phaseOf(operation) }))
    .sort(
      (a, b) =>
        a.phase - b.phase || compareStrings(a.operation.externalId, b.operation.externalId) || a.index - b.index,
    );
  const placed = new Set<string>();
  const result: Operation[] = [];
  for (const { operation } of sorted) {
    const chain: Operation[] = [];
    let next: Operation | undefined = operation;
    while (next !== undefined && !placed.has(next.id)) {
      placed.add(next.id);
      chain.push(next);
      next = next.after === undefined ? undefined : ids.get(next.after);
    }
    result.push(...chain.reverse());
  }
  return result;
}

function sortFindings(findings: readonly Finding[]): readonly Finding[] {
  return [...findings].sort(
    (a, b) =>
      compareStrings(a.externalId, b.externalId) ||
      compareStrings(a.code, b.code) ||
      compareStrings(a.message, b.message),
  );
}
