import { describe, expect, test } from 'vitest';
import { ConfigError, TargetAuthError, TargetContractError, TargetUnavailableError } from '../../src/errors.ts';
import { inTurn } from '../support/scripted-http.ts';
import { errorFrom, jwt, never, organization, refusal, scimUser, stage, userSid } from '../support/twilio-scripts.ts';

const userPath = `GET /scim/v2/Users/${userSid(1)}`;
const found = () => ({ json: scimUser(1) });

describe('minting', () => {
  test('the client is named in the form body, and never in a header', async () => {
    await using scene = await stage({ [userPath]: found });

    await scene.target.readUser(userSid(1), never);

    const [minted, read] = scene.server.requests;
    expect(Object.fromEntries(new URLSearchParams(minted?.body))).toEqual({
      grant_type: 'client_credentials',
      client_id: 'OQ00000000000000000000000000000001',
      client_secret: 'very-secret',
    });
    expect(minted?.headers['content-type']).toBe('application/x-www-form-urlencoded');
    expect(minted?.headers.authorization).toBeUndefined();
    expect(read?.headers.authorization).toBe('Bearer token-1');
  });

  test('callers that come together share one token', async () => {
    await using scene = await stage({ [userPath]: found });

    await Promise.all(Array.from({ length: 5 }, () => scene.target.readUser(userSid(1), never)));

    expect(scene.target.calls).toEqual({ 'POST /v2/token': 1, 'GET /scim/v2/Users/{id}': 5 });
  });

  test('a token is renewed a minute before it ends, with the secret as it is then', async () => {
    let secret = 'first';
    await using scene = await stage(
      { [userPath]: found },
      { clientSecret: { reference: `\${file:/run/secret}`, read: () => secret } },
    );
    await scene.target.readUser(userSid(1), never);
    scene.clock.advance(3_530_000);
    await scene.target.readUser(userSid(1), never);
    secret = 'second';
    scene.clock.advance(20_000);

    await scene.target.readUser(userSid(1), never);

    const forms = scene.server.requests.filter(({ path }) => path === '/v2/token').map(({ body }) => body);
    expect(forms.map((form) => new URLSearchParams(form).get('client_secret'))).toEqual(['first', 'second']);
  });

  test('status 201, unknown fields and an odd lifetime are accepted', async () => {
    const token = () => ({
      status: 201,
      json: { access_token: 'x', token_type: 'bEaReR', expires_in: null, extra: 1 },
    });
    await using scene = await stage({ 'POST /v2/token': token, [userPath]: found });

    const user = await scene.target.readUser(userSid(1), never);

    expect(user?.user.sid).toBe(userSid(1));
  });
});

