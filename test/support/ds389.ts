/**
 * A real 389 Directory Server of the tests' own, in a temporary folder, on ports that the system chooses, with TLS, stopped at the
 * end. Debian's `dscreate` wants systemd, takes ten seconds and writes to system folders. The server itself wants none of that: a
 * folder with dse.ldif made from its own template is enough, and it starts in a tenth of a second.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { hash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { basename, join } from 'node:path';
import { makeCa, makeServerCertificate } from './certificates.ts';
import { acceptsConnections, ensurePackages, freePorts, type Installation } from './slapd.ts';

const binary = '/usr/sbin/ns-slapd';
const template = '/usr/share/dirsrv/data/template-dse.ldif';
export const managerDn = 'cn=Directory Manager';
export const managerPassword = 'manager password';

export function ds389IsInstalled(): boolean {
  return [binary, template, '/usr/bin/certutil', '/usr/bin/ldapmodify'].every((file) => existsSync(file));
}

/** Installs 389 Directory Server where that is possible without asking; otherwise says why its tests must be left out. */
export function ensureDs389(): Installation {
  return ensurePackages('389-ds-base', ['389-ds-base', 'ldap-utils'], ds389IsInstalled);
}

export interface Ds389 {
  readonly ldapUrl: string;
  readonly ldapsUrl: string;
  readonly caFile: string;
  /** Adds LDIF records, or makes the changes that they describe, as the Directory Manager. Throws what ldapmodify says. */
  change(ldif: string): void;
  /** Ends the server at once, as a crash would. */
  kill(): Promise<void>;
  /** For what a server goes through: SIGSTOP and SIGCONT. */
  signal(signal: NodeJS.Signals): void;
  /** Ends the server and removes its files. */
  stop(): Promise<void>;
}

export interface Ds389Options {
  readonly suffix: string;
  /** More definitions of the schema, as `attributeTypes: …` and `objectClasses: …`. */
  readonly schema?: readonly string[];
  /** Plug-ins to switch on, by the common name of their configuration entries. */
  readonly plugins?: readonly string[];
}

export async function startDs389(options: Ds389Options): Promise<Ds389> {
  const folder = mkdtempSync(join(tmpdir(), 'tdsync-ds389-'));
  const config = configFolder(folder);
  mkdirSync(join(config, 'schema'), { recursive: true });
  for (const name of ['db/userroot', 'log', 'run', 'lock', 'tmp', 'ldif', 'bak'])
    mkdirSync(join(folder, name), { recursive: true });
  for (const name of ['certmap.conf', 'slapd-collations.conf'])
    copyFileSync(join('/etc/dirsrv/config', name), join(config, name));
  writeFileSync(join(config, 'schema', '99user.ldif'), ['dn: cn=schema', ...(options.schema ?? []), ''].join('\n'));
  const caFile = makeCertificates(config);
  const { child, ldapPort, ldapsPort } = await launch(folder, options);

  const end = async (signal: NodeJS.Signals) => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
  };
  const ldapUrl = `ldap://127.0.0.1:${ldapPort}`;
  return {
    ldapUrl,
    ldapsUrl: `ldaps://127.0.0.1:${ldapsPort}`,
    caFile,
    change: (ldif) => modify(ldapUrl, managerDn, managerPassword, ldif),
    kill: () => end('SIGKILL'),
    signal: (signal) => child.kill(signal),
    async stop() {
      // Nothing is kept, so there is nothing to flush, which would take two seconds.
      await end('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
      rmSync(`/dev/shm/sem.${basename(configFolder(folder))}.stats`, { force: true });
    },
  };
}

/** Its name is that of the instance, and of a semaphore in memory that instances of one name would share. */
function configFolder(folder: string): string {
  return join(folder, `slapd-${basename(folder)}`);
}

/** Makes the changes of an LDIF text, records without a `changetype` being added. */
export function modify(url: string, dn: string, password: string, ldif: string): void {
  execFileSync('/usr/bin/ldapmodify', ['-a', '-x', '-H', url, '-D', dn, '-w', password], {
    input: ldif,
    stdio: ['pipe', 'ignore', 'pipe'],
  });
}

