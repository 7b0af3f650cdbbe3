import { expect, test } from 'vitest';
import { permissionNames } from '../../src/simulator/permissions.ts';
import { startSimulator } from '../../src/simulator/simulator.ts';
import { clientId, clientSecret, received, requestToken, startApi } from './simulator-harness.ts';

const users = '/scim/v2/Users';

test('client credentials in the form body give a bearer token with its lifetime', async () => {
  await using simulator = await startSimulator({ limits: { tokenLifetime: 90 }, now: () => 1_800_000_000_000 });

  const { status, body } = await requestToken(simulator.url);

  expect(status).toBe(200);
  expect(body).toEqual({
    access_token: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/),
    token_type: 'Bearer',
    expires_in: 90,
    refresh_token: null,
    id_token: null,
  });
  const claims = JSON.parse(Buffer.from(body.access_token.split('.')[1], 'base64url').toString());
  expect(claims).toMatchObject({
    sub: expect.stringMatching(new RegExp(`:${clientId}$`)),
    act: { sub: expect.stringMatching(/:OR[0-9a-f]{32}$/) },
    iat: 1_800_000_000,
    exp: 1_800_000_090,
  });
});

test.each([
  ['a wrong secret', { client_secret: 'guess' }, 20003],
  ['an unknown client', { client_id: 'OQ000000000000000000000000000000ff' }, 20003],
  ['an empty secret', { client_secret: '' }, 20003],
  ['no grant type', { grant_type: '' }, 20001],
  ['another grant type', { grant_type: 'password' }, 20001],
])('%s is refused with the error body of the token service', async (_, form, code) => {
  await using simulator = await startSimulator();

  const { status, body, headers } = await requestToken(simulator.url, form);

  expect(status).toBe(400);
  expect(headers.get('content-type')).toBe('application/json');
  expect(body).toEqual({
    code,
    message: expect.any(String),
    more_info: `https://www.twilio.com/docs/errors/${code}`,
    status: 400,
  });
});

test('credentials in a Basic header are not accepted', async () => {
  await using simulator = await startSimulator();

  const basic = Buffer.from(`${clientId}:${clientSecret}`).toString('base64');
  const response = await fetch(`${simulator.url}/v2/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${basic}` },
    body: new URLSearchParams({ grant_type: 'client_credentials' }),
  });

  expect(response.status).toBe(400);
});

test('a rotated secret stays usable while its grace period lasts', async () => {
  await using simulator = await startSimulator();
  simulator.state.setClient({ clientId, clientSecret: 'new-secret', previousSecret: clientSecret });

  const withOld = await requestToken(simulator.url);
  const withNew = await requestToken(simulator.url, { client_secret: 'new-secret' });
  simulator.state.setClient({ clientId, clientSecret: 'new-secret' });
  const afterGrace = await requestToken(simulator.url);

  expect([withOld.status, withNew.status, afterGrace.status]).toEqual([200, 200, 400]);
});

test('a token works until it expires and not a moment longer', async () => {
  let time = 1_800_000_000_000;
  await using api = await startApi({ now: () => time, limits: { tokenLifetime: 60 } });

  time += 59_999;
  const before = await api.get(users);
  time += 1;
  const after = await api.get(users);

  expect(before.status).toBe(200);
  expect(after.status).toBe(401);
  expect(after.body).toMatchObject({ code: 20003, status: '401' });
});

test('a new token leaves earlier ones usable, and revoking all ends them at once', async () => {
  await using api = await startApi();
  await requestToken(api.simulator.url);

  const before = await api.get(users);
  api.simulator.tokens.revokeAll();
  const after = await api.get(users);

  expect([before.status, after.status]).toEqual([200, 401]);
});

