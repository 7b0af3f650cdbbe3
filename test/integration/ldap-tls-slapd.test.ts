/** TLS as a real OpenLDAP speaks it: every way in which a certificate, ours or the server's, can be wrong. */
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SourceUnavailableError } from '../../src/errors.ts';
import { describeLink } from '../../src/sources/ldap/certificate-chain.ts';
import { inspectOwnCertificate, inspectServers } from '../../src/sources/ldap/inspect.ts';
import { createLdapSource } from '../../src/sources/ldap/ldap-source.ts';
import {
  type CertificateFiles,
  makeCa,
  makeClientCertificate,
  makeFutureCertificate,
  makeSelfSigned,
  makeServerCertificate,
} from '../support/certificates.ts';
import { syncDn, syncPassword } from '../support/directory-ldif.ts';
import {
  createTestLogger,
  failureOf,
  ldapOptions,
  type OptionChanges,
  readAll,
  secret,
} from '../support/ldap-reading.ts';
import { type Slapd, slapdIsInstalled, startSlapd } from '../support/slapd.ts';

const people = 3;
const here = ['IP:127.0.0.1', 'DNS:localhost'];
const account: OptionChanges = { bindDn: syncDn, bindPassword: secret(syncPassword) };

let folder: string;
let ca: CertificateFiles;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tdsync-tls-slapd-'));
  ca = makeCa(folder, 'ca');
});

afterAll(() => rm(folder, { recursive: true, force: true }));

function sourceOf(url: string, changes: OptionChanges = {}, logger = createTestLogger()) {
  return createLdapSource(ldapOptions(url, { ...changes, tls: { caFile: ca.certFile, ...changes.tls } }), logger);
}

