import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createFingerprints } from '../../src/engine/fingerprints.ts';
import { holds } from '../support/properties.ts';

test('a set of fingerprints answers as a set of the keys does', () => {
  holds(
    fc.property(fc.array(fc.string({ unit: 'binary' })), fc.array(fc.string({ unit: 'binary' })), (added, asked) => {
      const exact = new Set(added);
      const prints = createFingerprints();
      for (const key of added) prints.add(key);

      for (const key of [...added, ...asked]) expect(prints.has(key)).toBe(exact.has(key));
    }),
    1_000,
  );
});

test('keys that count upwards are told apart, past several growths of the table', () => {
  const prints = createFingerprints();
  for (let index = 0; index < 200_000; index += 2) prints.add(`emp-${index}`);

  let wrong = 0;
  for (let index = 0; index < 200_000; index++) if (prints.has(`emp-${index}`) !== (index % 2 === 0)) wrong++;

  expect(wrong).toBe(0);
});
