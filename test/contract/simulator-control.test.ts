import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ConfigError } from '../../src/errors.ts';
import { loadSeedFile } from '../../src/simulator/seed.ts';
import { startSimulator } from '../../src/simulator/simulator.ts';
import { person, production, received, requestToken, startApi, withFilter } from './simulator-harness.ts';

const users = '/scim/v2/Users';

async function control(url: string, method: string, path: string, body?: unknown) {
  const sent = body === undefined ? {} : { body: JSON.stringify(body) };
  return received(await fetch(`${url}/_simulator${path}`, { method, ...sent }));
}

describe('the record of requests', () => {
  test('holds what was asked, by template and as sent, with its body and status', async () => {
    await using api = await startApi();
    const { id } = (await api.post(users, person('ada'))).body;
    await api.get(withFilter('userName', 'ada@corp.example'));

    await api.delete(`${users}/${id}`);

    const [, create, find, remove] = api.simulator.requests.all();
    expect(create).toMatchObject({ method: 'POST', path: users, status: 201, write: true, body: person('ada') });
    expect(find).toMatchObject({ query: { filter: 'userName eq "ada@corp.example"' }, write: false });
    expect(remove).toMatchObject({ method: 'DELETE', path: `${users}/{id}`, rawPath: `${users}/${id}`, status: 204 });
    expect(remove?.endedAt).toBeGreaterThanOrEqual(remove?.at ?? Number.NaN);
    expect(api.simulator.requests.counts).toEqual({
      'POST /v2/token': 1,
      [`POST ${users}`]: 1,
      [`GET ${users}`]: 1,
      [`DELETE ${users}/{id}`]: 1,
    });
    expect(api.simulator.requests.writes).toBe(2);
  });

  test('keeps the last ones up to its limit and counts all of them', async () => {
    await using api = await startApi({ recordLimit: 3 });

    for (let i = 0; i < 10; i++) await api.get(`${users}/US${i}`);

    expect(api.simulator.requests.all().map(({ rawPath }) => rawPath.slice(-1))).toEqual(['7', '8', '9']);
    expect(api.simulator.requests.count({ path: `${users}/{id}` })).toBe(10);
  });

  test('can be cleared, and knows its busiest second', async () => {
    let time = 0;
    await using api = await startApi({ monotonic: () => time });
    for (const at of [0, 500, 999, 1000, 1400]) {
      time = at;
      await api.get(users);
    }

    const busiest = api.simulator.requests.busiest();
    api.simulator.requests.clear();

    expect(busiest).toBe(4);
    expect([api.simulator.requests.total, api.simulator.requests.all().length]).toEqual([0, 0]);
  });

  test('can be waited for', async () => {
    await using api = await startApi();
    const second = api.simulator.requests.waitFor({ method: 'POST', path: users }, 2);

    await api.post(users, person('ada'));
    await api.post(users, person('ben'));

    expect((await second).body).toEqual(person('ben'));
  });
});

