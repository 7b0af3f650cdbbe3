import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { LdapOptions } from '../../src/domain/ldap-options.ts';
import { SourceIncompleteError, SourceUnavailableError } from '../../src/errors.ts';
import { createLdapSource } from '../../src/sources/ldap/ldap-source.ts';
import {
  entryUuid,
  type GroupSeed,
  groupDn,
  groupsDn,
  limitedDn,
  limitedPassword,
  peopleDn,
  personDn,
  suffix,
  syncDn,
  syncPassword,
} from '../support/directory-ldif.ts';
import {
  createTestLogger,
  demandOf,
  failureOf,
  ldapOptions,
  type OptionChanges,
  readAll,
  secret,
} from '../support/ldap-reading.ts';
import { type Slapd, slapdIsInstalled, startSlapd } from '../support/slapd.ts';

const people = 60;
const everyone = Array.from({ length: people }, (_, index) => index);
const developers: GroupSeed = { name: 'developers', kind: 'groupOfNames', members: [0, 1, 2, 59] };
const operators: GroupSeed = { name: 'Operators (24x7)', kind: 'groupOfNames', members: [1, 2, 3] };
const contractors = `ou=contractors,${groupsDn}`;
const groups: readonly GroupSeed[] = [
  developers,
  operators,
  { name: 'all', kind: 'groupOfNames', members: everyone },
  { name: 'unique-developers', kind: 'groupOfUniqueNames', members: [0, 4] },
  { name: 'posix-developers', kind: 'posixGroup', members: [0, 5] },
  { name: 'twice', kind: 'groupOfNames', members: [7] },
  { name: 'twice', kind: 'groupOfNames', members: [8], parent: contractors },
];
const unit = `dn: ${contractors}\nobjectClass: organizationalUnit\nou: contractors\n\n`;

