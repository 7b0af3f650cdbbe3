/**
 * Whether a run is worth telling a hook of: once per change, and not once per run.
 *
 * | the run                          | the hook was told of last           | it is                              |
 * |----------------------------------|-------------------------------------|------------------------------------|
 * | refused, failed or partial       | the same                            | not told again                     |
 * | refused, failed or partial       | nothing, or something else          | told                               |
 * | the same, in an event not wanted | anything                            | not told, and what was told stands |
 * | good                             | nothing                             | not told                           |
 * | good                             | people who are still parked         | not told: nobody has recovered yet |
 * | good, and a domain or quota waits | people                            | not told: no finding names them    |
 * | good                             | anything else                       | told that it recovered             |
 * | interrupted                      | anything                            | not told: nothing is known         |
 *
 * The same: one digest refused, one error code failed, nobody new among the people whose operations did not succeed, or the
 * circuit breaker again, whoever it was tried with.
 */
import type { ExternalId } from '../domain/identity.ts';
import type { NoticeEvent, Told, Trouble } from '../domain/notice.ts';
import type { FindingCode } from '../domain/plan.ts';
import type { RunReport, RunStatus } from '../domain/run.ts';

/** How a run ended: with a report, with an error before there was a plan, or with both. */
export interface Ending {
  readonly status: RunStatus;
  readonly report: RunReport | undefined;
  readonly error: { readonly code: string } | undefined;
}

export interface Decision {
  readonly event: NoticeEvent | undefined;
  /** What the hook knows after it was told, or at once when there is nothing to tell. */
  readonly trouble: Trouble | undefined;
}

export function decideNotice(ending: Ending, told: Told | undefined, wanted: readonly NoticeEvent[]): Decision {
  const before = told?.trouble;
  const unchanged: Decision = { event: undefined, trouble: before };
  if (ending.status === 'interrupted') return unchanged;
  const trouble = troubleOf(ending, before);
  if (trouble !== undefined) {
    const isNews = wanted.includes(trouble.state) && !goesOn(before, trouble);
    return isNews ? { event: trouble.state, trouble } : unchanged;
  }
  if (before === undefined || waitingStill(before, ending).length > 0) return unchanged;
  return { event: wanted.includes('recovered') ? 'recovered' : undefined, trouble: undefined };
}

function troubleOf(ending: Ending, before: Trouble | undefined): Trouble | undefined {
  const { status, report, error } = ending;
  switch (status) {
    case 'refused':
      return { state: 'refused', digest: report?.plan.digest ?? '' };
    case 'failed':
      return { state: 'failed', code: error?.code ?? 'unknown' };
    case 'partial':
      return {
        state: 'partial',
        people: [...new Set([...unsuccessful(report), ...waitingStill(before, ending)])].sort(),
        ...(error?.code === 'breaker-open' && { breaker: true as const }),
      };
    default:
      return undefined;
  }
}

function goesOn(before: Trouble | undefined, now: Trouble): boolean {
  if (before?.state === 'refused' && now.state === 'refused') return before.digest === now.digest;
  if (before?.state === 'failed' && now.state === 'failed') return before.code === now.code;
  if (before?.state !== 'partial' || now.state !== 'partial') return false;
  if (now.breaker === true) return before.breaker === true;
  const known = new Set(before.people);
  return now.people.every((person) => known.has(person));
}

function unsuccessful(report: RunReport | undefined): readonly ExternalId[] {
  const failed = (report?.operations ?? []).filter(
    ({ outcome }) => outcome.state === 'failed' || outcome.state === 'skipped',
  );
  return failed.map(({ operation }) => operation.externalId);
}

/** What Twilio refuses is not tried at every run: the runs in between converge, and nothing is better. */
const parkedCodes: ReadonlySet<FindingCode> = new Set([
  'parked',
  'address-taken',
  'suspended',
  'owner',
  'not-managed',
  'role-ceiling',
]);

/** Of everybody in a domain, or of every joiner: who of them was told of, no finding says. */
const blockCodes: ReadonlySet<FindingCode> = new Set(['unverified-domain', 'quota-reached']);

function waitingStill(before: Trouble | undefined, { report }: Ending): readonly ExternalId[] {
  if (before?.state !== 'partial') return [];
  if (report?.findings.some(({ code }) => blockCodes.has(code))) return before.people;
  const waiting = new Set(
    (report?.findings ?? []).filter(({ code }) => parkedCodes.has(code)).map(({ externalId }) => externalId),
  );
  return before.people.filter((person) => waiting.has(person));
}