describe.skipIf(!slapdIsInstalled())('the certificate of OpenLDAP', () => {
  const wrong = {
    expired: () => makeServerCertificate(folder, ca, 'expired', here, -1),
    future: () => makeFutureCertificate(folder, ca, 'future', here),
    named: () => makeServerCertificate(folder, ca, 'named', ['DNS:ldap.corp.example', 'IP:10.0.0.5', 'IP:::1']),
    clientOnly: () => makeClientCertificate(folder, ca, 'client-only'),
    selfSigned: () => makeSelfSigned(folder, 'self-signed', here),
  };
  const slapds = new Map<string, Slapd>();

  beforeAll(async () => {
    const started = Object.entries(wrong).map(async ([name, make]) => {
      slapds.set(name, await startSlapd({ people, groups: [], ca, identity: make() }));
    });
    await Promise.all(started);
  });

  afterAll(async () => {
    await Promise.all([...slapds.values()].map((slapd) => slapd.stop()));
  });

  function slapdOf(name: keyof typeof wrong): Slapd {
    const slapd = slapds.get(name);
    if (slapd === undefined) throw new Error(`no server ${name}`);
    return slapd;
  }

  describe.each(['ldaps', 'StartTLS'])('over %s', (how) => {
    test.each<readonly [keyof typeof wrong, string, string]>([
      ['expired', 'the server certificate, or one in its chain, has expired (CERT_HAS_EXPIRED)', 'renew it'],
      ['future', 'the server certificate, or one in its chain, is not valid yet (CERT_NOT_YET_VALID)', 'clocks'],
      [
        'named',
        'is for another name than 127.0.0.1: it carries DNS:ldap.corp.example, IP:10.0.0.5, IP:0:0:0:0:0:0:0:1',
        'tls.serverName',
      ],
      ['clientOnly', 'the server certificate is not made for servers (INVALID_PURPOSE)', 'serverAuth'],
      ['selfSigned', 'the server certificate is self-signed and not trusted (DEPTH_ZERO_SELF_SIGNED_CERT)', 'caFile'],
    ])('that is wrong (%s) is refused with its cause, and no password is sent', async (name, cause, remedy) => {
      const slapd = slapdOf(name);
      const changes = how === 'ldaps' ? {} : { tls: { startTls: true } };

      const error = await failureOf(
        readAll(sourceOf(how === 'ldaps' ? slapd.ldapsUrl : slapd.ldapUrl, { ...account, ...changes })),
      );

      expect(error).toBeInstanceOf(SourceUnavailableError);
      expect(error.message).toContain('the TLS handshake failed');
      expect(error.message).toContain(cause);
      expect(error.hint).toContain(remedy);
      expect(slapd.log().filter((line) => line.includes(' BIND '))).toEqual([]);
    });
  });

  test('holds for the name in tls.serverName, a name or an address', async () => {
    const url = slapdOf('named').ldapsUrl;

    expect(await readAll(sourceOf(url, { tls: { serverName: 'ldap.corp.example' } }))).toHaveLength(people);
    expect(await readAll(sourceOf(url, { tls: { serverName: '10.0.0.5' } }))).toHaveLength(people);
    expect(await readAll(sourceOf(url, { tls: { serverName: '::1' } }))).toHaveLength(people);
  });

  test('that is wrong leads to the next server, with a warning', async () => {
    const good = await startSlapd({ people, groups: [], ca });
    const logger = createTestLogger();

    const urls = [slapdOf('expired').ldapsUrl, good.ldapsUrl];
    const entries = await readAll(sourceOf('', { ...account, urls }, logger)).finally(() => good.stop());

    expect(entries).toHaveLength(people);
    expect(logger.warnings()[0]).toContain('a directory server cannot be read');
  });

  test('is shown for diagnosis whether it is trusted or not, and nothing is asked of the server', async () => {
    const slapd = slapdOf('expired');
    const options = ldapOptions('', {
      ...account,
      urls: [slapd.ldapsUrl, 'ldaps://127.0.0.1:1'],
      tls: { caFile: ca.certFile },
    });

    let inspected: Awaited<ReturnType<typeof inspectServers>> = [];
    const logged = await slapd.loggedDuring(async () => {
      inspected = await inspectServers(options, {}, new AbortController().signal);
    });
    const [shown, absent] = inspected;

    expect(shown).toMatchObject({ url: slapd.ldapsUrl, protocol: 'TLSv1.3' });
    expect(shown?.chain.map(({ subject, issuer, names, selfSigned }) => [subject, issuer, names, selfSigned])).toEqual([
      ['CN=expired', 'CN=ca', ['IP:127.0.0.1', 'DNS:localhost'], false],
      ['CN=ca', 'CN=ca', [], true],
    ]);
    expect(shown?.chain.map((link) => describeLink(link, Date.now()))[0]).toMatch(
      /^CN=expired \(IP:127\.0\.0\.1, DNS:localhost\), issued by CN=ca, valid from \d{4}-\d\d-\d\d to \d{4}-\d\d-\d\d: expired$/,
    );
    expect(shown?.problem?.message).toContain('has expired');
    expect(absent?.problem?.message).toContain('connection refused');
    expect(logged.filter((line) => / (?:BIND|SRCH|EXT) /.test(line))).toEqual([]);
  });

  test('is shown with its chain after StartTLS, and says when all is well', async () => {
    const good = await startSlapd({ people, groups: [], ca });
    const options = ldapOptions(good.ldapUrl, { tls: { caFile: ca.certFile, startTls: true } });

    const [shown] = await inspectServers(options, {}, new AbortController().signal).finally(() => good.stop());

    expect(shown?.problem).toBeUndefined();
    expect(shown?.chain.map(({ subject, selfSigned }) => [subject, selfSigned])).toEqual([
      ['CN=server', false],
      ['CN=ca', true],
    ]);
  });

  test('is refused by the store of the operating system, unless the file trusts it too', async () => {
    const good = await startSlapd({ people, groups: [], ca });
    const systemOnly = createLdapSource(ldapOptions(good.ldapsUrl, { tls: { systemStore: true } }), createTestLogger());

    const error = await failureOf(readAll(systemOnly));
    const entries = await readAll(sourceOf(good.ldapsUrl, { tls: { systemStore: true } })).finally(() => good.stop());

    expect(error.message).toMatch(/signed by an unknown CA|the operating system trusts no authority/);
    expect(entries).toHaveLength(people);
  });
});

