import fc from 'fast-check';
import { expect, test } from 'vitest';
import { normalizeEmail } from '../../src/domain/identity.ts';
import { holds } from '../support/properties.ts';

test('an address that is normalised stays as it is', () => {
  holds(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const once = normalizeEmail(text);

      expect(normalizeEmail(once)).toBe(once);
    }),
    5_000,
  );
});

test('letters whose lower case composes with what follows are normalised to the composed form', () => {
  for (const [raw, composed] of [
    ['H\u0331', '\u1e96'],
    ['T\u0308', '\u1e97'],
    ['J\u030c', '\u01f0'],
  ]) {
    expect(normalizeEmail(`${raw}@corp.example`)).toBe(`${composed}@corp.example`);
  }
});
