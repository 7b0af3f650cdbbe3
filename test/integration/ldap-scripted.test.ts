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
import { type LdapServer, type Reply, type Script, serve } from '../support/ldap-server.ts';

function sourceOf(server: LdapServer, changes: OptionChanges = {}, logger = createTestLogger()) {
  return createLdapSource(ldapOptions(server.url, changes), logger);
}

function user(index: number, more: Readonly<Record<string, readonly (string | Buffer)[]>> = {}): Reply {
  return {
    entry: `uid=u${index},ou=people,dc=x`,
    attributes: { entryUUID: [`id-${index}`], mail: [`u${index}@x`], ...more },
  };
}

function group(name: string, members: readonly string[], parent = 'ou=groups,dc=x'): Reply {
  return { entry: `cn=${name},${parent}`, attributes: { cn: [name], member: members } };
}

/** `null`: without a paging control. */
function done(cookie: string | null = '', code = 0): Reply {
  return { done: { code, ...(cookie === null ? {} : { cookie }) } };
}

/** Pages of one search; the cookie names the page that follows. */
function pages(all: readonly (readonly Reply[])[]): Script['search'] {
  return (search) => {
    const index = search.cookie === '' ? 0 : Number(search.cookie);
    const isLast = index === all.length - 1;
    return [...(all[index] ?? []), done(isLast ? '' : String(index + 1))];
  };
}

describe('every page is fetched until the cookie is empty', () => {
  test.each([
    ['first', [[], [user(1)], [user(2)]]],
    ['in the middle', [[user(1)], [], [], [user(2)]]],
    ['last', [[user(1)], [user(2)], []]],
  ])('an empty page with a cookie is not the end: %s', async (_where, content) => {
    const server = await serve({ search: pages(content) });

    const entries = await readAll(sourceOf(server));

    expect(entries.map(({ id }) => id)).toEqual(['id-1', 'id-2']);
    expect(server.searches).toHaveLength(content.length);
  });

  test('the same cookie with every page is the habit of some servers, not the end', async () => {
    const server = await serve({ search: (_search, index) => [user(index), done(index < 3 ? 'same' : '')] });

    expect(await readAll(sourceOf(server))).toHaveLength(4);
  });

  test('no limit of ours is ever set', async () => {
    const server = await serve({ search: pages([[user(1)]]) });

    await readAll(sourceOf(server, { pageSize: 77 }));

    expect(server.searches).toMatchObject([{ sizeLimit: 0, timeLimit: 0, pageSize: 77 }]);
  });

  test('empty pages without end are given up', async () => {
    const server = await serve({ search: () => [done('more')] });

    const error = await failureOf(readAll(sourceOf(server)));

    expect(error).toBeInstanceOf(SourceIncompleteError);
    expect(error.message).toContain('more than 1000 empty pages in a row');
  });

  test('pages that go round in a circle are given up', async () => {
    const server = await serve({ search: (_search, index) => [user(index % 3), done('more')] });

    const error = await failureOf(readAll(sourceOf(server)));

    expect(error).toBeInstanceOf(SourceIncompleteError);
    expect(error.message).toContain('the pages go round in a circle: uid=u0,ou=people,dc=x begins a second one');
  });

  test('a server without paging is believed when it sends fewer or more than a page', async () => {
    const fewer = await serve({ search: () => [user(1), done(null)] });
    const more = await serve({ search: () => [user(1), user(2), user(3), done(null)] });

    expect(await readAll(sourceOf(fewer, { pageSize: 2 }))).toHaveLength(1);
    expect(await readAll(sourceOf(more, { pageSize: 2 }))).toHaveLength(3);
  });

  test('a server that drops the paging control after exactly one page, or later, is not believed', async () => {
    const exact = await serve({ search: () => [user(1), user(2), done(null)] });
    const later = await serve({ search: (_search, index) => [user(index), done(index === 0 ? 'more' : null)] });

    for (const server of [exact, later]) {
      const error = await failureOf(readAll(sourceOf(server, { pageSize: 2 })));

      expect(error).toBeInstanceOf(SourceIncompleteError);
      expect(error.message).toContain('stopped paging without saying that this was the end');
    }
  });
});

