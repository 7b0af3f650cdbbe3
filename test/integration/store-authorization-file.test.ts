import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Authorization } from '../../src/domain/authorization.ts';
import { ConfigError, LeaseHeldError } from '../../src/errors.ts';
import { createAuthorizationFile } from '../../src/store/authorization-file.ts';
import { errorFrom, organization } from '../support/twilio-scripts.ts';
import { createVirtualClock } from '../support/virtual-clock.ts';

const authorization: Authorization = {
  organization,
  clientId: 'OQ00000000000000000000000000000001',
  refreshToken: 'refresh-1',
  authorizedAt: Date.UTC(2026, 5, 1),
  issuedAt: Date.UTC(2026, 5, 2),
  refreshedAt: Date.UTC(2026, 5, 3),
};

function place(name = 'token.json') {
  const folder = mkdtempSync(join(tmpdir(), 'tdsync-authorization-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, name);
  const clock = createVirtualClock();
  return { folder, file, clock, store: createAuthorizationFile(file, clock) };
}

/** With what was thrown. */
function errorOf(work: () => unknown): unknown {
  try {
    return work();
  } catch (error) {
    return error;
  }
}

const keeping = (kept: Authorization) => (keep: (authorization: Authorization) => void) => Promise.resolve(keep(kept));

describe('a refresh token in a file', () => {
  test('is what was kept last, for the owner alone, and leaves nothing else behind but the lock', async () => {
    const { file, store } = place('new/folder/token.json');
    await store.exclusively(keeping(authorization));

    await store.exclusively(keeping({ ...authorization, refreshToken: 'refresh-2', refusedAt: Date.UTC(2026, 5, 4) }));

    expect(store.read()).toEqual({
      ...authorization,
      refreshToken: 'refresh-2',
      refusedAt: Date.UTC(2026, 5, 4),
    });
    expect([statSync(file).mode & 0o777, statSync(join(file, '..')).mode & 0o777]).toEqual([0o600, 0o700]);
    expect(existsSync(`${file}.new`)).toBe(false);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({
      version: 1,
      refreshedAt: '2026-06-03T00:00:00.000Z',
    });
  });

  test('is undefined before anybody has approved', () => {
    expect(place().store.read()).toBeUndefined();
  });

  test.each([0o644, 0o640, 0o604, 0o620])('is refused with mode %o, and the way out is named', async (mode) => {
    const { file, store } = place();
    await store.exclusively(keeping(authorization));
    chmodSync(file, mode);

    const error = errorOf(() => store.read());

    expect(error).toBeInstanceOf(ConfigError);
    expect(error).toMatchObject({
      message: expect.stringMatching(/^twilio\.oauth\.tokenFile: .*has mode 06\d\d: others than its owner/),
      hint: expect.stringContaining(`chmod 600 ${file}`),
    });
    expect((error as ConfigError).message).not.toContain('refresh-1');
  });

  test.each([
    ['nothing', ''],
    ['half of it', '{"version": 1, "organi'],
    ['something else', '{"version": 1}'],
    ['another version', JSON.stringify({ ...authorization, version: 2 })],
  ])('is damaged when the file holds %s', (_, text) => {
    const { file, store } = place();
    writeFileSync(file, text, { mode: 0o600 });

    expect(errorOf(() => store.read())).toMatchObject({
      code: 'config',
      hint: expect.stringContaining('tdsync authorize'),
    });
  });

  test('takes the place of whatever stands there, also of a link, and never writes through one', async () => {
    const { folder, file, store } = place();
    const elsewhere = join(folder, 'elsewhere');
    writeFileSync(elsewhere, 'mine');
    symlinkSync(elsewhere, file);
    symlinkSync(elsewhere, `${file}.new`);

    await store.exclusively(keeping(authorization));

    expect([readFileSync(elsewhere, 'utf8'), store.read()?.refreshToken]).toEqual(['mine', 'refresh-1']);
  });
});

describe('while it is renewed', () => {
  test('no other store does the same, and the next one sees what the first kept', async () => {
    const { file, clock, store } = place();
    const other = createAuthorizationFile(file, clock);
    await store.exclusively(keeping(authorization));
    const order: string[] = [];
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>();

    const first = store.exclusively(async (keep) => {
      begin();
      order.push('first begins');
      for (let turn = 0; turn < 20; turn++) await setImmediate();
      keep({ ...authorization, refreshToken: 'refresh-2' });
      order.push('first ends');
    });
    await begun;
    const second = other.exclusively(async () => {
      order.push(`second sees ${other.read()?.refreshToken}`);
    });
    await Promise.all([first, second]);

    expect(order).toEqual(['first begins', 'first ends', 'second sees refresh-2']);
  });

  test('a process that never ends is not waited for beyond ten minutes', async () => {
    const { file, clock, store } = place();
    const other = createAuthorizationFile(file, clock);
    const { promise: end, resolve } = Promise.withResolvers<void>();
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
    const first = store.exclusively(() => {
      begin();
      return end;
    });
    await begun;
    const start = clock.now();

    const error = await errorFrom(other.exclusively(() => Promise.resolve()));
    resolve();
    await first;

    expect(error).toBeInstanceOf(LeaseHeldError);
    expect(clock.now() - start).toBe(600_000);
  });

  test('what is thrown leaves the old one in place and nobody locked out', async () => {
    const { file, store } = place();
    await store.exclusively(keeping(authorization));

    const error = await errorFrom(store.exclusively(() => Promise.reject(new Error('no answer'))));
    await store.exclusively(() => Promise.resolve());

    expect([(error as Error).message, store.read(), existsSync(`${file}.new`)]).toEqual([
      'no answer',
      authorization,
      false,
    ]);
  });

  test('room is made first: where nothing can be written, nothing is asked for', async () => {
    const { file, clock } = place();
    writeFileSync(file, 'a file where a folder should be');
    const store = createAuthorizationFile(join(file, 'token.json'), clock);
    let asked = false;

    const error = await errorFrom(
      store.exclusively(() => {
        asked = true;
        return Promise.resolve();
      }),
    );

    expect(error).toMatchObject({ code: 'config', hint: expect.stringContaining('is not asked for') });
    expect(asked).toBe(false);
  });
});
