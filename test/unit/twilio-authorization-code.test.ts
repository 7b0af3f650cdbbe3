import { hash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { TargetAuthError } from '../../src/errors.ts';
import { authorizationUrl, codeFrom, createChallenge } from '../../src/twilio/authorization-code.ts';

const redirectUri = 'https://corp.example/tdsync?tenant=7';
const challenge = { state: 's'.repeat(43), verifier: 'v'.repeat(43) };
const client = {
  clientId: 'OQ00000000000000000000000000000001',
  clientSecret: { reference: 'x', read: () => 'secret' },
};

function back(change: (url: URL) => unknown = () => {}): string {
  const url = new URL(`${redirectUri}&code=the-code&state=${challenge.state}`);
  change(url);
  return url.href;
}

function errorOf(address: string): unknown {
  try {
    return codeFrom(address, redirectUri, challenge);
  } catch (error) {
    return error;
  }
}

test('verifier and state are 43 characters of base64url from 32 random bytes each (RFC 7636 section 4.1)', () => {
  let made = 0;
  const made32 = (size: number) => Buffer.alloc(size, ++made);

  expect(createChallenge(made32)).toEqual({
    state: Buffer.alloc(32, 1).toString('base64url'),
    verifier: Buffer.alloc(32, 2).toString('base64url'),
  });
});

test('the address holds the SHA-256 of the verifier, and neither it nor the client secret', () => {
  const url = authorizationUrl({ ...client, oauth: 'https://oauth.twilio.com' }, redirectUri, challenge);

  expect(`${url.origin}${url.pathname}`).toBe('https://oauth.twilio.com/v2/authorize');
  expect(Object.fromEntries(url.searchParams)).toEqual({
    client_id: client.clientId,
    response_type: 'code',
    scope: 'offline_access',
    redirect_uri: redirectUri,
    state: challenge.state,
    code_challenge: hash('sha256', challenge.verifier, 'base64url'),
    code_challenge_method: 'S256',
  });
  expect(url.href).not.toMatch(/secret|v{43}/);
});

describe('what the browser was sent back with', () => {
  test('gives the code, whatever else it says', () => {
    expect(codeFrom(` ${back((url) => url.searchParams.set('more', 'x'))}\n`, redirectUri, challenge)).toBe('the-code');
  });

  test.each([
    ['another state', (url: URL) => url.searchParams.set('state', 'x'.repeat(43)), 'another state than the request'],
    ['a shorter state', (url: URL) => url.searchParams.set('state', 's'), 'another state than the request'],
    ['no state', (url: URL) => url.searchParams.delete('state'), 'another state than the request'],
    ['the state twice', (url: URL) => url.searchParams.append('state', challenge.state), 'another state'],
    ['another host', (url: URL) => Object.assign(url, { host: 'evil.example' }), 'not an address below https:'],
    ['another path', (url: URL) => Object.assign(url, { pathname: '/tdsync/' }), 'not an address below https:'],
    ['no code', (url: URL) => url.searchParams.delete('code'), 'neither one code nor an error'],
    ['an empty code', (url: URL) => url.searchParams.set('code', ''), 'neither one code nor an error'],
    ['two codes', (url: URL) => url.searchParams.append('code', 'more'), 'neither one code nor an error'],
  ] as const)('is refused with %s', (_, change, message) => {
    const error = errorOf(back(change));

    expect(error).toBeInstanceOf(TargetAuthError);
    expect(error).toMatchObject({ message: expect.stringContaining(message), hint: expect.any(String) });
    expect((error as Error).message).not.toContain('the-code');
  });

  test.each([
    ['access_denied', 'Organization Owner or Admin'],
    ['temporarily_unavailable', 'again later'],
    ['unauthorized_client', 'redirect URL'],
  ])('tells %s with what to do next, and lets no escapes through', (error, hint) => {
    const denied = errorOf(
      back((url) => {
        url.searchParams.delete('code');
        url.searchParams.set('error', error);
        url.searchParams.set('error_description', 'because\u001b[31m\nred');
      }),
    );

    expect(denied).toMatchObject({
      message: `authorize: the app was not approved (${error}: because [31m red)`,
      hint: expect.stringContaining(hint),
    });
  });

  test('is never anything but a code or a refusal, whatever is pasted', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.webUrl({ withQueryParameters: true, withFragments: true })), (pasted) => {
        expect(errorOf(pasted)).toBeInstanceOf(TargetAuthError);
      }),
      { numRuns: 30 },
    );
  });
});
