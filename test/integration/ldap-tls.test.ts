import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { SourceUnavailableError } from '../../src/errors.ts';
import { createLdapSource } from '../../src/sources/ldap/ldap-source.ts';
import {
  type CertificateFiles,
  makeCa,
  makeClientCertificate,
  makeServerCertificate,
} from '../support/certificates.ts';
import { createTestLogger, failureOf, ldapOptions, type OptionChanges, readAll } from '../support/ldap-reading.ts';

let folder: string;
let ca: CertificateFiles;
let servers: Server[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tdsync-tls-'));
  ca = makeCa(folder, 'ca');
});

afterAll(() => rm(folder, { recursive: true, force: true }));

afterEach(async () => {
  await Promise.all(
    servers.map((server) => {
      server.close();
      return once(server, 'close');
    }),
  );
  servers = [];
});

async function listen(server: Server): Promise<number> {
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** A TLS server that never gets to say anything, because nobody should trust it. */
function listenTls(files: CertificateFiles, options: TlsOptions = {}): Promise<number> {
  const server = createTlsServer({ cert: readFileSync(files.certFile), key: readFileSync(files.keyFile), ...options });
  server.on('tlsClientError', (_error, socket) => socket.destroy());
  return listen(server);
}

function failure(url: string, changes: OptionChanges = {}) {
  return failureOf(
    readAll(
      createLdapSource(
        ldapOptions(url, { ...changes, tls: { caFile: ca.certFile, ...changes.tls } }),
        createTestLogger(),
      ),
    ),
  );
}

describe('a failed connection names its cause', () => {
  test('an expired certificate', async () => {
    const port = await listenTls(makeServerCertificate(folder, ca, 'expired', ['IP:127.0.0.1'], -1));

    const error = await failure(`ldaps://127.0.0.1:${port}`);

    expect(error).toBeInstanceOf(SourceUnavailableError);
    expect(error.message).toBe(
      `ldaps://127.0.0.1:${port}: the TLS handshake failed: the server certificate, or one in its chain, has expired (CERT_HAS_EXPIRED)`,
    );
  });

  test('a certificate without the address in the URL', async () => {
    const port = await listenTls(makeServerCertificate(folder, ca, 'named', ['DNS:localhost']));

    const error = await failure(`ldaps://127.0.0.1:${port}`);

    expect(error.message).toContain('the server certificate is for another name');
    expect(error.message).toContain('127.0.0.1');
    expect(error.hint).toContain('tls.serverName');
  });

  test('a CA that the system does not know', async () => {
    const port = await listenTls(makeServerCertificate(folder, ca, 'unknown', ['IP:127.0.0.1']));
    const source = createLdapSource(ldapOptions(`ldaps://127.0.0.1:${port}`), createTestLogger());

    const error = await failureOf(readAll(source));

    expect(error.message).toContain('signed by an unknown CA');
  });

  test('no TLS version in common', async () => {
    const port = await listenTls(makeServerCertificate(folder, ca, 'old', ['IP:127.0.0.1']), { maxVersion: 'TLSv1.2' });

    const error = await failure(`ldaps://127.0.0.1:${port}`, { tls: { minVersion: 'TLSv1.3' } });

    expect(error.message).toContain('the TLS versions do not match');
  });

  test('a server that does not speak TLS', async () => {
    const port = await listen(
      createServer((socket) =>
        socket
          .on('error', () => {})
          .resume()
          .end('hello, this is not TLS\n'),
      ),
    );

    const error = await failure(`ldaps://127.0.0.1:${port}`);

    expect(error.message).toContain('the server does not speak TLS on this port');
    expect(error.hint).toContain('check the port');
  });

  test('a server that speaks only TLS', async () => {
    const port = await listenTls(makeServerCertificate(folder, ca, 'tls-only', ['IP:127.0.0.1']));

    const error = await failure(`ldap://127.0.0.1:${port}`, { tls: { startTls: true } });

    expect(error).toBeInstanceOf(SourceUnavailableError);
    expect(error.message).toMatch(/closed the connection|TLS alert/);
    expect(error.hint).toContain('ldaps://');
  });

  test('a port where nobody listens', async () => {
    const server = createServer();
    const port = await listen(server);
    server.close();
    await once(server, 'close');
    servers = [];

    const error = await failure(`ldap://127.0.0.1:${port}`);

    expect(error).toBeInstanceOf(SourceUnavailableError);
    expect(error.message).toBe(`ldap://127.0.0.1:${port}: connecting failed: connection refused (ECONNREFUSED)`);
  });

  test('a server that never answers, whose connection is given up', async () => {
    const disconnected = Promise.withResolvers<void>();
    const server = createServer((socket) =>
      socket
        .on('error', () => {})
        .on('close', () => disconnected.resolve())
        .resume(),
    );
    const port = await listen(server);

    const error = await failure(`ldaps://127.0.0.1:${port}`, { timeouts: { connectMs: 50 } });
    await disconnected.promise;

    expect(error.message).toContain('the TLS handshake failed: no answer within 50 ms');
    expect(error.hint).toContain('timeouts.connect');
  });

  test('a CA file that is missing, or is none', async () => {
    const port = await listenTls(makeServerCertificate(folder, ca, 'fine', ['IP:127.0.0.1']));
    const empty = join(folder, 'empty.pem');
    writeFileSync(empty, 'nothing here\n');

    const missing = await failure(`ldaps://127.0.0.1:${port}`, { tls: { caFile: join(folder, 'absent.pem') } });
    const none = await failure(`ldaps://127.0.0.1:${port}`, { tls: { caFile: empty } });

    expect(missing.message).toContain('absent.pem cannot be used: ENOENT');
    expect(none.message).toContain('empty.pem cannot be used: it holds no PEM certificate');
  });
});

describe('a server that refuses our client certificate in an alert is quoted, and no other server is asked', () => {
  /** OpenSSL's own test server: it checks client certificates and says what it thinks of them. */
  async function verifyingServer(version: string): Promise<{ url: string; stop(): Promise<void> }> {
    const { certFile, keyFile } = makeServerCertificate(folder, ca, `verifying${version}`, ['IP:127.0.0.1']);
    const child = spawn(
      'openssl',
      [
        ...['s_server', '-accept', '127.0.0.1:0', version, '-cert', certFile, '-key', keyFile],
        ...['-CAfile', ca.certFile, '-Verify', '2', '-verify_return_error'],
      ],
      { stdio: ['pipe', 'pipe', 'ignore'] },
    );
    const exited = once(child, 'exit');
    const listening = Promise.withResolvers<string>();
    exited.then(() => listening.reject(new Error('openssl s_server does not start')));
    createInterface({ input: child.stdout }).on('line', (line) => {
      const port = /^ACCEPT .*:(\d+)$/.exec(line)?.[1];
      if (port !== undefined) listening.resolve(port);
    });
    return {
      url: `ldaps://127.0.0.1:${await listening.promise}`,
      async stop() {
        child.kill();
        await exited;
      },
    };
  }

  describe.each(['-tls1_3', '-tls1_2'])('%s', (version) => {
    let server: Awaited<ReturnType<typeof verifyingServer>>;

    beforeAll(async () => {
      server = await verifyingServer(version);
    });

    afterAll(() => server.stop());

    test.each<readonly [string, () => CertificateFiles | undefined, RegExp]>([
      ['none', () => undefined, /the server demands a client certificate|the TLS handshake failed/],
      [
        'of an unknown CA',
        () => makeClientCertificate(folder, makeCa(folder, 'stranger'), 'unknown-client'),
        /refuses our client certificate \(tls\.certFile\): the server does not know the CA that signed it/,
      ],
      [
        'expired',
        () => makeClientCertificate(folder, ca, 'expired-client', -1),
        /refuses our client certificate \(tls\.certFile\): it has expired/,
      ],
      [
        'made for servers',
        () => makeServerCertificate(folder, ca, 'server-client', ['DNS:x']),
        /refuses our client certificate \(tls\.certFile\): it is of an unsupported kind/,
      ],
    ])('%s', async (_what, make, cause) => {
      const files = make();
      const second = await closedPort();

      const error = await failure(server.url, {
        urls: [server.url, second],
        bindDn: 'cn=sync,dc=x',
        bindPassword: { reference: 'env:P', read: () => 'hunter2' },
        tls: files === undefined ? {} : { certFile: files.certFile, keyFile: files.keyFile },
      });

      expect(error).toBeInstanceOf(SourceUnavailableError);
      expect(error.message).toMatch(cause);
      expect(error.hint).toContain('tls.certFile');
      if (cause.source.includes('refuses')) expect(error.message).not.toContain(second);
    });
  });

  async function closedPort(): Promise<string> {
    const server = createServer();
    const port = await listen(server);
    servers = servers.filter((one) => one !== server);
    server.close();
    await once(server, 'close');
    return `ldaps://127.0.0.1:${port}`;
  }
});
