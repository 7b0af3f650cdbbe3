/** What the preset `389ds` takes for granted, and what keeps a read of 389 Directory Server from being complete, on a real server. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { LdapOptions } from '../../src/domain/ldap-options.ts';
import { createLdapSource } from '../../src/sources/ldap/ldap-source.ts';
import { ldifBlocks, sourceSections } from '../support/documentation.ts';
import { type Ds389, ds389IsInstalled, managerDn, managerPassword, startDs389 } from '../support/ds389.ts';
import {
  account,
  directory,
  ipaGroups,
  ipaPermissions,
  ipaSchema,
  ipaUniqueId,
  ipaUser,
  ipaUsers,
  plainGroups,
  plainPeople,
  plainPerson,
  suffix,
} from '../support/ds389-directory.ts';
import { reconcileInProcess } from '../support/in-process.ts';
import { type Expected, expectIncompleteRead, expectIncompleteRun } from '../support/incomplete-runs.ts';
import { createTestLogger, demandOf, failureOf, presetOptions, readAll, secret } from '../support/ldap-reading.ts';
import { createLdapWorld, type LdapWorld, type SourceChanges } from '../support/ldap-world.ts';
import { pictureOf } from '../support/organization.ts';
import { administerSettings, type Settings } from '../support/settings.ts';
import type { Sections } from '../support/world.ts';

const server = '389 DS';
const people = 30;
/** The organization's owner is a user too. */
const owner = 1;
const bindDn = `uid=sync,ou=services,${suffix}`;
const password = 'sync password';
const everything = `(targetattr = "*")(version 3.0; acl "sync"; allow (read, search, compare) userdn = "ldap:///${bindDn}";)`;

