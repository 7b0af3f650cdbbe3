/** What an access token says about itself; nothing here is verified, and nothing may depend on it being there. */
import { objectIn, objectOf } from '../domain/json-object.ts';

export interface TokenClaims {
  /** Seconds since the epoch. */
  readonly exp: number | undefined;
  readonly iat: number | undefined;
  /** The `OR…` SID at the end of `act.sub`, as seen in Twilio's tokens. */
  readonly organization: string | undefined;
}

/** Claims of a JWT (RFC 7519); all undefined when the token is not one. */
export function readClaims(token: string): TokenClaims {
  const payload = objectIn(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'));
  const actor = objectOf(payload.act).sub;
  return {
    exp: positive(payload.exp),
    iat: positive(payload.iat),
    organization: typeof actor === 'string' ? /(?:^|[^0-9A-Za-z])(OR[0-9a-fA-F]{32})$/.exec(actor)?.[1] : undefined,
  };
}

function positive(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) && value > 0 ? value : undefined;
}

/** What Twilio offers; less would be over before a call had its turn, and every turn would begin with a new token. */
const [shortestSeconds, longestSeconds] = [60, 30 * 24 * 3600];
const fallbackSeconds = 3600;
const earlyMs = 60_000;

/**
 * When to mint anew, in milliseconds since the epoch: 60 s before the deadline, at most half the lifetime early.
 *
 * | said                     | believed                                                             |
 * |--------------------------|----------------------------------------------------------------------|
 * | `expires_in`             | above 0 and up to 30 days, the longest that Twilio offers            |
 * | `exp`, a minute away     | the time until then                                                  |
 * | `exp`, closer or past    | only its distance from `iat`: this host's clock is ahead             |
 * | `exp` far away           | never further than its distance from `iat`: this host's clock is behind |
 * | none of them             | one hour, Twilio's default                                           |
 *
 * The shortest counts, but nothing below a minute, the least that Twilio offers. A token that ends too early for us costs one 401; a clock that is believed too much would cost a
 * new token for every call.
 */
export function renewalTime(now: number, expiresIn: unknown, { exp, iat }: TokenClaims): number {
  const candidates: number[] = [];
  const told = secondsOf(expiresIn);
  if (told > 0 && told <= longestSeconds) candidates.push(told * 1000);
  if (exp !== undefined) {
    const left = exp * 1000 - now;
    const whole = iat !== undefined && exp > iat ? (exp - iat) * 1000 : undefined;
    if (whole !== undefined) candidates.push(whole);
    if (left > (whole === undefined ? 0 : earlyMs)) candidates.push(left);
  }
  const shortest = candidates.length === 0 ? fallbackSeconds * 1000 : Math.min(...candidates);
  const lifetime = Math.min(Math.max(shortest, shortestSeconds * 1000), longestSeconds * 1000);
  return now + lifetime - Math.min(earlyMs, lifetime / 2);
}

/** An int64 comes as text from some servers. */
function secondsOf(value: unknown): number {
  if (typeof value === 'string' && /^\d{1,15}$/.test(value)) return Number(value);
  return typeof value === 'number' ? value : Number.NaN;
}