describe('refusals', () => {
  test.each([400, 401, 403])(
    'status %i at the token endpoint ends it at once and names the settings',
    async (status) => {
      const refuse = () => ({ status, json: { code: 20003, message: 'bad client very-secret', status } });
      await using scene = await stage({ 'POST /v2/token': refuse });

      const error = await errorFrom(scene.target.readUser(userSid(1), never));

      expect(error).toBeInstanceOf(TargetAuthError);
      expect(error).toMatchObject({ path: '/v2/token', status, twilioCode: 20003 });
      expect((error as TargetAuthError).message).not.toContain('very-secret');
      expect((error as TargetAuthError).hint).toMatch(/clientId \(OQ.*clientSecret \(\$\{env:TWILIO_CLIENT_SECRET\}\)/);
      expect(scene.server.requests).toHaveLength(1);
    },
  );

  test('trouble at the token endpoint is waited out', async () => {
    const token = inTurn(
      { status: 500, json: { code: 20500 } },
      { broken: 'before' },
      { status: 429, headers: { 'retry-after': '3' } },
      { json: { access_token: 'x', expires_in: 3600 } },
    );
    await using scene = await stage({ 'POST /v2/token': token, [userPath]: found });

    await scene.target.readUser(userSid(1), never);

    expect(scene.target.calls['POST /v2/token']).toBe(4);
    expect(scene.clock.sleeps).toContain(3000);
  });

  test('a token endpoint that stays away makes Twilio unavailable', async () => {
    await using scene = await stage({ 'POST /v2/token': () => ({ status: 503 }) }, { retry: { attempts: 3 } });

    const error = await errorFrom(scene.target.readUser(userSid(1), never));

    expect(error).toBeInstanceOf(TargetUnavailableError);
    expect(scene.server.requests).toHaveLength(3);
  });

  test.each([
    ['an empty access_token', { json: { access_token: '' } }],
    ['an HTML page', { text: '<html>' }],
    ['a 404', { status: 404, text: '' }],
    ['a redirect', { status: 302, headers: { location: 'https://elsewhere.example/' } }],
  ])('%s is out of contract', async (_, reply) => {
    await using scene = await stage({ 'POST /v2/token': () => reply });

    const error = await errorFrom(scene.target.readUser(userSid(1), never));

    expect(error).toBeInstanceOf(TargetContractError);
    expect(error).toMatchObject({ path: '/v2/token', hint: expect.stringContaining('twilio.endpoints') });
  });

  test('a token of another organization is not used', async () => {
    const other = 'OR0000000000000000000000000000000f';
    const access_token = jwt({ act: { sub: `urn:x:${other}` } });
    await using scene = await stage({ 'POST /v2/token': () => ({ json: { access_token } }) });

    const error = await errorFrom(scene.target.readUser(userSid(1), never));

    expect(error).toBeInstanceOf(TargetAuthError);
    expect((error as Error).message).toContain(`for organization ${other}, but ${organization} is configured`);
    expect(scene.lines).toEqual([]);
  });

  test('a secret that cannot be read is an error of the configuration', async () => {
    const clientSecret = {
      reference: `\${env:GONE}`,
      read: () => {
        throw new ConfigError([{ path: 'twilio.oauth.clientSecret', message: `\${env:GONE} is not set` }]);
      },
    };
    await using scene = await stage({}, { clientSecret });

    const error = await errorFrom(scene.target.readUser(userSid(1), never));

    expect(error).toBeInstanceOf(ConfigError);
    expect(scene.server.requests).toEqual([]);
  });
});

describe('a token refused in the middle', () => {
  test('is minted anew once, and the call goes through', async () => {
    const answer = inTurn({ status: 401, json: { code: 20003 } }, { json: scimUser(1) });
    await using scene = await stage({ [userPath]: answer });

    await scene.target.readUser(userSid(1), never);

    const bearers = scene.server.requests.map(({ headers }) => headers.authorization);
    expect(bearers).toEqual([undefined, 'Bearer token-1', undefined, 'Bearer token-2']);
  });

  test('is minted anew only once', async () => {
    await using scene = await stage({ [userPath]: () => ({ status: 401, json: { code: 20003 } }) });

    const error = await errorFrom(scene.target.readUser(userSid(1), never));

    expect(error).toBeInstanceOf(TargetAuthError);
    expect((error as Error).message).toContain('with a newly minted token too');
    expect(scene.target.calls).toEqual({ 'POST /v2/token': 2, 'GET /scim/v2/Users/{id}': 2 });
  });

  test('is minted anew once for all callers', async () => {
    await using scene = await stage({
      [userPath]: ({ headers }) => (headers.authorization === 'Bearer token-1' ? { status: 401 } : found()),
    });

    await Promise.all(Array.from({ length: 4 }, () => scene.target.readUser(userSid(1), never)));

    expect(scene.target.calls['POST /v2/token']).toBe(2);
  });

  test('is not minted anew when a permission is missing', async () => {
    await using scene = await stage({ [userPath]: () => refusal(401, 70051) });

    const error = await errorFrom(scene.target.readUser(userSid(1), never));

    expect(error).toBeInstanceOf(TargetAuthError);
    expect(scene.target.calls).toEqual({ 'POST /v2/token': 1, 'GET /scim/v2/Users/{id}': 1 });
  });
});

test('neither secrets nor tokens are logged', async () => {
  await using scene = await stage({ [userPath]: inTurn({ status: 401 }, { status: 500 }, { json: scimUser(1) }) });

  await scene.target.readUser(userSid(1), never);

  const text = JSON.stringify(scene.log);
  expect(text).not.toMatch(/very-secret|token-1|token-2|Bearer|person1/);
  expect(scene.log.length).toBeGreaterThan(0);
});
