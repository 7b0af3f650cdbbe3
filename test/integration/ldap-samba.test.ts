/** Reading a real Samba domain controller. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Demand } from '../../src/domain/entry.ts';
import { SourceIncompleteError, SourceUnavailableError } from '../../src/errors.ts';
import { openConnection } from '../../src/sources/ldap/connection.ts';
import { createEntryDecoder } from '../../src/sources/ldap/entry-decoder.ts';
import { parseFilter } from '../../src/sources/ldap/filter.ts';
import { createLdapSource } from '../../src/sources/ldap/ldap-source.ts';
import { parseServerUrl } from '../../src/sources/ldap/options.ts';
import { searchAll } from '../../src/sources/ldap/paged-search.ts';
import { adOptions, deletedDn } from '../support/active-directory.ts';
import {
  change,
  domainDn,
  fileTime,
  person,
  personDn,
  replacement,
  service,
  servicePassword,
  servicesDn,
  staffDn,
  syncDn,
  syncName,
  team,
  teamDn,
} from '../support/active-directory-ldif.ts';
import { createTestLogger, demandOf, failureOf, type OptionChanges, readAll, secret } from '../support/ldap-reading.ts';
import { type Samba, sambaIsInstalled, startSamba } from '../support/samba.ts';

const now = Date.parse('2026-03-01T12:00:00Z');
const names = Array.from({ length: 12 }, (_, index) => `p${index}`);
/** Decomposed, as some clients write it. */
const chloe = 'Chloe\u0301';

const seed = [
  service(syncName),
  service('svc-locked'),
  service('svc-disabled', { userAccountControl: '66050' }),
  service('svc-expired', { accountExpires: fileTime(Date.parse('2020-01-01')) }),
  service('svc-must-change', { userAccountControl: '512', pwdLastSet: '0' }),
  service('svc-never', { logonHours: Buffer.alloc(21) }),
  service('svc-elsewhere', { userWorkstations: 'ELSEWHERE' }),
  ...names.map((name) => person(name)),
  person('chloe', { givenName: chloe, displayName: chloe }),
  person('disabled', { userAccountControl: '546' }),
  person('expired', { accountExpires: fileTime(now - 1) }),
  person('expires', { accountExpires: fileTime(now + 60_000) }),
  person('locked'),
  team('developers', names.map(personDn)),
  ...names.map((name) => team(`team-${name}`, [personDn('p0')])),
].join('');