test.each([
  ['no Authorization header', undefined],
  ['Basic credentials', 'Basic b3E6c2VjcmV0'],
  ['a made-up token', 'Bearer made-up'],
])('%s gets 401 from every endpoint in its own error body', async (_, authorization) => {
  await using simulator = await startSimulator();
  const headers = authorization === undefined ? {} : { authorization };

  const scim = await received(await fetch(`${simulator.url}${users}`, { headers }));
  const roles = await received(await fetch(`${simulator.url}/v2/Organizations/Roles`, { headers }));

  expect(scim.status).toBe(401);
  expect(scim.body).toMatchObject({ schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'], status: '401' });
  expect(roles.status).toBe(401);
  expect(roles.body).toMatchObject({ code: 20003, status: 401, more_info: expect.any(String) });
});

const id = '00000000000000000000000000000009';
const calls = [
  ['managed-users/list', 'GET', users],
  ['managed-users/read', 'GET', `${users}/US${id}`],
  ['managed-users/create', 'POST', users],
  ['managed-users/update', 'PUT', `${users}/US${id}`],
  ['managed-users/update', 'PATCH', `${users}/US${id}`],
  ['managed-users/delete', 'DELETE', `${users}/US${id}`],
  ['role-assignments/list', 'GET', '/v2/Organizations/RoleAssignments'],
  ['role-assignments/create', 'POST', '/v2/Organizations/RoleAssignments'],
  ['role-assignments/delete', 'DELETE', `/v2/Organizations/RoleAssignments/IY${id}`],
  ['roles/list', 'GET', '/v2/Organizations/Roles'],
] as const;

test.each(calls)(
  'without the permission %s, %s %s is refused and everything else is not',
  async (missing, method, path) => {
    await using simulator = await startSimulator();
    const permissions = permissionNames.filter((name) => name !== missing);
    simulator.state.setClient({ clientId, clientSecret, permissions });
    const { access_token: token } = (await requestToken(simulator.url)).body;
    const send = async (sent: string, to: string) => {
      const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
      return received(
        await fetch(simulator.url + to, { method: sent, headers, ...(sent.startsWith('P') ? { body: '{}' } : {}) }),
      );
    };

    const refused = await send(method, path);
    const others = await Promise.all(calls.filter(([name]) => name !== missing).map(([, m, p]) => send(m, p)));

    expect(refused.status).toBe(403);
    expect(refused.body.code).toBe(20003);
    expect(refused.text).toContain(missing);
    expect(others.map(({ status }) => status)).not.toContain(403);
  },
);

test.each(['401-20003', '401-70051', '403-25018', '403-25105', '403-25107'] as const)(
  'a missing permission can also be told as %s',
  async (permissionRefusal) => {
    await using api = await startApi({ quirks: { permissionRefusal } });
    api.simulator.state.setClient({ clientId, clientSecret, permissions: [] });

    const { status, body } = await api.get(users);

    expect(`${status}-${body.code}`).toBe(permissionRefusal);
  },
);

test('the odd token answers have a switch each', async () => {
  await using simulator = await startSimulator({
    quirks: { tokenStatus: 201, tokenType: 'bearer', expiresIn: 'absurd', tokenForm: 'opaque' },
  });

  const absurd = await requestToken(simulator.url);
  simulator.quirks.expiresIn = 'null';
  const none = await requestToken(simulator.url);
  simulator.quirks.expiresIn = 'absent';
  const absent = await requestToken(simulator.url);

  expect(absurd.status).toBe(201);
  expect(absurd.body).toMatchObject({ token_type: 'bearer', expires_in: 1438315200000 });
  expect(absurd.body.access_token).not.toContain('.');
  expect(none.body.expires_in).toBeNull();
  expect(absent.body).not.toHaveProperty('expires_in');
});

test('token errors can come as RFC 6749 writes them, with 401', async () => {
  await using simulator = await startSimulator({ quirks: { tokenErrors: 'rfc6749', badClientStatus: 401 } });

  const { status, body } = await requestToken(simulator.url, { client_secret: 'guess' });

  expect(status).toBe(401);
  expect(body).toEqual({ error: 'invalid_client', error_description: expect.any(String) });
});

test('no secret is kept in the record of requests', async () => {
  await using simulator = await startSimulator();

  await requestToken(simulator.url);

  const [request] = simulator.requests.all();
  expect(request).toMatchObject({ path: '/v2/token', status: 200, write: false });
  expect(request?.body).toEqual({ grant_type: 'client_credentials', client_id: clientId, client_secret: '***' });
});
