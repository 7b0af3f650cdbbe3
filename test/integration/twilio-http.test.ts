import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { describe, expect, test } from 'vitest';
import {
  ConfigError,
  RateLimitedError,
  TargetAuthError,
  TargetContractError,
  TargetRejectedError,
  TargetUnavailableError,
} from '../../src/errors.ts';
import { createTwilioTarget } from '../../src/twilio/twilio-target.ts';
import { inTurn, startScriptedHttp } from '../support/scripted-http.ts';
import { errorFrom, never, organization, refusal, scimUser, stage, userSid } from '../support/twilio-scripts.ts';
import { createVirtualClock } from '../support/virtual-clock.ts';

const userPath = `GET /scim/v2/Users/${userSid(1)}`;
const quiet = { debug() {}, info() {}, warn() {}, error() {} };

function targetAt(url: string, options: object = {}) {
  return createTwilioTarget({
    organization,
    clientId: 'OQ1',
    clientSecret: { reference: `\${env:S}`, read: () => 's' },
    endpoints: { iam: url, oauth: url, accounts: url },
    limits: { requestsPerSecond: 1000, maxConcurrent: 2, timeoutMs: 2000 },
    clock: createVirtualClock(),
    logger: quiet,
    ...options,
  });
}

describe('trouble on the way', () => {
  test('5xx and broken connections on a read are retried with growing delays', async () => {
    const answer = inTurn(
      { status: 502, text: '<html>' },
      { broken: 'before' },
      { broken: 'after' },
      { json: scimUser(1) },
    );
    await using scene = await stage({ [userPath]: answer });

    const found = await scene.target.readUser(userSid(1), never);

    expect(found?.user.sid).toBe(userSid(1));
    expect(scene.clock.sleeps.filter((ms) => ms > 100)).toEqual([375, 750, 1500]);
  });

  test('after all attempts Twilio counts as unavailable, with the status and the request id', async () => {
    const down = () => ({ status: 503, headers: { 'twilio-request-id': 'RQ1' }, json: { message: 'down' } });
    await using scene = await stage({ [userPath]: down }, { retry: { attempts: 3 } });

    const error = await errorFrom(scene.target.readUser(userSid(1), never));

    expect(error).toBeInstanceOf(TargetUnavailableError);
    expect(error).toMatchObject({ status: 503, requestId: 'RQ1', method: 'GET', path: `/scim/v2/Users/${userSid(1)}` });
    expect((error as Error).message).toBe(`GET /scim/v2/Users/${userSid(1)}: Twilio answered 503 (request RQ1): down`);
    expect(scene.lines).toHaveLength(3);
  });

  test('Retry-After of a 503 is kept to', async () => {
    const answer = inTurn({ status: 503, headers: { 'retry-after': '9' } }, { json: scimUser(1) });
    await using scene = await stage({ [userPath]: answer });

    await scene.target.readUser(userSid(1), never);

    expect(scene.clock.sleeps).toContain(9000);
  });

  test('a server that is silent is given up on after the timeout', async () => {
    await using scene = await stage(
      { [userPath]: () => ({ broken: 'hang' }) },
      { retry: { attempts: 2 }, limits: { requestsPerSecond: 1000, maxConcurrent: 1, timeoutMs: 100 } },
    );

    const error = await errorFrom(scene.target.readUser(userSid(1), never));

    expect(error).toBeInstanceOf(TargetUnavailableError);
    expect((error as Error).message).toMatch(/no answer from .*TIMEOUT/);
    expect(scene.lines).toHaveLength(2);
  });

  test('a port where nobody listens is tried again, then named', async () => {
    const server = await startScriptedHttp(() => ({}));
    await server.close();
    await using target = targetAt(server.url, { retry: { attempts: 3 } });

    const error = await errorFrom(target.readUser(userSid(1), never));

    expect(error).toBeInstanceOf(TargetUnavailableError);
    expect((error as Error).message).toMatch(/cannot reach 127\.0\.0\.1:\d+: .*ECONNREFUSED/);
    expect(target.calls).toEqual({ 'POST /v2/token': 3 });
  });

  test('a TLS failure is reported at once and called by its name', async () => {
    // Without a certificate no handshake can succeed.
    const server = createTlsServer().listen(0, '127.0.0.1');
    server.on('tlsClientError', () => undefined);
    await once(server, 'listening');
    await using target = targetAt(`https://127.0.0.1:${(server.address() as AddressInfo).port}`);

    const error = await errorFrom(target.readUser(userSid(1), never));
    server.close();

    expect(error).toBeInstanceOf(TargetUnavailableError);
    expect((error as Error).message).toMatch(/^POST \/v2\/token: TLS with 127\.0\.0\.1:\d+ failed: .*(ERR_SSL|EPROTO)/);
    expect((error as TargetUnavailableError).hint).toContain('NODE_EXTRA_CA_CERTS');
    expect(target.calls).toEqual({ 'POST /v2/token': 1 });
  });

  test('aborting ends a read with the reason given, also while it waits', async () => {
    const controller = new AbortController();
    const reason = new Error('asked to stop');
    await using scene = await stage({
      [userPath]: () => {
        controller.abort(reason);
        return { status: 503 };
      },
    });

    const error = await errorFrom(scene.target.readUser(userSid(1), controller.signal));

    expect(error).toBe(reason);
    expect(scene.lines).toHaveLength(1);
  });

  test('a redirect is not followed with the token', async () => {
    await using elsewhere = await startScriptedHttp(() => ({ json: scimUser(1) }));
    await using scene = await stage({ [userPath]: () => ({ status: 307, headers: { location: elsewhere.url } }) });

    const error = await errorFrom(scene.target.readUser(userSid(1), never));

    expect(error).toBeInstanceOf(TargetContractError);
    expect((error as Error).message).toContain(`a redirect to ${new URL(elsewhere.url).host}`);
    expect(elsewhere.requests).toEqual([]);
  });

  test('a body that is not JSON is out of contract', async () => {
    await using scene = await stage({ [userPath]: () => ({ text: '<html>hello</html>' }) });

    const error = await errorFrom(scene.target.readUser(userSid(1), never));

    expect(error).toBeInstanceOf(TargetContractError);
    expect((error as Error).message).toContain('the body is not JSON');
    expect(scene.lines).toHaveLength(5);
  });

  test('a page of somebody in between is no success: a read and a deletion are tried again', async () => {
    const page = { text: '<html>sign in</html>' };
    await using scene = await stage({
      [userPath]: inTurn(page, { json: scimUser(1) }),
      [`DELETE /scim/v2/Users/${userSid(1)}`]: inTurn(page, { text: '{"deleted":' }, { status: 204 }),
    });

    const found = await scene.target.readUser(userSid(1), never);
    const deleted = await scene.target.deactivateUser(userSid(1));

    expect([found?.user.sid, deleted.state]).toEqual([userSid(1), 'done']);
    expect(scene.lines).toHaveLength(5);
  });

  test('a write that gets nothing but pages ends in doubt, not in success', async () => {
    await using scene = await stage({ [`DELETE /scim/v2/Users/${userSid(1)}`]: () => ({ text: '<html>' }) });

    const error = await errorFrom(scene.target.deactivateUser(userSid(1)));

    expect(error).toBeInstanceOf(TargetUnavailableError);
    expect((error as Error).message).toMatch(/answered 200 with a body that is not JSON; whether it took effect/);
  });

  test('a body without end is cut off', async () => {
    function* endless() {
      for (;;) yield Buffer.alloc(1 << 20, 0x20);
    }
    await using scene = await stage({ [userPath]: () => ({ pieces: endless() }) });

    const error = await errorFrom(scene.target.readUser(userSid(1), never));

    expect(error).toBeInstanceOf(TargetContractError);
    expect((error as Error).message).toContain('larger than 16 MiB');
    expect(scene.lines).toHaveLength(1);
  });
});

