import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Authorization, AuthorizationStore } from '../../src/domain/authorization.ts';
import { ConfigError, TargetAuthError, TargetContractError, TargetUnavailableError } from '../../src/errors.ts';
import { createAuthorizationFile } from '../../src/store/authorization-file.ts';
import { createTwilioTarget } from '../../src/twilio/twilio-target.ts';
import { inTurn, type Respond, type ScriptedReply } from '../support/scripted-http.ts';
import { errorFrom, never, organization, type Scene, scimUser, stage, userSid } from '../support/twilio-scripts.ts';

const user = `GET /scim/v2/Users/${userSid(1)}`;
const found = () => ({ json: scimUser(1) });
const clientId = 'OQ00000000000000000000000000000001';
const approved = Date.UTC(2026, 4, 1);
const authorization: Authorization = {
  organization,
  clientId,
  refreshToken: 'refresh-0',
  authorizedAt: approved,
  issuedAt: approved,
  refreshedAt: approved,
};

/** In memory, with a note of each step in `steps`. */
function memoryStore(kept: Authorization | undefined = authorization) {
  const steps: string[] = [];
  const store: AuthorizationStore & { kept: Authorization | undefined; steps: string[]; fails: Error | undefined } = {
    place: 'the token file',
    kept,
    steps,
    fails: undefined,
    read: () => store.kept,
    async exclusively(work) {
      steps.push('room');
      return work((authorization) => {
        if (store.fails !== undefined) throw store.fails;
        steps.push(`keep ${authorization.refreshToken}`);
        store.kept = authorization;
      });
    },
  };
  return store;
}

/** Answers each refresh with the next access token and what `refreshToken` says of the refresh token. */
function answers(refreshToken: (number: number) => string | null | undefined): Respond {
  let number = 0;
  return () => {
    number++;
    return {
      json: { access_token: `token-${number}`, expires_in: 3600, refresh_token: refreshToken(number), id_token: null },
    };
  };
}

function refreshes({ server }: Scene): readonly Record<string, string>[] {
  return server.requests
    .filter(({ path }) => path === '/v2/token')
    .map(({ body }) => Object.fromEntries(new URLSearchParams(body)));
}

function refuse(status: number, json: object): () => ScriptedReply {
  return () => ({ status, json });
}

