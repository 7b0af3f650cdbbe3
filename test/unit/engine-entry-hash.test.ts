import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Entry } from '../../src/domain/entry.ts';
import { hashEntry } from '../../src/engine/entry-hash.ts';
import { entry } from '../support/builders.ts';

const text = fc.string({ maxLength: 6 });
const entries: fc.Arbitrary<Entry> = fc
  .record({
    id: fc.string({ minLength: 1, maxLength: 4 }),
    mail: text,
    sn: text,
    groups: fc.array(text, { maxLength: 2 }),
  })
  .map(({ id, mail, sn, groups }) => entry(id, { mail, sn }, groups));

test('entries that say something else have another hash, and the same have the same', () => {
  fc.assert(
    fc.property(entries, entries, (a, b) => {
      expect(hashEntry(structuredClone(a))).toBe(hashEntry(a));
      expect(hashEntry(a) === hashEntry(b)).toBe(JSON.stringify(a) === JSON.stringify(b));
      expect(Number.isSafeInteger(hashEntry(a))).toBe(true);
    }),
    { numRuns: 5_000 },
  );
});

test('a mark of a disabled account, a problem and a place count', () => {
  const plain = entry('ann');

  const others: readonly Entry[] = [
    { ...plain, disabled: true },
    { ...plain, problem: 'x' },
    { ...plain, location: 'people.csv:9' },
  ];

  expect(new Set([plain, ...others].map(hashEntry)).size).toBe(4);
});
