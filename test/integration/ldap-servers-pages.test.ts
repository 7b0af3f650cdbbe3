/** Pages that are too large, and time: how a read adapts, and how it ends. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SourceIncompleteError } from '../../src/errors.ts';
import { createLdapSource } from '../../src/sources/ldap/ldap-source.ts';
import { limitedDn, limitedPassword, peopleDn } from '../support/directory-ldif.ts';
import {
  createTestLogger,
  demandOf,
  failureOf,
  ldapOptions,
  type OptionChanges,
  readAll,
  secret,
} from '../support/ldap-reading.ts';
import { type Reply, serve } from '../support/ldap-server.ts';
import { type Slapd, slapdIsInstalled, startSlapd } from '../support/slapd.ts';

function sourceOf(url: string, changes: OptionChanges = {}, logger = createTestLogger()) {
  return createLdapSource(ldapOptions(url, changes), logger);
}

function user(index: number): Reply {
  return { entry: `uid=u${index},dc=x`, attributes: { entryUUID: [`id-${index}`] } };
}

function done(code = 0, cookie = ''): Reply {
  return { done: { code, cookie } };
}

describe('a first page that is refused without an entry is asked for again at half its size', () => {
  test.each([4, 11, 53])('after code %i, down to what the server gives, and stays there', async (code) => {
    const server = await serve({
      search: ({ base, pageSize }) => {
        if ((pageSize ?? 0) > 250) return [done(code)];
        return base.startsWith('ou=groups')
          ? [{ entry: 'cn=devs,dc=x', attributes: { cn: ['devs'], member: ['uid=u1,dc=x'] } }, done()]
          : [user(1), done()];
      },
    });
    const logger = createTestLogger();

    const entries = await readAll(sourceOf(server.url, {}, logger), demandOf({ groups: ['devs'] }));

    expect(entries).toHaveLength(1);
    expect(server.searches.map(({ base, pageSize }) => [base.slice(3, 9), pageSize])).toEqual([
      ['groups', 1000],
      ['groups', 500],
      ['groups', 250],
      ['people', 250],
    ]);
    expect(logger.lines.filter(({ level }) => level === 'info')).toEqual([
      expect.objectContaining({ fields: { server: server.url, configured: 1000, found: 250, answer: code } }),
    ]);
  });

  test('until a page of one entry is refused too: then size is not the reason', async () => {
    const server = await serve({ search: () => [done(11)] });

    const error = await failureOf(readAll(sourceOf(server.url, { pageSize: 5 })));

    expect(error).toBeInstanceOf(SourceIncompleteError);
    expect(error.message).toContain('adminLimitExceeded (11)');
    expect(server.searches.map(({ pageSize }) => pageSize)).toEqual([5, 2, 1]);
  });

  test('but not after entries have come: they would come twice', async () => {
    const server = await serve({ search: () => [user(1), done(4)] });

    const error = await failureOf(readAll(sourceOf(server.url)));

    expect(error.message).toContain('sizeLimitExceeded (4); either pages of this size are too large (pageSize)');
    expect(server.searches).toHaveLength(1);
  });
});

describe('the time for the whole read', () => {
  test('ends a search, saying how far it came, with an unbind', async () => {
    const server = await serve({
      search: (_search, index) => (index === 0 ? [user(1), user(2), done(0, 'more')] : [user(3), 'silence']),
    });

    const error = await failureOf(readAll(sourceOf(server.url, { timeouts: { readMs: 80 } })));
    await server.disconnected();

    expect(error).toBeInstanceOf(SourceIncompleteError);
    expect(error.message).toContain(
      `${server.url}: reading users below "${peopleDn}" with filter (objectClass=inetOrgPerson) is incomplete: ` +
        'on page 2 after 3 entries: the whole read did not end within 80 ms',
    );
    expect(error.hint).toContain('timeouts.read');
    expect(server.unbinds()).toBe(1);
  });

  test('is not given to the next server once more', async () => {
    const first = await serve({ search: () => ['silence'] });
    const second = await serve({ search: () => [user(2), done()] });

    const error = await failureOf(readAll(sourceOf('', { urls: [first.url, second.url], timeouts: { readMs: 80 } })));

    expect(error.message).toContain(first.url);
    expect(second.searches).toEqual([]);
  });

  test('may be longer than a timer can wait', async () => {
    const server = await serve({ search: () => [user(1), done()] });

    expect(await readAll(sourceOf(server.url, { timeouts: { readMs: 60 * 24 * 60 * 60_000 } }))).toHaveLength(1);
  });

  test('also ends an attempt to connect', async () => {
    const server = await serve({ startTls: ['silence'], search: () => [] });

    const error = await failureOf(readAll(sourceOf(server.url, { tls: { startTls: true }, timeouts: { readMs: 80 } })));

    expect(error).toBeInstanceOf(SourceIncompleteError);
    expect(error.message).toContain(`${server.url}: connecting: the whole read did not end within 80 ms`);
  });
});

describe('a server is told goodbye', () => {
  test('when it is too slow, when we are asked to stop, and when the receiver throws', async () => {
    const server = await serve({ search: () => [user(1), 'silence'] });
    const controller = new AbortController();
    const source = sourceOf(server.url, { timeouts: { operationMs: 60 } });

    await failureOf(readAll(source));
    await failureOf(
      source.read(
        demandOf(),
        () => {
          throw new Error('no more');
        },
        controller.signal,
      ),
    );
    await failureOf(source.read(demandOf(), () => controller.abort(new Error('stop')), controller.signal));
    await server.disconnected();

    expect(server.unbinds()).toBe(3);
  });
});

describe.skipIf(!slapdIsInstalled())('OpenLDAP with limits', () => {
  const account = { bindDn: limitedDn, bindPassword: secret(limitedPassword) };
  let slapd: Slapd;

  beforeAll(async () => {
    slapd = await startSlapd({ people: 60, groups: [] });
  });

  afterAll(() => slapd.stop());

  test('on a page (size.pr) is read in pages that it gives', async () => {
    const logger = createTestLogger();
    const users = { filter: '(uid=u00003*)' };

    const entries = await readAll(sourceOf(slapd.ldapUrl, { ...account, users, pageSize: 1000 }, logger));

    expect(entries).toHaveLength(10);
    expect(logger.lines).toContainEqual(
      expect.objectContaining({ fields: { server: slapd.ldapUrl, configured: 1000, found: 15, answer: 11 } }),
    );
  });

  test('on the sum of pages (size.prtotal) is told apart, with the remedy', async () => {
    const error = await failureOf(readAll(sourceOf(slapd.ldapUrl, { ...account, pageSize: 1000 })));

    expect(error).toBeInstanceOf(SourceIncompleteError);
    expect(error.message).toMatch(/sizeLimitExceeded \(4\)|adminLimitExceeded \(11\)/);
    expect(error.message).toContain('this limits all pages together, so smaller pages do not help');
    expect(error.hint).toContain('size.prtotal');
  });
});
