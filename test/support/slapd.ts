/** A real OpenLDAP server of the tests' own: in a temporary folder, on ports that the system chooses, with TLS, seeded, stopped at the end. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';
import { type CertificateFiles, makeCa, makeServerCertificate } from './certificates.ts';
import { type DirectorySeed, directoryLdif, limitedDn, suffix, syncDn, writeLdif } from './directory-ldif.ts';

const slapdBinary = '/usr/sbin/slapd';
const policyFile = '/usr/sbin/policy-rc.d';

export function slapdIsInstalled(): boolean {
  return existsSync(slapdBinary) && existsSync('/usr/bin/ldapsearch');
}

export type Installation = { readonly installed: true } | { readonly installed: false; readonly reason: string };

/** Installs slapd and ldap-utils where that is possible without asking; otherwise says why LDAP tests must be left out. */
export function ensureSlapd(): Installation {
  return ensurePackages('slapd', ['slapd', 'ldap-utils'], slapdIsInstalled);
}

/** Installs Debian packages of a server, without starting it. */
export function ensurePackages(server: string, packages: readonly string[], isInstalled: () => boolean): Installation {
  if (isInstalled()) return { installed: true };
  if (process.getuid?.() !== 0)
    return { installed: false, reason: `${server} is not installed, and only root can install it` };
  if (!existsSync('/usr/bin/apt-get'))
    return { installed: false, reason: `${server} is not installed, and there is no apt-get` };
  // The package would start a server on port 389; 101 forbids it (invoke-rc.d's policy layer).
  const ownPolicy = !existsSync(policyFile);
  if (ownPolicy) writeFileSync(policyFile, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    aptGet('update');
    aptGet('install', '--yes', '--no-install-recommends', ...packages);
  } catch (error) {
    return { installed: false, reason: `${server} could not be installed: ${(error as Error).message}` };
  } finally {
    if (ownPolicy) rmSync(policyFile, { force: true });
  }
  return isInstalled()
    ? { installed: true }
    : { installed: false, reason: `${server} is missing after its installation` };
}

function aptGet(...args: readonly string[]): void {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  execFileSync('apt-get', ['--quiet', '-o', 'DPkg::Lock::Timeout=120', ...args], {
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: 180_000,
  });
}

export interface Slapd {
  readonly host: string;
  readonly ldapPort: number;
  /** `ldap://127.0.0.1:…` */
  readonly ldapUrl: string;
  readonly ldapsUrl: string;
  readonly caFile: string;
  /** A CA that did not sign the server's certificate. */
  readonly otherCaFile: string;
  /** Lines of the server's log so far: connections, binds, searches with the attributes asked for. */
  log(): readonly string[];
  /** What the log says of the work, all of it: lines come by another way than answers, and later. */
  loggedDuring(work: () => Promise<unknown>): Promise<readonly string[]>;
  /** Ends the server at once, as a crash would. */
  kill(): Promise<void>;
  /** For what a server goes through: SIGTERM, SIGSTOP and SIGCONT. */
  signal(signal: NodeJS.Signals): void;
  /** Ends the server in order and starts it again, with the same data and ports. */
  restart(): Promise<void>;
  /** Ends the server and removes its files. */
  stop(): Promise<void>;
}

export interface SlapdOptions extends DirectorySeed {
  /** Off for measurements. */
  readonly log?: boolean;
  /** Lines for slapd.conf that come before the other access rules. */
  readonly access?: string;
  /** Lines for slapd.conf that hold for the whole server; the last of several wins. */
  readonly global?: string;
  /** The CA of the server and of its clients; one of its own when left out. */
  readonly ca?: CertificateFiles;
  /** What the server shows instead of a certificate of the CA for localhost. */
  readonly identity?: CertificateFiles;
  /** Definitions in place of those of RFC 2307 (nis.schema). */
  readonly schema?: string;
  /** Lines for the overlay syncprov, which reports changes (RFC 4533); not loaded unless given. */
  readonly syncprov?: string;
}

