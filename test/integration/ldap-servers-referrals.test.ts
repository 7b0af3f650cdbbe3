import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { SourceIncompleteError } from '../../src/errors.ts';
import { createLdapSource } from '../../src/sources/ldap/ldap-source.ts';
import { makeCa } from '../support/certificates.ts';
import { groupsDn, peopleDn, suffix, syncDn, syncPassword } from '../support/directory-ldif.ts';
import {
  createTestLogger,
  demandOf,
  failureOf,
  ldapOptions,
  type OptionChanges,
  readAll,
  secret,
} from '../support/ldap-reading.ts';
import { type LdapServer, type Reply, type Script, startLdapServer } from '../support/ldap-server.ts';
import { type Slapd, slapdIsInstalled, startSlapd } from '../support/slapd.ts';

let servers: LdapServer[] = [];

afterEach(async () => {
  await Promise.all(servers.map((server) => server.stop()));
  servers = [];
});

async function serve(search: Script['search']): Promise<LdapServer> {
  const server = await startLdapServer({ search });
  servers.push(server);
  return server;
}

function sourceOf(server: LdapServer, changes: OptionChanges = {}, logger = createTestLogger()) {
  return createLdapSource(ldapOptions(server.url, { referrals: 'follow', ...changes }), logger);
}

function user(index: number): Reply {
  return { entry: `uid=u${index},dc=x`, attributes: { entryUUID: [`id-${index}`] } };
}

const done: Reply = { done: { code: 0, cookie: '' } };
const account: OptionChanges = { bindDn: 'cn=sync,dc=x', bindPassword: secret('hunter2') };

async function ids(source: ReturnType<typeof sourceOf>): Promise<readonly string[]> {
  return (await readAll(source)).map(({ id }) => id);
}

describe('referrals: follow', () => {
  test('reads what a reference leads to, with the same bind, and what that server refers to', async () => {
    const third = await serve(() => [user(3), done]);
    const second = await serve(() => [user(2), { reference: [`${third.url}/ou=c,dc=x??sub`] }, done]);
    const first = await serve(() => [{ reference: [`${second.url}/ou=b,dc=x??sub`] }, user(1), done]);

    const entries = await ids(sourceOf(first, account));
    await Promise.all([first, second, third].map((server) => server.disconnected()));

    expect(entries).toEqual(['id-1', 'id-2', 'id-3']);
    expect([second, third].map(({ searches, binds }) => [searches[0]?.base, binds])).toEqual([
      ['ou=b,dc=x', ['cn=sync,dc=x']],
      ['ou=c,dc=x', ['cn=sync,dc=x']],
    ]);
    expect([first, second, third].map((server) => server.unbinds())).toEqual([1, 1, 1]);
  });

  test('asks the other server with the same filter, attributes and scope where the URL leaves them out', async () => {
    const second = await serve(() => [user(2), done]);
    const first = await serve(() => [user(1), { reference: [`${second.url}/ou=b,dc=x`] }, done]);

    await ids(sourceOf(first));

    const { base: _base, ...asked } = first.searches[0] ?? { base: '' };
    expect(second.searches[0]).toMatchObject(asked);
  });

  test('takes a reference of a search one level deep for the one entry there', async () => {
    const second = await serve(() => [user(2), done]);
    const first = await serve(() => [user(1), { reference: [`${second.url}/uid=u2,dc=x`] }, done]);

    await ids(sourceOf(first, { users: { scope: 'one' } }));

    expect(second.searches[0]?.scope).toBe('base');
  });

  test('asks the other server when the base itself is there (10)', async () => {
    const second = await serve(() => [user(2), done]);
    const first = await serve(() => [{ done: { code: 10, referrals: [second.url] } }]);

    expect(await ids(sourceOf(first))).toEqual(['id-2']);
    expect(second.searches[0]).toMatchObject({ base: peopleDn, scope: 'sub' });
  });

  test('opens one connection for all references to a server, groups included', async () => {
    const second = await serve(({ base }) =>
      base.startsWith('ou=groups')
        ? [{ entry: 'cn=devs,dc=x', attributes: { cn: ['devs'], member: ['uid=u1,dc=x'] } }, done]
        : [user(base === 'ou=b,dc=x' ? 2 : 3), done],
    );
    const first = await serve(({ base }) =>
      base.startsWith('ou=groups')
        ? [{ reference: [`${second.url}/ou=groups,dc=x`] }, done]
        : [user(1), { reference: [`${second.url}/ou=b,dc=x`] }, { reference: [`${second.url}/ou=c,dc=x`] }, done],
    );

    const entries = await readAll(sourceOf(first, account), demandOf({ groups: ['devs'] }));

    expect(entries.map(({ id, groups }) => [id, groups])).toEqual([
      ['id-1', ['devs']],
      ['id-2', []],
      ['id-3', []],
    ]);
    expect(second.binds).toHaveLength(1);
  });

  test('tries the next URL of a reference when one cannot be read, and ends there', async () => {
    const second = await serve(() => [user(2), done]);
    const third = await serve(() => [user(3), done]);
    const urls = ['ldap://127.0.0.1:1/dc=y', `${second.url}/dc=y`, `${third.url}/dc=y`];
    const first = await serve(() => [user(1), { reference: urls }, done]);

    expect(await ids(sourceOf(first))).toEqual(['id-1', 'id-2']);
  });

  test('makes no search twice, so that servers may refer to one another', async () => {
    const urls: string[] = [];
    const second = await serve(() => [user(2), { reference: [`${urls[0]}/${peopleDn}`] }, done]);
    const first = await serve(() => [user(1), { reference: [`${second.url}/ou=b,dc=x`] }, done]);
    urls.push(first.url);

    expect(await ids(sourceOf(first))).toEqual(['id-1', 'id-2']);
    expect(first.searches).toHaveLength(1);
  });

  test('is given up after ten servers in a row', async () => {
    const self: { url: string } = { url: '' };
    const server = await serve((_search, index) => [
      user(index),
      { reference: [`${self.url}/ou=${index},dc=x`] },
      done,
    ]);
    self.url = server.url;

    const error = await failureOf(readAll(sourceOf(server)));

    expect(error).toBeInstanceOf(SourceIncompleteError);
    expect(error.message).toContain('more than 10 servers in a row');
    expect(server.searches).toHaveLength(11);
  });

  test('never leaves an encrypted connection for one in clear text', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tdsync-referral-'));
    const ca = makeCa(folder, 'ca');
    const second = await serve(() => [user(2), done]);
    const slapd = await startSlapd({ people: 1, groups: [], ca, more: referral('ou=other', `${second.url}/dc=x`) });

    const options = ldapOptions(slapd.ldapsUrl, {
      referrals: 'follow',
      tls: { caFile: slapd.caFile },
      users: { baseDn: [suffix] },
    });
    const error = await failureOf(readAll(createLdapSource(options, createTestLogger())));
    await slapd.stop();
    await rm(folder, { recursive: true, force: true });

    expect(error).toBeInstanceOf(SourceIncompleteError);
    expect(error.message).toContain(
      `${second.url}: not followed: this connection would not be encrypted, that to ${slapd.ldapsUrl} is`,
    );
    expect(second.searches).toEqual([]);
  });
});