describe.skipIf(!sambaIsInstalled())('a Samba domain controller', () => {
  let samba: Samba;

  beforeAll(async () => {
    samba = await startSamba({ ldif: seed });
    const locked = [`CN=svc-locked,${servicesDn}`, personDn('locked')];
    samba.modify(locked.map((dn) => replacement(dn, 'lockoutTime', fileTime(Date.now()))).join(''));
  });

  afterAll(async () => {
    await samba?.stop();
  });

  function sourceOf(changes: OptionChanges = {}, at = now, logger = createTestLogger()) {
    return createLdapSource(adOptions(samba, changes), logger, { now: () => at });
  }

  async function peopleOf(changes: OptionChanges = {}, demand: Demand = demandOf(), at = now) {
    const entries = await readAll(sourceOf(changes, at), demand);
    return new Map(entries.map((entry) => [/^CN=([^,]+)/.exec(entry.location)?.[1] ?? '', entry]));
  }

  describe('lets an account sign in', () => {
    test.each([
      ['by its DN', syncDn],
      ['by its user principal name', `${syncName}@example.com`],
      ['by domain and account name', `EXAMPLE\\${syncName}`],
    ])('%s', async (_how, bindDn) => {
      expect((await peopleOf({ bindDn })).size).toBe(17);
    });

    test('by StartTLS', async () => {
      expect((await peopleOf({ urls: [samba.ldapUrl], tls: { startTls: true } })).size).toBe(17);
    });
  });

  test.each([
    [syncName, 'wrong', '52e', 'name or password is wrong'],
    ['svc-nobody', servicePassword, '52e', 'name or password is wrong'],
    ['svc-never', servicePassword, '530', 'may not sign in at this hour'],
    ['svc-elsewhere', servicePassword, '531', 'may not sign in from this computer'],
    ['svc-disabled', servicePassword, '533', 'the account is disabled'],
    ['svc-expired', servicePassword, '701', 'the account has expired'],
    ['svc-must-change', servicePassword, '773', 'the password must be changed'],
    ['svc-locked', servicePassword, '775', 'the account is locked'],
  ])('that refuses %s is understood (%#)', async (name, password, code, remedy) => {
    const bind = { bindDn: `EXAMPLE\\${name}`, bindPassword: secret(password) };

    const error = await failureOf(peopleOf(bind));

    expect(error).toBeInstanceOf(SourceUnavailableError);
    expect(error.message).toContain(`the server refuses the bind as EXAMPLE\\${name}: invalidCredentials (49)`);
    expect(error.message).toContain(`data ${code},`);
    expect(error.hint).toContain(remedy);
  });

  test('takes no password in clear text, and the hint says to use TLS', async () => {
    const error = await failureOf(peopleOf({ urls: [samba.ldapUrl] }));

    expect(error).toBeInstanceOf(SourceUnavailableError);
    expect(error.message).toContain('strongerAuthRequired (8): BindSimple: Transport encryption required.');
    expect(error.hint).toContain('use ldaps:// or set tls.startTls');
  });

  test('shows nothing to nobody, and the hint says to sign in', async () => {
    const { bindDn: _, bindPassword: __, ...anonymous } = adOptions(samba);

    const error = await failureOf(readAll(createLdapSource(anonymous, createTestLogger(), { now: () => now })));

    expect(error).toBeInstanceOf(SourceUnavailableError);
    expect(error.message).toContain('operationsError (1): 00002020: Operation unavailable without authentication');
    expect(error.hint).toContain('set bindDn and bindPassword');
  });

  test('shows objectGUID and objectSid as Samba itself writes them', async () => {
    const people = await peopleOf({}, demandOf({ attributes: ['objectSid'] }));

    const shown = [...people.values()].map(({ location, id, attributes }) => [location, id, attributes.objectSid]);
    const guids = samba.show(staffDn, 'objectGUID');
    const sids = samba.show(staffDn, 'objectSid');
    expect(shown).toEqual(shown.map(([dn]) => [dn, guids.get(String(dn)), sids.get(String(dn))]));
    expect(shown).toHaveLength(17);
  });

  test('marks disabled and expired accounts, and never those that are locked by wrong passwords', async () => {
    const before = await peopleOf();
    const later = await peopleOf({}, demandOf(), now + 60_000);
    const unasked = await peopleOf({ users: { disabled: 'none' } });

    const disabledIn = (people: typeof before) =>
      [...people].filter(([, { disabled }]) => disabled).map(([name]) => name);
    expect(samba.show(staffDn, 'lockoutTime').get(personDn('locked'))).toMatch(/^\d{18}$/);
    expect(disabledIn(before).toSorted()).toEqual(['disabled', 'expired']);
    expect(disabledIn(later).toSorted()).toEqual(['disabled', 'expired', 'expires']);
    expect(disabledIn(unasked)).toEqual([]);
    expect([...before.values()].filter(({ problem }) => problem !== undefined)).toEqual([]);
  });

  test('is read the same in pages of any size', async () => {
    const all = await peopleOf();

    for (const pageSize of [1, 2, 16, 17, 18]) expect(await peopleOf({ pageSize })).toEqual(all);
  });

  test('does not show deleted people, and their container is nobody’s base', async () => {
    samba.add(person('leaver'));
    const before = await peopleOf();
    samba.remove(personDn('leaver'));

    const after = await peopleOf();
    const error = await failureOf(peopleOf({ users: { baseDn: [deletedDn] } }));

    expect([before.has('leaver'), after.has('leaver')]).toEqual([true, false]);
    expect(error).toBeInstanceOf(SourceIncompleteError);
    expect(error.message).toMatch(/match nobody|noSuchObject/);
  });

  describe('sends values in ranges', () => {
    /** One entry of which the first few values of an attribute were asked for, as if the server sent no more at once. */
    async function readInRanges(base: string, attribute: string, first: number): Promise<unknown> {
      const address = parseServerUrl(samba.ldapsUrl);
      if (address === undefined || !('host' in address)) throw new Error(samba.ldapsUrl);
      const { signal } = new AbortController();
      const connection = await openConnection(adOptions(samba), address, createTestLogger(), signal);
      const decoder = createEntryDecoder([attribute]);
      const filterText = '(objectClass=*)';
      let values: unknown;
      await searchAll(
        connection,
        {
          ...{ what: 'groups', base, scope: 'base', filter: parseFilter(filterText), filterText, pageSize: 1000 },
          ...{ attributes: [`${attribute};range=0-${first - 1}`], decoder },
        },
        () => {
          [values] = decoder.values;
        },
      );
      connection.close();
      return values;
    }

    test.each([
      ['members of a group', teamDn('developers'), 'member', names.map(personDn)],
      [
        'groups of a person',
        personDn('p0'),
        'memberOf',
        ['developers', ...names.map((name) => `team-${name}`)].map(teamDn),
      ],
    ])('which are completed: %s', async (_what, base, attribute, expected) => {
      for (const first of [1, 2, expected.length - 1]) {
        const values = await readInRanges(base, attribute, first);

        expect((values as string[]).toSorted()).toEqual(expected.toSorted());
      }
    });
  });

  test('has a global catalog, whose limits are pointed out', async () => {
    const logger = createTestLogger();
    const source = createLdapSource(adOptions(samba, { urls: [samba.catalogUrl] }), logger, { now: () => now });

    const entries = await readAll(source, demandOf({ groups: ['developers'] }));

    expect(entries.filter(({ groups }) => groups.includes('developers'))).toHaveLength(12);
    expect(logger.warnings()).toEqual([
      'a global catalog holds the members of universal groups only: other groups may look empty',
      'a global catalog does not hold accountExpires: expired accounts may look usable',
    ]);
  });

  test('refers to other servers from the root of the domain, which is an incomplete read', async () => {
    const error = await failureOf(peopleOf({ users: { baseDn: [domainDn] } }));

    expect(error).toBeInstanceOf(SourceIncompleteError);
    expect(error.message).toContain('a part of the tree is on another server');
  });

  test('follows a person through a new name and another unit by objectGUID', async () => {
    samba.add(person('mover'));
    const before = (await peopleOf()).get('mover');
    samba.rename(personDn('mover'), `CN=moved,${staffDn}`);
    samba.modify(change(teamDn('developers'), 'add', 'member', [`CN=moved,${staffDn}`]));

    const after = (await peopleOf({}, demandOf({ groups: ['developers'] }))).get('moved');
    samba.remove(`CN=moved,${staffDn}`);

    expect(after?.id).toBe(before?.id);
    expect(after?.groups).toEqual(['developers']);
  });

  test.each([
    ['a base that does not exist', { users: { baseDn: [`OU=Nowhere,${domainDn}`] } }, 'noSuchObject (32)'],
    ['a filter that matches nobody', { users: { filter: '(sAMAccountName=nobody)' } }, 'match nobody'],
    ['an identity that nobody has', { users: { id: 'employeeID' } }, 'have no single value of users.id (employeeID)'],
    ['a base for groups without the group', { groups: { baseDn: [servicesDn] } }, 'no group below'],
  ])('that is asked for %s makes the read incomplete', async (_what, changes: OptionChanges, reason) => {
    const error = await failureOf(peopleOf(changes, demandOf({ groups: ['developers'] })));

    expect(error).toBeInstanceOf(SourceIncompleteError);
    expect(error.message).toContain(reason);
  });

  describe('whose people are hidden from ordinary accounts', () => {
    /** Hardened domains take everybody out of this group; then only some attributes show. */
    const everybody = `CN=S-1-5-11,CN=ForeignSecurityPrincipals,${domainDn}`;
    const readers = `CN=Pre-Windows 2000 Compatible Access,CN=Builtin,${domainDn}`;

    beforeAll(() => samba.modify(change(readers, 'delete', 'member', [everybody])));
    afterAll(() => samba.modify(change(readers, 'add', 'member', [everybody])));

    test('is not read, for nobody could say who is disabled', async () => {
      const error = await failureOf(peopleOf());

      expect(error).toBeInstanceOf(SourceIncompleteError);
      expect(error.message).toContain('17 of 17 entries do not show userAccountControl');
      expect(error.hint).toContain('let the bind account read userAccountControl, or set users.disabled to none');
    });

    test('is not read by memberOf, which would show everybody as out of every group', async () => {
      const changes: OptionChanges = { users: { disabled: 'none' }, groups: { membership: ['memberOf'] } };

      const error = await failureOf(peopleOf(changes, demandOf({ groups: ['developers'] })));

      expect(error).toBeInstanceOf(SourceIncompleteError);
      expect(error.message).toContain(`no user shows memberOf, although ${teamDn('developers')} has members`);
    });
  });

  // The last one, for it leaves no server.
  test('that goes down in the middle of a read leaves it incomplete', async () => {
    let ended: Promise<void> | undefined;
    const read = sourceOf({ pageSize: 1 }).read(
      demandOf(),
      () => {
        ended ??= samba.kill();
      },
      new AbortController().signal,
    );

    const error = await failureOf(read);
    await ended;

    expect(error).toBeInstanceOf(SourceIncompleteError);
    expect(error.message).toContain(`reading users below "${staffDn}"`);
    expect(error.message).toMatch(/on page \d+ after \d+ entr/);
  });
});
