/** What can be known about the container files without a container engine: that they are whole, and that they fit each other. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import * as z from 'zod';
import { checkSecrets } from '../../src/config/secret-checks.ts';
import { compileRules } from '../../src/engine/compile.ts';
import { loadSeedFile } from '../../src/simulator/seed.ts';
import {
  compose,
  configuration,
  environmentOf,
  image,
  instructions,
  only,
  readProjectFile,
  root,
  runtime,
  service,
  services,
} from '../support/container-files.ts';
import { slapdIsInstalled } from '../support/slapd.ts';

describe('the image', () => {
  test('stands on a Node that package.json allows', () => {
    const { engines } = z
      .object({ engines: z.object({ node: z.string() }) })
      .parse(JSON.parse(readProjectFile('package.json')));
    const [wantedMajor = 0] = numbers(engines.node);
    const base = image.find(({ name, text }) => name === 'ARG' && text.startsWith('NODE_IMAGE='))?.text ?? '';

    const [, major] = /\/node:(\d+)-/.exec(base) ?? [];

    expect(engines.node).toMatch(/^>=/);
    // A tag without a minor version is the newest of its major version.
    expect(Number(major)).toBeGreaterThanOrEqual(wantedMajor);
    expect(image.filter(({ name }) => name === 'FROM').map(({ text }) => text.split(' ')[0])).toEqual([
      `\${NODE_IMAGE}`,
      `\${NODE_IMAGE}`,
      `\${NODE_IMAGE}`,
    ]);
  });

  test('runs as a user with a number other than 0', () => {
    expect(only(runtime, 'USER')).toMatch(/^[1-9]\d*:[1-9]\d*$/);
  });

  test('starts the program without a shell between it and the signals', () => {
    expect(JSON.parse(only(runtime, 'ENTRYPOINT'))).toEqual(['tdsync']);
    expect(JSON.parse(only(runtime, 'CMD'))).toEqual(['daemon']);
    expect(only(runtime, 'STOPSIGNAL')).toBe('SIGTERM');
  });

  test('asks the status for its health, without a shell', () => {
    const check = /CMD\s+(\[.*\])$/.exec(only(runtime, 'HEALTHCHECK'))?.[1] ?? '';

    expect(JSON.parse(check)).toEqual(['tdsync', 'status', '--max-age', '2h']);
  });

  test('keeps the snapshot on the volume', () => {
    const volume = only(runtime, 'VOLUME');

    expect(configuration().snapshot.path).toBe(`${volume}/tdsync.db`);
  });

  test('is given what it copies, and nothing that could hold a secret', () => {
    const lines = readProjectFile('.dockerignore').split('\n');
    const patterns = lines.filter((line) => line !== '' && !line.startsWith('#'));

    const copied = image
      .filter(({ name, text }) => name === 'COPY' && !text.startsWith('--from'))
      .flatMap(({ text }) => text.split(' ').slice(0, -1));

    expect(patterns[0]).toBe('*');
    expect(new Set(patterns.slice(1))).toEqual(new Set(copied.map((path) => `!${path.replace(/^\.\//, '')}`)));
    expect(copied.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });
});

describe('the compose file', () => {
  test.each(services)('runs %s on a read-only disk, without capabilities and privileges', (_, each) => {
    expect(each.read_only).toBe(true);
    expect(each.cap_drop).toEqual(['ALL']);
    expect(each.security_opt).toContain('no-new-privileges:true');
  });

  test.each(services)('builds or reuses the image of %s from files that are there', (_, each) => {
    const builds = services.map(([, other]) => other).filter(({ build }) => build !== undefined);

    const built = each.build ?? builds.find(({ image: name }) => name === each.image)?.build;

    expect(built).toBeDefined();
    expect(existsSync(join(root, built ?? '', 'Dockerfile'))).toBe(true);
  });

  test.each(services)('mounts into %s only files and volumes that are there', (_, each) => {
    const sources = (each.volumes ?? []).map((volume) => volume.split(':')[0] ?? '');

    const missing = sources.filter((source) =>
      source.startsWith('./') ? !existsSync(join(root, source)) : !(source in compose.volumes),
    );

    expect(missing).toEqual([]);
  });

  test('starts the daemon when the other two are healthy', () => {
    const needs = Object.entries(service('daemon').depends_on ?? {});

    expect(needs).toEqual([
      ['openldap', { condition: 'service_healthy' }],
      ['simulator', { condition: 'service_healthy' }],
    ]);
    expect(instructions('config/container/openldap/Dockerfile').some(({ name }) => name === 'HEALTHCHECK')).toBe(true);
    expect(service('simulator').healthcheck).toBeDefined();
  });

  test('has a place in memory that its users may write, wherever they write', () => {
    const user = only(runtime, 'USER').split(':');
    const places = ['simulator', 'daemon'].flatMap((name) => service(name).tmpfs ?? []);

    expect(places).toContain(`/data:uid=${user[0]},gid=${user[1]},mode=0700`);
    expect(places.every((place) => place.includes(`uid=${user[0]},gid=${user[1]}`))).toBe(true);
  });
});

describe("the daemon's configuration", () => {
  test('is accepted, and every rule compiles', () => {
    const { issues } = compileRules(configuration().rules);

    expect(issues).toEqual([]);
  });

  test('finds every secret in the environment that the compose file gives', () => {
    expect(checkSecrets(configuration()).filter(({ resolves }) => !resolves)).toEqual([]);
  });

  test('speaks to the simulator on the loopback address of the network they share', () => {
    const { command = [], healthcheck } = service('simulator');
    const port = command[command.indexOf('--port') + 1];

    const { iam, oauth, accounts } = configuration().twilio.endpoints;

    expect(service('daemon').network_mode).toBe('service:simulator');
    expect([iam, oauth, accounts]).toEqual(Array(3).fill(`http://127.0.0.1:${port}`));
    expect(healthcheck?.test.join(' ')).toContain(`http://127.0.0.1:${port}/`);
  });

  test('reads the directory over TLS at the name and port under which it listens', () => {
    const { source } = configuration();
    const options = source.type === 'ldap' ? source.options : undefined;
    const url = new URL(options?.urls[0] ?? '');
    const entrypoint = readProjectFile('config/container/openldap/entrypoint.sh');

    expect(url.protocol).toBe('ldaps:');
    expect(Object.keys(compose.services)).toContain(url.hostname);
    expect(entrypoint).toContain(`DNS:${url.hostname},`);
    expect(entrypoint).toContain(`ldaps://0.0.0.0:${url.port}/`);
    expect(entrypoint).toContain(`dn: ${options?.bindDn}\\n`);
    expect(service('daemon').volumes).toContain('directory-ca:/directory-ca:ro');
    expect(options?.tls.caFile).toBe('/directory-ca/ca.pem');
  });

  test('knows the client and the accounts that the simulator starts with', () => {
    const seed = loadSeedFile(join(root, 'config/simulator-seed.json'));
    const { rules, twilio } = configuration();
    const { TWILIO_CLIENT_ID: clientId, TWILIO_CLIENT_SECRET: clientSecret } = environmentOf('daemon');

    const scopes = new Set(rules.roles.flatMap(({ grants }) => grants.map(({ scope }) => scope)));

    expect(twilio.organizationSid).toBe(seed.organizationSid);
    expect(seed.clients).toContainEqual({ clientId, clientSecret });
    expect(new Set(['organization', ...(seed.accounts ?? []).map(({ sid }) => sid)])).toEqual(scopes);
  });
});

describe('the directory', () => {
  const seed = readProjectFile('config/container/openldap/seed.ldif');

  test('has a start script that can be run', () => {
    const { mode } = statSync(join(root, 'config/container/openldap/entrypoint.sh'));

    expect(mode & 0o111).toBe(0o111);
  });

  test('has every group that a rule names', () => {
    const { rules } = configuration();

    const missing = rules.roles.filter(
      ({ group }) => group !== undefined && !seed.includes(`\ndn: cn=${group},ou=groups,`),
    );

    expect(missing).toEqual([]);
  });

  test('keeps the key of each person from one start to the next', () => {
    const people = seed.match(/^dn: uid=/gm) ?? [];
    const keys = seed.match(/^entryUUID: .*$/gm) ?? [];

    expect(people.length).toBeGreaterThan(0);
    expect(new Set(keys).size).toBe(people.length);
  });

  test.skipIf(!slapdIsInstalled())('is taken by OpenLDAP as it stands, seed and configuration', () => {
    const folder = mkdtempSync(join(tmpdir(), 'tdsync-openldap-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    mkdirSync(join(folder, 'db'));
    const config = join(folder, 'slapd.conf');
    // slapadd needs no key and no certificate, which the start script makes.
    const text = readProjectFile('config/container/openldap/slapd.conf').replace(/^TLS.*\n/gm, '');
    writeFileSync(config, text.replaceAll('/run/openldap', folder));

    execFileSync('/usr/sbin/slapadd', ['-q', '-f', config], { input: seed, stdio: ['pipe', 'ignore', 'pipe'] });

    const stored = execFileSync('/usr/sbin/slapcat', ['-f', config], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    expect(stored.match(/^dn: /gm)).toHaveLength((seed.match(/^dn: /gm) ?? []).length);
  });
});

function numbers(text: string): readonly number[] {
  return (text.match(/\d+/g) ?? []).map(Number);
}
