import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Entry } from '../../src/domain/entry.ts';
import { SourceIncompleteError } from '../../src/errors.ts';
import { createLdapSource } from '../../src/sources/ldap/ldap-source.ts';
import { groupsDn, peopleDn, personDn, suffix, syncDn, syncPassword } from '../support/directory-ldif.ts';
import {
  createTestLogger,
  demandOf,
  failureOf,
  ldapOptions,
  type OptionChanges,
  readAll,
  secret,
} from '../support/ldap-reading.ts';
import { type NestedSeed, nestedLdif, unitLdif } from '../support/nested-ldif.ts';
import { type Slapd, slapdIsInstalled, startSlapd } from '../support/slapd.ts';

const elsewhere = `ou=elsewhere,${suffix}`;
const closed = `ou=closed,${suffix}`;
const group = (name: string, parent: string = groupsDn) => `cn=${name},${parent}`;
const depth = 50;

const awkwardPerson = String.raw`cn=Sousa\2C Ana \2B Co+uid=awkward,${peopleDn}`;
const groups: readonly NestedSeed[] = [
  { rdn: 'cn=top', members: [group('middle'), personDn(0)] },
  { rdn: 'cn=middle', members: [group('leaf'), personDn(1)] },
  { rdn: 'cn=leaf', members: [group('top'), group('leaf'), personDn(2)] },
  { rdn: 'cn=diamond', members: [group('left'), group('right')] },
  { rdn: 'cn=left', members: [group('shared')] },
  { rdn: 'cn=right', members: [group('shared'), personDn(4)] },
  { rdn: 'cn=shared', members: [personDn(3)] },
  {
    rdn: 'cn=spread',
    members: [group('among-people', peopleDn), group('far', elsewhere), group('ghost', `ou=nowhere,${suffix}`)],
  },
  { rdn: 'cn=among-people', members: [personDn(5)], parent: peopleDn },
  { rdn: 'cn=far', members: [personDn(6), group('further', `ou=further,${elsewhere}`)], parent: elsewhere },
  { rdn: 'cn=further', members: [personDn(7)], parent: `ou=further,${elsewhere}` },
  ...Array.from({ length: depth }, (_, level) => ({
    rdn: `cn=level${level}`,
    members: [level === depth - 1 ? personDn(8) : group(`level${level + 1}`)],
  })),
  { rdn: 'cn=awkward', members: [String.raw`OU = x + CN = R\26D\2C  \22L\C3\BCbeck\" , ${groupsDn}`] },
  { rdn: String.raw`cn=R&D\, \22Lübeck\22+ou=X`, members: [awkwardPerson], more: ['ou: X'] },
  { rdn: 'cn=mixed', members: [group('of-unique-names'), personDn(0)] },
  {
    rdn: 'cn=of-unique-names',
    members: [personDn(9)],
    classes: ['groupOfUniqueNames'],
    attribute: 'uniqueMember',
  },
  { rdn: 'cn=with-invisible', members: [group('invisible'), personDn(0)] },
  { rdn: 'cn=with-silent', members: [group('silent'), personDn(0)] },
  { rdn: 'cn=invisible', members: [personDn(1)] },
  { rdn: 'cn=silent', members: [personDn(2)] },
  { rdn: 'cn=with-closed', members: [group('inside', closed)] },
  { rdn: 'cn=inside', members: [personDn(1)], parent: closed },
  { rdn: 'cn=namesake', members: [personDn(1)], parent: elsewhere },
  { rdn: 'cn=with-namesake', members: [group('namesake', elsewhere)] },
  { rdn: 'cn=namesake', members: [personDn(2)] },
];

function memberOfLdif(): string {
  const person = `dn: ${awkwardPerson}\nobjectClass: inetOrgPerson\nsn: Sousa\nentryUUID: 00000000-0000-4000-8000-999999999999\n\n`;
  return [elsewhere, `ou=further,${elsewhere}`, closed].map(unitLdif).join('') + person + nestedLdif(groups);
}

/** Leaves out the groups whose members the account may not see, or look for. */
const open: OptionChanges = { groups: { filter: '(&(objectClass=groupOfNames)(!(cn=with-closed))(!(cn=silent)))' } };
const access = `
access to dn.exact="${group('invisible')}" by * none
access to dn.exact="${group('silent')}" attrs=member by * none
access to dn.base="${closed}" by * disclose
`;

