/** What the preset `openldap` takes for granted, and what keeps a read of OpenLDAP from being complete, on a real server. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { LdapOptions } from '../../src/domain/ldap-options.ts';
import { createLdapSource } from '../../src/sources/ldap/ldap-source.ts';
import {
  entryUuid,
  type GroupSeed,
  groupsDn,
  peopleDn,
  personDn,
  suffix,
  syncDn,
  syncPassword,
} from '../support/directory-ldif.ts';
import { ldifBlocks, sourceSections } from '../support/documentation.ts';
import { modify } from '../support/ds389.ts';
import { reconcileInProcess } from '../support/in-process.ts';
import { type Expected, expectIncompleteRead, expectIncompleteRun } from '../support/incomplete-runs.ts';
import { createTestLogger, demandOf, failureOf, presetOptions, readAll, secret } from '../support/ldap-reading.ts';
import { createLdapWorld, type LdapWorld, type SourceChanges } from '../support/ldap-world.ts';
import { pictureOf } from '../support/organization.ts';
import { administerSettings, type Settings } from '../support/settings.ts';
import { type Slapd, slapdIsInstalled, startSlapd } from '../support/slapd.ts';
import type { Sections } from '../support/world.ts';

const server = 'OpenLDAP';
const people = 30;
const groups: readonly GroupSeed[] = [
  { name: 'developers', kind: 'groupOfNames', members: [0, 1] },
  { name: 'operators', kind: 'groupOfNames', members: [1, 2] },
  { name: 'platform', kind: 'groupOfUniqueNames', members: [1, 3] },
  { name: 'unix', kind: 'posixGroup', members: [1, 4] },
  { name: 'unmanned', kind: 'posixGroup', members: [] },
];
const database = 'olcDatabase={1}mdb,cn=config';

/** Nothing else goes on in this process meanwhile, so that the server alone does. */
function sleepSync(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

describe.skipIf(!slapdIsInstalled())('OpenLDAP', () => {
  let slapd: Slapd;
  let config: Settings;
  let data: Settings;

  beforeAll(async () => {
    slapd = await startSlapd({
      people,
      groups,
      log: false,
      global: 'moduleload ppolicy.la\ndatabase config\nrootdn cn=config\nrootpw config',
      access: 'overlay ppolicy',
    });
    config = await administerSettings(slapd.ldapUrl, 'cn=config', 'config');
    data = await administerSettings(slapd.ldapUrl, `cn=admin,${suffix}`, 'admin');
  });

  afterAll(async () => {
    await config[Symbol.asyncDispose]();
    await data[Symbol.asyncDispose]();
    await slapd.stop();
  });

  function options(changes: Partial<LdapOptions> = {}): LdapOptions {
    const account = { bindDn: syncDn, bindPassword: secret(syncPassword) };
    return { ...presetOptions('openldap', slapd.ldapUrl, peopleDn, groupsDn), ...account, ...changes };
  }

  describe('with the preset and nothing else', () => {
    test('people are found with their keys, and groups of every class with their members', async () => {
      const names = groups.map(({ name }) => name);
      const logger = createTestLogger();

      const entries = await readAll(createLdapSource(options(), logger), demandOf({ groups: names.toSorted() }));

      expect(entries.map(({ id }) => id)).toEqual(Array.from({ length: people }, (_, index) => entryUuid(index)));
      expect(entries.slice(0, 6).map((entry) => entry.groups)).toEqual([
        ['developers'],
        ['developers', 'operators', 'platform', 'unix'],
        ['operators'],
        ['platform'],
        ['unix'],
        [],
      ]);
      expect(logger.warnings()).toEqual([expect.stringContaining('show no members')]);
    });

    test('an account that an administrator locked is disabled, one with too many wrong passwords is not', async () => {
      const unlock = await data.set(personDn(5), 'pwdAccountLockedTime', ['000001010000Z']);
      const forgive = await data.set(personDn(6), 'pwdAccountLockedTime', ['20261126120000Z']);

      const entries = await readAll(createLdapSource(options(), createTestLogger()));
      await unlock();
      await forgive();

      expect(entries.filter(({ disabled }) => disabled).map(({ location }) => location)).toEqual([personDn(5)]);
    });
  });

  describe('a read', () => {
    /** Lets the server do something when so many people have come, in pages of five. */
    async function interrupted(
      victim: Slapd,
      after: number,
      interruption: () => void,
      timeouts: Partial<LdapOptions['timeouts']> = {},
    ): Promise<Error> {
      let seen = 0;
      const usual = options({ urls: [victim.ldapUrl], pageSize: 5 });
      const source = createLdapSource({ ...usual, timeouts: { ...usual.timeouts, ...timeouts } }, createTestLogger());
      const onEntry = () => {
        seen += 1;
        if (seen === after) interruption();
      };
      return failureOf(source.read(demandOf({ groups: ['developers'] }), onEntry, new AbortController().signal));
    }
    const expected: Expected = {
      code: 'source-incomplete',
      says: [
        `reading users below "${peopleDn}" with filter (objectClass=inetOrgPerson) is incomplete`,
        /on page \d+ after \d+ entr/,
      ],
      hint: 'try again',
    };

    test('ends as incomplete when the server closes a connection that was quiet for too long', async () => {
      const impatient = await startSlapd({ people, groups, log: false, global: 'idletimeout 1' });

      const error = await interrupted(impatient, 12, () => sleepSync(2_500));
      await impatient.stop();

      expectIncompleteRead(server, 'connection closed as idle', error, expected);
    });

    test.each(['SIGKILL', 'SIGTERM'] as const)('ends as incomplete when the server ends by %s', async (signal) => {
      const victim = await startSlapd({ people, groups, log: false });

      const error = await interrupted(victim, 12, () => {
        victim.signal(signal);
        sleepSync(100);
      });
      await victim.stop();

      expectIncompleteRead(server, `server ends in the middle (${signal})`, error, expected);
    });

    test('ends as incomplete when the server does not go on', async () => {
      const error = await interrupted(slapd, 12, () => slapd.signal('SIGSTOP'), { operationMs: 200 });
      slapd.signal('SIGCONT');

      expectIncompleteRead(server, 'server stands still', error, {
        ...expected,
        says: [...expected.says, 'did not finish its answer within 200 ms'],
      });
    });
  });

  describe('a run', () => {
    let world: LdapWorld;
    const undo: (() => Promise<void>)[] = [];

    beforeAll(async () => {
      world = await createLdapWorld(slapd, { preset: 'openldap' });
      const first = await reconcileInProcess(world);
      if (first.code !== 0) throw first.error ?? new Error('the base does not stand');
    });

    afterEach(async () => {
      for (const step of undo.splice(0).reverse()) await step();
    });

    afterAll(() => world[Symbol.asyncDispose]());

    const set = async (...args: Parameters<Settings['set']>) => undo.push(await config.set(...args));
    const limit = async (limits: string) =>
      undo.push(await config.prepend(database, 'olcLimits', `dn.exact="${syncDn}" ${limits}`));
    const access = async (rule: string) => undo.push(await config.prepend(database, 'olcAccess', rule));
    const hiding = (what: string, level = 'none') => access(`to ${what} by dn.exact="${syncDn}" ${level} by * break`);

    interface Row extends Expected {
      readonly name: string;
      provoke(): Promise<unknown>;
      readonly source?: SourceChanges;
      readonly sections?: Sections;
    }
    const users = `reading users below "${peopleDn}" with filter (objectClass=inetOrgPerson)`;
    const groupsRead = `reading groups below "${groupsDn}" with filter`;
    const nothing = async () => {};

    test.each<Row>([
      {
        name: 'size limit of the account',
        provoke: () => limit('size=10'),
        code: 'source-incomplete',
        says: [users, 'on page 1 after 10 entries', 'sizeLimitExceeded (4)'],
        hint: 'raise the limit for the bind account',
      },
      {
        name: 'limit on the sum of all pages',
        provoke: () => limit('size.soft=unlimited size.hard=unlimited size.prtotal=20'),
        source: { pageSize: 15 },
        code: 'source-incomplete',
        says: [users, 'sizeLimitExceeded (4)', 'on page 2 after 20 entries'],
        hint: 'size.prtotal',
      },
      {
        name: 'paging switched off for the account',
        provoke: () => limit('size.soft=unlimited size.hard=unlimited size.prtotal=disabled'),
        code: 'source-incomplete',
        says: [groupsRead, 'adminLimitExceeded (11): pagedResults control not allowed'],
        hint: 'size.prtotal',
      },
      {
        name: 'limit on candidates that no index narrows down',
        provoke: () => limit('size.soft=unlimited size.hard=unlimited size.unchecked=5'),
        code: 'source-incomplete',
        says: [users, 'adminLimitExceeded (11)'],
        hint: 'raise the limit for the bind account',
      },
      {
        name: 'searches switched off',
        provoke: () => set(database, 'olcRestrict', ['search'], { undone: [] }),
        code: 'source-unavailable',
        says: [groupsRead, 'unwillingToPerform (53)'],
        hint: 'the server refuses such a request',
      },
      {
        name: 'base on another server',
        provoke: () => set('cn=config', 'olcReferral', ['ldap://other.example']),
        source: { users: { baseDn: 'dc=other,dc=example' } },
        code: 'source-incomplete',
        says: ['reading users below "dc=other,dc=example"', 'referral (10)', 'ldap://other.example'],
        hint: 'set url to that server',
      },
      {
        name: 'one of two bases that does not exist',
        provoke: nothing,
        source: { users: { baseDn: [peopleDn, `ou=staff,${suffix}`] } },
        code: 'source-incomplete',
        says: [`reading users below "ou=staff,${suffix}"`, 'noSuchObject (32)'],
        hint: 'check the spelling of the base DN',
      },
      {
        name: 'one of two bases that the account may not see',
        provoke: () => hiding(`dn.subtree="ou=empty,${suffix}"`),
        source: { users: { baseDn: [peopleDn, `ou=empty,${suffix}`] } },
        code: 'source-incomplete',
        says: [`reading users below "ou=empty,${suffix}"`, 'noSuchObject (32)'],
        hint: 'check the spelling of the base DN',
      },
      {
        name: 'base that the account may not see',
        provoke: () => hiding(`dn.subtree="${peopleDn}"`),
        code: 'source-incomplete',
        says: [users, 'noSuchObject (32)'],
        hint: 'that the bind account may see it',
      },
      {
        name: 'group of a rule missing',
        provoke: nothing,
        sections: { roles: [{ group: 'wizards', grants: [{ role: 'Developer', scope: 'Production' }] }] },
        code: 'source-incomplete',
        says: [slapd?.ldapsUrl ?? '', groupsDn, 'no group', '"wizards"'],
        hint: 'let the bind account see the group',
      },
      {
        name: 'group of a rule that the account may not see',
        provoke: () => hiding(`dn.exact="cn=operators,${groupsDn}"`),
        code: 'source-incomplete',
        says: ['no group', groupsDn, '"operators"'],
        hint: 'let the bind account see the group',
      },
      {
        name: 'members of a group that may be searched, not read',
        provoke: () => hiding(`dn.exact="cn=operators,${groupsDn}" attrs=member`, 'search'),
        code: 'source-incomplete',
        says: [groupsRead, `cn=operators,${groupsDn} shows no members, but the server finds member`],
        hint: 'let the bind account read member',
      },
      {
        name: 'members of a group that may neither be searched nor read',
        provoke: () => hiding(`dn.exact="cn=operators,${groupsDn}" attrs=member`),
        code: 'source-incomplete',
        says: [groupsRead, 'shows no members, but no group of its class can be without member'],
        hint: 'let the bind account read member',
      },
      {
        name: 'keys of all people hidden',
        provoke: () => hiding('attrs=entryUUID'),
        code: 'source-incomplete',
        says: [users, `${people} of ${people} entries`, 'users.id (entryUUID)'],
        hint: 'that the bind account may read it',
      },
      {
        name: 'keys of some people hidden',
        provoke: () => hiding(`dn.regex="^uid=u00000[0-6],${peopleDn}$" attrs=entryUUID`),
        code: 'source-incomplete',
        says: [users, `7 of ${people} entries`, `first ${personDn(0)}`],
        hint: 'that the bind account may read it',
      },
      {
        name: 'addresses of all people hidden',
        provoke: () => hiding('attrs=mail'),
        code: 'source-incomplete',
        says: [users, 'no entry shows mail, of which addresses are made'],
        hint: 'let the bind account read it',
      },
      {
        name: 'attribute of the filter that may be searched, not read',
        provoke: () => hiding('attrs=title', 'search'),
        code: 'source-incomplete',
        says: [users, 'the server finds title there, and does not show it'],
        hint: 'let the bind account read it',
      },
      {
        name: 'attribute that the server calls by another name',
        provoke: nothing,
        sections: { filter: 'entry.surname != "x"' },
        code: 'source-incomplete',
        says: [users, 'the server calls surname by the name sn'],
        hint: 'correct its name in the rules',
      },
      {
        name: 'bind in clear text',
        provoke: () => set(database, 'olcSecurity', ['simple_bind=256'], { undone: ['simple_bind=0'] }),
        source: { tls: {} },
        code: 'source-unavailable',
        says: [`refuses the bind as ${syncDn}`, 'confidentialityRequired (13)'],
        hint: 'use ldaps://',
      },
    ])('ends with exit 5 and changes nothing: $name', async ({ name, provoke, source, sections, ...expected }) => {
      await provoke();
      const clear = name === 'bind in clear text' ? { url: slapd.ldapUrl } : {};
      await world.connect({ preset: 'openldap', ...source, ...clear }, sections);

      await expectIncompleteRun(world, server, name, { ...expected, says: expected.says });
    });

    test('ends with exit 5 for nobody in particular, where the server wants to know who asks', async () => {
      await set('olcDatabase={-1}frontend,cn=config', 'olcRequires', ['strong'], { undone: ['none'] });
      const anonymous = presetOptions('openldap', slapd.ldapUrl, peopleDn, groupsDn);

      const error = await failureOf(readAll(createLdapSource(anonymous, createTestLogger())));

      expectIncompleteRead(server, 'anonymous where stronger sign-in is demanded', error, {
        code: 'source-unavailable',
        says: [users, 'strongerAuthRequired (8)'],
        hint: 'bindDn',
      });
    });

    test('goes on when nothing is in its way any more', async () => {
      await world.connect({ preset: 'openldap' });

      const run = await reconcileInProcess(world);

      expect(run.report?.status, run.error?.message).toBe('converged');
    });
  });

  test('the how-to page makes an account that reads what it must and nothing else, and a run with its configuration', async () => {
    const page = 'docs/how-to/openldap.md';
    const adaption = { suffix, password: syncPassword, url: slapd.ldapsUrl, caFile: slapd.caFile };
    const [accountLdif = '', limitsLdif = '', accessLdif = ''] = ldifBlocks(page, adaption);
    const [source] = sourceSections(page, adaption);
    const accountDn = `cn=tdsync,ou=services,${suffix}`;
    // The tests' server shows everything to everybody; to this account only what the page allows.
    await config.prepend(database, 'olcAccess', `to dn.subtree="${suffix}" by dn.exact="${accountDn}" none by * break`);
    modify(slapd.ldapUrl, `cn=admin,${suffix}`, 'admin', accountLdif);
    for (const ldif of [limitsLdif, accessLdif]) modify(slapd.ldapUrl, 'cn=config', 'config', ldif);
    await using world = await createLdapWorld(slapd);
    await world.connect({}, { ...plainRules, source });

    const first = await reconcileInProcess(world);
    const second = await reconcileInProcess(world);
    const nosy = options({ bindDn: accountDn });
    const seen = await readAll(createLdapSource(nosy, createTestLogger()), demandOf({ attributes: ['mail', 'title'] }));

    expect(first.report?.status, first.error?.message).toBe('applied');
    expect(second.report?.status, second.error?.message).toBe('converged');
    expect(pictureOf(world.twilio).assignments).toEqual([
      'u000000@example.com: Developer in Production',
      'u000001@example.com: Developer in Production',
      'u000001@example.com: Support in Production',
      'u000002@example.com: Support in Production',
    ]);
    expect(seen.filter(({ attributes }) => 'title' in attributes)).toEqual([]);
    expect(seen.filter(({ attributes }) => 'mail' in attributes)).toHaveLength(people);
  });
});

const plainRules: Sections = {
  filter: undefined,
  attributes: { userName: 'mail', 'name.givenName': 'givenName', 'name.familyName': 'sn', displayName: 'cn' },
};
