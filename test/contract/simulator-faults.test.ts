import { expect, test } from 'vitest';
import { type Api, person, startApi } from './simulator-harness.ts';

const users = '/scim/v2/Users';

async function names(api: Api): Promise<string[]> {
  return (await api.get(users)).body.Resources.map((user: { userName: string }) => user.userName);
}

test('a reset before the effect loses the request, a reset after it loses only the answer', async () => {
  await using api = await startApi();
  const post = { method: 'POST', path: users };
  api.simulator.faults.add(
    { match: post, times: 1, fault: 'reset-before' },
    { match: post, times: 1, fault: 'reset-after' },
  );

  await expect(api.post(users, person('first'))).rejects.toThrow();
  await expect(api.post(users, person('second'))).rejects.toThrow();
  const third = await api.post(users, person('third'));

  expect(third.status).toBe(201);
  expect(await names(api)).toEqual(['owner@corp.example', 'second@corp.example', 'third@corp.example']);
  const posts = api.simulator.requests.matching(post);
  expect(posts.map(({ status, fault }) => [status, fault])).toEqual([
    [0, 'reset-before'],
    [0, 'reset-after'],
    [201, undefined],
  ]);
});

test('a truncated answer promises more than it brings, though the effect is there', async () => {
  await using api = await startApi();
  api.simulator.faults.add({ match: { method: 'POST' }, fault: 'truncate' });

  await expect(api.post(users, person('ada'))).rejects.toThrow();

  expect(await names(api)).toContain('ada@corp.example');
});

test('a list of any length can be truncated', async () => {
  await using api = await startApi({
    seed: { users: Array.from({ length: 1000 }, (_, i) => ({ userName: `p${i}@corp.example` })) },
  });
  api.simulator.faults.add({ fault: 'truncate' });

  await expect(api.get(users)).rejects.toThrow();
});

test('rules wait for their turn, play as often as told, and the first that is due wins', async () => {
  await using api = await startApi();
  api.simulator.faults.add(
    { match: { path: users }, after: 1, times: 2, fault: { status: 503 } },
    { match: { method: 'GET' }, after: 2, times: 1, fault: { status: 500 } },
  );

  const statuses: number[] = [];
  for (let i = 0; i < 5; i++) statuses.push((await api.get(users)).status);

  expect(statuses).toEqual([200, 503, 503, 500, 200]);
  expect(api.simulator.faults.list().map(({ played }) => played)).toEqual([2, 1]);
});

test('an invented status comes without effect, or with it when told, in the body of the endpoint or any other', async () => {
  await using api = await startApi();
  const { faults } = api.simulator;
  faults.add({ times: 1, fault: { status: 500 } });
  faults.add({ times: 1, fault: { status: 503, effect: true, body: 'busy', headers: { 'retry-after': '7' } } });
  faults.add({ times: 1, fault: { status: 200, body: { anything: true } } });

  const without = await api.post(users, person('first'));
  const having = await api.post(users, person('second'));
  const strange = await api.post(users, person('third'));

  expect(without.body).toMatchObject({ code: 20500, status: '500' });
  expect([having.status, having.text, having.headers.get('retry-after')]).toEqual([503, 'busy', '7']);
  expect(strange.body).toEqual({ anything: true });
  expect(await names(api)).toEqual(['owner@corp.example', 'second@corp.example']);
});

test('html is the page of an edge proxy', async () => {
  await using api = await startApi();
  api.simulator.faults.add({ fault: 'html' });

  const { status, headers, text } = await api.get(users);

  expect([status, headers.get('content-type')]).toEqual([502, 'text/html']);
  expect(text).toContain('<h1>502 Bad Gateway</h1>');
});

test.each([
  ['page', 200, false, /Sign in to the network/],
  ['page-after', 201, true, /Sign in to the network/],
  ['html-after', 502, true, /Bad Gateway/],
  ['empty', 201, true, /^$/],
  ['cut-short', 201, true, /^\{[^}]+$/],
  ['mistyped', 201, true, /"userName":"ada@corp\.example"/],
] as const)('%s answers %i, takes effect: %s', async (fault, status, effect, text) => {
  await using api = await startApi();
  api.simulator.faults.add({ match: { method: 'POST' }, fault });

  const answer = await api.post(users, person('ada'));

  expect([answer.status, (await names(api)).includes('ada@corp.example')]).toEqual([status, effect]);
  expect(answer.text).toMatch(text);
  if (fault === 'mistyped') expect(answer.headers.get('content-type')).toBe('text/html');
});

test('an answer that breaks in the head, has no end or drips takes effect and is never whole', async () => {
  await using api = await startApi();
  api.simulator.faults.add(
    { match: { method: 'POST' }, times: 1, fault: 'reset-head' },
    { match: { method: 'POST' }, times: 1, fault: 'endless' },
    { match: { method: 'POST' }, times: 1, fault: 'drip' },
  );

  await expect(api.post(users, person('head'))).rejects.toThrow();
  const [endless, drip] = await Promise.all(
    ['endless', 'drip'].map((name) =>
      fetch(api.simulator.url + users, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: api.authorization },
        body: JSON.stringify(person(name)),
      }),
    ),
  );
  const reader = endless?.body?.getReader();
  let size = 0;
  while (size < 1 << 20) size += (await reader?.read())?.value?.byteLength ?? 0;
  await reader?.cancel();
  const first = await drip?.body?.getReader().read();

  expect(first?.value?.byteLength).toBeLessThan(10);
  expect(await names(api)).toEqual(expect.arrayContaining(['head', 'endless', 'drip'].map((n) => `${n}@corp.example`)));
});

test('a rule may ask for members of the body and for query parameters, or that there be none', async () => {
  await using api = await startApi();
  api.simulator.faults.add(
    { match: { body: { userName: 'ada@corp.example' } }, fault: { status: 503 } },
    { match: { path: users, query: { filter: null } }, fault: { status: 504 } },
    { match: { path: users, query: { filter: 'userName eq "x@corp.example"' } }, fault: { status: 500 } },
  );
  const filter = (name: string) => `${users}?filter=${encodeURIComponent(`userName eq "${name}@corp.example"`)}`;

  const statuses = [
    await api.post(users, person('ada')),
    await api.post(users, person('bob')),
    await api.get(users),
    await api.get(filter('x')),
    await api.get(filter('y')),
  ].map(({ status }) => status);

  expect(statuses).toEqual([503, 504, 504, 500, 200]);
});

test('a hanging request hangs until the simulator closes, and closing does not wait for it', async () => {
  const api = await startApi();
  api.simulator.faults.add({ match: { method: 'DELETE' }, fault: 'hang-after' });
  const { id } = (await api.post(users, person('ada'))).body;
  const hanging = api.delete(`${users}/${id}`).then(
    () => 'answered',
    () => 'cut off',
  );
  await api.simulator.requests.waitFor({ method: 'DELETE' });

  const user = api.simulator.state.users.get(id);
  await api.close();

  expect(user?.status).toBe('inactive');
  expect(await hanging).toBe('cut off');
});