describe('429', () => {
  test('pauses every caller for as long as Twilio asks', async () => {
    const answer = inTurn({ status: 429, headers: { 'retry-after': '40' } }, { json: scimUser(1) });
    const starts: number[] = [];
    await using scene = await stage({
      [userPath]: answer,
      [`GET /scim/v2/Users/${userSid(2)}`]: () => {
        starts.push(scene.clock.now());
        return { json: scimUser(2) };
      },
    });
    const began = scene.clock.now();

    await scene.target.readUser(userSid(1), never);
    await scene.target.readUser(userSid(2), never);

    expect(Math.min(...starts) - began).toBeGreaterThanOrEqual(40_000);
    expect(scene.log.filter(({ level }) => level === 'warn')).toHaveLength(1);
  });

  test('without Retry-After it backs off by itself', async () => {
    const answer = inTurn({ status: 429 }, { status: 429, headers: { 'retry-after': '0' } }, { json: scimUser(1) });
    await using scene = await stage({ [userPath]: answer });
    const began = scene.clock.now();

    await scene.target.readUser(userSid(1), never);

    expect(scene.clock.now() - began).toBeGreaterThanOrEqual(375 + 750);
  });

  test('is waited for only within the budget', async () => {
    const throttled = () => ({ status: 429, headers: { 'retry-after': '3244' }, json: { code: 20429 } });
    await using scene = await stage({ [userPath]: throttled });
    const began = scene.clock.now();

    const error = await errorFrom(scene.target.readUser(userSid(1), never));

    expect(error).toBeInstanceOf(RateLimitedError);
    expect(error).toMatchObject({ status: 429, twilioCode: 20429 });
    expect(scene.lines).toHaveLength(3);
    expect(scene.clock.now() - began).toBeLessThanOrEqual(300_000);
  });
});

