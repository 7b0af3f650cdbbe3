/**
 * How long the server asks to be left alone: `Retry-After` in seconds or as an HTTP date (RFC 9110 section 10.2.3),
 * else `throttled_until` of the body. Never more than `ceilingMs`: a mistaken or hostile value must not stop the daemon
 * for hours. Undefined when nothing usable was sent.
 */
export function retryAfterMs(
  header: string | undefined,
  throttledUntil: string | undefined,
  now: number,
  ceilingMs: number,
): number | undefined {
  const asked = fromHeader(header?.trim(), now) ?? fromDate(throttledUntil, now);
  return asked === undefined ? undefined : Math.min(Math.max(asked, 0), ceilingMs);
}

function fromHeader(header: string | undefined, now: number): number | undefined {
  if (header === undefined || header === '') return undefined;
  // Fractions are not in the RFC, but are seen in the wild.
  if (/^\d+(?:\.\d+)?$/.test(header)) return Math.ceil(Number(header) * 1000);
  // `Date.parse` takes "-5" and "1.2.3" for dates; an HTTP date has a letter in it.
  return /[a-z]/i.test(header) ? fromDate(header, now) : undefined;
}

function fromDate(text: string | undefined, now: number): number | undefined {
  const at = text === undefined ? Number.NaN : Date.parse(text);
  return Number.isNaN(at) ? undefined : at - now;
}
