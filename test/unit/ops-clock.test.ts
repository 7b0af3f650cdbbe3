import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/ops/clock.ts';

describe('systemClock', () => {
  it('tells the milliseconds since the epoch', () => {
    const before = Date.now();

    const now = systemClock.now();

    expect(now).toBeGreaterThanOrEqual(before);
  });

  it('ends a sleep with the reason of the signal', async () => {
    const controller = new AbortController();
    const sleep = systemClock.sleep(2 ** 40, controller.signal);

    controller.abort('enough');

    await expect(sleep).rejects.toBe('enough');
  });

  it('does not begin to sleep when the signal has aborted already', async () => {
    const signal = AbortSignal.abort('enough');

    await expect(systemClock.sleep(2 ** 40, signal)).rejects.toBe('enough');
    await expect(systemClock.sleep(0, signal)).rejects.toBe('enough');
  });

  it('leaves no listener on the signal', async () => {
    const { signal } = new AbortController();

    await systemClock.sleep(0, signal);
    await systemClock.sleep(-5, signal);

    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  it('sleeps longer than a timer can, which would fire after one millisecond instead', async () => {
    const controller = new AbortController();
    const long = systemClock.sleep(30 * 86_400_000, controller.signal).then(
      () => 'long',
      () => 'ended',
    );
    const short = systemClock.sleep(20).then(() => 'short');

    const first = await Promise.race([long, short]);
    controller.abort();

    expect([first, await long]).toEqual(['short', 'ended']);
  });
});