describe('control over HTTP', () => {
  test('shows requests and counts, and is itself neither recorded nor limited', async () => {
    await using api = await startApi({ limits: { requestsPerSecond: 2 } });
    const { url } = api.simulator;
    await api.post(users, person('ada'));
    await api.get(users);

    const counts = await control(url, 'GET', '/counts');
    const writes = await control(url, 'GET', '/requests?write=true');
    const lists = await control(url, 'GET', `/requests?method=GET&path=${users}&last=1`);
    const waited = await control(url, 'GET', '/requests/wait?method=POST&path=/v2/token');
    await control(url, 'DELETE', '/requests');
    const cleared = await control(url, 'GET', '/counts');

    expect(counts.body).toMatchObject({
      requests: 3,
      writes: 1,
      users: 2,
      mails: 1,
      tokens: 1,
      byStatus: { 200: 2, 201: 1 },
    });
    expect(writes.body.requests).toHaveLength(1);
    expect(lists.body.requests[0]).toMatchObject({ method: 'GET', status: 200 });
    expect(waited.body.path).toBe('/v2/token');
    expect(cleared.body.requests).toBe(0);
  });

  test('switches quirks, limits, faults, clients and tokens', async () => {
    await using api = await startApi();
    const { url } = api.simulator;

    await control(url, 'POST', '/quirks', { listLimit: 0 });
    const cut = await api.get(users);
    await control(url, 'POST', '/faults', { match: { path: users }, times: 1, fault: { status: 503 } });
    const faulty = await api.get(users);
    const faults = await control(url, 'GET', '/faults');
    await control(url, 'DELETE', '/faults');
    await control(url, 'POST', '/limits', { requestsPerSecond: 1 });
    const limited = await api.get(users);
    await control(url, 'POST', '/limits', { requestsPerSecond: null });
    await control(url, 'DELETE', '/tokens');
    const revoked = await api.get(users);
    await control(url, 'POST', '/clients', { clientId: 'OQ00000000000000000000000000000001', clientSecret: 'next' });
    const rotated = await requestToken(url, { client_secret: 'next' });

    expect(cut.body.Resources).toEqual([]);
    expect([faulty.status, faults.body.faults[0].played]).toEqual([503, 1]);
    expect([limited.status, revoked.status, rotated.status]).toEqual([429, 401, 200]);
  });

  test('does what people do in the Twilio Console', async () => {
    await using api = await startApi({
      seed: { users: [{ userName: 'mira@corp.example' }, { userName: 'n@corp.example' }] },
    });
    const { url } = api.simulator;
    const act = (body: object) => control(url, 'POST', '/administration', body);
    const mira = `${users}/US00000000000000000000000000000001`;

    await act({ action: 'edit-user', user: 'mira@corp.example', attributes: { displayName: 'Drift' } });
    const drifted = await api.get(mira);
    await act({ action: 'set-status', user: 'mira@corp.example', status: 'suspended' });
    const suspended = await api.delete(mira);
    await act({ action: 'assign-role', user: 'n@corp.example', role: 'Developer', scope: production });
    const assignments = api.simulator.state.assignments.size;
    await act({ action: 'remove-user', user: 'mira@corp.example' });
    const gone = await api.get(mira);
    const taken = await api.post(users, person('mira'));
    await act({ action: 'transfer-ownership', user: 'n@corp.example' });
    const owner = await api.delete(`${users}/US00000000000000000000000000000002`);
    await act({ action: 'lapse-domain', domain: 'corp.example' });
    const lapsed = await api.get(users);
    const problem = await act({ action: 'remove-user', user: 'mira@corp.example' });

    expect(drifted.body).toMatchObject({ displayName: 'Drift', meta: { version: 'W/2' } });
    expect([suspended.body.code, assignments, gone.status, taken.body.code, owner.body.code]).toEqual([
      25009, 1, 404, 25022, 25016,
    ]);
    expect(lapsed.body.totalResults).toBe(0);
    expect([problem.status, problem.body.problems]).toEqual([400, ['no user mira@corp.example']]);
  });

  test.each([
    [
      '/quirks',
      { nonsense: 1, listLimit: -1 },
      ['nonsense: no such quirk', 'listLimit: must be an integer from 0, or null'],
    ],
    ['/limits', { requestsPerSecond: 0 }, [expect.stringContaining('requestsPerSecond')]],
    ['/reset', { seed: { user: [] } }, [expect.stringContaining('user')]],
    ['/administration', { action: 'explode' }, [expect.stringContaining('action')]],
  ])('POST %s refuses nonsense and says what is wrong', async (path, body, problems) => {
    await using simulator = await startSimulator();

    const answer = await control(simulator.url, 'POST', path, body);

    expect(answer.status).toBe(400);
    expect(answer.body.problems).toEqual(problems);
  });

  test('an unknown control lists those that exist', async () => {
    await using simulator = await startSimulator();

    const { status, body } = await control(simulator.url, 'GET', '/nothing');

    expect(status).toBe(404);
    expect(body.controls).toContain('POST /_simulator/faults');
  });
});

