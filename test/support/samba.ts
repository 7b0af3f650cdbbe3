/**
 * A real Samba domain controller of the tests' own, as Active Directory as it gets without Windows. Its ports are fixed, so each has a
 * loopback address to itself. Provisioning a domain takes seconds; it is done once, and every server starts from a copy.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { hash, randomInt } from 'node:crypto';
import { once } from 'node:events';
import { cpSync, existsSync, mkdtempSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { domainDn, replacement, servicesDn, staffDn, teamsDn } from './active-directory-ldif.ts';
import { makeCa, makeServerCertificate } from './certificates.ts';

const sambaBinary = '/usr/sbin/samba';
const policyFile = '/usr/sbin/policy-rc.d';
const packages = ['samba', 'samba-ad-dc', 'samba-ad-provision', 'samba-dsdb-modules', 'ldb-tools'];

export function sambaIsInstalled(): boolean {
  const files = [sambaBinary, '/usr/bin/samba-tool', '/usr/bin/ldbadd', '/usr/share/samba/setup/provision.ldif'];
  // A domain controller has ports below 1024.
  return process.getuid?.() === 0 && files.every((file) => existsSync(file));
}

/** Installs Samba where that is possible without asking; otherwise says why its tests must be left out. */
export function ensureSamba(): { readonly installed: true } | { readonly installed: false; readonly reason: string } {
  if (sambaIsInstalled()) return { installed: true };
  if (process.getuid?.() !== 0) return { installed: false, reason: 'only root can run a Samba domain controller' };
  if (!existsSync('/usr/bin/apt-get'))
    return { installed: false, reason: 'samba is not installed, and there is no apt-get' };
  // The packages would start servers of their own; 101 forbids it (invoke-rc.d's policy layer).
  const ownPolicy = !existsSync(policyFile);
  if (ownPolicy) writeFileSync(policyFile, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    aptGet('update');
    aptGet('install', '--yes', '--no-install-recommends', ...packages);
  } catch (error) {
    return { installed: false, reason: `samba could not be installed: ${(error as Error).message}` };
  } finally {
    if (ownPolicy) rmSync(policyFile, { force: true });
  }
  return sambaIsInstalled()
    ? { installed: true }
    : { installed: false, reason: 'samba is missing after its installation' };
}

function aptGet(...args: readonly string[]): void {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  execFileSync('apt-get', ['--quiet', '-o', 'DPkg::Lock::Timeout=120', ...args], {
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: 300_000,
  });
}

export interface Samba {
  /** A loopback address of its own; the domain controller has its usual ports there. */
  readonly host: string;
  readonly ldapUrl: string;
  readonly ldapsUrl: string;
  /** The global catalog, with TLS. */
  readonly catalogUrl: string;
  readonly caFile: string;
  /** Adds LDIF records, past all access rules, as the server's own administrator would. */
  add(ldif: string): void;
  /** Applies LDIF changes. */
  modify(ldif: string): void;
  /** Deletes an object: it becomes a tombstone. */
  remove(dn: string): void;
  rename(dn: string, newDn: string): void;
  /** Gives an account the right Replicating Directory Changes on the domain. */
  grantReplication(dn: string): void;
  /** Lets an account see deleted objects, which Samba, unlike Active Directory, does not count among those that are replicated. */
  showDeleted(dn: string): void;
  /** A single-valued attribute of the entries below a base in Samba's own notation, by DN. */
  show(base: string, attribute: string): ReadonlyMap<string, string>;
  /** Ends the server at once, as a crash would. */
  kill(): Promise<void>;
  /** Ends the server and removes its files. */
  stop(): Promise<void>;
}

export interface SambaOptions {
  /** LDIF records besides the organizational units. */
  readonly ldif?: string;
}

