/** One hook on a real socket: what is sent, how it is signed, when it is sent again, and what is never said. */
import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { TdsyncError } from '../../src/errors.ts';
import { createHook, type HookOptions } from '../../src/ops/notify.ts';
import { inTurn, type Respond, type ScriptedHttp, startScriptedHttp } from '../support/scripted-http.ts';
import { createVirtualClock, type VirtualClock } from '../support/virtual-clock.ts';

const token = 'T0PSECRET';
const delivery = { event: 'refused', id: 'run-1-refused', body: '{"event":"refused"}\n' } as const;
const never = new AbortController().signal;

interface Scene {
  readonly receiver: ScriptedHttp;
  readonly clock: VirtualClock;
  readonly log: unknown[];
  send(signal?: AbortSignal): Promise<void>;
}

async function scene(respond: Respond, options: Partial<HookOptions> = {}): Promise<Scene> {
  const receiver = await startScriptedHttp(respond);
  onTestFinished(() => receiver.close());
  const clock = createVirtualClock();
  const log: unknown[] = [];
  const write = (...line: unknown[]) => log.push(line);
  const url = { reference: `\${env:HOOK_URL}`, read: () => `${receiver.url}/hooks/${token}?key=${token}` };
  const hook = createHook(
    { key: 'key', url, on: ['refused'], format: 'json', timeoutMs: 5_000, ...options },
    { clock, logger: { debug: write, info: write, warn: write, error: write }, environment: {} },
  );
  return { receiver, clock, log, send: (signal = never) => hook.deliver(delivery, signal) };
}

async function failureOf(work: Promise<void>): Promise<TdsyncError> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof TdsyncError) return error;
  throw new Error(`not a TdsyncError: ${String(error)}`);
}

describe('a hook', () => {
  test('posts the document as JSON and says what it is about', async () => {
    const { receiver, send } = await scene(() => ({ status: 204 }));

    await send();

    const [request] = receiver.requests;
    expect(receiver.requests).toHaveLength(1);
    expect([request?.method, request?.url, request?.body]).toEqual([
      'POST',
      `/hooks/${token}?key=${token}`,
      delivery.body,
    ]);
    expect(request?.headers).toMatchObject({
      'content-type': 'application/json',
      'user-agent': 'twilio-directory-sync',
      'tdsync-event': 'refused',
      'tdsync-delivery': 'run-1-refused',
    });
    expect(request?.headers).not.toHaveProperty('tdsync-signature');
  });

  test('signs each attempt with the time of that attempt', async () => {
    const secret = { reference: `\${env:S}`, read: () => 'shared' };
    const { receiver, send } = await scene(inTurn({ status: 503 }, {}), { secret });

    await send();

    const times = receiver.requests.map(({ headers, body }) => {
      const [, time, given] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(headers['tdsync-signature'])) ?? [];
      expect(given).toBe(createHmac('sha256', 'shared').update(`${time}.${body}`).digest('hex'));
      return Number(time);
    });
    expect(times).toEqual([Date.UTC(2026, 5, 1, 12) / 1_000, Date.UTC(2026, 5, 1, 12) / 1_000 + 1]);
  });

  test('reads URL and secret anew for each attempt', async () => {
    const secrets = ['old', 'new'];
    const secret = { reference: `\${env:S}`, read: () => secrets.shift() ?? 'none' };
    const { receiver, send } = await scene(inTurn({ status: 500 }, {}), { secret });

    await send();

    const second = receiver.requests[1];
    const [, time, given] = /^t=(\d+),v1=(.*)$/.exec(String(second?.headers['tdsync-signature'])) ?? [];
    expect(given).toBe(createHmac('sha256', 'new').update(`${time}.${second?.body}`).digest('hex'));
  });

  test.each([[{ status: 500 }], [{ status: 429 }], [{ status: 408 }], [{ broken: 'before' }]] as const)(
    'is tried again when the other side may do better later: %j',
    async (reply) => {
      const { receiver, clock, send } = await scene(inTurn(reply, reply, {}));

      await send();

      expect(receiver.requests).toHaveLength(3);
      expect(clock.sleeps).toEqual([1_000, 3_000]);
    },
  );

  test('is given up after three attempts', async () => {
    const { receiver, clock, send } = await scene(() => ({ status: 502 }));

    const { code, message } = await failureOf(send());

    expect([code, message]).toEqual(['not-delivered', `notify \${env:HOOK_URL}: the hook answered 502 (3 attempts)`]);
    expect(receiver.requests).toHaveLength(3);
    expect(clock.sleeps).toEqual([1_000, 3_000]);
  });

  test.each([
    [{ status: 404 }, 'answered 404'],
    [{ status: 400, text: 'invalid_payload' }, 'answered 400'],
    [{ status: 302, headers: { location: '/elsewhere' } }, 'answered 302, and redirects are not followed'],
  ])('is given up at once when the same request would fare alike: %j', async (reply, reason) => {
    const { receiver, clock, send } = await scene(() => reply);

    const { message, hint } = await failureOf(send());

    expect(message).toBe(`notify \${env:HOOK_URL}: the hook ${reason}`);
    expect(hint).toContain('tdsync doctor --notify');
    expect([receiver.requests.length, clock.sleeps]).toEqual([1, []]);
  });

  test('is not waited for when it does not answer', async () => {
    const { send } = await scene(() => ({ broken: 'hang' }), { timeoutMs: 30 });

    const { message } = await failureOf(send());

    expect(message).toBe(`notify \${env:HOOK_URL}: the hook did not answer within 0.03 s (3 attempts)`);
  });

  test('has taken it as soon as it says so, whatever becomes of the rest of its answer', async () => {
    const { receiver, send } = await scene(() => ({ text: 'ok', broken: 'after' }));

    await send();

    expect(receiver.requests).toHaveLength(1);
  });

  test('is left when the run is asked to stop', async () => {
    const stop = new AbortController();
    const { receiver, send } = await scene(() => {
      stop.abort(new Error('stopped'));
      return { broken: 'hang' };
    });

    await expect(send(stop.signal)).rejects.toThrow('stopped');

    expect(receiver.requests).toHaveLength(1);
  });
});

