import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { SourceUnavailableError } from '../../src/errors.ts';
import { createLdapSource } from '../../src/sources/ldap/ldap-source.ts';
import { createSrvResolver, lookUpServers, type SrvRecord } from '../../src/sources/ldap/srv.ts';
import { type DnsServer, startDnsServer } from '../support/dns-server.ts';
import {
  createTestLogger,
  demandOf,
  failureOf,
  ldapOptions,
  type OptionChanges,
  readAll,
} from '../support/ldap-reading.ts';
import { type LdapServer, startLdapServer } from '../support/ldap-server.ts';

const name = '_ldap._tcp.corp.example';
let dns: DnsServer;
let servers: LdapServer[] = [];

beforeAll(async () => {
  dns = await startDnsServer({});
});

afterAll(() => dns.stop());

afterEach(async () => {
  for (const known of Object.keys(dns.zone)) delete dns.zone[known];
  await Promise.all(servers.map((server) => server.stop()));
  servers = [];
});

/** A server with one person, and the record that points to it. */
async function serve(index: number, priority: number, weight = 0): Promise<{ server: LdapServer; record: SrvRecord }> {
  const server = await startLdapServer({
    search: () => [
      { entry: `uid=u${index},dc=x`, attributes: { entryUUID: [`id-${index}`] } },
      { done: { code: 0, cookie: '' } },
    ],
  });
  servers.push(server);
  return { server, record: { name: 'localhost', port: Number(new URL(server.url).port), priority, weight } };
}

function sourceOf(url: string | readonly string[], changes: OptionChanges = {}, random = () => 0) {
  const options = ldapOptions('', { urls: [url].flat(), ...changes });
  return createLdapSource(options, createTestLogger(), { resolveSrv: createSrvResolver([dns.address]), random });
}

async function ids(source: ReturnType<typeof sourceOf>): Promise<readonly string[]> {
  return (await readAll(source)).map(({ id }) => id);
}

describe('servers that DNS lists', () => {
  test('are tried by priority, with fail-over', async () => {
    const [spare, main] = [await serve(1, 20), await serve(2, 10)];
    dns.zone[name] = [spare.record, main.record];
    const source = sourceOf('ldap+srv://corp.example');

    const both = await ids(source);
    await main.server.stop();
    servers = servers.filter((server) => server !== main.server);
    const one = await ids(source);

    expect([both, one]).toEqual([['id-2'], ['id-1']]);
  });

  test('are chosen by chance in proportion to their weights', async () => {
    const [rare, often] = [await serve(1, 0, 1), await serve(2, 0, 9)];
    dns.zone[name] = [often.record, rare.record];

    expect(await ids(sourceOf('ldap+srv://corp.example', {}, () => 0.05))).toEqual(['id-1']);
    expect(await ids(sourceOf('ldap+srv://corp.example', {}, () => 0.5))).toEqual(['id-2']);
  });

  test('are looked up anew at each read', async () => {
    const [before, after] = [await serve(1, 0), await serve(2, 0)];
    const source = sourceOf('ldap+srv://corp.example');

    dns.zone[name] = [before.record];
    const first = await ids(source);
    dns.zone[name] = [after.record];
    const second = await ids(source);

    expect([first, second]).toEqual([['id-1'], ['id-2']]);
  });

  test('of a part of a domain are found by its name', async () => {
    const { record } = await serve(1, 0);
    dns.zone['_ldap._tcp.lisbon._sites.dc._msdcs.corp.example'] = [record];

    expect(await ids(sourceOf('ldap+srv://Lisbon._sites.dc._msdcs.corp.example'))).toEqual(['id-1']);
  });

  test('come after a server that is named and cannot be read', async () => {
    const { record } = await serve(1, 0);
    dns.zone[name] = [record];

    expect(await ids(sourceOf(['ldap://127.0.0.1:1', 'ldap+srv://corp.example']))).toEqual(['id-1']);
  });

  test('are not asked for when a server before them can be read', async () => {
    const { server } = await serve(1, 0);
    const before = dns.queries.length;

    await ids(sourceOf([server.url, 'ldap+srv://corp.example']));

    expect(dns.queries).toHaveLength(before);
  });
});

describe('ldaps+srv:// means', () => {
  const secure = { url: 'ldaps+srv://corp.example', domain: 'corp.example', secure: true };
  const lookUp = () =>
    lookUpServers(secure, createSrvResolver([dns.address]), () => 0, 5_000, new AbortController().signal);

  test('the records for ldaps, with their ports', async () => {
    dns.zone['_ldaps._tcp.corp.example'] = [{ name: 'ldap1.corp.example', port: 1636, priority: 0, weight: 0 }];
    dns.zone[name] = [{ name: 'other.corp.example', port: 389, priority: 0, weight: 0 }];

    expect(await lookUp()).toEqual([
      { url: 'ldaps://ldap1.corp.example:1636', host: 'ldap1.corp.example', port: 1636, secure: true },
    ]);
  });

  test('without such records, as in Active Directory, the servers for ldap on port 636', async () => {
    dns.zone[name] = [{ name: 'dc1.corp.example', port: 389, priority: 0, weight: 100 }];

    expect(await lookUp()).toEqual([
      { url: 'ldaps://dc1.corp.example:636', host: 'dc1.corp.example', port: 636, secure: true },
    ]);
  });
});

describe('a look-up that gives no server is told with domain and reason:', () => {
  test.each<readonly [string, DnsServer['zone'][string] | undefined, string]>([
    ['no such name', undefined, `DNS lists no server under ${name}`],
    ['no such records', [], `DNS lists no server under ${name}`],
    ['the service is not offered', [{ name: '.', port: 0, priority: 0, weight: 0 }], 'DNS lists no server'],
    ['the name server fails', 'failure', `the look-up of ${name} failed: ESERVFAIL`],
    ['the name server is silent', 'silence', `DNS did not answer for ${name} within 60 ms`],
  ])('%s', async (_what, records, reason) => {
    if (records !== undefined) dns.zone[name] = records;

    const error = await failureOf(readAll(sourceOf('ldap+srv://corp.example', { timeouts: { connectMs: 60 } })));

    expect(error).toBeInstanceOf(SourceUnavailableError);
    expect(error.message).toContain(`ldap+srv://corp.example: ${reason}`);
    expect(error.hint).toContain('dig SRV');
  });

  test('and the next URL is tried', async () => {
    const { server } = await serve(1, 0);

    expect(await ids(sourceOf(['ldap+srv://corp.example', server.url]))).toEqual(['id-1']);
  });

  test('an abort ends the look-up with its reason', async () => {
    dns.zone[name] = 'silence';
    const controller = new AbortController();
    const reason = new Error('asked to stop');

    const read = readAll(sourceOf('ldap+srv://corp.example'), demandOf(), controller.signal);
    setImmediate(() => controller.abort(reason));

    await expect(read).rejects.toBe(reason);
  });
});