/** Starts a domain controller for example.com with OU=Staff, OU=Teams and OU=Services. */
export async function startSamba(options: SambaOptions = {}): Promise<Samba> {
  const folder = mkdtempSync(join(tmpdir(), 'tdsync-samba-'));
  cpSync(template(), folder, { recursive: true });
  const host = await freeAddress();
  const ca = makeCa(folder, 'ca');
  const certificate = makeServerCertificate(folder, ca, 'server', ['DNS:dc1.example.com', `IP:${host}`]);
  const configFile = join(folder, 'etc', 'smb.conf');
  writeFileSync(
    configFile,
    configuration(folder, [
      'server services = ldap',
      // The mask must leave the address neither a network's nor a broadcast one: Samba listens on no such address.
      `interfaces = ${host}/8`,
      'bind interfaces only = yes',
      'tls enabled = yes',
      `tls keyfile = ${certificate.keyFile}`,
      `tls certfile = ${certificate.certFile}`,
      `tls cafile = ${ca.certFile}`,
    ]),
  );
  const database = join(folder, 'private', 'sam.ldb');
  const ldb = (tool: string, args: readonly string[], input = '') =>
    execFileSync(`/usr/bin/${tool}`, ['-H', database, '--nosync', ...args], {
      input,
      encoding: 'utf8',
      stdio: ['pipe', 'pipe', 'pipe'],
      maxBuffer: 64 * 1024 * 1024,
    });
  ldb('ldbadd', [], unitsLdif + (options.ldif ?? ''));
  const child = await launch(folder, configFile, host);
  const end = async (signal: NodeJS.Signals) => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
  };
  return {
    host,
    ldapUrl: `ldap://${host}`,
    ldapsUrl: `ldaps://${host}`,
    catalogUrl: `ldaps://${host}:3269`,
    caFile: ca.certFile,
    add: (ldif) => void ldb('ldbadd', [], ldif),
    modify: (ldif) => void ldb('ldbmodify', [], ldif),
    remove: (dn) => void ldb('ldbdel', [dn]),
    rename: (dn, newDn) => void ldb('ldbrename', [dn, newDn]),
    grantReplication(dn) {
      const where = ['-H', database, '-s', configFile, `--objectdn=${domainDn}`, `--trusteedn=${dn}`];
      execFileSync('/usr/bin/samba-tool', ['dsacl', 'set', ...where, '--car=get-changes', '--action=allow'], {
        stdio: ['ignore', 'ignore', 'pipe'],
      });
    },
    showDeleted(dn) {
      const [sid] = ldb('ldbsearch', ['-b', dn, '-s', 'base', 'objectSid']).match(/S-1-5-[\d-]+/) ?? [];
      const entries = `(A;;RPWPCCDCLCRCWOWDSDSW;;;SY)(A;;RPLC;;;BA)(A;;RPLC;;;${sid})`;
      const deletedObjects = `CN=Deleted Objects,${domainDn}`;
      const ldif = replacement(deletedObjects, 'nTSecurityDescriptor', `O:SYG:SYD:PAI${entries}`);
      ldb('ldbmodify', ['--controls=show_deleted:1', '--controls=sd_flags:1:4'], ldif);
    },
    show(base, attribute) {
      const records = ldb('ldbsearch', ['-b', base, `(${attribute}=*)`, attribute])
        .replaceAll('\n ', '')
        .split('\n\n');
      const pattern = new RegExp(`^dn: (.*)\\n${attribute}: (.*)$`, 'm');
      return new Map(
        records.flatMap((text) => {
          const [, dn = '', value = ''] = pattern.exec(text) ?? [];
          return dn === '' ? [] : [[dn, value] as const];
        }),
      );
    },
    kill: () => end('SIGKILL'),
    async stop() {
      await end('SIGTERM');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const unitsLdif = [staffDn, teamsDn, servicesDn].map((dn) => `dn: ${dn}\nobjectClass: organizationalUnit\n\n`).join('');

const provisioning = [
  ...['domain', 'provision', '--realm=EXAMPLE.COM', '--domain=EXAMPLE', '--server-role=dc', '--dns-backend=NONE'],
  ...['--host-name=dc1', '--host-ip=127.0.0.1', '--adminpass=Adm1n-Passw0rd'],
  ...['interfaces=lo', 'bind interfaces only=yes', 'vfs objects=', 'ldb:nosync=true'].map((one) => `--option=${one}`),
];

/** The folder with a provisioned domain, kept from run to run for as long as it would come out the same. */
function template(): string {
  const version = execFileSync(sambaBinary, ['--version'], { encoding: 'utf8' });
  const folder = join(tmpdir(), `tdsync-samba-${hash('sha256', [version, ...provisioning].join('\0')).slice(0, 16)}`);
  if (isOurs(folder)) return folder;
  const making = mkdtempSync(`${folder}-`);
  execFileSync('/usr/bin/samba-tool', [...provisioning, `--targetdir=${making}`], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  try {
    renameSync(making, folder);
  } catch (error) {
    // Another test file may have been faster.
    rmSync(making, { recursive: true });
    if (!isOurs(folder)) throw error;
  }
  return folder;
}

/** Temporary folders are for everybody. */
function isOurs(folder: string): boolean {
  return existsSync(folder) && statSync(folder).uid === process.getuid?.();
}

async function launch(folder: string, configFile: string, host: string): Promise<ChildProcess> {
  // In the foreground Samba ends with its standard input, so it never outlives the tests.
  const child = spawn(sambaBinary, ['--interactive', '--model=single', '--no-process-group', '-s', configFile], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-4_000);
    });
  }
  for (const port of [389, 3269]) {
    if (await acceptsConnections(child, host, port)) continue;
    rmSync(folder, { recursive: true, force: true });
    throw new Error(`samba does not start:\n${output}`);
  }
  return child;
}

async function acceptsConnections(child: ChildProcess, host: string, port: number): Promise<boolean> {
  while (child.exitCode === null && child.signalCode === null) {
    const socket = connect(port, host);
    const accepted = await once(socket, 'connect').then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (accepted) return true;
    await setTimeout(10);
  }
  return false;
}

/** A loopback address where nobody uses LDAP's port. */
async function freeAddress(): Promise<string> {
  for (;;) {
    const host = `127.${randomInt(64, 127)}.${randomInt(1, 255)}.${randomInt(1, 255)}`;
    const server = createServer().listen(389, host);
    const isFree = await once(server, 'listening').then(
      () => true,
      () => false,
    );
    if (!isFree) continue;
    await once(server.close(), 'close');
    return host;
  }
}

function configuration(folder: string, lines: readonly string[]): string {
  return `[global]
netbios name = DC1
realm = EXAMPLE.COM
workgroup = EXAMPLE
server role = active directory domain controller
private dir = ${folder}/private
state directory = ${folder}/state
cache directory = ${folder}/cache
lock directory = ${folder}
pid directory = ${folder}
ncalrpc dir = ${folder}/ncalrpc
binddns dir = ${folder}/bind-dns
log file = ${folder}/samba.log
log level = 1
vfs objects =
ldb:nosync = true
${lines.join('\n')}
`;
}
