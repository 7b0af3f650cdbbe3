import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createRateGovernor } from '../../src/twilio/rate-governor.ts';
import { createStartLog } from '../../src/twilio/start-log.ts';
import { startScriptedHttp } from '../support/scripted-http.ts';
import { errorFrom } from '../support/twilio-scripts.ts';
import { createVirtualClock } from '../support/virtual-clock.ts';

/** The most starts that any window of this length holds. */
function busiest(starts: readonly number[], windowMs: number): number {
  let first = 0;
  let most = 0;
  starts.forEach((at, index) => {
    while (at - (starts[first] ?? 0) >= windowMs) first++;
    most = Math.max(most, index - first + 1);
  });
  return most;
}

/** Starts as early as the log allows, after pauses between the requests and with timers that fire late. */
function simulate(requestsPerSecond: number, gaps: readonly number[], late: readonly number[]): number[] {
  const log = createStartLog(requestsPerSecond);
  const starts: number[] = [];
  let now = 1_000_000;
  gaps.forEach((gap, index) => {
    now += gap;
    for (;;) {
      const at = log.earliest(now);
      if (at <= now) break;
      now = Math.ceil(at) + (late[index % late.length] ?? 0);
    }
    log.record(now);
    starts.push(now);
  });
  return starts;
}

describe('the log of starts', () => {
  test('no second ever holds more starts than the rate', () => {
    const seed = Date.now() & 0x7fffffff;
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 60 }),
        fc.array(fc.oneof(fc.constant(0), fc.nat(30), fc.nat(3000)), { minLength: 1, maxLength: 300 }),
        fc.array(fc.nat(40), { minLength: 1, maxLength: 20 }),
        (rate, gaps, late) => busiest(simulate(rate, gaps, late), 1000) <= rate,
      ),
      { seed, numRuns: 300 },
    );
  });

  test.each([0.2, 0.5, 2.5, 5, 50, 200])('at %d requests per second the pace is within three hundredths', (rate) => {
    const count = Math.ceil(rate * 20);

    const starts = simulate(rate, Array(count).fill(0), [0]);

    const seconds = ((starts.at(-1) ?? 0) - (starts[0] ?? 0)) / 1000;
    expect(seconds / ((count - 1) / rate)).toBeLessThanOrEqual(1.03);
  });

  test('what late timers cost is made up for', () => {
    const starts = simulate(50, Array(1000).fill(0), [3]);

    expect(((starts.at(-1) ?? 0) - (starts[0] ?? 0)) / 1000 / (999 / 50)).toBeLessThanOrEqual(1.03);
  });

  test('a clock that is set back neither stops the requests nor lets them bunch', () => {
    const log = createStartLog(2);
    log.record(10_000_000);

    const at = log.earliest(1000);

    expect(at).toBeGreaterThan(1000);
    expect(at).toBeLessThanOrEqual(1000 + 1030);
  });
});

describe('the governor', () => {
  test('a pause holds everybody, and the longer of two pauses counts', async () => {
    const clock = createVirtualClock(0);
    const governor = createRateGovernor({ requestsPerSecond: 1000, maxConcurrent: 4 }, clock);
    const starts: number[] = [];
    governor.pause(60_000);
    governor.pause(1000);

    await Promise.all(
      Array.from({ length: 6 }, () =>
        governor.schedule(async (start) => {
          await start();
          starts.push(clock.now());
        }),
      ),
    );

    expect(Math.min(...starts)).toBe(60_000);
    expect(starts).toHaveLength(6);
  });

  test('within the rate nobody waits; after a 429 starts are spread until the pace has recovered', async () => {
    const clock = createVirtualClock(0);
    const governor = createRateGovernor({ requestsPerSecond: 100, maxConcurrent: 1 }, clock);
    const gapAfter = async (successes: number) => {
      for (let i = 0; i < successes; i++) governor.succeeded();
      const starts: number[] = [];
      for (let i = 0; i < 4; i++) {
        await governor.schedule(async (start) => {
          await start();
          starts.push(clock.now());
        });
      }
      return (starts[3] ?? 0) - (starts[2] ?? 0);
    };

    const before = await gapAfter(0);
    governor.pause(10);
    const slowed = await gapAfter(0);
    const recovered = await gapAfter(50);

    expect([before, slowed, recovered]).toEqual([0, 15, 0]);
  });

  test('never more than the given number run at once', async () => {
    const governor = createRateGovernor({ requestsPerSecond: 1000, maxConcurrent: 3 }, createVirtualClock(0));
    let running = 0;
    let most = 0;
    let full = Promise.withResolvers<void>();
    const enter = () => {
      most = Math.max(most, ++running);
      const mine = full;
      if (running === 3) {
        full = Promise.withResolvers();
        // Time for a fourth to come in, were it let.
        setTimeout(() => mine.resolve(), 20);
      }
      return mine.promise;
    };

    await Promise.all(
      Array.from({ length: 12 }, () =>
        governor.schedule(async () => {
          await enter();
          running--;
        }),
      ),
    );

    expect(most).toBe(3);
  });

  test('an abort ends the wait for a turn and lets the others go on', async () => {
    const clock = createVirtualClock(0);
    const governor = createRateGovernor({ requestsPerSecond: 1000, maxConcurrent: 2 }, clock);
    const controller = new AbortController();
    const reason = new Error('stop');
    governor.pause(5000);
    controller.abort(reason);

    const aborted = errorFrom(governor.schedule((start) => start(), controller.signal));
    const other = governor.schedule((start) => start());

    expect(await aborted).toBe(reason);
    await expect(other).resolves.toBeUndefined();
  });

  test('on a real socket and the real clock no second holds more than the rate', async () => {
    const starts: number[] = [];
    await using server = await startScriptedHttp(() => ({ json: {} }));
    const clock = { now: () => Date.now(), sleep: (ms: number) => new Promise<void>((done) => setTimeout(done, ms)) };
    const governor = createRateGovernor({ requestsPerSecond: 100, maxConcurrent: 4 }, clock);

    await Promise.all(
      Array.from({ length: 220 }, () =>
        governor.schedule(async (start) => {
          await start();
          starts.push(performance.now());
          await (await fetch(server.url)).text();
        }),
      ),
    );

    expect(server.requests).toHaveLength(220);
    // Noted a moment after the start that the governor counts, and on a busy machine moments differ.
    expect(busiest(starts, 950)).toBeLessThanOrEqual(100);
  });
});