export async function startSlapd(options: SlapdOptions): Promise<Slapd> {
  const folder = mkdtempSync(join(tmpdir(), 'tdsync-slapd-'));
  mkdirSync(join(folder, 'db'));
  const ca = options.ca ?? makeCa(folder, 'ca');
  const otherCa = makeCa(folder, 'other-ca');
  const names = ['DNS:localhost', `DNS:${hostname()}`, 'IP:127.0.0.1'];
  const server = options.identity ?? makeServerCertificate(folder, ca, 'server', names);
  const configFile = join(folder, 'slapd.conf');
  writeFileSync(configFile, configuration(folder, ca.certFile, server.certFile, server.keyFile, options));
  const ldif = join(folder, 'seed.ldif');
  await writeLdif(ldif, directoryLdif(options));
  execFileSync('/usr/sbin/slapadd', ['-q', '-f', configFile, '-b', suffix, '-l', ldif], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });

  const lines: string[] = [];
  let { child, ldapPort, ldapsPort } = await launch(configFile, options.log !== false, lines);
  const end = async (signal: NodeJS.Signals) => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
  };
  return {
    host: '127.0.0.1',
    ldapPort,
    ldapUrl: `ldap://127.0.0.1:${ldapPort}`,
    ldapsUrl: `ldaps://127.0.0.1:${ldapsPort}`,
    caFile: ca.certFile,
    otherCaFile: otherCa.certFile,
    log: () => lines,
    async loggedDuring(work) {
      const before = await mark(ldapPort, lines);
      await work();
      const after = await mark(ldapPort, lines);
      const ofMarks = new RegExp(` conn=(?:${before.connection}|${after.connection}) `);
      return lines.slice(before.line, after.line).filter((line) => !ofMarks.test(line));
    },
    kill: () => end('SIGKILL'),
    signal: (signal) => child.kill(signal),
    async restart() {
      await end('SIGTERM');
      ({ child, ldapPort, ldapsPort } = await launch(configFile, options.log !== false, lines, [ldapPort, ldapsPort]));
    },
    async stop() {
      await end('SIGTERM');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

interface Launched {
  readonly child: ChildProcess;
  readonly ldapPort: number;
  readonly ldapsPort: number;
}

/** slapd cannot choose ports itself; a port may be taken by somebody else between our choice and its start, so try again then. */
async function launch(configFile: string, log: boolean, lines: string[], ports?: [number, number]): Promise<Launched> {
  for (let attempt = 1; ; attempt += 1) {
    const [ldapPort, ldapsPort] = ports ?? (await freePorts());
    const urls = `ldap://127.0.0.1:${ldapPort}/ ldaps://127.0.0.1:${ldapsPort}/`;
    // 256: connections, operations, results; 16384: replication, which there is none of. Both say when the server has started.
    const child = spawn(slapdBinary, ['-f', configFile, '-h', urls, '-d', log ? '256' : '16384'], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    if (await isListening(child, ldapPort, lines)) return { child, ldapPort, ldapsPort };
    if (attempt === 5) throw new Error(`slapd does not start:\n${lines.slice(-20).join('\n')}`);
  }
}

async function isListening(child: ChildProcess, port: number, lines: string[]): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  child.once('exit', () => resolve(false));
  if (child.stderr === null) return false;
  createInterface({ input: child.stderr }).on('line', (line) => {
    lines.push(line);
    if (line.includes('slapd starting')) resolve(true);
  });
  return (await promise) && acceptsConnections(child, port);
}

/** Whether the server comes to listen before it ends: slapd says that it starts shortly before it does. */
export async function acceptsConnections(child: ChildProcess, port: number): Promise<boolean> {
  while (child.exitCode === null && child.signalCode === null) {
    const socket = connect(port, '127.0.0.1');
    const accepted = await once(socket, 'connect').then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (accepted) return true;
    await setTimeout(5);
  }
  return false;
}

/** Connects, and waits for the log to say so: by then it has said everything from before. */
async function mark(port: number, lines: readonly string[]): Promise<{ line: number; connection: string }> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  const accepted = new RegExp(` conn=(\\d+) fd=\\d+ ACCEPT from IP=127\\.0\\.0\\.1:${socket.localPort} `);
  for (;;) {
    const line = lines.findLastIndex((each) => accepted.test(each));
    if (line >= 0) {
      socket.destroy();
      return { line, connection: accepted.exec(lines[line] ?? '')?.[1] ?? '' };
    }
    await setTimeout(2);
  }
}

export async function freePorts(): Promise<[number, number]> {
  const servers = [createServer(), createServer()];
  const ports = await Promise.all(
    servers.map(async (server) => {
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      const address = server.address();
      return typeof address === 'object' && address !== null ? address.port : 0;
    }),
  );
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return [ports[0] ?? 0, ports[1] ?? 0];
}

function configuration(folder: string, ca: string, cert: string, key: string, options: SlapdOptions): string {
  return `
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
${options.schema ?? 'include /etc/ldap/schema/nis.schema'}
pidfile ${folder}/slapd.pid
argsfile ${folder}/slapd.args
modulepath /usr/lib/ldap
moduleload back_mdb.la
moduleload memberof.la
${options.syncprov === undefined ? '' : 'moduleload syncprov.la'}
TLSCACertificateFile ${ca}
TLSCertificateFile ${cert}
TLSCertificateKeyFile ${key}
TLSVerifyClient never
threads 4
sizelimit 500
${options.global ?? ''}
database mdb
suffix ${suffix}
rootdn cn=admin,${suffix}
rootpw admin
directory ${folder}/db
maxsize 4294967296
envflags nosync
index objectClass,cn,uid,member,uniqueMember,memberUid eq
index entryUUID,entryCSN eq
limits dn.exact="${syncDn}" size.soft=unlimited size.hard=unlimited size.pr=unlimited size.prtotal=unlimited
limits dn.exact="${limitedDn}" size.soft=20 size.hard=20 size.pr=20 size.prtotal=40
${options.access ?? ''}
access to attrs=userPassword by anonymous auth by * none
access to attrs=employeeNumber by dn.exact="${limitedDn}" none by * read
access to * by * read
overlay memberof
${options.syncprov === undefined ? '' : `overlay syncprov\n${options.syncprov}`}
`;
}
