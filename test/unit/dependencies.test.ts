/** What is shipped with the program: pinned, licensed so that it may be, and run by nobody while it is installed. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { type Respond, startScriptedHttp } from '../support/scripted-http.ts';

const project = join(import.meta.dirname, '..', '..');

interface LockedPackage {
  readonly version?: string;
  readonly integrity?: string;
  readonly resolved?: string;
  readonly dev?: boolean;
  readonly link?: boolean;
  readonly optional?: boolean;
}

const lock = JSON.parse(readFileSync(join(project, 'package-lock.json'), 'utf8')) as {
  readonly packages: Readonly<Record<string, LockedPackage>>;
};
const packages = Object.entries(lock.packages).filter(([path, { link }]) => path !== '' && link !== true);
const shipped = packages.filter(([, { dev }]) => dev !== true);

interface Manifest {
  readonly license?: unknown;
  readonly scripts?: Readonly<Record<string, string>>;
}

function manifestOf(path: string): Manifest {
  return JSON.parse(readFileSync(join(project, path, 'package.json'), 'utf8')) as Manifest;
}

test('every package is pinned to one version and to its bytes', () => {
  // Tools for other systems are named without their bytes, and are not installed on this one.
  const here = packages.filter(
    ([path, { dev, optional }]) => dev !== true || optional !== true || existsSync(join(project, path)),
  );
  const loose = here.filter(
    ([, { version, integrity }]) => !/^\d+\.\d+\.\d+/.test(version ?? '') || !/^sha512-/.test(integrity ?? ''),
  );

  expect(packages.length).toBeGreaterThan(50);
  expect(loose.map(([path]) => path)).toEqual([]);
});

test('the lockfile ties nobody to one registry', () => {
  expect(packages.filter(([, { resolved }]) => resolved !== undefined).map(([path]) => path)).toEqual([]);
});

/** What npm would run while it installs the package; a `binding.gyp` alone makes it compile. */
function runsAtInstallation(path: string): boolean {
  const { scripts = {} } = manifestOf(path);
  return (
    ['preinstall', 'install', 'postinstall'].some((name) => name in scripts) ||
    existsSync(join(project, path, 'binding.gyp'))
  );
}

test('of what is shipped only the database has anything that would run while it is installed', () => {
  expect(shipped.filter(([path]) => runsAtInstallation(path)).map(([path]) => path)).toEqual([
    'node_modules/better-sqlite3',
  ]);
});

test('what is shipped is licensed so that it may be', () => {
  const permitted = ['MIT', 'ISC', 'BSD-2-Clause', 'BSD-3-Clause', 'Apache-2.0', '0BSD', 'BlueOak-1.0.0'];
  const others = shipped.flatMap(([path]) => {
    const { license } = manifestOf(path);
    return permitted.includes(String(license)) ? [] : [`${path}: ${String(license)}`];
  });

  expect(shipped.length).toBeGreaterThan(12);
  expect(others).toEqual([]);
});

/** The audit of `.ci/run`, asking a registry that answers like this. */
async function audit(respond: Respond): Promise<{ readonly code: unknown; readonly output: string }> {
  const registry = await startScriptedHttp(respond);
  onTestFinished(() => registry.close());
  const cache = mkdtempSync(join(tmpdir(), 'tdsync-audit-'));
  onTestFinished(() => rmSync(cache, { recursive: true }));
  const environment = {
    ...process.env,
    npm_config_cache: cache,
    npm_config_registry: `${registry.url}/`,
    npm_config_userconfig: '/dev/null',
  };
  const child = spawn(join(project, '.ci', 'audit'), { env: environment });
  const ended = once(child, 'close');
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { code: (await ended)[0], output: stdout + stderr };
}

const advisory = {
  undici: [
    {
      id: 1,
      title: 'a hole',
      severity: 'high',
      vulnerable_versions: '*',
      url: 'https://advisories.example/1',
      cwe: [],
      cvss: {},
    },
  ],
};

const packument = {
  name: 'undici',
  'dist-tags': { latest: '99.0.0' },
  versions: { '99.0.0': { name: 'undici', version: '99.0.0' } },
};

test.each<[string, Respond, { readonly code: number; readonly output: string }]>([
  ['without findings passes', () => ({ json: {} }), { code: 0, output: 'no known vulnerability' }],
  [
    'with findings fails',
    (request) => (request.method === 'POST' ? { json: advisory } : { json: packument }),
    { code: 1, output: 'known vulnerabilities' },
  ],
  ['that cannot be asked passes, and says so', () => ({ status: 404, json: {} }), { code: 0, output: 'NOT audited' }],
])('an audit %s', async (_what, respond, { code, output }) => {
  const audited = await audit(respond);

  expect(audited).toEqual({ code, output: expect.stringContaining(output) });
});