describe('refusals', () => {
  test.each([
    [403, 20003],
    [401, 70051],
    [403, 25018],
    [403, 25105],
    [401, 25107],
  ])('%i with code %i names the missing permission and where to grant it', async (status, code) => {
    await using scene = await stage({ [`DELETE /scim/v2/Users/${userSid(1)}`]: () => refusal(status, code) });

    const error = await errorFrom(scene.target.deactivateUser(userSid(1)));

    expect(error).toBeInstanceOf(TargetAuthError);
    expect(error).toMatchObject({ status, twilioCode: code });
    expect((error as Error).message).toContain('managed-users/delete');
    expect((error as TargetAuthError).hint).toMatch(/Console.*OAuth apps.*managed-users\/delete/);
  });

  test('an organization that Twilio does not know is a matter of configuration', async () => {
    await using scene = await stage({ [userPath]: () => refusal(404, 25100) });

    const error = await errorFrom(scene.target.readUser(userSid(1), never));

    expect(error).toBeInstanceOf(TargetAuthError);
    expect((error as TargetAuthError).hint).toContain('twilio.organizationSid');
  });

  test('a record code with status 403 is about the record, not about permissions', async () => {
    await using scene = await stage({ 'POST /scim/v2/Users': () => refusal(403, 25017) });

    const error = await errorFrom(scene.target.createUser('emp-1' as never, { userName: 'a@nowhere.example' }));

    expect(error).toBeInstanceOf(TargetRejectedError);
    expect(error).toMatchObject({ twilioCode: 25017 });
  });

  test('404 without a code where the path has no SID points at the endpoint', async () => {
    await using scene = await stage({ 'GET /scim/v2/Users': () => ({ status: 404, text: '<html>' }) });

    const error = await errorFrom(scene.target.listUsers(() => undefined, never));

    expect(error).toBeInstanceOf(TargetContractError);
    expect((error as TargetContractError).hint).toContain('twilio.endpoints');
  });
});

describe('options', () => {
  test('everything that is wrong with them is said at once', () => {
    const make = () =>
      targetAt('http://iam.twilio.com', {
        organization: 'OR1',
        limits: { requestsPerSecond: 0, maxConcurrent: 1.5, timeoutMs: Number.NaN },
      });

    expect(make).toThrow(ConfigError);
    expect(make).toThrow(
      /organizationSid: .*\n.*endpoints\.iam: .*must be https.*\n.*endpoints\.oauth.*\n.*endpoints\.accounts.*\n.*requestsPerSecond.*\n.*maxConcurrent.*\n.*timeout/,
    );
  });

  test.each(['http://localhost:1', 'http://127.1.2.3', 'http://[::1]:8080', 'https://iam.twilio.com'])(
    '%s is a usable endpoint',
    async (url) => {
      await using target = targetAt(url);

      expect(target.calls).toEqual({});
    },
  );

  test.each(['ftp://127.0.0.1', 'iam.twilio.com', 'https://me:pw@iam.twilio.com', 'https://iam.twilio.com/?a=1'])(
    '%s is not',
    (url) => {
      expect(() => targetAt(url)).toThrow(ConfigError);
    },
  );

  test('a base URL may have a path', async () => {
    await using server = await startScriptedHttp(({ path }) =>
      path.endsWith('/token') ? { json: { access_token: 'x' } } : { json: scimUser(1) },
    );
    await using target = targetAt(`${server.url}/twilio/`);

    await target.readUser(userSid(1), never);

    expect(server.lines).toEqual(['POST /twilio/v2/token', `GET /twilio/scim/v2/Users/${userSid(1)}`]);
  });
});

test('a proxy from the environment is used, and named when it refuses', async () => {
  const asked: string[] = [];
  const proxy = createServer((socket) => {
    socket.once('data', (data) => {
      asked.push(data.toString().split('\r\n')[0] ?? '');
      socket.end('HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n');
    });
    socket.on('error', () => undefined);
  }).listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const HTTPS_PROXY = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  await using target = targetAt('https://iam.example', { proxyEnv: { HTTPS_PROXY }, retry: { attempts: 1 } });

  const error = await errorFrom(target.readUser(userSid(1), never));
  proxy.close();

  expect(asked).toEqual(['CONNECT iam.example:443 HTTP/1.1']);
  expect(error).toBeInstanceOf(TargetUnavailableError);
  expect((error as TargetUnavailableError).message).toContain('407');
  expect((error as TargetUnavailableError).hint).toContain('proxy');
});

test('each request is logged with its template, status, duration, request id and attempt', async () => {
  const answer = inTurn({ status: 500 }, { headers: { 'twilio-request-id': 'RQ7' }, json: scimUser(1) });
  await using scene = await stage({ [userPath]: answer });

  await scene.target.readUser(userSid(1), never);

  const lines = scene.log.filter(({ fields }) => fields.path === '/scim/v2/Users/{id}').map(({ fields }) => fields);
  expect(lines).toEqual([
    {
      method: 'GET',
      path: '/scim/v2/Users/{id}',
      attempt: 1,
      status: 500,
      durationMs: expect.any(Number),
      requestId: undefined,
    },
    {
      method: 'GET',
      path: '/scim/v2/Users/{id}',
      attempt: 2,
      status: 200,
      durationMs: expect.any(Number),
      requestId: 'RQ7',
    },
  ]);
});