describe('a connection that ends early is an incomplete read', () => {
  test.each<readonly [string, Reply[][], string]>([
    ['in the middle of the first page', [[user(1), user(2), 'end']], 'on page 1 after 2 entries'],
    [
      'in the middle of a later page',
      [
        [user(1), done('1')],
        [user(2), 'end'],
      ],
      'on page 2 after 2 entries',
    ],
    ['between pages', [[user(1), done('1')], ['end']], 'on page 2 after 1 entry'],
    ['by a reset', [[user(1), done('1')], ['reset']], 'on page 2 after 1 entry'],
    [
      'in the middle of a message',
      [[user(1), { raw: Buffer.from([0x30, 0x20, 0x02]) }, 'end']],
      'on page 1 after 1 entry',
    ],
  ])('%s', async (_when, script, position) => {
    const server = await serve({ search: (_search, index) => script[index] ?? [] });

    const error = await failureOf(readAll(sourceOf(server)));

    expect(error).toBeInstanceOf(SourceIncompleteError);
    expect(error.message).toContain(`${server.url}: reading users below "ou=people,dc=example,dc=com"`);
    expect(error.message).toContain(position);
  });

  test("the server's own reason is repeated", async () => {
    const notice: Reply = { notice: { code: 52, message: 'shutting down' } };
    const server = await serve({ search: () => [user(1), notice, 'end'] });

    const error = await failureOf(readAll(sourceOf(server)));

    expect(error.message).toContain('closed the connection after saying unavailable (52): shutting down');
  });

  test('a server that falls silent is given up after the time for one operation', async () => {
    const server = await serve({ search: () => [user(1), 'silence'] });

    const error = await failureOf(readAll(sourceOf(server, { timeouts: { operationMs: 50 } })));

    expect(error).toBeInstanceOf(SourceIncompleteError);
    expect(error.message).toContain('did not finish its answer within 50 ms');
    await server.disconnected();
  });

  test('bytes that are not LDAP end the read', async () => {
    const server = await serve({ search: () => [user(1), { raw: Buffer.from('oops') }] });

    const error = await failureOf(readAll(sourceOf(server)));

    expect(error).toBeInstanceOf(SourceIncompleteError);
    expect(error.message).toContain('bytes that are not LDAP');
  });
});

const codes = [
  [3, 'timeLimitExceeded', SourceIncompleteError],
  [4, 'sizeLimitExceeded', SourceIncompleteError],
  [8, 'strongerAuthRequired', SourceUnavailableError],
  [10, 'referral', SourceIncompleteError],
  [11, 'adminLimitExceeded', SourceIncompleteError],
  [32, 'noSuchObject', SourceIncompleteError],
  [50, 'insufficientAccessRights', SourceIncompleteError],
  [51, 'busy', SourceUnavailableError],
  [52, 'unavailable', SourceUnavailableError],
  [53, 'unwillingToPerform', SourceUnavailableError],
  [4242, 'result code 4242', SourceIncompleteError],
] as const;

describe.each(codes)('result code %i', (code, name, errorClass) => {
  test('refuses the read of users, naming server, base, filter, code and remedy', async () => {
    const server = await serve({ search: () => [{ done: { code, message: 'because' } }] });

    const error = await failureOf(readAll(sourceOf(server)));

    expect(error).toBeInstanceOf(errorClass);
    expect(error.message).toContain(
      `${server.url}: reading users below "ou=people,dc=example,dc=com" with filter (objectClass=inetOrgPerson)`,
    );
    expect(error.message).toContain(name);
    expect(error.message).toContain('because');
    expect(error.hint).toMatch(/\w{3}/);
  });

  test('after entries came is an incomplete read', async () => {
    const server = await serve({ search: () => [user(1), done('', code)] });

    const error = await failureOf(readAll(sourceOf(server)));

    expect(error).toBeInstanceOf(SourceIncompleteError);
    expect(error.message).toContain('after 1 entry');
  });

  test('refuses the read of groups', async () => {
    const server = await serve({ search: () => [done('', code)] });

    const error = await failureOf(readAll(sourceOf(server), demandOf({ groups: ['devs'] })));

    expect(error).toBeInstanceOf(errorClass);
    expect(error.message).toContain('reading groups below "ou=groups,dc=example,dc=com"');
    expect(error.message).toContain(name);
  });
});

test('a referral names the other server', async () => {
  const server = await serve({ search: () => [{ done: { code: 10, referrals: ['ldap://other/dc=x'] } }] });

  expect((await failureOf(readAll(sourceOf(server)))).message).toContain('it refers to ldap://other/dc=x');
});

test.each(['users', 'groups'])('a search reference among %s makes the read incomplete', async (what) => {
  const reference: Reply = { reference: ['ldap://other/ou=more,dc=x'] };
  const server = await serve({
    search: (search) => {
      if (search.base.startsWith('ou=groups'))
        return [group('devs', []), ...(what === 'groups' ? [reference] : []), done()];
      return [user(1), reference, done()];
    },
  });

  const error = await failureOf(readAll(sourceOf(server), demandOf({ groups: ['devs'] })));

  expect(error).toBeInstanceOf(SourceIncompleteError);
  expect(error.message).toContain(`reading ${what} `);
  expect(error.message).toContain('ldap://other/ou=more,dc=x');
});

