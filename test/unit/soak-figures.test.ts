import { describe, expect, test } from 'vitest';
import { byQuarter, growth, type Sample } from '../soak/figures.ts';
import { judgeLife } from '../soak/judge.ts';

const mebibyte = 2 ** 20;

/** A hundred samples that differ by noise of up to a mebibyte, after a first tenth in which memory fills. */
function life(change: (run: number) => Partial<Sample> = () => ({})): readonly Sample[] {
  return Array.from({ length: 100 }, (_, run) => ({
    run: run * 12,
    heapBytes: (run < 10 ? 20 + run : 30) * mebibyte + ((run * 7_919) % 100) * 10_000,
    rssBytes: 150 * mebibyte + ((run * 104_729) % 100) * 10_000,
    files: 24 + (run % 2),
    snapshotBytes: mebibyte,
    ...change(run),
  }));
}

describe('the figures of a soak', () => {
  test('are medians of the four quarters, and the growth from the first run to the last', () => {
    const samples = life((run) => ({ snapshotBytes: run * 100 }));

    expect(byQuarter(samples, 'snapshotBytes')).toEqual([1_200, 3_700, 6_200, 8_700]);
    expect(growth(samples, 'snapshotBytes')).toBeCloseTo(9_900);
  });

  test('are flat when all there is is noise', () => {
    expect(judgeLife(life())).toEqual([]);
  });

  test.each<[string, (run: number) => Partial<Sample>, RegExp]>([
    ['4 KiB of heap per run', (run) => ({ heapBytes: 30 * mebibyte + run * 12 * 4_096 }), /the heap grew/],
    ['memory outside of the heap', (run) => ({ rssBytes: (150 + run) * mebibyte }), /resident memory grew/],
    ['a file now and then', (run) => ({ files: 24 + Math.floor(run / 20) }), /open files grew/],
    ['history that is never removed', (run) => ({ snapshotBytes: (1 + run / 50) * mebibyte }), /the snapshot grew/],
  ])('show %s', (_what, change, problem) => {
    expect(judgeLife(life(change))).toEqual([expect.stringMatching(problem)]);
  });
});