/** Into a database of NSS without a password. Returns the file of the CA. */
function makeCertificates(config: string): string {
  const ca = makeCa(config, 'ca');
  const server = makeServerCertificate(config, ca, 'server', ['DNS:localhost', 'IP:127.0.0.1']);
  const bundle = join(config, 'server.p12');
  const run = (command: string, ...args: readonly string[]) =>
    execFileSync(command, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  run('certutil', '-N', '-d', config, '--empty-password');
  run('certutil', '-A', '-d', config, '-n', 'ca', '-t', 'CT,,', '-i', ca.certFile);
  const pair = ['-in', server.certFile, '-inkey', server.keyFile];
  run('openssl', 'pkcs12', '-export', ...pair, '-name', 'Server-Cert', '-passout', 'pass:', '-out', bundle);
  run('pk12util', '-i', bundle, '-d', config, '-W', '');
  return ca.certFile;
}

interface Launched {
  readonly child: ChildProcess;
  readonly ldapPort: number;
  readonly ldapsPort: number;
}

/** A port may be taken by somebody else between our choice and the start, so try again then. */
async function launch(folder: string, options: Ds389Options): Promise<Launched> {
  const config = configFolder(folder);
  for (let attempt = 1; ; attempt += 1) {
    const [ldapPort, ldapsPort] = await freePorts();
    writeFileSync(join(config, 'dse.ldif'), configuration(folder, ldapPort, ldapsPort, options));
    // A level of its log other than 0 keeps the server in the foreground.
    const child = spawn(binary, ['-D', config, '-i', join(folder, 'run', 'pid'), '-d', '16384'], { stdio: 'ignore' });
    if (await acceptsConnections(child, ldapPort)) return { child, ldapPort, ldapsPort };
    if (attempt === 5) {
      throw new Error(`ns-slapd does not start:\n${readFileSync(join(folder, 'log', 'errors'), 'utf8').slice(-2000)}`);
    }
  }
}

function configuration(folder: string, ldapPort: number, ldapsPort: number, options: Ds389Options): string {
  const values: Readonly<Record<string, string>> = {
    schema_dir: join(configFolder(folder), 'schema'),
    lock_dir: join(folder, 'lock'),
    tmp_dir: join(folder, 'tmp'),
    cert_dir: configFolder(folder),
    ldif_dir: join(folder, 'ldif'),
    bak_dir: join(folder, 'bak'),
    run_dir: join(folder, 'run'),
    inst_dir: folder,
    log_dir: join(folder, 'log'),
    fqdn: 'localhost',
    ds_port: String(ldapPort),
    ds_user: userInfo().username,
    rootdn: managerDn,
    ds_passwd: hashed(managerPassword),
    ldapi_enabled: 'off',
    ldapi: join(folder, 'run', 'ldapi'),
    ldapi_autobind: 'off',
    ds_suffix: options.suffix,
    config_dir: configFolder(folder),
    db_dir: join(folder, 'db'),
    db_home_dir: join(folder, 'db'),
    db_lib: 'bdb',
  };
  const listen = [
    'nsslapd-listenhost: 127.0.0.1',
    'nsslapd-securelistenhost: 127.0.0.1',
    'nsslapd-security: on',
    `nsslapd-securePort: ${ldapsPort}`,
  ].join('\n');
  const filled = readFileSync(template, 'utf8')
    .replace(/%([a-z_]+)%/g, (_, name: string) => values[name] ?? '')
    .replace(/^nsslapd-port:.*$/m, (line) => `${line}\n${listen}`);
  const entries = filled
    .trimEnd()
    .split(/\n\n+/)
    .map((entry) =>
      options.plugins?.some((name) => entry.startsWith(`dn: cn=${name},cn=plugins,`))
        ? entry.replace(/^(nsslapd-pluginenabled): off$/im, '$1: on')
        : entry,
    );
  return [...entries, ...backend(folder, options.suffix), ''].join('\n\n');
}

function backend(folder: string, suffix: string): readonly string[] {
  return [
    `dn: cn=${suffix.replaceAll('=', '\\3D').replaceAll(',', '\\2C')},cn=mapping tree,cn=config
objectClass: top
objectClass: extensibleObject
objectClass: nsMappingTree
cn: ${suffix}
nsslapd-state: backend
nsslapd-backend: userroot`,
    `dn: cn=userroot,cn=ldbm database,cn=plugins,cn=config
objectClass: top
objectClass: extensibleObject
objectClass: nsBackendInstance
cn: userroot
nsslapd-suffix: ${suffix}
nsslapd-directory: ${join(folder, 'db', 'userroot')}`,
  ];
}

/** The server takes no password in clear text from its configuration file. */
function hashed(password: string): string {
  const salt = randomBytes(8);
  const digest = hash('sha512', Buffer.concat([Buffer.from(password), salt]), 'buffer');
  return `{SSHA512}${Buffer.concat([digest, salt]).toString('base64')}`;
}
