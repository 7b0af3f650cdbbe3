import type { Operation } from '../domain/operation.ts';
import type { FindingCode } from '../domain/plan.ts';
import { recordDigest } from '../engine/planner.ts';
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

const hourMs = 3_600_000;
const longestMs = 24 * hourMs;

/** Refused records wait for one hour, then two, up to a day; those that only a person can mend wait for a change. */
export function park(operation: Operation, error: TargetError, earlier: Parked | undefined, now: number): Parked {
  const record = recordDigest(operation);
  const attempts = earlier?.record === record ? earlier.attempts + 1 : 1;
  const code = codeOf(error);
  const delay = Math.min(longestMs, hourMs * 2 ** (attempts - 1));
  return {
    externalId: operation.externalId,
    record,
    code,
    message: error.message,
    since: now,
    attempts,
    retryAt: code === 'parked' ? now + delay : undefined,
  };
}

/** Error codes of Twilio's error dictionary. */
function codeOf({ twilioCode }: TargetError): FindingCode {
  switch (twilioCode) {
    case 25009:
      return 'suspended';
    case 25016:
      return 'owner';
    case 25022:
      return 'address-taken';
    default:
      return 'parked';
  }
}
