import { expect, test } from 'vitest';
import { identitiesAreHidden } from '../../src/sources/ldap/identity-proof.ts';
import { requiredAttributes } from '../../src/sources/ldap/schema-definitions.ts';

test.each([
  ['entryUUID', 0, 5, false],
  ['entryUUID', 1, 5, false],
  ['entryUUID', 2, 5, true],
  ['entryUUID', 1, 1, true],
  ['nsUniqueId', 6, 60, false],
  ['nsuniqueid', 7, 60, true],
  ['objectGUID', 10, 100_000, false],
  ['objectGUID', 11, 100_000, true],
  ['employeeNumber', 5, 10, false],
  ['employeeNumber', 6, 10, true],
  ['employeeNumber', 1, 1, true],
])('%s missing from %i of %i entries is a fault of the read: %s', (attribute, missing, entries, hidden) => {
  expect(identitiesAreHidden(attribute, missing, entries)).toBe(hidden);
});

test('what a class must have is read from its definition, and not from its description', () => {
  const required = requiredAttributes([
    "( 2.5.6.9 NAME 'groupOfNames' DESC 'RFC2256: a group, MUST ( nothing )' SUP top STRUCTURAL MUST ( member $ cn ) MAY ( o $ ou ) )",
    "( 1.3.6.1.1.1.2.2 NAME ( 'posixGroup' 'alias' ) SUP top AUXILIARY MUST gidNumber MAY ( cn $ memberUid ) )",
    "( 2.5.6.17 NAME 'groupOfUniqueNames' SUP top MAY uniqueMember )",
    'no definition',
  ]);

  expect(Object.fromEntries(required)).toEqual({
    groupofnames: ['member', 'cn'],
    posixgroup: ['gidnumber'],
    alias: ['gidnumber'],
    groupofuniquenames: [],
  });
});