describe('a reference that cannot be followed makes the read incomplete', () => {
  test.each<readonly [string, string, string]>([
    ['no server there', 'ldap://127.0.0.1:1/dc=y', 'connection refused'],
    ['no LDAP URL', 'http://127.0.0.1/', 'is not an LDAP URL that can be followed'],
    ['an unreadable filter', 'ldap://127.0.0.1:1/dc=y???(cn=', 'is not an LDAP URL that can be followed'],
  ])('%s', async (_what, url, reason) => {
    const first = await serve(() => [user(1), { reference: [url] }, done]);

    const error = await failureOf(readAll(sourceOf(first)));

    expect(error).toBeInstanceOf(SourceIncompleteError);
    expect(error.message).toContain(`${first.url}: reading users below "${peopleDn}"`);
    expect(error.message).toContain('a part of the tree is on another server, which cannot be read');
    expect(error.message).toContain(reason);
  });

  test('a server that breaks off in the middle, whatever other URLs there are', async () => {
    const second = await serve(() => [user(2), 'end']);
    const third = await serve(() => [user(2), user(3), done]);
    const first = await serve(() => [user(1), { reference: [`${second.url}/dc=y`, `${third.url}/dc=y`] }, done]);

    const error = await failureOf(readAll(sourceOf(first)));

    expect(error).toBeInstanceOf(SourceIncompleteError);
    expect(error.message).toContain(`${second.url}: reading users below "dc=y"`);
    expect(third.searches).toEqual([]);
  });

  test('a refused bind, with the remedy', async () => {
    const second = await startLdapServer({ bind: { code: 49 }, search: () => [] });
    servers.push(second);
    const first = await serve(() => [user(1), { reference: [`${second.url}/dc=y`] }, done]);

    const error = await failureOf(readAll(sourceOf(first, account)));

    expect(error.message).toContain(`${second.url}: the server refuses the bind as cn=sync,dc=x`);
    expect(error.hint).toContain('bindDn');
  });
});

describe('referrals: ignore', () => {
  test('leaves references out and tells each once', async () => {
    const reference: Reply = { reference: ['ldap://other/ou=more,dc=x'] };
    const first = await serve((search) =>
      search.cookie === ''
        ? [user(1), reference, { done: { cookie: 'more' } }]
        : [user(2), reference, { reference: ['ldap://other/ou=most,dc=x'] }, done],
    );
    const logger = createTestLogger();

    const entries = await ids(sourceOf(first, { referrals: 'ignore' }, logger));

    expect(entries).toEqual(['id-1', 'id-2']);
    const told = logger.lines.filter(({ message }) => message.includes('is left out'));
    expect(told.map(({ level, fields }) => ({ level, ...fields }))).toEqual([
      { level: 'warn', server: first.url, urls: ['ldap://other/ou=more,dc=x'] },
      { level: 'warn', server: first.url, urls: ['ldap://other/ou=most,dc=x'] },
    ]);
  });

  test('does not leave out a base that is elsewhere as a whole (10): everybody below it would seem to have left', async () => {
    const first = await serve(({ base }) =>
      base === 'ou=b,dc=x' ? [{ done: { code: 10, referrals: ['ldap://other/ou=b,dc=x'] } }] : [user(1), done],
    );

    const source = sourceOf(first, { referrals: 'ignore', users: { baseDn: ['ou=a,dc=x', 'ou=b,dc=x'] } });
    const error = await failureOf(readAll(source));

    expect(error).toBeInstanceOf(SourceIncompleteError);
    expect(error.message).toContain('referral (10); it refers to ldap://other/ou=b,dc=x');
  });
});

