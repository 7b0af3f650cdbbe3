import type { Blocked, BlockKey } from '../domain/blocked.ts';
import { compareStrings } from '../domain/identity.ts';
import type { Operation } from '../domain/operation.ts';
import type { FindingCode } from '../domain/plan.ts';
import { isDue, recordDigest, recordsOf } from '../engine/parking.ts';
import { RateLimitedError, TargetAuthError, TargetContractError, type TargetError } from '../errors.ts';
import type { Parked } from '../ports.ts';

/** What a refused operation means for the run: `stop` when nothing else can work, `park` when it is about this record. */
export function verdictOn(error: TargetError): 'stop' | 'park' | 'go-on' {
  if (error instanceof TargetAuthError || error instanceof TargetContractError || error instanceof RateLimitedError) {
    return 'stop';
  }
  // 25008: the user went away since the list was read; the next run sees that for itself.
  return error.twilioCode === 25008 || error.status === 404 ? 'go-on' : 'park';
}

/** False for what a look or a token in the course of a write came to: whether the write before it took effect is not known. */
export function answersTheWrite({ method, path }: TargetError): boolean {
  return method !== 'GET' && path?.endsWith('/token') !== true;
}

const hourMs = 3_600_000;
const longestMs = 24 * hourMs;

/** What is known of a person's refusals: from earlier runs, and from this one. */
export interface Refusals {
  readonly earlier: Parked | undefined;
  readonly now: Parked | undefined;
}

/**
 * Refused records wait for one hour, then two, up to a day; an address that is taken outside the organization waits for a
 * change. What still waited from earlier runs goes on waiting with it.
 */
export function park(
  operation: Operation,
  { code, message }: Pick<Parked, 'code' | 'message'>,
  refusals: Refusals,
  now: number,
): Parked {
  const { earlier } = refusals;
  const record = recordDigest(operation);
  const again = earlier !== undefined && recordsOf(earlier).includes(record);
  const beside = refusals.now ?? (earlier !== undefined && !again && !isDue(earlier, now) ? earlier : undefined);
  const attempts = Math.max(beside?.attempts ?? 0, again ? earlier.attempts + 1 : 1);
  return {
    externalId: operation.externalId,
    record: [...new Set([...(beside ? recordsOf(beside) : []), record])].sort(compareStrings).join(' '),
    code,
    message,
    since: again ? earlier.since : now,
    attempts,
    retryAt: code === 'address-taken' ? undefined : now + delayOf(attempts),
  };
}

/** A domain that is not verified, or a quota that is used up, waits as long as a refused record does. */
export function block(key: BlockKey, earlier: Blocked | undefined, now: number): Blocked {
  const attempts = (earlier?.attempts ?? 0) + 1;
  return { key, since: earlier?.since ?? now, attempts, retryAt: now + delayOf(attempts) };
}

function delayOf(attempts: number): number {
  return Math.min(longestMs, hourMs * 2 ** (attempts - 1));
}

/** The fewest roles per user at which Twilio is known to stop: 50, and 25 in some organizations. */
const lowestCeiling = 25;

/**
 * Why Twilio refuses, by the codes of its error dictionary. The ceiling of roles has no documented code: it is a grant that
 * is refused to somebody who holds that many, for no reason that is known. `held`: roles that we know the person holds.
 */
export function codeOf({ kind }: Operation, { status, twilioCode }: TargetError, held: () => number): FindingCode {
  switch (twilioCode) {
    case 25009:
      return 'suspended';
    case 25016:
      return 'owner';
    case 25022:
      return 'address-taken';
    case 25201:
      return 'not-managed';
    case 25200:
    case 25202:
    case 25203:
      return 'parked';
    default:
      return kind === 'grant' && status === 400 && held() >= lowestCeiling ? 'role-ceiling' : 'parked';
  }
}

/** The operation was refused in an earlier run, with the same record. */
export function isKnown(operation: Operation, earlier: Parked | undefined): boolean {
  return earlier !== undefined && recordsOf(earlier).includes(recordDigest(operation));
}