describe('what a hook says when it fails', () => {
  test.each<[string, Respond]>([
    ['refuses', ({ url }) => ({ status: 403, text: `no such hook: ${url}` })],
    ['breaks', () => ({ broken: 'before' })],
    ['is out of order', ({ url }) => ({ status: 500, text: url })],
  ])('holds neither URL nor secret when the receiver %s', async (_, respond) => {
    const secret = { reference: `\${env:S}`, read: () => token };
    const { log, send } = await scene(respond, { secret });

    const { message, hint } = await failureOf(send());

    expect(JSON.stringify([message, hint, log])).not.toMatch(new RegExp(`${token}|127\\.0\\.0\\.1`));
  });

  test('names a port where nobody listens by its error alone', async () => {
    const { receiver, send } = await scene(() => ({}));
    await receiver.close();

    const { message } = await failureOf(send());

    expect(message).toBe(`notify \${env:HOOK_URL}: the hook could not be reached (ECONNREFUSED) (3 attempts)`);
  });
});

test('what looks like a token does not leave in a message either', async () => {
  const receiver = await startScriptedHttp(() => ({}));
  onTestFinished(() => receiver.close());
  const silent = () => {};
  const hook = createHook(
    { key: 'key', url: { reference: 'r', read: () => receiver.url }, on: ['failed'], format: 'json', timeoutMs: 5_000 },
    {
      clock: createVirtualClock(),
      logger: { debug: silent, info: silent, warn: silent, error: silent },
      environment: {},
    },
  );

  await hook.deliver({ event: 'failed', id: 'x', body: '{"message":"Bearer abcdefgh12345678 is not valid"}' }, never);

  expect(receiver.requests[0]?.body).toBe('{"message":"Bearer [redacted] is not valid"}');
});

test('a hook elsewhere is reached through the proxy that the environment names', async () => {
  const asked: string[] = [];
  const proxy = createServer();
  proxy.on('connect', ({ url }, socket) => {
    asked.push(url ?? '');
    socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void proxy.close());
  const silent = () => {};
  const url = { reference: 'https://hooks.corp.example/…', read: () => `https://hooks.corp.example/${token}` };
  const hook = createHook(
    { key: 'key', url, on: ['refused'], format: 'json', timeoutMs: 5_000 },
    {
      clock: createVirtualClock(),
      logger: { debug: silent, info: silent, warn: silent, error: silent },
      environment: { HTTPS_PROXY: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}` },
    },
  );

  const { message } = await failureOf(hook.deliver(delivery, never));

  expect(asked).toEqual(Array(3).fill('hooks.corp.example:443'));
  expect(message).toContain('could not be reached');
});
