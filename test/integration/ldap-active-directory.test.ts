/** What domain controllers of Windows do and Samba does not. */
import { describe, expect, test } from 'vitest';
import { SourceIncompleteError, SourceUnavailableError } from '../../src/errors.ts';
import { createLdapSource } from '../../src/sources/ldap/ldap-source.ts';
import {
  createTestLogger,
  demandOf,
  failureOf,
  ldapOptions,
  type OptionChanges,
  readAll,
  secret,
} from '../support/ldap-reading.ts';
import { type LdapServer, type Reply, serve } from '../support/ldap-server.ts';

const now = Date.parse('2026-03-01T12:00:00Z');
function sourceOf(server: LdapServer, changes: OptionChanges = {}, logger = createTestLogger()) {
  const users = { id: 'objectGUID', disabled: 'userAccountControl', ...changes.users } as const;
  const options = ldapOptions(server.url, { pageSize: 5000, ...changes, users });
  return createLdapSource(options, logger, { now: () => now });
}

type Values = Readonly<Record<string, readonly (string | Buffer)[]>>;

function guid(index: number): Buffer {
  const bytes = Buffer.alloc(16);
  bytes.writeUInt32LE(index);
  return bytes;
}

function account(index: number, more: Values = {}, dn = `CN=u${index},OU=Staff,DC=x`): Reply {
  return {
    entry: dn,
    attributes: { objectGUID: [guid(index)], mail: [`u${index}@x`], userAccountControl: ['512'], ...more },
  };
}

const done: Reply = { done: { cookie: '' } };
const notText = Buffer.from('M\xfcller', 'latin1');

test('a controller that sends fewer entries than asked for is asked for more until it has no more', async () => {
  const server = await serve({
    search: ({ cookie, pageSize }) => {
      const from = Number(cookie);
      const to = Math.min(from + Math.min(pageSize ?? 0, 1000), 3500);
      const replies = Array.from({ length: to - from }, (_, index) => account(from + index));
      return [...replies, { done: { cookie: to === 3500 ? '' : String(to) } }];
    },
  });

  const entries = await readAll(sourceOf(server));

  expect(new Set(entries.map(({ id }) => id)).size).toBe(3500);
  expect(server.searches.map(({ pageSize, cookie }) => [pageSize, cookie])).toEqual([
    [5000, ''],
    [5000, '1000'],
    [5000, '2000'],
    [5000, '3000'],
  ]);
});

describe('accounts', () => {
  test('are asked for what marks them, and that is not among what the rules see', async () => {
    const server = await serve({ search: () => [account(1, { accountExpires: ['0'] }), done] });

    const [entry] = await readAll(sourceOf(server));

    expect(server.searches[0]?.attributes).toEqual([
      'objectguid',
      'useraccountcontrol',
      'accountexpires',
      'isdeleted',
      'mail',
    ]);
    expect(entry).toEqual({
      id: '00000001-0000-0000-0000-000000000000',
      attributes: { mail: 'u1@x' },
      groups: [],
      location: 'CN=u1,OU=Staff,DC=x',
    });
  });

  test('are asked for nothing of that where nothing marks them', async () => {
    const server = await serve({ search: () => [account(1, { entryUUID: ['1'] }), done] });

    await readAll(sourceOf(server, { users: { id: 'entryUUID', disabled: 'none' } }));

    expect(server.searches[0]?.attributes).toEqual(['entryuuid', 'mail']);
  });

  test('whose mark cannot be read are a problem of their own, and so are values that rules need', async () => {
    const server = await serve({
      search: () => [
        account(1),
        account(2, { userAccountControl: [notText] }),
        account(3, { accountExpires: ['soon'] }),
        account(4, { userAccountControl: [] }),
        account(5, { sn: ['Fine', notText] }),
        account(6, { sn: [notText], userAccountControl: ['514'] }),
        account(7, { sn: [notText], accountExpires: ['1'] }),
        done,
      ],
    });

    const entries = await readAll(sourceOf(server), demandOf({ attributes: ['mail', 'sn'] }));

    expect(entries.map(({ problem, disabled }) => disabled ?? problem)).toEqual([
      undefined,
      'userAccountControl holds bytes that are no text',
      'accountExpires holds "soon", which cannot be understood',
      'userAccountControl is absent, so nobody can say whether the account is disabled',
      'sn holds bytes that are no text',
      true,
      true,
    ]);
    expect(entries[4]?.attributes).toEqual({ mail: 'u5@x' });
  });

  test('whose groups cannot be read are held, not taken for members of none', async () => {
    const server = await serve({
      search: ({ base }) =>
        base.startsWith('ou=groups')
          ? [{ entry: 'CN=devs,DC=x', attributes: { cn: ['devs'] } }, done]
          : [account(1, { memberOf: ['CN=devs,DC=x', notText] }), account(2, { memberOf: ['CN=devs,DC=x'] }), done],
    });

    const source = sourceOf(server, { groups: { membership: ['memberOf'] } });
    const entries = await readAll(source, demandOf({ groups: ['devs'] }));

    expect(entries.map(({ groups, problem }) => [groups, problem])).toEqual([
      [[], 'memberOf holds bytes that are no text'],
      [['devs'], undefined],
    ]);
  });

  test('that mostly do not show userAccountControl make the read incomplete', async () => {
    const hidden = { userAccountControl: [] };
    const server = await serve({ search: () => [account(1), account(2, hidden), account(3, hidden), done] });

    const error = await failureOf(readAll(sourceOf(server)));

    expect(error).toBeInstanceOf(SourceIncompleteError);
    expect(error.message).toContain('2 of 3 entries do not show userAccountControl');
  });

  test('cannot be read without a clock, for nobody could say whether they have expired', async () => {
    const server = await serve({ search: () => [account(1), done] });
    const options = ldapOptions(server.url, { users: { disabled: 'userAccountControl' } });

    expect((await failureOf(readAll(createLdapSource(options, createTestLogger())))).message).toContain(
      'without a clock',
    );
  });
});