describe('an access token by refresh token', () => {
  test('is asked for with the form of RFC 6749 section 6, and a new refresh token is kept before the first call', async () => {
    const store = memoryStore();
    const call: Respond = () => {
      store.steps.push('call');
      return found();
    };
    await using scene = await stage(
      { 'POST /v2/token': answers((number) => `refresh-${number}`), [user]: call },
      { authorization: store },
    );

    await scene.target.readUser(userSid(1), never);
    const first = store.kept;
    scene.clock.advance(3_600_000);
    await scene.target.readUser(userSid(1), never);

    const form = { grant_type: 'refresh_token', client_id: clientId, client_secret: 'very-secret' };
    expect(refreshes(scene)).toEqual([
      { ...form, refresh_token: 'refresh-0' },
      { ...form, refresh_token: 'refresh-1' },
    ]);
    expect(store.steps).toEqual(['room', 'keep refresh-1', 'call', 'room', 'keep refresh-2', 'call']);
    expect(first).toEqual({
      ...authorization,
      refreshToken: 'refresh-1',
      issuedAt: expect.any(Number),
      refreshedAt: expect.any(Number),
    });
    expect(first?.issuedAt).toBeGreaterThan(approved);
    expect(JSON.stringify(scene.log)).not.toMatch(/refresh-\d|token-\d|very-secret/);
  });

  test.each([
    ['null', null],
    ['absent', undefined],
    ['empty', ''],
    ['the same', 'refresh-0'],
  ])('leaves the refresh token as it is when the answer has %s', async (_, refreshToken) => {
    const store = memoryStore();
    await using scene = await stage(
      { 'POST /v2/token': answers(() => refreshToken), [user]: found },
      { authorization: store },
    );

    await scene.target.readUser(userSid(1), never);

    expect(store.kept).toMatchObject({ refreshToken: 'refresh-0', issuedAt: approved });
    expect(store.kept?.refreshedAt).toBeGreaterThan(approved);
  });

  test('keeps the new refresh token although the access token is useless: the old one may have ended', async () => {
    const store = memoryStore();
    await using scene = await stage(
      { 'POST /v2/token': () => ({ json: { refresh_token: 'refresh-1' } }) },
      { authorization: store },
    );

    const error = await errorFrom(scene.target.readUser(userSid(1), never));

    expect(error).toBeInstanceOf(TargetContractError);
    expect(store.kept?.refreshToken).toBe('refresh-1');
  });

  test('is tried again with the same refresh token while there is no answer, and nothing is kept of that', async () => {
    const store = memoryStore();
    const script = inTurn({ status: 503 }, { broken: 'before' }, { status: 429 }, { status: 500 });
    await using scene = await stage(
      { 'POST /v2/token': script },
      {
        authorization: store,
        retry: { attempts: 3 },
        limits: { requestsPerSecond: 9, maxConcurrent: 1, timeoutMs: 500 },
      },
    );

    const error = await errorFrom(scene.target.readUser(userSid(1), never));

    expect(error).toBeInstanceOf(TargetUnavailableError);
    expect(refreshes(scene).map((form) => form.refresh_token)).toEqual(Array(4).fill('refresh-0'));
    expect(store.steps).toEqual(['room']);
  });

  test('is waited for when nobody wants it any more: its refresh token is kept before the process may end', async () => {
    const store = memoryStore();
    const { promise: arrived, resolve: arrive } = Promise.withResolvers<void>();
    const { promise: mayAnswer, resolve: answer } = Promise.withResolvers<void>();
    const slow: Respond = async () => {
      arrive();
      await mayAnswer;
      return { json: { access_token: 'token-1', refresh_token: 'refresh-1' } };
    };
    const scene = await stage({ 'POST /v2/token': slow }, { authorization: store });
    const stop = new AbortController();
    const reading = errorFrom(scene.target.readUser(userSid(1), stop.signal));
    await arrived;

    stop.abort(new Error('stopped'));
    const error = await reading;
    const disposed = scene.target[Symbol.asyncDispose]();
    answer();
    await disposed;
    await scene.server.close();

    expect((error as Error).message).toBe('stopped');
    expect(store.kept?.refreshToken).toBe('refresh-1');
  });

  test('is not used when its refresh token cannot be kept', async () => {
    const store = memoryStore();
    store.fails = new ConfigError([{ path: 'twilio.oauth.tokenFile', message: 'cannot be written (EIO)' }]);
    await using scene = await stage({ 'POST /v2/token': answers(() => 'refresh-1') }, { authorization: store });

    const error = await errorFrom(scene.target.readUser(userSid(1), never));

    expect(error).toBe(store.fails);
    expect(scene.lines).toEqual([]);
  });
});