describe.skipIf(!slapdIsInstalled())('groups within groups, against OpenLDAP', () => {
  let slapd: Slapd;

  beforeAll(async () => {
    slapd = await startSlapd({ people: 12, groups: [], more: memberOfLdif(), access });
  });

  afterAll(() => slapd.stop());

  function sourceOf(changes: OptionChanges = {}, logger = createTestLogger()) {
    const account = { bindDn: syncDn, bindPassword: secret(syncPassword) };
    const options = { ...account, ...changes, groups: { nested: 'resolve' as const, ...changes.groups } };
    return createLdapSource(ldapOptions(slapd.ldapUrl, options), logger);
  }

  async function read(
    names: readonly string[],
    changes: OptionChanges = {},
    logger = createTestLogger(),
    allGroups = false,
  ) {
    const demand = demandOf({ groups: [...names].sort(), allGroups });
    let entries: Awaited<ReturnType<typeof readAll>> = [];
    const logged = await slapd.loggedDuring(async () => {
      entries = await readAll(sourceOf(changes, logger), demand);
    });
    const searches = logged.filter((line) => line.includes(' SRCH base='));
    const membersOf = (name: string) =>
      entries.filter((entry) => entry.groups.includes(name)).map(({ location }) => location);
    return { entries, searches, membersOf, of: (location: string) => entryOf(entries, location) };
  }

  function entryOf(entries: readonly Entry[], location: string): Entry {
    const entry = entries.find((each) => each.location === location);
    if (entry === undefined) throw new Error(`${location} was not read`);
    return entry;
  }

  test('members of members belong, through a circle too', async () => {
    const { membersOf } = await read(['top']);

    expect(membersOf('top')).toEqual([personDn(0), personDn(1), personDn(2)]);
  });

  test('without nesting only direct members belong', async () => {
    const { membersOf, entries } = await read(['top'], { groups: { nested: 'none' } });

    expect(membersOf('top')).toEqual([personDn(0)]);
    expect(entries.every(({ groupPaths }) => groupPaths === undefined)).toBe(true);
  });

  test('a group reached on two ways counts once, and the path is one of the shortest', async () => {
    const { membersOf, of } = await read(['diamond', 'right']);

    expect(membersOf('diamond')).toEqual([personDn(3), personDn(4)]);
    expect(of(personDn(3)).groups).toEqual(['diamond', 'right']);
    expect(of(personDn(3)).groupPaths?.to('diamond')).toEqual([group('shared'), group('left'), group('diamond')]);
    expect(of(personDn(4)).groupPaths?.to('right')).toEqual([group('right')]);
    expect(of(personDn(4)).groupPaths?.to('top')).toEqual([]);
  });

  test('groups among people and in other places count, and members that do not exist are nobody', async () => {
    const logger = createTestLogger();

    const { membersOf } = await read(['spread'], {}, logger);

    expect(membersOf('spread')).toEqual([personDn(5), personDn(6), personDn(7)]);
    expect(logger.warnings()).toEqual([]);
  });

  test(`${depth} levels take one search each, and a few`, async () => {
    const { membersOf, searches, of } = await read(['level0']);

    expect(membersOf('level0')).toEqual([personDn(8)]);
    expect(of(personDn(8)).groupPaths?.to('level0')).toHaveLength(depth);
    expect(searches.length).toBeLessThan(depth + 10);
  });

  test('every name on the way is known when all are needed', async () => {
    const { of } = await read(['TOP'], open, createTestLogger(), true);

    expect(of(personDn(2)).groups).toEqual(expect.arrayContaining(['TOP', 'top', 'middle', 'leaf']));
    expect(of(personDn(7)).groups).toEqual(['far', 'further', 'spread']);
  });

  test('members with escapes, several parts, other case and other spacing are found', async () => {
    const { membersOf, of } = await read(['awkward']);

    const [person] = membersOf('awkward');
    expect(membersOf('awkward')).toHaveLength(1);
    expect(person).toMatch(/^cn=Sousa/);
    expect(of(person ?? '').groupPaths?.to('awkward')).toHaveLength(2);
  });

  test('a group elsewhere with the name of one that a rule means is not that one', async () => {
    const { membersOf } = await read(['namesake', 'with-namesake'], open, createTestLogger(), true);

    expect(membersOf('namesake')).toEqual([personDn(2)]);
    expect(membersOf('with-namesake')).toEqual([personDn(1)]);
  });

  test('groups of another class count when the filter matches them', async () => {
    const logger = createTestLogger();
    const filter = '(|(objectClass=groupOfNames)(objectClass=groupOfUniqueNames))';

    const narrow = await read(['mixed'], {}, logger);
    const wide = await read(['mixed'], { groups: { filter, membership: ['member', 'uniqueMember'] } });

    expect(narrow.membersOf('mixed')).toEqual([personDn(0)]);
    expect(logger.lines).toContainEqual({
      level: 'warn',
      fields: { groups: [group('of-unique-names')], count: 1 },
      message: 'groups that are members of groups do not match groups.filter, so their members do not count',
    });
    expect(wide.membersOf('mixed')).toEqual([personDn(0), personDn(9)]);
  });

  test('a nested group that the account may not see is warned of', async () => {
    const logger = createTestLogger();

    const { membersOf } = await read(['with-invisible'], {}, logger);

    expect(membersOf('with-invisible')).toEqual([personDn(0)]);
    expect(logger.lines.filter(({ level }) => level === 'warn')).toEqual([
      {
        level: 'warn',
        fields: { members: [group('invisible')], looked: 1, of: 1 },
        message: expect.stringContaining('cannot be seen'),
      },
    ]);
  });

  test('a nested group whose members the account may not see makes the read incomplete', async () => {
    const error = await failureOf(read(['with-silent']));

    expect(error).toBeInstanceOf(SourceIncompleteError);
    expect(error.message).toContain(`${group('silent')} shows no members, but `);
  });

  test('a place that the account may not look through makes the read incomplete', async () => {
    const error = await failureOf(read(['with-closed']));

    expect(error).toBeInstanceOf(SourceIncompleteError);
    expect(error.message).toContain(`below "${closed}"`);
    expect(error.message).toContain('insufficientAccessRights (50)');
  });

  test('the matching rule is refused where the server does not know it', async () => {
    const error = await failureOf(read(['top'], { groups: { nested: 'matching-rule' } }));

    expect(error).toBeInstanceOf(SourceIncompleteError);
    expect(error.message).toContain('does not say that it is an Active Directory');
    expect(error.hint).toContain('groups.nested to true');
  });
});
