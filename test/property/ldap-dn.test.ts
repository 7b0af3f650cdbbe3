/** Any spelling of one DN is one key, and names of different entries are different keys (RFC 4514, RFC 4518). */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { normalizeDn, parentDn } from '../../src/sources/ldap/dn.ts';
import { holds } from '../support/properties.ts';

interface Pair {
  readonly type: string;
  readonly value: string;
}
type Rdn = readonly Pair[];

const spellingsOfTypes: Readonly<Record<string, readonly string[]>> = {
  cn: ['cn', 'CN', 'commonName', '2.5.4.3', 'oid.2.5.4.3', 'OID.2.5.4.3'],
  ou: ['ou', 'Ou', 'organizationalUnitName', '2.5.4.11'],
  dc: ['dc', 'DC', 'domainComponent', '0.9.2342.19200300.100.1.25'],
  uid: ['uid', 'userid', 'UID'],
  employeeNumber: ['employeeNumber', 'EMPLOYEENUMBER', 'employeenumber'],
};

const letters = 'abcxyz019-_.!@/:()*%&éüñßıжσ中文🎉=,+"\\<>;# ';
const value = fc
  .string({ unit: fc.constantFrom(...letters), minLength: 1, maxLength: 10 })
  .map((text) => text.replace(/ +/g, ' ').trim())
  .filter((text) => text !== '');
const pair: fc.Arbitrary<Pair> = fc.record({ type: fc.constantFrom(...Object.keys(spellingsOfTypes)), value });
const rdn: fc.Arbitrary<Rdn> = fc.uniqueArray(pair, { minLength: 1, maxLength: 2, selector: ({ type }) => type });
const name = fc.array(rdn, { minLength: 1, maxLength: 4 });
/** Decides at every place where spellings may differ. */
const choices = fc.infiniteStream(fc.nat({ max: 999 }));

/** Writes the name in one of the ways that mean the same. */
function spell(rdns: readonly Rdn[], stream: Iterator<number>): string {
  const choose = <Item>(...items: readonly Item[]): Item => {
    const number = stream.next().value ?? 0;
    return items[number % items.length] as Item;
  };
  const space = () => choose('', '', ' ', '  ');
  const hex = (text: string) =>
    [...Buffer.from(text)].map((byte) => `\\${byte.toString(16).padStart(2, '0')}`).join('');
  const spellCharacter = (character: string): string => {
    if (/[,+"\\<>;#]/.test(character)) return choose(`\\${character}`, hex(character), hex(character).toUpperCase());
    if (character === '=') return choose('=', '\\=', '\\3d');
    if (character === ' ') return choose(' ', '  ', '\\20', '\\ ', '\u00a0');
    const upper = character.toUpperCase();
    const other = upper.toLowerCase() === character ? upper : character;
    return choose(character, other, hex(character), hex(other), character.normalize('NFD'), `\u00ad${character}`);
  };
  const spellValue = (text: string): string => {
    const way = choose('text', 'text', 'quoted', 'ber');
    if (way === 'quoted') return `"${text.replace(/["\\]/g, '\\$&')}"`;
    if (way === 'ber' && Buffer.byteLength(text) < 128) {
      const bytes = Buffer.from(text);
      return `#${choose('0c', '04', '0C')}${bytes.length.toString(16).padStart(2, '0')}${bytes.toString('hex')}`;
    }
    return [...text].map(spellCharacter).join('');
  };
  return rdns
    .map((pairs) => {
      const ordered = choose(false, true) ? [...pairs].reverse() : pairs;
      return ordered
        .map(({ type, value: text }) => {
          const spelledType = choose(...(spellingsOfTypes[type] ?? [type]));
          return `${space()}${spelledType}${space()}=${space()}${spellValue(text)}${space()}`;
        })
        .join('+');
    })
    .join(',');
}

/** What the name means, worked out apart from the code under test. */
function meaning(rdns: readonly Rdn[]): string {
  return JSON.stringify(rdns.map((pairs) => pairs.map(({ type, value: text }) => [type, text.toLowerCase()]).sort()));
}

test('two spellings of one name are one key', () => {
  holds(
    fc.property(name, choices, choices, (rdns, one, other) => {
      const key = normalizeDn(spell(rdns, one[Symbol.iterator]()));

      expect(key).toBeDefined();
      expect(normalizeDn(spell(rdns, other[Symbol.iterator]()))).toBe(key);
      expect(normalizeDn(key ?? '')).toBe(key);
    }),
    1_000,
  );
});

test('two names that mean different entries are two keys, however alike', () => {
  const few = fc.string({
    unit: fc.constantFrom('a', 'b', ' ', ',', '=', '+', '\\', '#', '"'),
    minLength: 1,
    maxLength: 4,
  });
  const tidy = few.map((text) => text.replace(/ +/g, ' ').trim()).filter((text) => text !== '');
  const alike = fc.array(
    fc.uniqueArray(fc.record({ type: fc.constantFrom('cn', 'ou'), value: tidy }), {
      minLength: 1,
      maxLength: 2,
      selector: ({ type }) => type,
    }),
    { minLength: 1, maxLength: 3 },
  );

  holds(
    fc.property(alike, alike, choices, (one, other, stream) => {
      const keys = [one, other].map((rdns) => normalizeDn(spell(rdns, stream[Symbol.iterator]())));

      expect(keys[0] === keys[1]).toBe(meaning(one) === meaning(other));
    }),
    1_500,
  );
});

test('the parent of a name is the name without its first part, in any spelling', () => {
  holds(
    fc.property(name, choices, (rdns, stream) => {
      const spelling = spell(rdns, stream[Symbol.iterator]());
      const above = rdns.slice(1);

      const parent = parentDn(spelling);

      expect(normalizeDn(parent ?? '?')).toBe(
        above.length === 0 ? '' : normalizeDn(spell(above, [0][Symbol.iterator]())),
      );
      expect(parentDn(normalizeDn(spelling) ?? '')).toBe(normalizeDn(parent ?? '?'));
    }),
    1_500,
  );
});
