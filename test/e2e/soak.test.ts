/** A day of the month that `npm run soak` lives: the same troubles, less of them. */
import { expect, test } from 'vitest';
import { liveAMonth } from '../soak/month.ts';
import { slapdIsInstalled } from '../support/slapd.ts';

test.skipIf(!slapdIsInstalled())(
  'a daemon that is killed, throttled, left alone and contradicted ends where the directory says, and keeps no file open',
  async () => {
    const { problems, counts, samples } = await liveAMonth({
      seed: 10,
      runs: 60,
      people: 12,
      restartChance: 0.06,
      keepRuns: '6h',
      sampleEvery: 6,
      peaceEvery: 100,
    });

    const files = samples.map((sample) => sample.files);
    expect(problems).toEqual([]);
    expect(counts).toMatchObject({
      'restarts by SIGKILL': expect.any(Number),
      'restarts by SIGTERM': expect.any(Number),
    });
    expect(samples.length).toBe(6);
    expect(Math.max(...files.slice(-3))).toBeLessThanOrEqual(Math.max(...files.slice(0, 3)));
  },
);