describe('a refresh that is refused', () => {
  test.each([
    [400, { error: 'invalid_grant', error_description: 'refresh-0 is over' }],
    [401, { error: 'invalid_grant' }],
    [400, { code: 20001, message: 'no good: refresh-0', status: 400 }],
    [403, {}],
  ])('with %i %o asks for a new approval, notes since when, and is not tried twice', async (status, body) => {
    const store = memoryStore();
    await using scene = await stage({ 'POST /v2/token': refuse(status, body) }, { authorization: store });

    const error = await errorFrom(scene.target.readUser(userSid(1), never));
    const since = store.kept?.refusedAt;
    scene.clock.advance(60_000);
    await errorFrom(scene.target.readUser(userSid(1), never));

    expect(error).toBeInstanceOf(TargetAuthError);
    expect(error).toMatchObject({ status, hint: expect.stringContaining('tdsync authorize') });
    expect((error as Error).message).toMatch(/the refresh token .*was refused.*twilio\.oauth\.approvedBy/);
    expect((error as Error).message).not.toContain('refresh-0');
    expect(since).toBeGreaterThan(approved);
    expect(store.kept).toEqual({ ...authorization, refusedAt: since });
    expect(refreshes(scene)).toHaveLength(2);
  });

  test('for the sake of the client says so, and nothing of the approval', async () => {
    const store = memoryStore();
    const script = refuse(401, { error: 'invalid_client' });
    await using scene = await stage({ 'POST /v2/token': script }, { authorization: store });

    const error = (await errorFrom(scene.target.readUser(userSid(1), never))) as TargetAuthError;

    expect(error.hint).toContain('twilio.oauth.clientSecret');
    expect(error.hint).not.toContain('authorize');
    expect(store.kept?.refusedAt).toBeUndefined();
  });

  test('is forgotten with the next one that is not', async () => {
    const store = memoryStore({ ...authorization, refusedAt: approved });
    await using scene = await stage({ 'POST /v2/token': answers(() => null), [user]: found }, { authorization: store });

    await scene.target.readUser(userSid(1), never);

    expect(store.kept).not.toHaveProperty('refusedAt');
  });
});

describe('what stands in the store', () => {
  test('is asked for before anything else: without it, nothing is sent', async () => {
    const store = memoryStore();
    store.kept = undefined;
    await using scene = await stage({}, { authorization: store });

    const error = await errorFrom(scene.target.readUser(userSid(1), never));

    expect(error).toBeInstanceOf(TargetAuthError);
    expect(error).toMatchObject({ hint: expect.stringContaining('tdsync authorize') });
    expect([store.steps, scene.server.requests.length]).toEqual([[], 0]);
  });

  test.each([
    ['another organization', { organization: `OR${'9'.repeat(32)}` as typeof organization }],
    ['another app', { clientId: `OQ${'9'.repeat(32)}` }],
  ])('is not used for %s', async (_, change) => {
    await using scene = await stage({}, { authorization: memoryStore({ ...authorization, ...change }) });

    const error = await errorFrom(scene.target.readUser(userSid(1), never));

    expect(error).toBeInstanceOf(ConfigError);
    expect(scene.server.requests).toHaveLength(0);
  });

  test('is shared: of many that refresh at once with a server that rotates, nobody uses an old refresh token', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tdsync-refresh-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    let good = 'refresh-0';
    let minted = 0;
    const rotating: Respond = ({ body }) => {
      // As a server that takes a second use for a theft: all is over then.
      if (new URLSearchParams(body).get('refresh_token') !== good) good = '';
      if (good === '') return { status: 400, json: { error: 'invalid_grant' } };
      good = `refresh-${++minted}`;
      return { json: { access_token: `token-${minted}`, expires_in: 60, refresh_token: good } };
    };
    await using scene = await stage({ 'POST /v2/token': rotating, [user]: found });
    const file = join(folder, 'token.json');
    const processes = Array.from({ length: 4 }, () =>
      createTwilioTarget({
        organization,
        clientId,
        clientSecret: { reference: 'x', read: () => 'very-secret' },
        authorization: createAuthorizationFile(file, scene.clock),
        endpoints: { iam: scene.server.url, oauth: scene.server.url, accounts: scene.server.url },
        limits: { requestsPerSecond: 1000, maxConcurrent: 4, timeoutMs: 2000 },
        clock: scene.clock,
        logger: { debug() {}, info() {}, warn() {}, error() {} },
      }),
    );
    await createAuthorizationFile(file, scene.clock).exclusively((keep) => Promise.resolve(keep(authorization)));

    for (let round = 0; round < 3; round++) {
      await Promise.all(processes.map((target) => target.readUser(userSid(1), never)));
      scene.clock.advance(60_000);
    }
    await Promise.all(processes.map((target) => target[Symbol.asyncDispose]()));

    expect(createAuthorizationFile(file, scene.clock).read()?.refreshToken).toBe(good);
    expect(minted).toBeGreaterThanOrEqual(12);
  });
});