describe('identities', () => {
  test('that are missing from a minority are empty, as are several', async () => {
    const numbered = (index: number) => user(index, { employeeNumber: [String(index)] });
    const nameless: Reply = { entry: 'uid=n,dc=x', attributes: { mail: ['n@x'] } };
    const server = await serve({
      search: () => [...[1, 2, 3].map(numbered), nameless, user(4, { employeeNumber: ['a', 'b'] }), done()],
    });

    const entries = await readAll(sourceOf(server, { users: { id: 'employeeNumber' } }));

    expect(entries.map(({ id }) => id)).toEqual(['1', '2', '3', '', '']);
  });

  test.each([
    ['all', [false]],
    ['more than half', [true, false, false]],
  ])('that are missing from %s make the read incomplete', async (_share, present) => {
    const server = await serve({
      search: () => [...present.map((has, index) => (has ? user(index) : user(index, { entryUUID: [] }))), done()],
    });

    const error = await failureOf(readAll(sourceOf(server)));

    expect(error).toBeInstanceOf(SourceIncompleteError);
    expect(error.message).toContain('have no single value of users.id (entryUUID)');
  });

  test('that are bytes without text are called that', async () => {
    const server = await serve({ search: () => [user(1, { entryUUID: [Buffer.from([0xff])] }), done()] });

    expect((await failureOf(readAll(sourceOf(server)))).message).toContain(
      'on 1 it holds bytes that are no text, first on uid=u1',
    );
  });

  test('in objectGUID become canonical text', async () => {
    const guid = Buffer.from('33221100554477668899aabbccddeeff', 'hex');
    const server = await serve({ search: () => [user(1, { objectGUID: [guid] }), done()] });

    const entries = await readAll(sourceOf(server, { users: { id: 'objectGUID' } }));

    expect(entries[0]?.id).toBe('00112233-4455-6677-8899-aabbccddeeff');
  });
});

test('nobody at all is an incomplete read', async () => {
  const server = await serve({ search: () => [done()] });

  const error = await failureOf(readAll(sourceOf(server)));

  expect(error).toBeInstanceOf(SourceIncompleteError);
  expect(error.message).toContain(
    'base "ou=people,dc=example,dc=com" and filter (objectClass=inetOrgPerson) match nobody',
  );
});

describe('attributes', () => {
  test('are keyed as the rules spell them; absent ones are missing; bytes are never text', async () => {
    const photo = Buffer.from([0xff, 0xd8]);
    const server = await serve({
      search: () => [user(1, { GIVENNAME: ['Ana'], sn: [], jpegPhoto: [photo], tel: ['1', '2'] }), done()],
    });
    const logger = createTestLogger();

    const demand = demandOf({ attributes: ['Mail', 'givenName', 'jpegPhoto', 'sn', 'tel'] });
    const entries = await readAll(sourceOf(server, {}, logger), demand);

    expect(entries[0]?.attributes).toEqual({ Mail: 'u1@x', givenName: 'Ana', tel: ['1', '2'] });
    expect(entries[0]?.problem).toBe('jpegPhoto holds bytes that are no text');
    expect(logger.warnings()).toEqual([
      'values that are not text were left out',
      'no entry has an attribute that the rules use',
    ]);
  });

  test('that the server finds, and shows under another name, make the read incomplete', async () => {
    const search = () => [user(1, { sn: ['Sousa'] }), done()];
    const server = await serve({ search, question: search });

    const error = await failureOf(readAll(sourceOf(server), demandOf({ attributes: ['surname'] })));

    expect(error).toBeInstanceOf(SourceIncompleteError);
    expect(error.message).toContain('the server calls surname by the name');
    expect(error.hint).toContain('answers with mail, sn');
  });

  test('are only those that are needed', async () => {
    const server = await serve({
      search: (search) => (search.base.startsWith('ou=groups') ? [group('devs', []), done()] : [user(1), done()]),
    });

    await readAll(sourceOf(server), demandOf({ attributes: ['mail', 'Mail', 'sn'], groups: ['devs'] }));

    expect(server.searches.map(({ attributes }) => attributes)).toEqual([
      ['cn', 'member'],
      ['entryuuid', 'mail', 'sn'],
    ]);
  });

  test('are all of them plus the identity when the rules need all', async () => {
    const server = await serve({ search: () => [user(1, { sn: ['Sousa'], photo: [Buffer.from([0xff])] }), done()] });

    const entries = await readAll(sourceOf(server), demandOf({ attributes: 'all' }));

    expect(server.searches[0]?.attributes).toEqual(['*', 'entryuuid']);
    expect(entries[0]?.problem).toBeUndefined();
    expect(entries[0]?.attributes).toEqual({ entryUUID: 'id-1', mail: 'u1@x', sn: 'Sousa' });
  });
});