describe.skipIf(!slapdIsInstalled())('OpenLDAP that speaks only an old version', () => {
  test('is read with it, and refused below tls.minVersion', async () => {
    const slapd = await startSlapd({ people, groups: [], ca, global: 'TLSCipherSuite NORMAL:-VERS-TLS1.3' });

    const strict = { caFile: ca.certFile, minVersion: 'TLSv1.3' as const };

    const entries = await readAll(sourceOf(slapd.ldapsUrl));
    const error = await failureOf(readAll(sourceOf(slapd.ldapsUrl, { tls: strict })));
    const [shown] = await inspectServers(
      ldapOptions(slapd.ldapsUrl, { tls: strict }),
      {},
      new AbortController().signal,
    ).finally(() => slapd.stop());

    expect(entries).toHaveLength(people);
    // GnuTLS, with which Debian builds slapd, closes without an alert; looking closer tells.
    expect(error.message).toMatch(/the TLS versions do not match|closed the connection without saying why/);
    expect(error.hint).toContain('tls.minVersion');
    expect(shown?.problem?.message).toContain(
      'the TLS versions do not match: the server speaks TLSv1.2, tls.minVersion is TLSv1.3',
    );
    expect(shown?.chain[0]?.subject).toBe('CN=server');
  });
});

describe.skipIf(!slapdIsInstalled())('OpenLDAP that demands a client certificate', () => {
  let slapd: Slapd;
  let legacy: Slapd;
  let client: CertificateFiles;

  beforeAll(async () => {
    client = makeClientCertificate(folder, ca, 'sync');
    const global = `TLSVerifyClient demand\nauthz-regexp "cn=sync" "${syncDn}"`;
    slapd = await startSlapd({ people, groups: [], ca, global });
    legacy = await startSlapd({ people, groups: [], ca, global: `${global}\nTLSCipherSuite NORMAL:-VERS-TLS1.3` });
  });

  afterAll(() => Promise.all([slapd.stop(), legacy.stop()]));

  function tlsOf(files: CertificateFiles): OptionChanges {
    return { tls: { certFile: files.certFile, keyFile: files.keyFile } };
  }

  test('takes it for who we are (SASL EXTERNAL), over ldaps and StartTLS', async () => {
    const read: number[] = [];

    const logged = await slapd.loggedDuring(async () => {
      read.push((await readAll(sourceOf(slapd.ldapsUrl, tlsOf(client)))).length);
      read.push((await readAll(sourceOf(slapd.ldapUrl, { tls: { ...tlsOf(client).tls, startTls: true } }))).length);
    });

    expect(read).toEqual([people, people]);
    const binds = logged.join('\n').match(/BIND dn="[^"]+" mech=EXTERNAL/g);
    expect(binds).toEqual(Array.from({ length: 2 }, () => `BIND dn="${syncDn}" mech=EXTERNAL`));
  });

  test('takes a name and a password besides it', async () => {
    expect(await readAll(sourceOf(slapd.ldapsUrl, { ...account, ...tlsOf(client) }))).toHaveLength(people);
  });

  test.each(['TLS 1.3', 'TLS 1.2'])('refuses us without one, and says so (%s)', async (version) => {
    const { ldapsUrl } = version === 'TLS 1.3' ? slapd : legacy;

    const bound = await failureOf(readAll(sourceOf(ldapsUrl, account)));
    const anonymous = await failureOf(readAll(sourceOf(ldapsUrl)));

    expect(bound).toBeInstanceOf(SourceUnavailableError);
    for (const error of [bound, anonymous]) expect(`${error.message} ${error.hint}`).toMatch(/client certificate/);
  });

  test.each<readonly [string, () => CertificateFiles]>([
    ['of an unknown CA', () => makeClientCertificate(folder, makeCa(folder, 'stranger'), 'unknown')],
    ['that has expired', () => makeClientCertificate(folder, ca, 'old', -1)],
  ])('refuses one %s, and says so', async (_what, make) => {
    const files = make();

    for (const server of [slapd, legacy]) {
      const error = await failureOf(readAll(sourceOf(server.ldapsUrl, tlsOf(files))));

      expect(error).toBeInstanceOf(SourceUnavailableError);
      expect(`${error.message} ${error.hint}`).toMatch(/client certificate/);
    }
  });

  test('shows its own certificate for diagnosis all the same', async () => {
    const options = ldapOptions(slapd.ldapsUrl, { tls: { caFile: ca.certFile, ...tlsOf(client).tls } });

    const [shown] = await inspectServers(options, {}, new AbortController().signal);

    expect(shown?.chain[0]?.subject).toBe('CN=server');
    expect(inspectOwnCertificate(options)).toMatchObject({ subject: 'CN=sync', issuer: 'CN=ca' });
  });

  test('that maps it to nobody may show less, and a server that refuses it names the bind', async () => {
    const plain = await startSlapd({ people, groups: [], ca });

    const error = await failureOf(readAll(sourceOf(plain.ldapsUrl, tlsOf(client)))).finally(() => plain.stop());

    expect(error).toBeInstanceOf(SourceUnavailableError);
    expect(error.message).toContain('the server refuses the bind by client certificate (SASL EXTERNAL)');
    expect(error.hint).toContain('TLSVerifyClient');
  });

  describe('is not even connected to when our files', () => {
    const text = (name: string, content: string) => {
      const file = join(folder, name);
      writeFileSync(file, content);
      return file;
    };

    test.each<readonly [string, () => OptionChanges['tls'], string]>([
      ['are not there', () => ({ certFile: '/nowhere/c.pem', keyFile: client.keyFile }), 'tls.certFile /nowhere/c.pem'],
      [
        'hold no certificate',
        () => ({ certFile: text('no.pem', 'nothing\n'), keyFile: client.keyFile }),
        'no.pem cannot be used: it holds no PEM certificate',
      ],
      [
        'hold no key',
        () => ({ certFile: client.certFile, keyFile: client.certFile }),
        'sync.pem cannot be used: it holds no PEM private key',
      ],
      [
        'hold a key with a pass phrase',
        () => ({
          certFile: client.certFile,
          keyFile: text(
            'enc.key',
            '-----BEGIN ENCRYPTED PRIVATE KEY-----\nMII=\n-----END ENCRYPTED PRIVATE KEY-----\n',
          ),
        }),
        'enc.key cannot be used: it is protected by a pass phrase',
      ],
      [
        'hold a damaged key',
        () => ({
          certFile: client.certFile,
          keyFile: text('bad.key', readFileSync(client.keyFile, 'utf8').slice(0, 80)),
        }),
        'bad.key cannot be used: ',
      ],
      [
        'do not belong together',
        () => ({ certFile: client.certFile, keyFile: ca.keyFile }),
        'ca.key is not the key of tls.certFile',
      ],
    ])('%s', async (_what, tls, reason) => {
      let error: Awaited<ReturnType<typeof failureOf>> | undefined;

      const logged = await slapd.loggedDuring(async () => {
        error = await failureOf(readAll(sourceOf(slapd.ldapsUrl, { tls: { ...tls() } })));
      });

      expect(error).toBeInstanceOf(SourceUnavailableError);
      expect(error?.message).toContain(reason);
      expect(error?.hint).toMatch(/certFile|keyFile/);
      expect(logged.filter((line) => line.includes('ACCEPT'))).toEqual([]);
    });

    test.skipIf(process.getuid?.() === 0)('may not be read', async () => {
      const keyFile = text('locked.key', readFileSync(client.keyFile, 'utf8'));
      chmodSync(keyFile, 0o000);

      const error = await failureOf(readAll(sourceOf(slapd.ldapsUrl, { tls: { certFile: client.certFile, keyFile } })));

      expect(error.message).toContain('locked.key cannot be used: EACCES');
    });
  });
});
