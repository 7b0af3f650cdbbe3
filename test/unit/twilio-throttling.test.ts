/** The pacer against servers that limit in every way that is usual, for hours of virtual time. */
import { describe, expect, test } from 'vitest';
import { createPace } from '../../src/twilio/pace.ts';
import { type Figures, simulate } from '../support/throttling.ts';
import type { Shape } from '../support/throttling-server.ts';

/** Of the first limit, as the run goes on. */
const courses: Readonly<Record<string, readonly number[]>> = {
  'stays the same': [1, 1, 1],
  'is halved': [1, 0.5, 0.5],
  'is doubled': [1, 2, 2],
  'is halved, then doubled': [1, 0.5, 1],
};

const network = [
  { latency: 20, jitter: 5, maxConcurrent: 2, code: 20429, retryAfter: false },
  { latency: 80, jitter: 10, maxConcurrent: 20, code: 25021, retryAfter: true },
];

/** Runs each course over near and far servers, with and without Retry-After. */
function runs(shape: Shape, limit: number, course: readonly number[], ceiling: number): readonly Figures[] {
  const seconds = Math.max(3000 / limit, 150);
  const limits = course.map((factor) => [factor * limit, seconds] as const);
  return network.map(({ latency, jitter, maxConcurrent, code, retryAfter }, index) => {
    const places = Math.max(maxConcurrent, Math.ceil((ceiling * (latency + jitter)) / 800));
    const ceilings = { requestsPerSecond: ceiling, maxConcurrent: places };
    return simulate({ shape, code, ceilings, limits, latency, jitter, retryAfter, seed: index + 1 });
  });
}

function worst(figures: readonly Figures[]) {
  return {
    efficiency: Math.min(...figures.map(({ efficiency }) => efficiency)),
    refused: Math.max(...figures.map(({ refusedShare }) => refusedShare)),
  };
}

describe.each(['sliding window', 'fixed window', 'bucket'] as const)('of a server that counts by %s', (shape) => {
  describe.each([1, 5, 20, 100])('and lets %d through in a second', (limit) => {
    test.each(Object.keys(courses))(
      'when it %s, most of it is used, and one answer in a hundred is a 429 at most',
      (name) => {
        const { efficiency, refused } = worst(runs(shape, limit, courses[name] ?? [], 2.5 * limit));

        expect(efficiency).toBeGreaterThanOrEqual(0.85);
        expect(refused).toBeLessThanOrEqual(0.01);
      },
    );

    test('with an equal ceiling the limit is never met', () => {
      const { efficiency, refused } = worst(runs(shape, limit, [1, 1], limit));

      expect(efficiency).toBeGreaterThanOrEqual(0.85);
      expect(refused).toBeLessThanOrEqual(shape === 'bucket' ? 0.01 : 0.0005);
    });
  });
});

test('what went through counts although all of it started in the moment of the refusal', () => {
  const pace = createPace(50);

  for (let request = 0; request < 20; request++) pace.accepted(1000, false, true);
  pace.refused(1000, 1010, false);

  expect(pace.rate).toBe(10);
});

describe('of a server that counts', () => {
  test.each([
    ['in short windows', 'short windows'],
    ['with a bucket that hardly holds anything', 'small bucket'],
  ] as const)('%s, what jitter leaves of the limit is used', (_name, shape) => {
    for (const limit of [5, 20, 100]) {
      const { efficiency, refused } = worst(runs(shape, limit, [1, 0.5, 1], 2.5 * limit));

      expect(efficiency).toBeGreaterThanOrEqual(0.75);
      expect(refused).toBeLessThanOrEqual(0.01);
    }
  });

  test.each([20429, undefined])(
    'requests at once (code %s), fewer are under way and most of the places are used',
    (code) => {
      for (const most of [1, 2, 4]) {
        const ceilings = { requestsPerSecond: 100, maxConcurrent: 8 };
        const limits = [[most, 1000]] as const;
        const scene = {
          shape: 'concurrency',
          code,
          ceilings,
          limits,
          latency: 60,
          jitter: 30,
          retryAfter: true,
        } as const;

        const { efficiency, refusedShare } = simulate({ ...scene, seed: most });

        // Without the code it takes longer to blame the number.
        expect(efficiency).toBeGreaterThanOrEqual(code === undefined ? 0.65 : 0.75);
        expect(refusedShare).toBeLessThanOrEqual(0.01);
      }
    },
  );

  test('differently each time, over many seeds, the share of 429s stays below one in a hundred', () => {
    const kinds = ['sliding window', 'fixed window', 'bucket', 'short windows', 'small bucket'] as const;
    for (let seed = 1; seed <= 100; seed++) {
      const shape = kinds[seed % kinds.length] ?? 'bucket';
      const limit = 1 + ((seed * 7) % 30);
      const ceilings = { requestsPerSecond: limit * (1 + (seed % 4)), maxConcurrent: 1 + (seed % 6) };
      const retryAfter = seed % 2 === 0;
      const limits = [
        [limit, 1500 / limit],
        [limit * 2, 1500 / limit],
        [limit / 2, 3000 / limit],
      ] as const;

      const { refusedShare } = simulate({ shape, ceilings, limits, latency: 20, jitter: 5, retryAfter, seed });

      expect(refusedShare, `seed ${seed}, ${shape}, ${limit}`).toBeLessThanOrEqual(0.01);
    }
  });
});
