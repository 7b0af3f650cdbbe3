import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SourceIncompleteError } from '../../src/errors.ts';
import { createLdapSource } from '../../src/sources/ldap/ldap-source.ts';
import { groupsDn, peopleDn, personDn, suffix, syncDn, syncPassword } from '../support/directory-ldif.ts';
import { createTestLogger, demandOf, failureOf, ldapOptions, readAll, secret } from '../support/ldap-reading.ts';
import { nestedLdif, unitLdif } from '../support/nested-ldif.ts';
import { type Slapd, slapdIsInstalled, startSlapd } from '../support/slapd.ts';

const elsewhere = `ou=elsewhere,${suffix}`;
const abroad = `ou=abroad,${suffix}`;
const group = (name: string, parent: string = groupsDn) => `cn=${name},${parent}`;

/** Members first, as the overlay writes memberOf into entries that exist. */
const groups = [
  { rdn: 'cn=leaf', members: [personDn(2)] },
  { rdn: 'cn=middle', members: [group('leaf'), personDn(1)] },
  { rdn: 'cn=top', members: [group('middle'), personDn(0)] },
  { rdn: 'cn=among-people', members: [personDn(5)], parent: peopleDn },
  { rdn: 'cn=bottom', members: [personDn(7)] },
  { rdn: 'cn=bridge', members: [group('bottom')], parent: elsewhere },
  { rdn: 'cn=spread', members: [group('among-people', peopleDn), group('bridge', elsewhere)] },
  { rdn: 'cn=far', members: [personDn(6)], parent: abroad },
  { rdn: 'cn=reaching', members: [group('far', abroad)] },
  { rdn: 'cn=lonely', members: [personDn(3)], parent: abroad },
];

describe.skipIf(!slapdIsInstalled())('groups within groups by memberOf, against OpenLDAP with its overlay', () => {
  let slapd: Slapd;

  beforeAll(async () => {
    slapd = await startSlapd({ people: 9, groups: [], more: [elsewhere, abroad].map(unitLdif).join('') });
    const account = ['-x', '-H', slapd.ldapUrl, '-D', `cn=admin,${suffix}`, '-w', 'admin'];
    const circle = `dn: ${group('leaf')}\nchangetype: modify\nadd: member\nmember: ${group('top')}\n\n`;
    execFileSync('/usr/bin/ldapadd', account, { input: nestedLdif(groups), stdio: ['pipe', 'ignore', 'pipe'] });
    execFileSync('/usr/bin/ldapmodify', account, { input: circle, stdio: ['pipe', 'ignore', 'pipe'] });
  });

  afterAll(() => slapd.stop());

  async function membersOf(name: string, logger = createTestLogger()) {
    const options = ldapOptions(slapd.ldapUrl, {
      bindDn: syncDn,
      bindPassword: secret(syncPassword),
      groups: { nested: 'resolve', membership: ['memberOf'] },
    });
    const entries = await readAll(createLdapSource(options, logger), demandOf({ groups: [name] }));
    return entries
      .filter((entry) => entry.groups.includes(name))
      .map(({ location, groupPaths }) => ({ location, path: groupPaths?.to(name) }));
  }

  test('members of members belong, through a circle too, and the path is known', async () => {
    expect(await membersOf('top')).toEqual([
      { location: personDn(0), path: [group('top')] },
      { location: personDn(1), path: [group('middle'), group('top')] },
      { location: personDn(2), path: [group('leaf'), group('middle'), group('top')] },
    ]);
  });

  test('groups among people and in other places lead to the groups that rules name', async () => {
    const logger = createTestLogger();

    expect(await membersOf('spread', logger)).toEqual([
      { location: personDn(5), path: [group('among-people', peopleDn), group('spread')] },
      { location: personDn(7), path: [group('bottom'), group('bridge', elsewhere), group('spread')] },
    ]);
    expect(logger.warnings()).toEqual([]);
  });

  test('a person whose only group on the way stands elsewhere makes the read incomplete, and the base to add is named', async () => {
    const error = await failureOf(membersOf('reaching'));

    expect(error).toBeInstanceOf(SourceIncompleteError);
    expect(error.message).toContain(
      `${personDn(6)} is a member of ${group('far', abroad)}, which stands outside groups.baseDn and makes its members belong to reaching`,
    );
    expect(error.hint).toBe(`add ${abroad} to groups.baseDn`);
  });
});