describe('the end of a read', () => {
  test('is an unbind, after success and after failure', async () => {
    const server = await serve({ search: (_search, index) => (index === 0 ? [user(1), done()] : [done('', 50)]) });

    await readAll(sourceOf(server));
    await failureOf(readAll(sourceOf(server)));
    await server.disconnected();

    expect(server.unbinds()).toBe(2);
  });

  test('comes at once when the signal aborts, with its reason', async () => {
    const server = await serve({ search: () => [user(1), 'silence'] });
    const controller = new AbortController();
    const reason = new Error('asked to stop');

    const read = sourceOf(server).read(demandOf(), () => controller.abort(reason), controller.signal);

    await expect(read).rejects.toBe(reason);
    await server.disconnected();
  });

  test('comes before it begins when the signal has aborted', async () => {
    const server = await serve({ search: () => [user(1), done()] });

    await expect(readAll(sourceOf(server), demandOf(), AbortSignal.abort(new Error('too late')))).rejects.toThrow(
      'too late',
    );
    expect(server.searches).toEqual([]);
  });

  test('is what the receiver of entries throws', async () => {
    const server = await serve({ search: () => [user(1), user(2), done('1')] });
    const refusal = new Error('no more');

    const read = sourceOf(server).read(
      demandOf(),
      () => {
        throw refusal;
      },
      new AbortController().signal,
    );

    await expect(read).rejects.toBe(refusal);
    await server.disconnected();
  });
});

describe('binding', () => {
  const bindDn = 'cn=sync,dc=x';

  test('is left out for an anonymous read', async () => {
    const server = await serve({ search: () => [user(1), done()] });

    await readAll(sourceOf(server));

    expect(server.binds).toEqual([]);
  });

  test('with an empty password is never tried', async () => {
    const server = await serve({ search: () => [user(1), done()] });

    const error = await failureOf(readAll(sourceOf(server, { bindDn, bindPassword: secret('') })));

    expect(error).toBeInstanceOf(SourceUnavailableError);
    expect(error.message).toContain('no bind as cn=sync,dc=x: the password is empty');
    expect(server.binds).toEqual([]);
  });

  test.each([8, 13, 48, 49, 53])('that ends in code %i names who was refused, and not the password', async (code) => {
    const server = await serve({ bind: { code, message: 'no' }, search: () => [] });

    const error = await failureOf(readAll(sourceOf(server, { bindDn, bindPassword: secret('hunter2') })));

    expect(error).toBeInstanceOf(SourceUnavailableError);
    expect(error.message).toContain(`${server.url}: the server refuses the bind as ${bindDn}`);
    expect(`${error.message} ${error.hint}`).not.toContain('hunter2');
  });
});

describe('StartTLS', () => {
  const changes: OptionChanges = { tls: { startTls: true }, bindDn: 'cn=sync,dc=x', bindPassword: secret('hunter2') };

  test('that the server refuses ends the read before anything is sent in clear text', async () => {
    const server = await serve({ search: () => [] });

    const error = await failureOf(readAll(sourceOf(server, changes)));

    expect(error).toBeInstanceOf(SourceUnavailableError);
    expect(error.message).toContain('the server refuses StartTLS: protocolError (2)');
    expect(server.binds).toEqual([]);
  });

  test('that is followed by clear text is refused', async () => {
    const server = await serve({
      startTls: [done(null), { raw: Buffer.from([0x30, 0x0c, 0x02]) }],
      search: () => [],
    });

    const error = await failureOf(readAll(sourceOf(server, changes)));

    expect(error).toBeInstanceOf(SourceUnavailableError);
    expect(error.message).toContain('the server sent more before the TLS handshake than its answer');
    expect(server.binds).toEqual([]);
  });

  test('that is not answered by a handshake names the cause', async () => {
    const server = await serve({ startTls: [done(null), 'end'], search: () => [] });

    const error = await failureOf(readAll(sourceOf(server, changes)));

    expect(error).toBeInstanceOf(SourceUnavailableError);
    expect(error.message).toContain('the TLS handshake failed: the server closed the connection');
  });
});