describe.skipIf(!slapdIsInstalled())('against OpenLDAP', () => {
  let slapd: Slapd;

  beforeAll(async () => {
    // slapadd takes records in any order but wants parents first, so the unit comes as a group's neighbour.
    slapd = await startSlapd({ people, groups: groups.slice(0, -1), more: unit + recordOf(groups.at(-1)) });
  });

  afterAll(() => slapd.stop());

  function sourceOf(changes: OptionChanges = {}, logger = createTestLogger()) {
    const account = { bindDn: syncDn, bindPassword: secret(syncPassword) };
    return createLdapSource(ldapOptions(slapd.ldapUrl, { ...account, ...changes }), logger);
  }

  describe('reads everybody', () => {
    test.each([
      ['ldap', () => ({ urls: [slapd.ldapUrl] })],
      ['ldaps with the CA', () => ({ urls: [slapd.ldapsUrl], tls: { caFile: slapd.caFile } })],
      ['StartTLS with the CA', () => ({ urls: [slapd.ldapUrl], tls: { caFile: slapd.caFile, startTls: true } })],
      [
        'TLS 1.3 at least',
        () => ({ urls: [slapd.ldapsUrl], tls: { caFile: slapd.caFile, minVersion: 'TLSv1.3' as const } }),
      ],
      [
        'a name instead of an address',
        () => ({ urls: [slapd.ldapsUrl], tls: { caFile: slapd.caFile, serverName: 'localhost' } }),
      ],
    ] as const)('over %s', async (_name, changes) => {
      const logger = createTestLogger();

      const entries = await readAll(sourceOf(changes(), logger), demandOf({ attributes: ['mail', 'givenName'] }));

      expect(entries).toHaveLength(people);
      expect(entries[1]).toEqual({
        id: entryUuid(1),
        attributes: { mail: 'u000001@example.com', givenName: 'Björn' },
        groups: [],
        location: personDn(1),
      });
      expect(logger.warnings()).toEqual([]);
    });

    test.each([1, 7, 20, 30, 59, 60, 61])('in pages of %i', async (pageSize) => {
      const entries = await readAll(sourceOf({ pageSize }));

      expect(entries.map(({ id }) => id)).toEqual(everyone.map(entryUuid));
    });

    test('once when bases overlap', async () => {
      const entries = await readAll(sourceOf({ users: { baseDn: [peopleDn, suffix, suffix.toUpperCase()] } }));

      expect(entries).toHaveLength(people);
    });

    test('and says what was read', async () => {
      const source = sourceOf();

      const read = await source.read(demandOf(), () => {}, new AbortController().signal);

      expect(source.description).toBe(`${slapd.ldapUrl} ${peopleDn}`);
      expect(read).toEqual({
        entries: people,
        description: `${slapd.ldapUrl} ${peopleDn} with filter (objectClass=inetOrgPerson)`,
      });
    });
  });

  test('asks for nothing but the demanded attributes, the identity and what membership needs', async () => {
    const source = sourceOf({ groups: { membership: ['memberOf'] } });
    const demand = demandOf({ attributes: ['mail', 'sn'], groups: ['developers'] });

    const logged = await slapd.loggedDuring(() => readAll(source, demand));

    const asked = logged.flatMap((line) => / SRCH attr=(.*)$/.exec(line)?.[1] ?? []);
    expect(asked).toEqual(['cn', 'entryUUID memberOf mail sn']);
  });

  describe('connects people to groups', () => {
    async function groupsByPerson(changes: OptionChanges, names: readonly string[], allGroups = false) {
      const entries = await readAll(sourceOf(changes), demandOf({ groups: [...names].sort(), allGroups }));
      return Object.fromEntries(
        entries
          .filter((entry) => entry.groups.length > 0)
          .map((entry) => [everyone.findIndex((index) => personDn(index) === entry.location), entry.groups]),
      );
    }

    test('by member', async () => {
      expect(await groupsByPerson({}, ['Developers', 'operators (24X7)'])).toEqual({
        0: ['Developers'],
        1: ['Developers', 'operators (24X7)'],
        2: ['Developers', 'operators (24X7)'],
        3: ['operators (24X7)'],
        59: ['Developers'],
      });
    });

    test('by memberOf', async () => {
      expect(await groupsByPerson({ groups: { membership: ['memberOf'] } }, ['Developers', operators.name])).toEqual({
        0: ['Developers'],
        1: ['Developers', operators.name],
        2: ['Developers', operators.name],
        3: [operators.name],
        59: ['Developers'],
      });
    });

    test('by uniqueMember', async () => {
      const changes: OptionChanges = {
        groups: { membership: ['uniqueMember'], filter: '(objectClass=groupOfUniqueNames)' },
      };

      expect(await groupsByPerson(changes, ['unique-developers'])).toEqual({
        0: ['unique-developers'],
        4: ['unique-developers'],
      });
    });

    test('by memberUid', async () => {
      const changes: OptionChanges = { groups: { membership: ['memberUid'], filter: '(objectClass=posixGroup)' } };

      expect(await groupsByPerson(changes, ['posix-developers'])).toEqual({
        0: ['posix-developers'],
        5: ['posix-developers'],
      });
    });

    test('by the DN of the group, in the spelling of the rule', async () => {
      const dn = `CN=Twice, ${contractors}`;

      expect(await groupsByPerson({}, [dn])).toEqual({ 8: [dn] });
    });

    test('under both, when one rule says the name and another the DN', async () => {
      expect((await groupsByPerson({}, ['developers', groupDn(developers)]))[0]).toEqual([
        groupDn(developers),
        'developers',
      ]);
    });

    test('with the names of every group, when all are needed', async () => {
      const byPerson = await groupsByPerson({}, ['DEVELOPERS'], true);

      expect(byPerson[0]).toEqual(['DEVELOPERS', 'all', 'developers']);
      expect(byPerson[8]).toEqual(['all', 'twice']);
    });

    test('of which more are named than fit one search', async () => {
      const missing = Array.from({ length: 60 }, (_, index) => `zz${index}`);

      const error = await failureOf(readAll(sourceOf(), demandOf({ groups: ['all', ...missing] })));

      expect(error.message).toContain('"zz0"; "zz1"');
      expect(error.message).toContain('and 55 more');
    });
  });

  describe('refuses', () => {
    test('a wrong password, naming the account and not the password', async () => {
      const error = await failureOf(readAll(sourceOf({ bindPassword: secret('wrong horse') })));

      expect(error).toBeInstanceOf(SourceUnavailableError);
      expect(error.message).toBe(`${slapd.ldapUrl}: the server refuses the bind as ${syncDn}: invalidCredentials (49)`);
      expect(`${error.message} ${error.hint}`).not.toContain('wrong horse');
    });

    test('a base that does not exist, naming what does', async () => {
      const below = await failureOf(readAll(sourceOf({ users: { baseDn: [`ou=staff,${suffix}`] } })));
      const elsewhere = await failureOf(readAll(sourceOf({ users: { baseDn: ['dc=other'] } })));

      expect(below).toBeInstanceOf(SourceIncompleteError);
      expect(below.message).toContain(`noSuchObject (32); the deepest entry that exists is ${suffix}`);
      expect(elsewhere.message).toContain(`noSuchObject (32); the server holds ${suffix}`);
    });

    test('a base and filter that match nobody', async () => {
      const error = await failureOf(readAll(sourceOf({ users: { filter: '(uid=nobody)' } })));

      expect(error).toBeInstanceOf(SourceIncompleteError);
      expect(error.message).toContain(`base "${peopleDn}" and filter (uid=nobody) match nobody`);
    });

    test('a group that does not exist, naming near matches', async () => {
      const error = await failureOf(readAll(sourceOf(), demandOf({ groups: ['develpers'] })));

      expect(error).toBeInstanceOf(SourceIncompleteError);
      expect(error.message).toContain(
        `no group below "${groupsDn}" with filter (objectClass=groupOfNames) for what rules name: "develpers" (there is "developers")`,
      );
    });

    test('a group that the filter for groups hides', async () => {
      const changes: OptionChanges = { groups: { filter: '(&(objectClass=groupOfNames)(cn=all))' } };

      const error = await failureOf(readAll(sourceOf(changes), demandOf({ groups: ['developers'] })));

      expect(error.message).toContain(
        `"developers" (${groupDn(developers)} has that name, but groups.filter does not match it)`,
      );
    });

    test('a group named by a DN that does not exist', async () => {
      const error = await failureOf(readAll(sourceOf(), demandOf({ groups: [`cn=none,${groupsDn}`] })));

      expect(error).toBeInstanceOf(SourceIncompleteError);
      expect(error.message).toContain(`reading the group that a rule names below "cn=none,${groupsDn}"`);
    });

    test('a group name that two groups have, asking for the DN', async () => {
      const error = await failureOf(readAll(sourceOf(), demandOf({ groups: ['twice'] })));

      expect(error).toBeInstanceOf(SourceIncompleteError);
      expect(error.message).toContain(`"twice" is the name of cn=twice,${groupsDn} and of cn=twice,${contractors}`);
      expect(error.hint).toContain('DN of the group');
    });

    test('rules with groups when no groups are configured', async () => {
      const { groups: _groups, ...options }: LdapOptions = ldapOptions(slapd.ldapUrl);

      const error = await failureOf(
        readAll(createLdapSource(options, createTestLogger()), demandOf({ groups: ['developers'] })),
      );

      expect(error).toBeInstanceOf(SourceIncompleteError);
      expect(error.message).toContain('source.groups is not configured');
    });

    test('the part that a limited account is shown, whether the limit is on the page or on the total', async () => {
      const account = { bindDn: limitedDn, bindPassword: secret(limitedPassword) };

      const total = await failureOf(readAll(sourceOf({ ...account, pageSize: 20 })));
      const page = await failureOf(readAll(sourceOf({ ...account, pageSize: 50 })));

      for (const error of [total, page]) {
        expect(error).toBeInstanceOf(SourceIncompleteError);
        expect(error.message).toMatch(/sizeLimitExceeded \(4\)|adminLimitExceeded \(11\)/);
        expect(error.hint).toContain('raise the limit');
      }
    });

    test('an identity that the account may not read', async () => {
      const account = { bindDn: limitedDn, bindPassword: secret(limitedPassword), pageSize: 20 };
      const users = { id: 'employeeNumber', baseDn: [peopleDn], filter: '(uid=u00000*)' };

      const error = await failureOf(readAll(sourceOf({ ...account, users })));

      expect(error).toBeInstanceOf(SourceIncompleteError);
      expect(error.message).toContain('10 of 10 entries have no single value of users.id (employeeNumber)');
    });

    test('memberOf that no user shows although groups have members', async () => {
      const changes: OptionChanges = {
        groups: { membership: ['memberOf'], filter: '(objectClass=groupOfUniqueNames)' },
        users: { filter: '(uid=u000009)', scope: 'one' },
      };
      const shown = await readAll(sourceOf(changes), demandOf({ groups: ['unique-developers'] }));
      const hidden = await startSlapd({
        people: 2,
        groups: [developers],
        access: 'access to attrs=memberOf by * none',
      });

      const error = await failureOf(
        readAll(
          sourceOf({ urls: [hidden.ldapUrl], groups: { membership: ['memberOf'] } }),
          demandOf({ groups: ['developers'] }),
        ),
      ).finally(() => hidden.stop());

      expect(shown[0]?.groups).toEqual([]);
      expect(error).toBeInstanceOf(SourceIncompleteError);
      expect(error.message).toContain(`no user shows memberOf, although ${groupDn(developers)} has members`);
    });

    test('a certificate that an unknown CA signed, over ldaps and StartTLS', async () => {
      const ldaps = await failureOf(readAll(sourceOf({ urls: [slapd.ldapsUrl], tls: { caFile: slapd.otherCaFile } })));
      const startTls = await failureOf(readAll(sourceOf({ tls: { caFile: slapd.otherCaFile, startTls: true } })));

      for (const error of [ldaps, startTls]) {
        expect(error).toBeInstanceOf(SourceUnavailableError);
        expect(error.message).toContain('the TLS handshake failed: the server certificate is signed by an unknown CA');
        expect(error.hint).toContain('tls.caFile');
      }
    });

    test('a certificate for another name, over ldaps and StartTLS', async () => {
      const tls = { caFile: slapd.caFile, serverName: 'dc1.corp.example' };

      const ldaps = await failureOf(readAll(sourceOf({ urls: [slapd.ldapsUrl], tls })));
      const startTls = await failureOf(readAll(sourceOf({ tls: { ...tls, startTls: true } })));

      for (const error of [ldaps, startTls]) {
        expect(error).toBeInstanceOf(SourceUnavailableError);
        expect(error.message).toContain('the server certificate is for another name');
        expect(error.message).toContain('dc1.corp.example');
      }
    });

    test('a server that ends in the middle of a read', async () => {
      const victim = await startSlapd({ people: 500, groups: [] });
      let killed: Promise<void> | undefined;

      const source = sourceOf({ urls: [victim.ldapUrl], pageSize: 1 });
      const read = source.read(
        demandOf(),
        () => {
          killed = killed ?? victim.kill();
        },
        new AbortController().signal,
      );
      const error = await failureOf(read);
      await killed;
      await victim.stop();

      expect(error).toBeInstanceOf(SourceIncompleteError);
      expect(error.message).toMatch(/on page \d+ after \d+ entr/);
    });
  });
});

function recordOf(group: GroupSeed | undefined): string {
  if (group === undefined) return '';
  const members = group.members.map((index) => `member: ${personDn(index)}\n`).join('');
  return `dn: ${groupDn(group)}\nobjectClass: groupOfNames\ncn: ${group.name}\n${members}\n`;
}
