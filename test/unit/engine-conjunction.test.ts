import fc from 'fast-check';
import { expect, test } from 'vitest';
import { conjuncts } from '../../src/engine/conjunction.ts';

test.each([
  ['a == 1', ['a == 1']],
  ['a == 1 && b == 2', ['a == 1', 'b == 2']],
  ['a && (b || c) && "x && y" in groups', ['a', '(b || c)', '"x && y" in groups']],
  ['a && b || c', ['a && b || c']],
  ["entry.x == 'it\\'s && that' && d", ["entry.x == 'it\\'s && that'", 'd']],
  ['a ? b && c : d', ['a ? b && c : d']],
])('%s', (text, parts) => {
  expect(conjuncts(text)).toEqual(parts);
});

test('parts put together again say the same as the whole', () => {
  const atom = fc.constantFrom('a', '(b || c)', '"&&" in groups', '!d', 'e == "(" ');

  fc.assert(
    fc.property(fc.array(atom, { minLength: 1, maxLength: 6 }), (atoms) => {
      expect(conjuncts(atoms.join(' && '))).toEqual(atoms.map((each) => each.trim()));
    }),
  );
});
