import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { describe, expect, test } from 'vitest';
import { SourceIncompleteError, SourceUnavailableError } from '../../src/errors.ts';
import { createLdapSource } from '../../src/sources/ldap/ldap-source.ts';
import type { Outside } from '../../src/sources/ldap/servers.ts';
import { syncDn, syncPassword } from '../support/directory-ldif.ts';
import {
  createTestLogger,
  demandOf,
  failureOf,
  ldapOptions,
  type OptionChanges,
  readAll,
  secret,
} from '../support/ldap-reading.ts';
import { type Reply, type Script, serve } from '../support/ldap-server.ts';
import { slapdIsInstalled, startSlapd } from '../support/slapd.ts';

function user(index: number): Reply {
  return { entry: `uid=u${index},dc=x`, attributes: { entryUUID: [`id-${index}`], mail: [`u${index}@x`] } };
}

function group(name: string, members: readonly string[]): Reply {
  return { entry: `cn=${name},dc=x`, attributes: { cn: [name], member: members } };
}

function done(code = 0, cookie = ''): Reply {
  return { done: { code, cookie, message: code === 0 ? '' : 'because' } };
}

/** A server that holds one person and one group. */
function whole(index: number): Script {
  return {
    search: ({ base }) =>
      base.startsWith('ou=groups') ? [group('devs', [`uid=u${index},dc=x`]), done()] : [user(index), done()],
  };
}

async function closedPort(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = urlOf(server);
  server.close();
  await once(server, 'close');
  return url;
}