function referral(rdn: string, url: string): string {
  const [type = '', value = ''] = rdn.split('=');
  return `dn: ${rdn},${suffix}\nobjectClass: referral\nobjectClass: extensibleObject\n${type}: ${value}\nref: ${url}\n\n`;
}

function person(uid: string, parent: string): string {
  return `dn: uid=${uid},${parent}\nobjectClass: inetOrgPerson\nuid: ${uid}\ncn: ${uid}\nsn: ${uid}\nmail: ${uid}@example.com\n\n`;
}

describe.skipIf(!slapdIsInstalled())('two OpenLDAP servers of which one refers to the other', () => {
  const branch = `ou=branch,${suffix}`;
  let folder: string;
  let first: Slapd;
  let second: Slapd;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tdsync-referrals-'));
    const ca = makeCa(folder, 'ca');
    const unit = `dn: ${branch}\nobjectClass: organizationalUnit\nou: branch\n\n`;
    second = await startSlapd({
      people: 0,
      groups: [],
      ca,
      more: unit + person('zoe', branch) + person('yan', branch),
    });
    const more = referral('ou=branch', `${second.ldapsUrl}/${branch}`);
    first = await startSlapd({ people: 2, groups: [], ca, more });
  });

  afterAll(async () => {
    await Promise.all([first.stop(), second.stop()]);
    await rm(folder, { recursive: true, force: true });
  });

  function people(changes: OptionChanges) {
    const options = ldapOptions(first.ldapsUrl, {
      bindDn: syncDn,
      bindPassword: secret(syncPassword),
      tls: { caFile: first.caFile },
      groups: { baseDn: [groupsDn] },
      ...changes,
    });
    return readAll(createLdapSource(options, createTestLogger())).then((entries) =>
      entries.map(({ attributes }) => attributes.mail),
    );
  }

  test.each(['sub', 'one'] as const)(
    'are read as one tree with scope %s when the referral is followed',
    async (scope) => {
      const baseDn = scope === 'sub' ? [suffix] : [peopleDn, branch];

      expect(await people({ referrals: 'follow', users: { baseDn, scope } })).toEqual([
        'u000000@example.com',
        'u000001@example.com',
        'zoe@example.com',
        'yan@example.com',
      ]);
    },
  );

  test('are refused as incomplete unless told otherwise, below the suffix and at the base itself', async () => {
    const below = await failureOf(people({ users: { baseDn: [suffix] } }));
    const itself = await failureOf(people({ users: { baseDn: [branch] } }));

    expect(below).toBeInstanceOf(SourceIncompleteError);
    expect(below.message).toContain(`a part of the tree is on another server: ${second.ldapsUrl}/${branch}`);
    expect(itself).toBeInstanceOf(SourceIncompleteError);
    expect(itself.message).toContain('referral (10)');
  });

  test('give what the first one holds when references are ignored', async () => {
    expect(await people({ referrals: 'ignore', users: { baseDn: [suffix] } })).toHaveLength(2);
  });
});

describe.skipIf(!slapdIsInstalled())('scopes with several bases', () => {
  let slapd: Slapd;

  beforeAll(async () => {
    slapd = await startSlapd({
      people: 3,
      groups: [],
      more: `dn: ou=interns,${peopleDn}\nobjectClass: organizationalUnit\nou: interns\n\n${person('ida', `ou=interns,${peopleDn}`)}`,
    });
  });

  afterAll(() => slapd.stop());

  test.each<readonly ['sub' | 'one' | 'base', readonly string[], readonly string[]]>([
    ['sub', [peopleDn, `ou=interns,${peopleDn}`], ['u000000', 'u000001', 'u000002', 'ida']],
    ['one', [peopleDn], ['u000000', 'u000001', 'u000002']],
    ['one', [`ou=interns,${peopleDn}`, peopleDn, peopleDn.toUpperCase()], ['ida', 'u000000', 'u000001', 'u000002']],
    [
      'base',
      [`uid=u000002,${peopleDn}`, `UID=u000002, ${peopleDn}`, `uid=u000000,${peopleDn}`],
      ['u000000', 'u000002'],
    ],
  ])('%s below %j finds everybody once', async (scope, baseDn, expected) => {
    const options = ldapOptions(slapd.ldapUrl, { users: { scope, baseDn } });

    const entries = await readAll(createLdapSource(options, createTestLogger()), demandOf({ attributes: ['uid'] }));

    expect(entries.map(({ attributes }) => attributes.uid).sort()).toEqual([...expected].sort());
  });
});
