import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createRateGovernor, type Passage } from '../../src/twilio/rate-governor.ts';
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
      const at = log.earliest(now, undefined);
      if (at <= now) break;
      now = Math.ceil(at) + (late[index % late.length] ?? 0);
    }
    log.record(now, undefined);
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
    log.record(10_000_000, undefined);

    const at = log.earliest(1000, undefined);

    expect(at).toBeGreaterThan(1000);
    expect(at).toBeLessThanOrEqual(1000 + 1030);
  });
});

test('what a late timer cost one start of a slow pace does not make two follow one another at once', () => {
  const log = createStartLog(10);
  log.record(0, 1);
  log.record(1900, 1);

  const at = log.earliest(1900, 1);

  expect(at).toBeGreaterThanOrEqual(1900 + 980);
});

/** A task that notes when it starts. */
function noting(starts: number[], clock: { now(): number }) {
  return async (passage: Passage) => {
    await passage.start();
    starts.push(clock.now());
    passage.accepted();
  };
}

describe('the governor', () => {
  test('a hold keeps everybody, and the longer of two counts', async () => {
    const clock = createVirtualClock(0);
    const governor = createRateGovernor({ requestsPerSecond: 1000, maxConcurrent: 4 }, clock);
    const starts: number[] = [];
    governor.hold(0, 60_000);
    governor.hold(0, 1000);

    await Promise.all(Array.from({ length: 6 }, () => governor.schedule(noting(starts, clock), 'write')));

    expect(Math.min(...starts)).toBe(60_000);
    expect(starts).toHaveLength(6);
  });

  test('a hold is no longer where the clock is set back before it or during it', async () => {
    const day = 86_400_000;
    const clock = createVirtualClock(2 * day);
    const governor = createRateGovernor({ requestsPerSecond: 1000, maxConcurrent: 4 }, clock);
    const starts: number[] = [];
    const began = clock.now();
    const refused = governor.schedule(async (passage) => {
      await passage.start();
      passage.refused({ holdMs: 30_000, tooManyAtOnce: false });
    }, 'write');
    await refused;
    const waiting = governor.schedule(noting(starts, clock), 'write');

    clock.advance(-day);
    governor.hold(began, 30_000);
    await waiting;

    expect(starts[0]).toBeLessThanOrEqual(began - day + 61_000);
    expect(clock.sleeps.reduce((sum, ms) => sum + ms, 0)).toBeLessThanOrEqual(61_000);
  });

  test('within the rate nobody waits; after a 429 everybody is held once, and starts are spread', async () => {
    const clock = createVirtualClock(0);
    const governor = createRateGovernor({ requestsPerSecond: 100, maxConcurrent: 1 }, clock);
    const starts: number[] = [];
    for (let i = 0; i < 10; i++) await governor.schedule(noting(starts, clock), 'write');
    const before = governor.pace;

    await governor.schedule(async (passage) => {
      await passage.start();
      passage.refused({ holdMs: 3000, tooManyAtOnce: false });
    }, 'write');
    for (let i = 0; i < 2; i++) await governor.schedule(noting(starts, clock), 'write');

    expect(before).toBeUndefined();
    expect(starts.slice(0, 10)).toEqual(Array(10).fill(0));
    expect(starts[10]).toBe(3000);
    expect((starts[11] ?? 0) - (starts[10] ?? 0)).toBeGreaterThanOrEqual(150);
  });

  test('one burst of 429s slows everybody down once', async () => {
    const clock = createVirtualClock(0);
    const governor = createRateGovernor({ requestsPerSecond: 100, maxConcurrent: 8 }, clock);
    const all = Promise.withResolvers<void>();
    let started = 0;
    const paces = new Set<number | undefined>();
    const warmUp: number[] = [];
    for (let i = 0; i < 40; i++) await governor.schedule(noting(warmUp, clock), 'write');

    await Promise.all(
      Array.from({ length: 8 }, () =>
        governor.schedule(async (passage) => {
          await passage.start();
          if (++started === 8) all.resolve();
          await all.promise;
          passage.refused({ holdMs: 0, tooManyAtOnce: false });
          paces.add(governor.pace);
        }, 'write'),
      ),
    );

    expect([...paces]).toHaveLength(1);
  });

  test('what an operation needs goes ahead of reads that wait for a place', async () => {
    const governor = createRateGovernor({ requestsPerSecond: 1000, maxConcurrent: 1 }, createVirtualClock(0));
    const order: string[] = [];
    const running = Promise.withResolvers<void>();
    const free = Promise.withResolvers<void>();
    const task = (name: string) => async (passage: Passage) => {
      await passage.start();
      order.push(name);
    };

    const first = governor.schedule(() => {
      running.resolve();
      return free.promise;
    }, 'read');
    await running.promise;
    const all = [
      governor.schedule(task('list, page 2'), 'read'),
      governor.schedule(task('list, page 3'), 'read'),
      governor.schedule(task('write'), 'write'),
      governor.schedule(task('look-up'), 'write'),
    ];
    // Bottleneck takes them into its queue one by one, each with turns of the event loop.
    for (let turn = 0; turn < 50; turn++) await new Promise((done) => setTimeout(done));
    free.resolve();
    await Promise.all([first, ...all]);

    expect(order).toEqual(['write', 'look-up', 'list, page 2', 'list, page 3']);
  });

  test('a task that fails, or takes its turn twice, gives its place back', async () => {
    const clock = createVirtualClock(0);
    const governor = createRateGovernor({ requestsPerSecond: 1000, maxConcurrent: 1 }, clock);
    const twice = async (passage: Passage) => {
      await passage.start();
      await passage.start();
    };
    const failing = async (passage: Passage) => {
      await passage.start();
      throw new Error('broken');
    };

    await governor.schedule(twice, 'write');
    const error = await errorFrom(governor.schedule(failing, 'write'));
    const starts: number[] = [];
    await governor.schedule(noting(starts, clock), 'write');

    expect(error).toMatchObject({ message: 'broken' });
    expect(starts).toHaveLength(1);
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
        }, 'write'),
      ),
    );

    expect(most).toBe(3);
  });

  test('an abort ends the wait for a turn and lets the others go on', async () => {
    const clock = createVirtualClock(0);
    const governor = createRateGovernor({ requestsPerSecond: 1000, maxConcurrent: 2 }, clock);
    const controller = new AbortController();
    const reason = new Error('stop');
    governor.hold(0, 5000);
    controller.abort(reason);

    const aborted = errorFrom(governor.schedule((passage) => passage.start(), 'read', controller.signal));
    const other = governor.schedule((passage) => passage.start(), 'read');

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
        governor.schedule(async (passage) => {
          await passage.start();
          starts.push(performance.now());
          await (await fetch(server.url)).text();
        }, 'write'),
      ),
    );

    expect(server.requests).toHaveLength(220);
    // Noted a moment after the start that the governor counts, and on a busy machine moments differ.
    expect(busiest(starts, 950)).toBeLessThanOrEqual(100);
  });
});
