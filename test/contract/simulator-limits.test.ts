import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SlidingWindow } from '../../src/simulator/rate-limit.ts';
import { requestToken, startApi } from './simulator-harness.ts';

const users = '/scim/v2/Users';

test('no window of one second lets more through than the limit, and refusals name when the next may come', () => {
  const gaps = fc.array(fc.integer({ min: 0, max: 700 }), { maxLength: 200 });

  fc.assert(
    fc.property(gaps, fc.integer({ min: 1, max: 5 }), (between, limit) => {
      const window = new SlidingWindow();
      const passed: number[] = [];
      let at = 0;
      for (const gap of between) {
        at += gap;
        const retryIn = window.arrive(at, limit);
        const inLastSecond = passed.filter((time) => time > at - 1000).length;
        expect(retryIn === undefined).toBe(inLastSecond < limit);
        if (retryIn === undefined) {
          passed.push(at);
        } else {
          const inWindowAt = (then: number) => passed.filter((time) => time > then - 1000).length;
          expect(inWindowAt(at + retryIn)).toBeLessThan(limit);
          expect(inWindowAt(at + retryIn - 1)).toBe(limit);
        }
      }
    }),
    { numRuns: 200 },
  );
});

test('requests beyond the rate get 429, the token endpoint does not count, and a second later all is well', async () => {
  let time = 0;
  await using api = await startApi({ monotonic: () => time, limits: { requestsPerSecond: 3 } });

  const statuses: number[] = [];
  for (let i = 0; i < 5; i++) {
    statuses.push((await api.get(users)).status);
    await requestToken(api.simulator.url);
  }
  time = 999;
  const early = await api.get(users);
  time = 1000;
  const late = await api.get(users);

  expect(statuses).toEqual([200, 200, 200, 429, 429]);
  expect([early.status, late.status]).toEqual([429, 200]);
  expect(api.simulator.requests.statuses).toMatchObject({ 429: 3 });
});

test('a refused write has no effect', async () => {
  await using api = await startApi({ monotonic: () => 0, limits: { requestsPerSecond: 1 } });
  await api.get(users);
  const before = api.simulator.snapshot();

  const { status } = await api.post(users, { userName: 'a@corp.example', emails: [{ value: 'a@corp.example' }] });

  expect(status).toBe(429);
  expect(api.simulator.snapshot()).toEqual(before);
});

test('a 429 has the error body of its endpoint, and Retry-After in seconds, as a date, or not at all', async () => {
  const wallClock = Date.UTC(2026, 0, 1, 12, 0, 0);
  await using api = await startApi({ now: () => wallClock, monotonic: () => 0, limits: { requestsPerSecond: 1 } });
  const { quirks } = api.simulator;
  await api.get(users);

  const seconds = await api.get(users);
  Object.assign(quirks, { retryAfter: 'date', rateLimitCode: 25109, throttledUntil: true });
  const date = await api.get('/v2/Organizations/Roles');
  Object.assign(quirks, { retryAfter: 'absent', rateLimitCode: null, throttledUntil: false });
  const absent = await api.get(users);

  expect(seconds.body).toMatchObject({ code: 20429, status: '429' });
  expect(seconds.headers.get('retry-after')).toBe('1');
  expect(date.body).toMatchObject({ code: 25109, status: 429, throttled_until: '2026-01-01T12:00:01.000Z' });
  expect(date.headers.get('retry-after')).toBe('Thu, 01 Jan 2026 12:00:01 GMT');
  expect(absent.body).not.toHaveProperty('code');
  expect(absent.headers.has('retry-after')).toBe(false);
});

test('more requests at once than allowed get 20429, and the place is free again when one ends', async () => {
  await using api = await startApi({ limits: { maxConcurrent: 1 } });
  api.simulator.faults.add({ match: { method: 'GET' }, times: 1, fault: 'hang' });
  const abort = new AbortController();
  const hanging = fetch(`${api.simulator.url}${users}`, { signal: abort.signal }).catch(() => 'aborted');
  await api.simulator.requests.waitFor({ path: users });

  const refused = await api.get(users);
  abort.abort();
  await hanging;
  let next = await api.get(users);
  // The server learns of the closed connection in its own time.
  while (next.status === 429) next = await api.get(users);

  expect([refused.status, refused.body.code]).toEqual([429, 20429]);
  expect(next.status).toBe(200);
});

test('latency stands between arrival and effect, and closing does not wait for it', async () => {
  const api = await startApi({ limits: { latency: 0 } });
  api.simulator.limits.latency = 60_000;
  const { url, state } = api.simulator;
  const waiting = api.post(users, { userName: 'a@corp.example', emails: [{ value: 'a@corp.example' }] }).then(
    () => 'answered',
    () => 'cut off',
  );
  const underWay = async () => (await (await fetch(`${url}/_simulator/counts`)).json()) as { underWay: number };
  while ((await underWay()).underWay === 0);

  const peopleMeanwhile = state.users.size;
  await api.close();
  await api.close();

  expect([peopleMeanwhile, state.users.size]).toEqual([1, 1]);
  expect(await waiting).toBe('cut off');
});
