import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { renewalTime } from '../../src/twilio/access-token.ts';

const now = Date.UTC(2026, 5, 1, 12);
const seconds = now / 1000;
const none = { exp: undefined, iat: undefined, organization: undefined };

/** Seconds from now until the token is renewed. */
function renewedIn(expiresIn: unknown, claims: { readonly exp?: number; readonly iat?: number } = {}): number {
  return (renewalTime(now, expiresIn, { ...none, ...claims }) - now) / 1000;
}

describe('a token is renewed', () => {
  test.each([
    ['an hour', 3600, 3540],
    ['a day', 86_400, 86_340],
    ['thirty days', 2_592_000, 2_591_940],
    ['an hour as text', '3600', 3540],
    ['a minute: half of it early', 60, 30],
    ['less than a minute, which nobody offers', 1, 30],
    ['next to nothing', 1e-300, 30],
    ['nothing', undefined, 3540],
    ['null', null, 3540],
    ['zero', 0, 3540],
    ['less than zero', -5, 3540],
    ['45 thousand years', 1_438_315_200_000, 3540],
    ['more than thirty days', 2_592_001, 3540],
    ['no number', 'soon', 3540],
    ['NaN', Number.NaN, 3540],
    ['infinity', Number.POSITIVE_INFINITY, 3540],
  ])('a minute early when expires_in says %s', (_, expiresIn, wanted) => {
    expect(renewedIn(expiresIn)).toBe(wanted);
  });

  test.each([
    ['the clocks agree', 0, 3540],
    ['this clock is a day behind', 86_400, 3540],
    ['this clock is a day ahead', -86_400, 3540],
    ['this clock is ahead by nearly the whole life', -3590, 3540],
    ['this clock is half an hour ahead: the token may also be an old one', -1800, 1740],
  ])('by exp and iat alone when %s', (_, skew, wanted) => {
    const iat = seconds + skew;

    expect(renewedIn(null, { iat, exp: iat + 3600 })).toBe(wanted);
  });

  test('by exp without iat only when it lies ahead', () => {
    expect([renewedIn(null, { exp: seconds + 600 }), renewedIn(null, { exp: seconds - 600 })]).toEqual([540, 3540]);
  });

  test('at the shortest of what is said', () => {
    expect(renewedIn(300, { iat: seconds, exp: seconds + 3600 })).toBe(240);
    expect(renewedIn(3600, { iat: seconds, exp: seconds + 300 })).toBe(240);
  });

  test('in the future and within thirty days, whatever is said', () => {
    const time = fc.oneof(fc.constant(undefined), fc.double(), fc.integer({ min: 1, max: 2 ** 40 }));
    fc.assert(
      fc.property(fc.anything(), time, time, (expiresIn, exp, iat) => {
        const positive = (value: number | undefined) =>
          value !== undefined && Number.isFinite(value) && value > 0 ? value : undefined;
        const given = renewedIn(expiresIn, { exp: positive(exp), iat: positive(iat) } as object);

        expect(given).toBeGreaterThanOrEqual(30);
        expect(given).toBeLessThanOrEqual(30 * 24 * 3600);
      }),
    );
  });
});