describe.skipIf(!ds389IsInstalled())('389 Directory Server', () => {
  let ds: Ds389;
  let settings: Settings;
  const undo: (() => Promise<void>)[] = [];

  async function start(): Promise<Ds389> {
    const started = await startDs389({ suffix, schema: ipaSchema, plugins: ['MemberOf Plugin'] });
    started.change(directory(people));
    started.change(account(bindDn, password));
    started.change(`dn: ${suffix}\nchangetype: modify\nadd: aci\naci: ${everything}\n`);
    return started;
  }

  beforeAll(async () => {
    ds = await start();
    settings = await administerSettings(ds.ldapUrl, managerDn, managerPassword);
  });

  afterEach(async () => {
    for (const step of undo.splice(0).reverse()) await step();
  });

  afterAll(async () => {
    await settings[Symbol.asyncDispose]();
    await ds.stop();
  });

  const set = async (...args: Parameters<Settings['set']>) => undo.push(await settings.set(...args));
  const ofAccount = (attribute: string, value: string) => set(bindDn, attribute, [value], { undone: [] });
  const deny = async (dn: string, attributes: string, rights = 'read, search, compare') =>
    undo.push(
      await settings.prepend(
        dn,
        'aci',
        `(targetattr = "${attributes}")(version 3.0; acl "hidden"; deny (${rights}) userdn = "ldap:///${bindDn}";)`,
      ),
    );

  function options(changes: Partial<LdapOptions> = {}, bases: readonly [string, string] = [plainPeople, plainGroups]) {
    const usual = presetOptions('389ds', ds.ldapUrl, ...bases);
    return { ...usual, bindDn, bindPassword: secret(password), ...changes };
  }

  describe('with the preset and nothing else', () => {
    test('people are found with their keys, also those whom dsidm makes, and groups of every class with their members', async () => {
      const names = ['developers', 'operators', 'platform'];

      const entries = await readAll(createLdapSource(options(), createTestLogger()), demandOf({ groups: names }));

      expect(entries.map(({ location }) => location)).toEqual(Array.from({ length: people }, (_, n) => plainPerson(n)));
      expect(new Set(entries.map(({ id }) => id)).size).toBe(people);
      expect(entries.filter(({ id }) => !/^[0-9a-f]{8}(?:-[0-9a-f]{8}){3}$/.test(id))).toEqual([]);
      expect(entries.slice(0, 5).map((entry) => entry.groups)).toEqual([
        ['developers'],
        ['developers', 'platform'],
        ['operators', 'platform'],
        ['operators'],
        [],
      ]);
    });

    test("FreeIPA's groups are read by member, and groups within groups count, its people by inetOrgPerson", async () => {
      const source = createLdapSource(options({}, [ipaUsers, ipaGroups]), createTestLogger());

      const entries = await readAll(source, demandOf({ groups: ['developers', 'platform'] }));

      expect(entries).toHaveLength(people);
      expect(entries.slice(0, 4).map((entry) => [entry.location, entry.groups])).toEqual([
        [ipaUser(0), ['developers', 'platform']],
        [ipaUser(1), ['developers', 'platform']],
        [ipaUser(2), ['platform']],
        [ipaUser(3), []],
      ]);
    });

    test('the memberOf plug-in says the same', async () => {
      const usual = options({}, [ipaUsers, ipaGroups]);
      const groups = { ...usual.groups, membership: ['memberOf'] } as NonNullable<LdapOptions['groups']>;

      const entries = await readAll(
        createLdapSource({ ...usual, groups }, createTestLogger()),
        demandOf({ groups: ['developers', 'platform'] }),
      );

      expect(entries.slice(0, 4).map((entry) => entry.groups)).toEqual([
        ['developers', 'platform'],
        ['developers', 'platform'],
        ['platform'],
        [],
      ]);
    });

    test('a locked account is disabled by nsAccountLock, whatever its case', async () => {
      await set(plainPerson(5), 'nsAccountLock', ['true'], { undone: [] });
      await set(plainPerson(6), 'nsAccountLock', ['FALSE'], { undone: [] });
      await set(plainPerson(7), 'nsAccountLock', ['TRUE'], { undone: [] });

      const source = createLdapSource(options(), createTestLogger());
      const entries = await readAll(source, demandOf({ attributes: ['nsAccountLock'] }));

      const marked = entries.filter(({ attributes }) => 'nsAccountLock' in attributes);
      expect(
        marked.map(({ location, attributes, disabled }) => [location, attributes.nsAccountLock, disabled]),
      ).toEqual([
        [plainPerson(5), 'true', true],
        [plainPerson(6), 'FALSE', undefined],
        [plainPerson(7), 'TRUE', true],
      ]);
    });
  });

  describe('a read', () => {
    /** Lets the server do something when so many people have come, in pages of five. */
    async function interrupted(
      victim: Ds389,
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
        `reading users below "${plainPeople}" with filter (|(objectClass=inetOrgPerson)(objectClass=nsPerson)) is incomplete`,
        /on page \d+ after \d+ entr/,
      ],
      hint: 'try again',
    };

    test('ends as incomplete when the server does not go on', async () => {
      const error = await interrupted(ds, 12, () => ds.signal('SIGSTOP'), { operationMs: 200 });
      ds.signal('SIGCONT');

      expectIncompleteRead(server, 'server stands still', error, {
        ...expected,
        says: [...expected.says, 'did not finish its answer within 200 ms'],
      });
    });

    test('ends as incomplete when the server ends', async () => {
      const victim = await start();

      const error = await interrupted(victim, 12, () => {
        victim.signal('SIGKILL');
        sleepSync(100);
      });
      await victim.stop();

      expectIncompleteRead(server, 'server ends in the middle (SIGKILL)', error, expected);
    });
  });

  describe('a run', () => {
    let world: LdapWorld;
    const usual: SourceChanges = {
      preset: '389ds',
      bindDn,
      password,
      users: { baseDn: plainPeople },
      groups: { baseDn: plainGroups },
    };
    const roles = [
      { group: 'developers', grants: [{ role: 'Developer', scope: 'Production' }] },
      { group: 'platform', grants: [{ role: 'Support', scope: 'Production' }] },
    ];
    const rules: Sections = {
      roles,
      attributes: { userName: 'mail', 'name.givenName': 'givenName', 'name.familyName': 'sn', displayName: 'cn' },
    };

    beforeAll(async () => {
      world = await createLdapWorld(ds, usual);
      await world.connect(usual, rules);
      const first = await reconcileInProcess(world);
      if (first.code !== 0) throw first.error ?? new Error('the base does not stand');
    });

    afterAll(() => world[Symbol.asyncDispose]());

    interface Row extends Expected {
      readonly name: string;
      provoke(): Promise<unknown>;
      readonly source?: () => SourceChanges;
      readonly sections?: Sections;
    }
    const users = `reading users below "${plainPeople}" with filter (|(objectClass=inetOrgPerson)(objectClass=nsPerson))`;
    const groupsRead = `reading groups below "${plainGroups}" with filter`;
    const nothing = async () => {};
    const inClear = () => ({ url: ds.ldapUrl });

    test.each<Row>([
      ...(['nsSizeLimit', 'nsPagedSizeLimit'] as const).map((attribute) => ({
        // The server counts the entries of each page, not those of all.
        name: `size limit of the account below the size of a page: ${attribute}`,
        provoke: () => ofAccount(attribute, '20'),
        source: () => ({ pageSize: 25 }),
        code: 'source-incomplete' as const,
        says: [users, 'on page 1 after 20 entries', 'sizeLimitExceeded (4)'],
        hint: attribute,
      })),
      ...(['nsLookThroughLimit', 'nsPagedLookThroughLimit'] as const).map((attribute) => ({
        name: `limit on candidates of the account: ${attribute}`,
        provoke: () => ofAccount(attribute, '20'),
        source: () => ({ pageSize: 25 }),
        code: 'source-incomplete' as const,
        says: [users, 'adminLimitExceeded (11)'],
        hint: attribute,
      })),
      {
        name: 'account locked',
        provoke: () => ofAccount('nsAccountLock', 'true'),
        code: 'source-unavailable',
        says: [`refuses the bind as ${bindDn}`, 'unwillingToPerform (53)'],
        hint: 'its message above',
      },
      {
        name: 'bind in clear text',
        provoke: () => set('cn=config', 'nsslapd-require-secure-binds', ['on']),
        source: inClear,
        code: 'source-unavailable',
        says: [`refuses the bind as ${bindDn}`, 'confidentialityRequired (13)'],
        hint: 'use ldaps://',
      },
      {
        name: 'base that does not exist',
        provoke: nothing,
        source: () => ({ users: { baseDn: `ou=staff,${suffix}` } }),
        code: 'source-incomplete',
        says: [
          `reading users below "ou=staff,${suffix}"`,
          'noSuchObject (32)',
          `the deepest entry that exists is ${suffix}`,
        ],
        hint: 'check the spelling of the base DN',
      },
      {
        name: 'one of two bases that does not exist',
        provoke: nothing,
        source: () => ({ users: { baseDn: [plainPeople, `ou=staff,${suffix}`] } }),
        code: 'source-incomplete',
        says: [`reading users below "ou=staff,${suffix}"`, 'noSuchObject (32)'],
        hint: 'check the spelling of the base DN',
      },
      {
        name: 'one of two bases that the account may not see',
        provoke: () => deny(`ou=services,${suffix}`, '*'),
        source: () => ({ users: { baseDn: [plainPeople, `ou=services,${suffix}`] } }),
        code: 'source-incomplete',
        says: [`reading users below "ou=services,${suffix}"`, 'not even the base itself'],
        hint: 'that the bind account may see it',
      },
      {
        name: 'base that the account may not see',
        provoke: () => deny(plainPeople, '*'),
        code: 'source-incomplete',
        says: [plainPeople, '(|(objectClass=inetOrgPerson)(objectClass=nsPerson))', 'match nobody'],
        hint: 'that the bind account may see the users',
      },
      {
        name: 'group of a rule missing',
        provoke: nothing,
        sections: { roles: [{ group: 'wizards', grants: [{ role: 'Developer', scope: 'Production' }] }] },
        code: 'source-incomplete',
        says: [plainGroups, 'no group', '"wizards"'],
        hint: 'let the bind account see the group',
      },
      {
        name: 'group of a rule that the account may not see',
        provoke: () => deny(`cn=platform,${plainGroups}`, '*'),
        code: 'source-incomplete',
        says: [plainGroups, 'no group', '"platform"'],
        hint: 'let the bind account see the group',
      },
      {
        name: 'members of a group that may be searched, not read',
        provoke: () => deny(`cn=platform,${plainGroups}`, 'member || uniqueMember || memberUid', 'read'),
        code: 'source-incomplete',
        says: [groupsRead, `cn=platform,${plainGroups} shows no members, but the server finds member`],
        hint: 'let the bind account read member',
      },
      {
        name: 'members of a group that may neither be searched nor read',
        provoke: () => deny(`cn=platform,${plainGroups}`, 'member || uniqueMember || memberUid'),
        code: 'source-incomplete',
        says: [
          groupsRead,
          `cn=platform,${plainGroups} shows no members, but the server says that ${bindDn} may not read`,
        ],
        hint: 'let the bind account read member',
      },
      {
        name: 'keys of all people hidden',
        provoke: () => deny(plainPeople, 'nsUniqueId'),
        code: 'source-incomplete',
        says: [users, `${people} of ${people} entries`, 'users.id (nsUniqueId)'],
        hint: 'that the bind account may read it',
      },
      {
        name: 'keys of some people hidden',
        provoke: async () => {
          for (let index = 0; index < 7; index += 1) await deny(plainPerson(index), 'nsUniqueId');
        },
        code: 'source-incomplete',
        says: [users, `7 of ${people} entries`, `first ${plainPerson(0)}`],
        hint: 'that the bind account may read it',
      },
      {
        name: 'mark of disabled accounts hidden',
        provoke: () => deny(plainPeople, 'nsAccountLock'),
        code: 'source-incomplete',
        says: [users, `the server says that ${bindDn} may not read nsAccountLock of ${plainPerson(0)}`],
        hint: 'let the bind account read nsAccountLock',
      },
      {
        name: 'addresses of all people hidden',
        provoke: () => deny(plainPeople, 'mail'),
        code: 'source-incomplete',
        says: [users, 'no entry shows mail, of which addresses are made'],
        hint: 'let the bind account read it',
      },
      {
        name: 'attribute of the filter that may be searched, not read',
        provoke: () => deny(plainPeople, 'employeeNumber', 'read'),
        sections: { filter: 'entry.employeeNumber != "4711"' },
        code: 'source-incomplete',
        says: [users, 'the server finds employeeNumber there, and does not show it'],
        hint: 'let the bind account read it',
      },
    ])('ends with exit 5 and changes nothing: $name', async ({ name, provoke, source, sections, ...expected }) => {
      await provoke();
      await world.connect({ ...usual, ...source?.() }, { ...rules, ...sections });

      await expectIncompleteRun(world, server, name, expected);
    });

    test('goes on when nothing is in its way any more', async () => {
      await world.connect(usual, rules);

      const run = await reconcileInProcess(world);

      expect(run.report?.status, run.error?.message).toBe('converged');
    });
  });

  test('an empty group is no fault: the server says that its members may be read', async () => {
    const logger = createTestLogger();
    const source = createLdapSource(options({}, [ipaUsers, ipaGroups]), logger);

    const entries = await readAll(source, demandOf({ groups: ['empty'] }));

    expect(entries).toHaveLength(people);
    expect(logger.warnings()).toEqual([expect.stringContaining('show no members')]);
  });

  test('FreeIPA shows its own key to accounts, and hides that of the server', async () => {
    await deny(ipaUsers, 'nsUniqueId');
    const usual = options({}, [ipaUsers, ipaGroups]);
    const withKey = { ...usual, users: { ...usual.users, id: 'ipaUniqueID' } };

    const error = await failureOf(readAll(createLdapSource(usual, createTestLogger())));
    const entries = await readAll(createLdapSource(withKey, createTestLogger()));

    expect(error.message).toContain(`${people} of ${people} entries have no single value of users.id (nsUniqueId)`);
    expect(entries[7]?.id).toBe(ipaUniqueId(7));
  });

  describe('the how-to page', () => {
    const page = 'docs/how-to/389ds.md';
    const rules: Sections = {
      filter: undefined,
      attributes: { userName: 'mail', 'name.givenName': 'givenName', 'name.familyName': 'sn', displayName: 'cn' },
      roles: [
        { group: 'developers', grants: [{ role: 'Developer', scope: 'Production' }] },
        { group: 'platform', grants: [{ role: 'Support', scope: 'Production' }] },
      ],
    };
    let blocks: readonly string[];
    let sources: readonly object[];

    beforeAll(() => {
      const adaption = { suffix, password, url: ds.ldapsUrl, caFile: ds.caFile };
      blocks = ldifBlocks(page, adaption);
      sources = sourceSections(page, adaption);
      for (const ldif of blocks) ds.change(ldif);
    });

    async function runTwice(source: object | undefined): Promise<readonly string[]> {
      await using world = await createLdapWorld(ds, { password });
      await world.connect({ password }, { ...rules, source });
      const first = await reconcileInProcess(world);
      const second = await reconcileInProcess(world);
      expect(first.report?.status, first.error?.message).toBe('applied');
      expect(second.report?.status, second.error?.message).toBe('converged');
      expect(pictureOf(world.twilio).users).toHaveLength(people + owner);
      return pictureOf(world.twilio).assignments;
    }

    test('makes an account that reads what it must and nothing else, and a run with its configuration', async () => {
      const assignments = await runTwice(sources[0]);
      const nosy = options({ bindDn: `uid=tdsync,ou=services,${suffix}` });
      const seen = await readAll(
        createLdapSource(nosy, createTestLogger()),
        demandOf({ attributes: ['mail', 'employeeNumber'] }),
      );

      expect(assignments).toEqual([
        'p000@example.com: Developer in Production',
        'p001@example.com: Developer in Production',
        'p001@example.com: Support in Production',
        'p002@example.com: Support in Production',
      ]);
      expect(seen.filter(({ attributes }) => 'employeeNumber' in attributes)).toEqual([]);
      expect(seen.filter(({ attributes }) => 'mail' in attributes)).toHaveLength(people);
    });

    test('reads FreeIPA with what it shows to every account', async () => {
      ds.change(ipaPermissions);

      const assignments = await runTwice(sources[1]);

      expect(assignments).toEqual([
        'p000@example.com: Developer in Production',
        'p000@example.com: Support in Production',
        'p001@example.com: Developer in Production',
        'p001@example.com: Support in Production',
        'p002@example.com: Support in Production',
      ]);
    });
  });
});

/** Nothing else goes on in this process meanwhile, so that the server alone does. */
function sleepSync(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
