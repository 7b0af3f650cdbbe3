import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isWithin, normalizeDn, withoutUniqueIdentifier } from '../../src/sources/ldap/dn.ts';

describe('two spellings of one DN have the same canonical form', () => {
  const pairs: readonly (readonly [string, string, string])[] = [
    [
      'case of types and values',
      'CN=Ana Sousa,OU=People,DC=Example,DC=com',
      'cn=ana sousa,ou=people,dc=example,dc=com',
    ],
    ['spaces around separators', 'cn = Ana , ou= People ,dc=example', 'cn=Ana,ou=People,dc=example'],
    ['runs of spaces inside values', 'cn=Ana   Sousa,dc=x', 'cn=Ana Sousa,dc=x'],
    ['an escaped comma and its hex', String.raw`cn=Sousa\, Ana,dc=x`, String.raw`cn=Sousa\2C Ana,dc=x`],
    ['a quoted value', 'cn="Sousa, Ana",dc=x', String.raw`cn=Sousa\, Ana,dc=x`],
    ['hex escapes of UTF-8 bytes', String.raw`cn=J\c3\bcrgen,dc=x`, 'cn=Jürgen,dc=x'],
    ['composed and decomposed letters', 'cn=Jürgen,dc=x', 'cn=Ju\u0308rgen,dc=x'],
    [
      'object identifiers of well-known types',
      '2.5.4.3=Ana,OID.2.5.4.11=People,0.9.2342.19200300.100.1.25=x',
      'cn=Ana,ou=People,dc=x',
    ],
    ['the order of a relative name with two parts', 'cn=Ana+uid=17,dc=x', 'UID=17+CN=Ana,dc=x'],
    ['a value as the hex of its BER encoding', 'cn=#0C03416E61,dc=x', 'cn=Ana,dc=x'],
    ['a needlessly escaped letter', String.raw`cn=\41na,dc=x`, 'cn=Ana,dc=x'],
    ['an equals sign, escaped or not', String.raw`cn=a\=b,dc=x`, 'cn=a=b,dc=x'],
    ['insignificant escaped spaces at the ends', String.raw`cn=\ Ana\ ,dc=x`, 'cn=Ana,dc=x'],
  ];

  test.each(pairs)('%s', (_name, one, other) => {
    const canonical = normalizeDn(one);

    expect(canonical).toBeDefined();
    expect(canonical).toBe(normalizeDn(other));
  });
});

describe('names of different entries stay different', () => {
  test.each([
    ['an escaped comma is not a separator', String.raw`cn=a\,dc=b,dc=x`, 'cn=a,dc=b,dc=x'],
    ['an escaped plus is not a joint', String.raw`cn=a\+sn=b,dc=x`, 'cn=a+sn=b,dc=x'],
    ['accents count', 'cn=Jürgen,dc=x', 'cn=Jurgen,dc=x'],
    ['an escaped hash is not hex', String.raw`cn=\#0C03416E61,dc=x`, 'cn=#0C03416E61,dc=x'],
    ['a backslash counts', String.raw`cn=a\\b,dc=x`, 'cn=ab,dc=x'],
    ['spaces inside count', 'cn=An a,dc=x', 'cn=Ana,dc=x'],
  ])('%s', (_name, one, other) => {
    expect(normalizeDn(one)).toBeDefined();
    expect(normalizeDn(one)).not.toBe(normalizeDn(other));
  });
});

test.each([
  'Ana',
  'cn=Ana,',
  'cn=Ana,People',
  '=Ana',
  'cn="Ana,dc=x',
  'cn=Ana\\',
  'cn=a;b,dc=x',
  'c n=Ana',
  '1.=x',
  'cn=#0x,dc=x',
  'cn=<a>',
])('%s is not a DN', (text) => {
  expect(normalizeDn(text)).toBeUndefined();
});

test('the empty DN is a DN, and a value may be empty', () => {
  expect(normalizeDn('')).toBe('');
  expect(normalizeDn('cn=,dc=x')).toBe('cn=,dc=x');
});

const type = fc.constantFrom('cn', 'OU', 'dc', 'uid', '2.5.4.3', 'employeeNumber');
const value = fc.oneof(
  fc.string({ maxLength: 12 }),
  fc.string({ unit: 'binary', maxLength: 8 }).filter((text) => text.isWellFormed()),
  fc.stringMatching(/^[ ,+"\\<>;=#a]{0,8}$/),
);
const rdns = fc.array(fc.tuple(type, value), { minLength: 1, maxLength: 4 });

/** RFC 4514 section 2.4, escaping every byte that is not a plain letter or digit when `everything`. */
function escapeValue(text: string, everything: boolean): string {
  return [...Buffer.from(text)]
    .map((byte) => {
      const character = String.fromCharCode(byte);
      const plain = /[a-z0-9]/i.test(character) || (!everything && /[!$-*\-./:?@]/.test(character));
      return plain ? character : `\\${byte.toString(16).padStart(2, '0')}`;
    })
    .join('');
}

test('the canonical form is the same however much is escaped', () => {
  fc.assert(
    fc.property(rdns, (names) => {
      const [little, everything] = [false, true].map((all) =>
        names.map(([t, v]) => `${t}=${escapeValue(v, all)}`).join(','),
      );

      expect(normalizeDn(little ?? '')).toBe(normalizeDn(everything ?? ''));
      expect(normalizeDn(little ?? '')).toBeDefined();
    }),
    { numRuns: 2_000 },
  );
});

test('the canonical form of a canonical form is itself', () => {
  fc.assert(
    fc.property(rdns, (names) => {
      const canonical = normalizeDn(names.map(([t, v]) => `${t}=${escapeValue(v, true)}`).join(',')) ?? '?';

      expect(normalizeDn(canonical)).toBe(canonical);
    }),
    { numRuns: 2_000 },
  );
});

test('any text at all is either canonical, made canonical, or no DN', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 40 }), (text) => {
      const canonical = normalizeDn(text);

      if (canonical !== undefined) expect(normalizeDn(canonical)).toBe(canonical);
    }),
    { numRuns: 2_000 },
  );
});

test('a long name without anything to undo takes no longer than it is long', () => {
  const name = `cn=${'a '.repeat(50_000)}\u0000`;

  expect(normalizeDn(name)).toBeDefined();
});

test('a name lies within a base when its last parts are the base', () => {
  expect(isWithin('cn=a,ou=b,dc=x', 'ou=b,dc=x')).toBe(true);
  expect(isWithin('ou=b,dc=x', 'ou=b,dc=x')).toBe(true);
  expect(isWithin('cn=a,dc=x', '')).toBe(true);
  expect(isWithin('cn=ab,dc=x', 'cn=b,dc=x')).toBe(false);
  expect(isWithin(String.raw`cn=a\,dc=x`, 'dc=x')).toBe(false);
});

test('the bit string of a uniqueMember is dropped', () => {
  expect(withoutUniqueIdentifier("cn=Ana,dc=x#'0101'B")).toBe('cn=Ana,dc=x');
  expect(withoutUniqueIdentifier("cn=Ana,dc=x#''B")).toBe('cn=Ana,dc=x');
  expect(withoutUniqueIdentifier('cn=Ana#1,dc=x')).toBe('cn=Ana#1,dc=x');
});
