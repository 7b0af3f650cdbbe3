import fc from 'fast-check';
import { expect, test } from 'vitest';
import { coverPairs } from '../support/pairwise.ts';
import { holds } from '../support/properties.ts';

test('every pair of values of two switches stands together in a row', () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 12 });
  holds(
    fc.property(sizes, fc.integer(), (switches, seed) => {
      const rows = coverPairs(switches, seed);

      const together = (a: number, x: number, b: number, y: number) => rows.some((row) => row[a] === x && row[b] === y);
      for (const [a, size] of switches.entries()) {
        for (let x = 0; x < size; x++) {
          expect(rows.some((row) => row[a] === x)).toBe(true);
          for (const [b, other] of switches.entries()) {
            for (let y = 0; b > a && y < other; y++) expect(together(a, x, b, y), `${a}=${x} ${b}=${y}`).toBe(true);
          }
        }
      }
    }),
    100,
  );
});

test('rows are whole, and the same for the same seed', () => {
  const sizes = [3, 2, 5, 1, 4];

  const rows = coverPairs(sizes, 7);

  expect(coverPairs(sizes, 7)).toEqual(rows);
  for (const row of rows) {
    expect(row).toHaveLength(sizes.length);
    for (const [index, value] of row.entries()) expect(value >= 0 && value < (sizes[index] ?? 0)).toBe(true);
  }
});

test('seventy switches of three values need no more than a few dozen rows', () => {
  expect(coverPairs(Array<number>(70).fill(3)).length).toBeLessThan(40);
});