describe('snapshot, seed and reset', () => {
  test('a snapshot seeds an equal organization', async () => {
    await using api = await startApi({ seed: { quota: 9, outsideAddresses: ['x@corp.example'] } });
    const { id } = (await api.post(users, person('ada', { externalId: 'emp-1', name: { familyName: 'B"ö\\' } }))).body;
    await api.post('/v2/Organizations/RoleAssignments', {
      role_sid: 'IX00000000000000000000000000000103',
      scope: production,
      identity: id,
    });
    await api.delete(`${users}/${id}`);
    const { body: seed } = await control(api.simulator.url, 'GET', '/state');
    const { body: list } = await api.get(users);

    await using copy = await startApi({ seed });

    expect(seed).toEqual(JSON.parse(JSON.stringify(api.simulator.snapshot())));
    expect(copy.simulator.snapshot()).toEqual(api.simulator.snapshot());
    expect((await copy.get(users)).body).toEqual(list);
    expect((await copy.post(users, person('eve'))).body.id).not.toBe(id);
  });

  test('the same requests give the same SIDs', async () => {
    const run = async () => {
      await using api = await startApi({ now: () => 1_800_000_000_000 });
      return [await api.post(users, person('ada')), await api.post(users, person('ben'))].map(({ text }) => text);
    };

    expect(await run()).toEqual(await run());
  });

  test('a reset brings back the beginning, with its quirks and limits', async () => {
    await using api = await startApi({ quirks: { emptyList: 'absent' } });
    const before = api.simulator.snapshot();
    await api.post(users, person('ada'));
    Object.assign(api.simulator.quirks, { emptyList: 'array', listLimit: 1 });

    await control(api.simulator.url, 'POST', '/reset');

    expect(api.simulator.snapshot().users?.length).toBe(before.users?.length);
    expect(api.simulator.quirks).toMatchObject({ emptyList: 'absent', listLimit: null });
    expect(api.simulator.requests.total).toBe(0);
    expect((await api.get(users)).status).toBe(401);
  });

  test('a seed that contradicts itself is refused with everything that is wrong', async () => {
    const started = startSimulator({
      seed: {
        users: [
          { userName: 'a@corp.example', externalId: 'emp-1' },
          { userName: 'A@corp.example' },
          { userName: 'b@corp.example', externalId: 'emp-1' },
        ],
        assignments: [
          { user: 'nobody@corp.example', role: 'Developer', scope: 'Production' },
          { user: 'a@corp.example', role: 'Developer', scope: 'organization' },
          { user: 'a@corp.example', role: 'Astronaut', scope: 'Production' },
        ],
      },
    });

    const error = await started.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(ConfigError);
    expect((error as ConfigError).issues.map(({ path, message }) => `${path}: ${message}`)).toEqual([
      'users[1]: userName A@corp.example stands twice',
      'users[2]: externalId emp-1 stands twice',
      'assignments[0]: no user nobody@corp.example',
      'assignments[1]: role Developer cannot be given at OR00000000000000000000000000000001',
      'assignments[2]: no role Astronaut',
    ]);
  });

  describe('a seed file', () => {
    let folder: string;
    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'simulator-seed-'));
    });
    afterAll(() => rm(folder, { recursive: true }));

    test('is read, also with a byte order mark', async () => {
      const file = join(folder, 'good.json');
      await writeFile(file, '\uFEFF{ "users": [{ "userName": "a@corp.example" }] }');

      expect(loadSeedFile(file)).toEqual({ users: [{ userName: 'a@corp.example' }] });
    });

    test.each([
      [
        '{ "users": [{ "username": "a" }], "domains": "corp.example" }',
        ['domains', 'users[0]', 'users[0].userName'],
        undefined,
      ],
      ['{\n  "users": [\n  }', [''], 3],
      ['{\n  "users": [', [''], 2],
    ])('with mistakes names file, path and line: %s', async (text, paths, line) => {
      const file = join(folder, 'bad.json');
      await writeFile(file, text);

      const error = await Promise.resolve(file)
        .then(loadSeedFile)
        .then(
          () => undefined,
          (reason: unknown) => reason,
        );

      expect(error).toBeInstanceOf(ConfigError);
      const { issues } = error as ConfigError;
      expect(issues.map((issue) => issue.path).sort()).toEqual(paths);
      expect(issues.every((issue) => issue.file === file && issue.line === line)).toBe(true);
    });

    test('that does not exist is named', () => {
      expect(() => loadSeedFile(join(folder, 'none.json'))).toThrow(/none\.json.*cannot read the seed/);
    });
  });
});

test('a list of ten thousand people is whole and right', async () => {
  const people = Array.from({ length: 10_000 }, (_, i) => ({ userName: `p${i}@corp.example`, externalId: `emp-${i}` }));
  await using api = await startApi({ seed: { users: people, ownerUserName: null } });

  const { body } = await api.get(users);

  expect(body.totalResults).toBe(10_000);
  expect(body.Resources.map((user: { externalId: string }) => user.externalId)).toEqual(
    people.map(({ externalId }) => externalId),
  );
});
