/**
 * What to do after one attempt: a pure decision from the kind of call and what came of it. Codes are decided on before
 * statuses, because Twilio answers the same trouble with several statuses (Twilio documentation, error pages of each code).
 *
 *                        read      replace user  delete    create user  create assignment  token
 *  429, 20429/25021/25109 wait     wait          wait      wait         wait               wait
 *  5xx                   retry     look first    retry     look first   look first         retry
 *  answer lost           retry     look first    retry     look first   look first         retry
 *  2xx that is not JSON  retry     look first    retry     look first   look first         retry
 *  never sent            retry     retry         retry     retry        retry              retry
 *  TLS                   give up   give up       give up   give up      give up            give up
 *  401 (no permission code) new token, once, in each column                                stop
 *  403, 70051, 25018 …   stop      stop          stop      stop         stop               stop
 *  25022                 give up   taken         give up   taken        give up            stop
 *  409, 412, 25020       give up   read again    give up   taken        look first         stop
 *  404, 25008            absent    absent        absent    give up      give up            stop
 *  25201, 400 uncoded    give up   give up       give up   give up      settle             stop
 *  other 4xx, 3xx        give up   give up       give up   give up      give up            stop
 *
 * A 503 with Retry-After is decided as 5xx, and holds all other calls as a 429 does (api-client.ts).
 */
import type { CallKind } from './endpoints.ts';

/** How far a request got that has no answer: `tls` not trusted, `unsent` never reached the server, `lost` nobody knows. */
export type Reach = 'tls' | 'unsent' | 'lost';

export type AttemptOutcome =
  | { readonly status: number; readonly twilioCode: number | undefined; readonly scimType?: string | undefined }
  | { readonly network: Reach };

export type Decision =
  | 'done'
  | 'retry' // after a backoff of this call
  | 'wait' // after a pause of all calls
  | 'new-token'
  | 'look-first' // the write may have taken effect
  | 'read-again' // somebody else wrote in between
  | 'taken'
  | 'absent'
  | 'settle' // a fresh user is not known everywhere yet
  | 'stop' // credentials or permissions: nothing else will work either
  | 'give-up';

const rateLimitCodes = new Set([20429, 25021, 25109]);
const stopCodes = new Set([8021, 20005, 20006, 25018, 25100, 25105, 25107, 70051]);
/** Codes about one record or one request: with them, 403 does not mean that a permission is missing. */
const recordCodes = new Set([
  25001, 25002, 25003, 25004, 25005, 25006, 25007, 25008, 25009, 25010, 25011, 25012, 25013, 25014, 25015, 25016, 25017,
  25019, 25023, 25101, 25102, 25103, 25104, 25106, 25200, 25201, 25202, 25203,
]);
const written: ReadonlySet<CallKind> = new Set(['create-user', 'replace-user', 'create-assignment']);
const named: ReadonlySet<CallKind> = new Set(['create-user', 'replace-user']);

export function decide(kind: CallKind, outcome: AttemptOutcome): Decision {
  if ('network' in outcome) return afterSilence(kind, outcome.network);
  const { status, twilioCode: code = 0, scimType } = outcome;
  if (status >= 200 && status < 300) return 'done';
  if (status === 429 || rateLimitCodes.has(code)) return 'wait';
  if (status >= 500) return afterSilence(kind, 'lost');
  if (kind === 'token' || stopCodes.has(code)) return 'stop';
  if (code === 25022 || scimType === 'uniqueness') return named.has(kind) ? 'taken' : conflict(kind);
  if (code === 25020 || status === 409 || status === 412) return conflict(kind);
  if (code === 25008 || status === 404) return kind.startsWith('create-') ? 'give-up' : 'absent';
  if (kind === 'create-assignment' && (code === 25201 || (status === 400 && code === 0))) return 'settle';
  if (recordCodes.has(code)) return 'give-up';
  if (status === 401) return 'new-token';
  return status === 403 ? 'stop' : 'give-up';
}

function afterSilence(kind: CallKind, reach: Reach): Decision {
  if (reach === 'tls') return 'give-up';
  return reach === 'lost' && written.has(kind) ? 'look-first' : 'retry';
}

function conflict(kind: CallKind): Decision {
  switch (kind) {
    case 'replace-user':
      return 'read-again';
    case 'create-user':
      return 'taken';
    case 'create-assignment':
      return 'look-first';
    default:
      return 'give-up';
  }
}

export interface RetryLimits {
  /** Tries in all for an answer that is missing or 5xx. */
  readonly attempts: number;
  readonly minDelayMs: number;
  readonly maxDelayMs: number;
  /** The longest single wait that `Retry-After` is believed. */
  readonly maxRetryAfterMs: number;
  /** The longest that one call waits on 429 in all; `twilio.limits.maxThrottling`. */
  readonly rateLimitBudgetMs: number;
}

export const defaultRetryLimits: RetryLimits = {
  attempts: 5,
  minDelayMs: 500,
  maxDelayMs: 30_000,
  maxRetryAfterMs: 120_000,
  rateLimitBudgetMs: 300_000,
};

/**
 * Exponential backoff with half jitter: between half and all of `minDelayMs` doubled per failure.
 * Full jitter may come out near zero, which is no backoff.
 */
export function backoffMs(failures: number, limits: RetryLimits, random: () => number): number {
  const top = Math.min(limits.minDelayMs * 2 ** Math.min(failures - 1, 30), limits.maxDelayMs);
  return Math.round(top / 2 + (random() * top) / 2);
}