function urlOf(server: Server): string {
  const address = server.address();
  return `ldap://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
}

function sourceOf(
  urls: readonly string[],
  changes: OptionChanges = {},
  logger = createTestLogger(),
  outside?: Outside,
) {
  return createLdapSource(ldapOptions('', { urls, ...changes }), logger, outside);
}

const account: OptionChanges = { bindDn: 'cn=sync,dc=x', bindPassword: secret('hunter2') };

describe('the next server is asked, for everything anew, when the first one', () => {
  test('is not there', async () => {
    const second = await serve(whole(2));
    const logger = createTestLogger();

    const entries = await readAll(sourceOf([await closedPort(), second.url], {}, logger));

    expect(entries.map(({ id }) => id)).toEqual(['id-2']);
    expect(logger.lines).toContainEqual(
      expect.objectContaining({
        level: 'warn',
        fields: expect.objectContaining({ reason: expect.stringContaining('connection refused') }),
      }),
    );
  });

  test.each([51, 52])('answers the bind with code %i', async (code) => {
    const first = await serve({ ...whole(1), bind: { code } });
    const second = await serve(whole(2));

    const entries = await readAll(sourceOf([first.url, second.url], account));

    expect(entries.map(({ id }) => id)).toEqual(['id-2']);
    expect(second.binds).toEqual(['cn=sync,dc=x']);
  });

  test.each<readonly [string, readonly Reply[]]>([
    ['is busy at the first search', [done(51)]],
    ['is unavailable at the first search', [done(52)]],
    ['closes the connection', ['end']],
    ['breaks the connection', ['reset']],
    ['says nothing that is LDAP', [{ raw: Buffer.from('oops') }]],
    ['falls silent', ['silence']],
  ])('%s', async (_what, replies) => {
    const first = await serve({ search: () => replies });
    const second = await serve(whole(2));

    const source = sourceOf([first.url, second.url], { timeouts: { operationMs: 60 } });
    const entries = await readAll(source);

    expect(entries.map(({ id }) => id)).toEqual(['id-2']);
  });

  test('is lost between groups and users: its groups are forgotten', async () => {
    const first = await serve({
      search: ({ base }) => (base.startsWith('ou=groups') ? [group('devs', ['uid=u2,dc=x']), done()] : ['end']),
    });
    const second = await serve({
      search: ({ base }) =>
        base.startsWith('ou=groups') ? [group('devs', ['uid=u3,dc=x']), done()] : [user(2), user(3), done()],
    });

    const entries = await readAll(sourceOf([first.url, second.url]), demandOf({ groups: ['devs'] }));

    expect(entries.map(({ id, groups }) => [id, groups])).toEqual([
      ['id-2', []],
      ['id-3', ['devs']],
    ]);
    expect(second.searches.map(({ base }) => base.slice(0, 9))).toEqual(['ou=groups', 'ou=people']);
  });

  test('takes longer than it may for a step until it is bound', async () => {
    const silent = createServer((socket) => socket.on('error', () => {}).resume()).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const second = await serve(whole(2));

    const source = sourceOf([urlOf(silent), second.url], { ...account, timeouts: { connectMs: 60 } });
    const entries = await readAll(source).finally(() => silent.close());

    expect(entries.map(({ id }) => id)).toEqual(['id-2']);
  });
});

describe('no other server is asked when the first one', () => {
  test.each([7, 8, 13, 48, 49, 50, 53])(
    'refuses the credentials with code %i: accounts would be locked',
    async (code) => {
      const first = await serve({ ...whole(1), bind: { code } });
      const second = await serve(whole(2));

      const error = await failureOf(readAll(sourceOf([first.url, second.url], account)));

      expect(error).toBeInstanceOf(SourceUnavailableError);
      expect(error.message).toContain(`${first.url}: the server refuses the bind as cn=sync,dc=x`);
      expect(second.binds).toEqual([]);
    },
  );

  test.each([1, 3, 4, 11, 18, 32, 34, 50, 53])('answers a search with code %i: the others would, too', async (code) => {
    const first = await serve({ search: () => [done(code)] });
    const second = await serve(whole(2));

    await failureOf(readAll(sourceOf([first.url, second.url])));

    expect(second.searches).toEqual([]);
  });

  test('has no group that a rule names', async () => {
    const first = await serve(whole(1));
    const second = await serve(whole(2));

    const error = await failureOf(readAll(sourceOf([first.url, second.url]), demandOf({ groups: ['ops'] })));

    expect(error.message).toContain('"ops"');
    expect(second.searches).toEqual([]);
  });

  test('has handed over an entry: the read is incomplete, naming server and place', async () => {
    const first = await serve({ search: (_search, index) => (index === 0 ? [user(1), done(0, 'more')] : ['end']) });
    const second = await serve(whole(2));

    const error = await failureOf(readAll(sourceOf([first.url, second.url])));

    expect(error).toBeInstanceOf(SourceIncompleteError);
    expect(error.message).toContain(`${first.url}: reading users below`);
    expect(error.message).toContain('on page 2 after 1 entry');
    expect(second.searches).toEqual([]);
  });

  test('is unavailable for the second base after entries of the first', async () => {
    const first = await serve({ search: ({ base }) => (base === 'ou=a,dc=x' ? [user(1), done()] : [done(52)]) });
    const second = await serve(whole(2));

    const source = sourceOf([first.url, second.url], { users: { baseDn: ['ou=a,dc=x', 'ou=b,dc=x'] } });
    const error = await failureOf(readAll(source));

    expect(error).toBeInstanceOf(SourceIncompleteError);
    expect(error.message).toContain('unavailable (52): because; the read is incomplete: 1 entries had come before');
    expect(second.searches).toEqual([]);
  });

  test('cannot be asked at all, because a file of ours cannot be read', async () => {
    const second = await serve(whole(2));

    const error = await failureOf(
      readAll(sourceOf([second.url, second.url], { tls: { startTls: true, caFile: '/nowhere/ca.pem' } })),
    );

    expect(error.message).toContain('tls.caFile /nowhere/ca.pem cannot be used');
    expect(error.message).not.toContain('(1)');
  });
});

describe('the error of the last server', () => {
  test('lists all of them with their causes and what to do', async () => {
    const first = await closedPort();
    const second = await serve({ search: () => [done(52)] });

    const logger = createTestLogger();

    const error = await failureOf(readAll(sourceOf([first, second.url], {}, logger)));

    // Of the last one the error tells.
    expect(logger.warnings()).toEqual(['a directory server cannot be read; the next one is tried']);
    expect(error).toBeInstanceOf(SourceUnavailableError);
    expect(error.message).toBe(
      `no directory server can be read: (1) ${first}: connecting failed: connection refused (ECONNREFUSED) ` +
        `(2) ${second.url}: reading users below "ou=people,dc=example,dc=com" with filter (objectClass=inetOrgPerson) failed on page 1 after 0 entries: unavailable (52): because`,
    );
    expect(error.hint).toMatch(/firewall.*try again later/);
  });

  test('tells of those before when it refuses the credentials', async () => {
    const first = await closedPort();
    const second = await serve({ ...whole(2), bind: { code: 49 } });

    const error = await failureOf(readAll(sourceOf([first, second.url], account)));

    expect(error.message).toContain(`${second.url}: the server refuses the bind`);
    expect(error.message).toContain(`tried before: (1) ${first}: connecting failed`);
    expect(`${error.message} ${error.hint}`).not.toContain('hunter2');
  });
});

describe('from read to read', () => {
  test('a server that failed is asked last for ten minutes, then first again', async () => {
    let isUp = false;
    const first = await serve({ search: () => (isUp ? [user(1), done()] : ['end']) });
    const second = await serve(whole(2));
    let now = 0;
    const source = sourceOf([first.url, second.url], {}, createTestLogger(), { now: () => now });
    const idRead = async () => (await readAll(source))[0]?.id;

    const failedOver = await idRead();
    isUp = true;
    now = 9 * 60_000;
    const remembered = await idRead();
    now = 10 * 60_000;
    const forgotten = await idRead();

    expect([failedOver, remembered, forgotten]).toEqual(['id-2', 'id-2', 'id-1']);
  });

  test('it is remembered by all sources that share the memory, as the runs of a daemon do', async () => {
    const first = await serve({ search: (_search, index) => (index === 0 ? ['end'] : [user(1), done()]) });
    const second = await serve(whole(2));
    const outside = { now: () => 0, failures: new Map<string, number>() };
    const idRead = async () =>
      (await readAll(sourceOf([first.url, second.url], {}, createTestLogger(), outside)))[0]?.id;

    const runs = [await idRead(), await idRead()];

    expect(runs).toEqual(['id-2', 'id-2']);
    expect([...outside.failures.keys()]).toEqual([first.url]);
  });

  test('a server that failed is still asked when no other one can be read', async () => {
    let isUp = false;
    const first = await serve({ search: () => (isUp ? [user(1), done()] : ['end']) });
    const second = await serve({ search: () => (isUp ? ['end'] : [user(2), done()]) });
    const source = sourceOf([first.url, second.url], {}, createTestLogger(), { now: () => 0 });

    await readAll(source);
    isUp = true;
    const entries = await readAll(source);

    expect(entries.map(({ id }) => id)).toEqual(['id-1']);
  });
});

test('an abort ends the read at once and is not taken for a failure of the server', async () => {
  const first = await serve({ search: () => ['silence'] });
  const second = await serve(whole(2));
  const controller = new AbortController();
  const reason = new Error('asked to stop');

  const read = readAll(
    sourceOf([first.url, second.url], { ...account }),
    demandOf({ groups: ['devs'] }),
    controller.signal,
  );
  await first.searched();
  controller.abort(reason);

  await expect(read).rejects.toBe(reason);
  expect(second.binds).toEqual([]);
});

describe.skipIf(!slapdIsInstalled())('two OpenLDAP servers', () => {
  const developers = { name: 'developers', kind: 'groupOfNames' as const, members: [0] };

  test('are read in order; when one has ended the other one serves the whole read', async () => {
    const [first, second] = await Promise.all([
      startSlapd({ people: 3, groups: [developers] }),
      startSlapd({ people: 4, groups: [developers] }),
    ]);
    const source = createLdapSource(
      ldapOptions('', { urls: [first.ldapUrl, second.ldapUrl], bindDn: syncDn, bindPassword: secret(syncPassword) }),
      createTestLogger(),
    );
    const countOf = async () => (await readAll(source, demandOf({ groups: ['developers'] }))).length;

    const whole = await countOf();
    await first.kill();
    const failedOver = await countOf();
    await Promise.all([first.stop(), second.stop()]);
    const error = await failureOf(countOf());

    expect([whole, failedOver]).toEqual([3, 4]);
    expect(error.message).toMatch(/^no directory server can be read: \(1\) .*ECONNREFUSED.* \(2\) .*ECONNREFUSED/);
  });
});
