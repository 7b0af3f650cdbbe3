/** Groups as several kinds of directory keep them, with the several membership attributes read at once. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SourceIncompleteError } from '../../src/errors.ts';
import { createLdapSource } from '../../src/sources/ldap/ldap-source.ts';
import { groupsDn, peopleDn, personDn, personUid, syncDn, syncPassword } from '../support/directory-ldif.ts';
import {
  createTestLogger,
  demandOf,
  failureOf,
  ldapOptions,
  type OptionChanges,
  readAll,
  secret,
} from '../support/ldap-reading.ts';
import { nestedLdif } from '../support/nested-ldif.ts';
import { type Slapd, slapdIsInstalled, startSlapd } from '../support/slapd.ts';

/** RFC 2307bis makes posixGroup auxiliary, so that one group can hold DNs and user names; FreeIPA's groups look like that too. */
const auxiliaryPosixGroup = `
attributetype ( 1.3.6.1.1.1.1.12 NAME 'memberUid' EQUALITY caseExactIA5Match SYNTAX 1.3.6.1.4.1.1466.115.121.1.26 )
objectclass ( 1.3.6.1.1.1.2.2 NAME 'posixGroup' SUP top AUXILIARY MUST gidNumber MAY memberUid )
objectclass ( 1.3.6.1.4.1.5322.13.1.1 NAME 'groupOfMembers' SUP top STRUCTURAL MUST cn MAY member )
`;
const every = ['member', 'uniqueMember', 'memberUid'] as const;
const anyGroup = '(|(objectClass=groupOfNames)(objectClass=groupOfUniqueNames)(objectClass=posixGroup))';
const dn = (name: string) => `cn=${name},${groupsDn}`;

function reader(slapd: () => Slapd, nested: 'none' | 'resolve' = 'none') {
  return async (names: readonly string[], changes: OptionChanges['groups'] = {}) => {
    const options = ldapOptions(slapd().ldapUrl, {
      bindDn: syncDn,
      bindPassword: secret(syncPassword),
      groups: { filter: anyGroup, membership: every, nested, ...changes },
    });
    const entries = await readAll(
      createLdapSource(options, createTestLogger()),
      demandOf({ groups: [...names].sort() }),
    );
    return Object.fromEntries(
      names.map((name) => [
        name,
        entries.filter(({ groups }) => groups.includes(name)).map(({ location }) => location),
      ]),
    );
  };
}

describe.skipIf(!slapdIsInstalled())('groups of RFC 2307bis and FreeIPA', () => {
  let slapd: Slapd;
  const read = reader(() => slapd, 'resolve');

  beforeAll(async () => {
    const posix = (number: number, ...uids: readonly string[]) => [
      `gidNumber: ${number}`,
      ...uids.map((uid) => `memberUid: ${uid}`),
    ];
    const more = nestedLdif([
      { rdn: 'cn=both', classes: ['groupOfNames', 'posixGroup'], members: [personDn(0)], more: posix(1, personUid(1)) },
      { rdn: 'cn=same', classes: ['groupOfNames', 'posixGroup'], members: [personDn(2)], more: posix(2, personUid(2)) },
      { rdn: 'cn=names-only', classes: ['groupOfMembers', 'posixGroup'], members: [], more: posix(3, personUid(3)) },
      {
        rdn: 'cn=outer',
        classes: ['groupOfMembers', 'posixGroup'],
        members: [dn('names-only'), dn('both')],
        more: posix(4),
      },
    ]);
    slapd = await startSlapd({ people: 6, groups: [], more, schema: auxiliaryPosixGroup });
  });

  afterAll(() => slapd.stop());

  test('have the members of both attributes, each once', async () => {
    expect(await read(['both', 'same'])).toEqual({ both: [personDn(0), personDn(1)], same: [personDn(2)] });
  });

  test('pass on what they give to members by user name, too, when they stand in another group', async () => {
    expect(await read(['outer'])).toEqual({ outer: [personDn(0), personDn(1), personDn(3)] });
  });

  test('have only the members of the attribute that is named, when one is', async () => {
    expect(await read(['both'], { membership: ['member'] })).toEqual({ both: [personDn(0)] });
    expect(await read(['both'], { membership: ['memberUid'] })).toEqual({ both: [personDn(1)] });
  });
});

describe.skipIf(!slapdIsInstalled())('groups of RFC 2307 beside those with DNs', () => {
  let slapd: Slapd;
  const read = reader(() => slapd);

  beforeAll(async () => {
    const namesake = `dn: cn=Other,ou=guests,${peopleDn}\nobjectClass: inetOrgPerson\nuid: ${personUid(5).toUpperCase()}\nsn: Other\n\n`;
    slapd = await startSlapd({
      people: 6,
      groups: [
        { name: 'names', kind: 'groupOfNames', members: [0, 1] },
        { name: 'unique', kind: 'groupOfUniqueNames', members: [1, 2] },
        { name: 'posix', kind: 'posixGroup', members: [1, 3] },
        { name: 'doubtful', kind: 'posixGroup', members: [5] },
      ],
      more: `dn: ou=guests,${peopleDn}\nobjectClass: organizationalUnit\n\n${namesake}`,
    });
  });

  afterAll(() => slapd.stop());

  test('are read together, and somebody may be in groups of each kind', async () => {
    expect(await read(['names', 'unique', 'posix'])).toEqual({
      names: [personDn(0), personDn(1)],
      unique: [personDn(1), personDn(2)],
      posix: [personDn(1), personDn(3)],
    });
  });

  test('a user name that two people have makes the read incomplete instead of giving both what one should have', async () => {
    const error = await failureOf(read(['doubtful']));

    expect(error).toBeInstanceOf(SourceIncompleteError);
    expect(error.message).toContain(`of group doubtful could mean`);
    expect(error.hint).toContain('make uid unique');
  });
});
