/** Accounts that the password policy of a real OpenLDAP marks as locked. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createLdapSource } from '../../src/sources/ldap/ldap-source.ts';
import { record } from '../support/active-directory-ldif.ts';
import { peopleDn } from '../support/directory-ldif.ts';
import { createTestLogger, ldapOptions, readAll } from '../support/ldap-reading.ts';
import { type Slapd, slapdIsInstalled, startSlapd } from '../support/slapd.ts';

function person(uid: string, pwdAccountLockedTime: string): string {
  const person = { objectClass: 'inetOrgPerson', uid, cn: uid, sn: uid, mail: `${uid}@example.com` };
  return record(`uid=${uid},${peopleDn}`, { ...person, entryUUID: crypto.randomUUID(), pwdAccountLockedTime });
}

describe.skipIf(!slapdIsInstalled())('OpenLDAP with a password policy', () => {
  let slapd: Slapd;

  beforeAll(async () => {
    slapd = await startSlapd({
      people: 2,
      groups: [],
      more: person('dismissed', '000001010000Z') + person('mistyped', '20260301120000Z'),
      access: 'moduleload ppolicy.la\noverlay ppolicy',
    });
  });

  afterAll(() => slapd?.stop());

  test('shows accounts that an administrator locked as disabled, and those that wrong passwords locked as usable', async () => {
    const disabled = async (rule: 'pwdAccountLockedTime' | 'none') => {
      const options = ldapOptions(slapd.ldapUrl, { users: { disabled: rule } });
      const entries = await readAll(createLdapSource(options, createTestLogger()));
      return entries.map((entry) => [entry.attributes.mail, entry.disabled ?? entry.problem]);
    };

    const logged = await slapd.loggedDuring(async () => {
      expect(await disabled('pwdAccountLockedTime')).toEqual([
        ['u000000@example.com', undefined],
        ['u000001@example.com', undefined],
        ['dismissed@example.com', true],
        ['mistyped@example.com', undefined],
      ]);
      expect(new Set((await disabled('none')).map(([, standing]) => standing))).toEqual(new Set([undefined]));
    });
    expect(logged.filter((line) => /SRCH attr=.*pwdAccountLockedTime/.test(line))).toHaveLength(1);
  });
});
