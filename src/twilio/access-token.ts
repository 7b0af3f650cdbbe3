/** What an access token says about itself; nothing here is verified, and nothing may depend on it being there. */

export interface TokenClaims {
  /** Seconds since the epoch. */
  readonly exp: number | undefined;
  readonly iat: number | undefined;
  /** The `OR…` SID at the end of `act.sub`, as seen in Twilio's tokens. */
  readonly organization: string | undefined;
}

/** Claims of a JWT (RFC 7519); all undefined when the token is not one. */
export function readClaims(token: string): TokenClaims {
  const payload = decode(token.split('.')[1]);
  const actor = objectOf(payload.act).sub;
  return {
    exp: positive(payload.exp),
    iat: positive(payload.iat),
    organization: typeof actor === 'string' ? /(?:^|[^0-9A-Za-z])(OR[0-9a-fA-F]{32})$/.exec(actor)?.[1] : undefined,
  };
}

function decode(part: string | undefined): Readonly<Record<string, unknown>> {
  try {
    return objectOf(JSON.parse(Buffer.from(part ?? '', 'base64url').toString('utf8')));
  } catch {
    return {};
  }
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}

function positive(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) && value > 0 ? value : undefined;
}

const longestSeconds = 30 * 24 * 3600;
const fallbackSeconds = 3600;
const earlyMs = 60_000;

/**
 * When to mint anew, in milliseconds since the epoch: 60 s before the deadline, at most half the lifetime early.
 * The deadline is the earlier of `expires_in` (believed up to 30 days, the longest that Twilio offers) and the JWT's `exp`;
 * one hour, Twilio's default, when neither is usable. An `exp` in the past means that this host's clock is ahead,
 * so the lifetime is then taken from `iat`; otherwise every single call would mint a token.
 */
export function renewalTime(now: number, expiresIn: unknown, { exp, iat }: TokenClaims): number {
  const candidates: number[] = [];
  if (typeof expiresIn === 'number' && expiresIn > 0 && expiresIn <= longestSeconds) candidates.push(expiresIn * 1000);
  if (exp !== undefined) {
    const left = exp * 1000 - now;
    if (left > 0) candidates.push(left);
    else if (iat !== undefined && exp > iat) candidates.push((exp - iat) * 1000);
  }
  const lifetime = candidates.length === 0 ? fallbackSeconds * 1000 : Math.min(...candidates);
  return now + lifetime - Math.min(earlyMs, lifetime / 2);
}