test('a group with a member whose name is no text makes the read incomplete', async () => {
  const devs: Reply = { entry: 'CN=devs,DC=x', attributes: { cn: ['devs'], member: ['CN=u1,OU=Staff,DC=x', notText] } };
  const server = await serve({ search: ({ base }) => [base.startsWith('ou=groups') ? devs : account(1), done] });

  const error = await failureOf(readAll(sourceOf(server), demandOf({ groups: ['devs'] })));

  expect(error).toBeInstanceOf(SourceIncompleteError);
  expect(error.message).toContain('a value of member of CN=devs,DC=x holds bytes that are no text');
});

test('names of groups come with composed letters, however the directory spells them', async () => {
  const group: Reply = { entry: 'CN=team,DC=x', attributes: { cn: ['E\u0301quipe'], member: ['CN=u1,OU=Staff,DC=x'] } };
  const server = await serve({ search: ({ base }) => [base.startsWith('ou=groups') ? group : account(1), done] });

  const [entry] = await readAll(sourceOf(server), demandOf({ allGroups: true }));

  expect(entry?.groups).toEqual(['\u00c9quipe']);
});

describe('deleted objects that a server shows all the same', () => {
  const suffix = 'DEL:3c8703f0-ddd2-4034-a47b-b05d3fe0c094,CN=Deleted Objects,DC=x';

  test.each<[string, Reply]>([
    ['by their mark', account(2, { isDeleted: ['TRUE'] })],
    ['by their name', account(2, {}, `CN=Ana\\0A${suffix}`)],
    [
      'by their name in an odd place',
      account(2, {}, `CN=Ana\\0ADEL:3c8703f0-ddd2-4034-a47b-b05d3fe0c094,OU=Staff,DC=x`),
    ],
    ['by their name, unescaped', account(2, {}, `CN=Ana\n${suffix}`)],
  ])('are known %s, and not taken for people', async (_how, deleted) => {
    const server = await serve({ search: () => [account(1), deleted, account(3, { isDeleted: ['FALSE'] }), done] });
    const logger = createTestLogger();
    const read: string[] = [];

    const { entries } = await sourceOf(server, {}, logger).read(
      demandOf(),
      ({ location }) => read.push(location),
      new AbortController().signal,
    );

    expect(read).toEqual(['CN=u1,OU=Staff,DC=x', 'CN=u3,OU=Staff,DC=x']);
    expect(entries).toBe(2);
    expect(logger.warnings()).toContain('the server shows deleted objects, which are not taken for people');
  });

  test('are nobody, when there is nothing else', async () => {
    const server = await serve({ search: () => [account(2, { isDeleted: ['TRUE'] }), done] });

    expect((await failureOf(readAll(sourceOf(server)))).message).toContain('match nobody');
  });
});

test.each([
  ['525', 'does not exist'],
  ['52e', 'name or password is wrong'],
  ['52f', 'restrictions'],
  ['530', 'at this hour'],
  ['531', 'from this computer'],
  ['532', 'the password has expired'],
  ['533', 'the account is disabled'],
  ['568', 'too many groups'],
  ['701', 'the account has expired'],
  ['773', 'the password must be changed'],
  ['775', 'the account is locked'],
  ['99', 'check bindDn and the password'],
])('a bind that is refused with data %s says what that means', async (code, meaning) => {
  const message = `80090308: LdapErr: DSID-0C090446, comment: AcceptSecurityContext error, data ${code}, v3839`;
  const server = await serve({ bind: { code: 49, message }, search: () => [] });

  const error = await failureOf(
    readAll(sourceOf(server, { bindDn: 'CORP\\svc-tdsync', bindPassword: secret('hunter2') })),
  );

  expect(error).toBeInstanceOf(SourceUnavailableError);
  expect(error.message).toContain(message);
  expect(error.hint).toContain(meaning);
});
