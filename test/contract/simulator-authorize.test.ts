import { hash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts';
import { clientId, clientSecret, type Received, received, requestToken } from './simulator-harness.ts';

const redirectUri = 'http://127.0.0.1:8581/callback';
const verifier = 'v'.repeat(43);
const challenge = hash('sha256', verifier, 'base64url');

/** Where the authorize step sends the browser; undefined when it sends it nowhere. */
async function authorize({ url }: Simulator, changes: Record<string, string | undefined> = {}) {
  const query = {
    client_id: clientId,
    response_type: 'code',
    scope: 'offline_access',
    redirect_uri: redirectUri,
    state: 'a-state',
    code_challenge: challenge,
    code_challenge_method: 'S256',
    ...changes,
  };
  const given = Object.entries(query).filter((each): each is [string, string] => each[1] !== undefined);
  const response = await fetch(`${url}/v2/authorize?${new URLSearchParams(given)}`, { redirect: 'manual' });
  const location = response.headers.get('location');
  return { status: response.status, back: location === null ? undefined : new URL(location) };
}

async function codeOf(simulator: Simulator, changes: Record<string, string | undefined> = {}): Promise<string> {
  return (await authorize(simulator, changes)).back?.searchParams.get('code') ?? '';
}

function redeem({ url }: Simulator, code: string, changes: Record<string, string> = {}): Promise<Received> {
  const form = { grant_type: 'authorization_code', code, redirect_uri: redirectUri, code_verifier: verifier };
  return requestToken(url, { ...form, ...changes });
}

function refresh({ url }: Simulator, token: string): Promise<Received> {
  return requestToken(url, { grant_type: 'refresh_token', refresh_token: token });
}

async function usersWith({ url }: Simulator, token: string): Promise<number> {
  const headers = { authorization: `Bearer ${token}` };
  return (await received(await fetch(`${url}/scim/v2/Users`, { headers }))).status;
}

describe('the authorize step', () => {
  test('sends the browser back with a code and the state, and keeps what else the address says', async () => {
    const withQuery = 'https://corp.example/back?tenant=7';
    await using simulator = await startSimulator({
      seed: { clients: [{ clientId, clientSecret, redirectUris: [withQuery] }] },
    });

    const { status, back } = await authorize(simulator, { redirect_uri: withQuery });

    expect(status).toBe(302);
    expect(back?.href).toMatch(/^https:\/\/corp\.example\/back\?tenant=7&code=code-[0-9a-f]{40}&state=a-state$/);
  });

  test.each([
    ['an unknown app', { client_id: 'OQ000000000000000000000000000000ff' }],
    ['an address that is not registered', { redirect_uri: 'https://evil.example/' }],
    ['an address that differs by a letter', { redirect_uri: `${redirectUri}/` }],
  ])('%s is answered with 400 and the browser is sent nowhere', async (_, changes) => {
    await using simulator = await startSimulator();

    expect(await authorize(simulator, changes)).toEqual({ status: 400, back: undefined });
  });

  test.each([
    ['another response type', { response_type: 'token' }, 'unsupported_response_type'],
    ['another scope', { scope: 'everything' }, 'invalid_scope'],
    ['the method plain', { code_challenge_method: 'plain' }, 'invalid_request'],
    ['a challenge that is no SHA-256', { code_challenge: 'short' }, 'invalid_request'],
  ])('%s is told to the app', async (_, changes, error) => {
    await using simulator = await startSimulator();

    const { back } = await authorize(simulator, changes);

    expect(Object.fromEntries(back?.searchParams ?? [])).toMatchObject({ error, state: 'a-state' });
  });

  test('can be denied, can insist on PKCE, and needs an active person', async () => {
    await using simulator = await startSimulator();
    const errorOf = async (changes = {}) => (await authorize(simulator, changes)).back?.searchParams.get('error');

    simulator.quirks.approval = 'denied';
    const denied = await errorOf();
    Object.assign(simulator.quirks, { approval: 'given', pkce: 'required' });
    const without = await errorOf({ code_challenge: undefined, code_challenge_method: undefined });
    const withPkce = await errorOf();
    simulator.administer({ action: 'set-status', user: 'owner@corp.example', status: 'inactive' });
    const nobody = await errorOf();

    expect([denied, without, withPkce, nobody]).toEqual(['access_denied', 'invalid_request', null, 'access_denied']);
  });
});

describe('a code', () => {
  test('gives an access token and a refresh token, once', async () => {
    await using simulator = await startSimulator();
    const code = await codeOf(simulator);

    const first = await redeem(simulator, code);
    const second = await redeem(simulator, code);

    expect(first.body).toMatchObject({ refresh_token: expect.stringMatching(/^refresh-/), expires_in: 3600 });
    expect(await usersWith(simulator, first.body.access_token)).toBe(200);
    expect([second.status, second.body.code]).toEqual([400, 20001]);
  });

  test.each([
    ['another verifier', { code_verifier: 'w'.repeat(43) }],
    ['no verifier', { code_verifier: '' }],
    ['another address', { redirect_uri: 'https://corp.example/tdsync' }],
    ['another secret', { client_secret: 'guess' }],
  ])('is not taken with %s', async (_, changes) => {
    await using simulator = await startSimulator();

    expect((await redeem(simulator, await codeOf(simulator), changes)).status).toBe(400);
  });

  test('lives five minutes', async () => {
    let time = 1_800_000_000_000;
    await using simulator = await startSimulator({ now: () => time });
    const [early, late] = [await codeOf(simulator), await codeOf(simulator)];

    time += 299_999;
    const inTime = await redeem(simulator, early);
    time += 1;
    const tooLate = await redeem(simulator, late);

    expect([inTime.status, tooLate.status]).toEqual([200, 400]);
  });
});

describe('a refresh token', () => {
  test.each([
    ['rotated', true, false],
    ['repeated', false, true],
    ['absent', false, true],
  ] as const)('can be %s', async (refreshToken, isNew, oldStays) => {
    await using simulator = await startSimulator({ quirks: { refreshToken } });
    const old: string = (await redeem(simulator, await codeOf(simulator))).body.refresh_token;

    const { status, body } = await refresh(simulator, old);
    const again = await refresh(simulator, old);

    expect([status, await usersWith(simulator, body.access_token)]).toEqual([200, 200]);
    expect(body.refresh_token).toEqual(
      refreshToken === 'absent' ? null : isNew ? expect.not.stringContaining(old) : old,
    );
    expect(again.status === 200).toBe(oldStays);
  });

  test.each([
    ['the approval is revoked', (simulator: Simulator) => simulator.authorizations.revokeAll()],
    [
      'the person who approved is deactivated',
      (simulator: Simulator) =>
        simulator.administer({ action: 'set-status', user: 'owner@corp.example', status: 'inactive' }),
    ],
  ])('and the access that rests on it end when %s; other access goes on', async (_, end) => {
    await using simulator = await startSimulator({ quirks: { tokenErrors: 'rfc6749', badClientStatus: 401 } });
    const { access_token: token, refresh_token: old } = (await redeem(simulator, await codeOf(simulator))).body;
    const other: string = (await requestToken(simulator.url)).body.access_token;

    end(simulator);
    const refused = await refresh(simulator, old);

    expect(refused).toMatchObject({ status: 401, body: { error: 'invalid_grant' } });
    expect([await usersWith(simulator, token), await usersWith(simulator, other)]).toEqual([401, 200]);
  });

  test('is revoked by the control interface, and no record of requests holds one', async () => {
    await using simulator = await startSimulator();
    const old: string = (await redeem(simulator, await codeOf(simulator))).body.refresh_token;

    await fetch(`${simulator.url}/_simulator/authorizations`, { method: 'DELETE' });
    const refused = await refresh(simulator, old);

    expect(refused.status).toBe(400);
    expect(JSON.stringify(simulator.requests.all())).not.toContain(old);
  });
});
