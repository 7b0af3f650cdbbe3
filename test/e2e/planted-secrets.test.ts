/**
 * Secrets planted in every input that carries one, and every output searched for them: what each command prints, in good and in
 * failing ways, its logs at the most talkative level, and all files that it leaves, the database with its write-ahead log included.
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { expect, onTestFinished, test } from 'vitest';
import { stringify } from 'yaml';
import { defaultOrganizationSid } from '../../src/simulator/default-seed.ts';
import { type Canaries, createCanaries } from '../support/canaries.ts';
import { makeSelfSigned } from '../support/certificates.ts';
import { elsewhere, visit } from '../support/code-grant.ts';
import { type CommandLine, type CommandResult, runCommands } from '../support/commands.ts';
import { serve } from '../support/ldap-server.ts';
import { type Respond, type ScriptedHttp, startScriptedHttp } from '../support/scripted-http.ts';
import { createWorld, type World } from '../support/world.ts';

const clientId = 'OQ5c1d7e90b3a24f68817d2c3e4f5a6b70';
const debug = ['--log-level', 'debug'];
/** Files that hold a secret because the test put it there. */
const planted = [
  ...['client-secret', 'ldap-password', 'client.key', 'hook-url', 'literal.yaml', 'broken.yaml'],
  'tdsync-token.json',
];

interface Scene {
  readonly world: World;
  readonly canaries: Canaries;
  readonly environment: Readonly<Record<string, string>>;
  /** Writes a configuration whose sections replace those of the good one. */
  configure(name: string, sections?: object): Promise<void>;
  /** Runs the commands; fails when anything that came of them holds a secret. */
  run(lines: readonly CommandLine[]): Promise<readonly CommandResult[]>;
}

/** Who approves in a browser sees the app's id; it is a secret for the other grant alone. */
async function scene(grant: 'client_credentials' | 'authorization_code' = 'client_credentials'): Promise<Scene> {
  const canaries = createCanaries();
  if (grant === 'client_credentials') canaries.add('client id', clientId);
  const world = await createWorld({
    seed: { clients: [{ clientId, clientSecret: canaries.of('client secret'), redirectUris: [elsewhere] }] },
  });
  onTestFinished(() => world[Symbol.asyncDispose]());
  const { url } = await listen(passedOn(world, canaries));
  const hooks = await listen(() => ({ status: 200, text: 'ok' }));
  await world.write('client-secret', `${canaries.of('client secret')}\n`);
  await world.write('hook-url', `${hooks.url}/${canaries.of('hook URL')}\n`);
  await world.people([{ id: 'anna', groups: ['developers'] }, { id: 'ben' }, { id: 'cleo' }]);
  const sections = {
    twilio: twilioAt(url),
    source: { type: 'csv', users: 'people.csv', id: 'employeeId', groups: { column: 'groups', separator: ';' } },
    attributes: { userName: 'mail', displayName: '= entry.givenName + " " + entry.sn' },
    roles: [{ group: 'developers', grants: [{ role: 'Developer', scope: 'Production' }] }],
    policy: { mode: 'sync' },
    snapshot: { path: 'tdsync.db' },
    notify: [{ url: `\${file:hook-url}`, secret: `\${env:HOOK_SECRET}`, timeout: '1s' }],
  };
  return {
    world,
    canaries,
    environment: {
      TWILIO_CLIENT_ID: clientId,
      LDAP_PASSWORD: canaries.of('LDAP password'),
      HOOK_SECRET: canaries.of('hook secret'),
    },
    async configure(name, changes = {}) {
      await world.write(name, stringify({ ...sections, ...changes }, { lineWidth: 0 }));
    },
    async run(lines) {
      const results = await runCommands(world.folder, lines);
      for (const { line, stdout, stderr } of results) {
        expect({ line, leaks: canaries.in(stdout + stderr), output: '' }).toEqual({ line, leaks: [], output: '' });
      }
      expect(canaries.inFiles(world.folder, planted)).toEqual([]);
      expect(hooks.requests.flatMap(({ body, headers }) => canaries.in(body + JSON.stringify(headers)))).toEqual([]);
      return results;
    },
  };
}

async function listen(respond: Respond): Promise<ScriptedHttp> {
  const server = await startScriptedHttp(respond);
  onTestFinished(() => server.close());
  return server;
}

function twilioAt(url: string) {
  return {
    organizationSid: defaultOrganizationSid,
    oauth: { clientId: `\${env:TWILIO_CLIENT_ID}`, clientSecret: `\${file:client-secret}` },
    endpoints: { iam: url, oauth: url, accounts: url },
    limits: { requestsPerSecond: 100, timeout: '2s' },
  };
}

/** The simulator, with every token that it hands out taken down. */
function passedOn({ twilio }: World, canaries: Canaries): Respond {
  return async ({ method, url, headers, body }) => {
    const answer = await fetch(twilio.url + url, {
      method,
      headers: Object.entries(headers).flatMap(([name, value]) =>
        /^(?:authorization|content-type|if-match)$/.test(name) ? [[name, String(value)] as [string, string]] : [],
      ),
      ...(body !== '' && { body }),
    });
    const text = await answer.text();
    const granted = url.includes('/token') ? Object.values(JSON.parse(text)) : [];
    for (const token of granted) {
      if (typeof token !== 'string' || token.length < 20) continue;
      canaries.add(`token ${token.slice(-6)}`, token.split('.').at(-1) ?? token);
    }
    return { status: answer.status, headers: { 'content-type': 'application/json' }, text };
  };
}

test('no secret is in anything that the commands print, log, send or leave behind, whether they do well', async () => {
  const { world, environment, configure, run } = await scene();
  await configure('tdsync.yaml');
  const line = (...args: string[]): CommandLine => ({ args: ['-c', 'tdsync.yaml', ...args], environment });

  const first = await run([
    line('reconcile', '--dry-run', '--out', 'plan.json', ...debug),
    line('apply', 'plan.json', ...debug),
    line('runs', '--json'),
  ]);
  const id = JSON.parse(first[2]?.stdout ?? '').runs[0].id as string;
  await world.write('keys.csv', 'old,new\nben,benjamin\n');
  await world.write(
    'made-up.yaml',
    'people:\n  - entry: { employeeId: x, mail: x@corp.example }\n    expect: out-of-scope\n',
  );
  const others = await run([
    line('reconcile', '--json', ...debug),
    line('reconcile', '--json', '--only', 'anna', '--refresh', ...debug),
    ...[[], ['--json'], ['--max-age', '1h']].map((options) => line('status', ...options)),
    ...[['--json'], ['--export', 'jsonl'], ['--export', 'csv'], [id], [id, '--json'], ['verify']].map((options) =>
      line('runs', ...options),
    ),
    ...[['why', 'anna'], ['managed'], ['managed', 'anna'], ['drift', ...debug], ['approve', 'abcdef']].map((args) =>
      line(...args),
    ),
    ...[
      ['retry'],
      ['retry', '--all', '--json'],
      ['release', 'cleo'],
      ['relink', '--file', 'keys.csv'],
      ['undo', id, '--dry-run', ...debug],
    ].map((args) => line(...args)),
    ...[['doctor', '--notify', ...debug], ['doctor', '--json', ...debug], ['roles'], ['roles', '--json']].map((args) =>
      line(...args),
    ),
    ...[
      ['config', 'check'],
      ['config', 'check', '--json'],
      ['config', 'schema'],
      ['test', 'made-up.yaml'],
    ].map((args) => line(...args)),
  ]);

  expect(first.map(({ code }) => code)).toEqual([0, 0, 0]);
  expect(others.filter(({ code }) => code !== 0).map(({ line }) => line.replace('-c tdsync.yaml ', ''))).toEqual([
    'approve abcdef',
    'test made-up.yaml',
  ]);
});

/** Says whatever it was told, in every place where an answer has room for it. */
function echoing(canaries: Canaries, granting: boolean): Respond {
  const token = canaries.of('opaque token');
  let asked = 0;
  return ({ body, headers, path }) => {
    if (granting && path.endsWith('/token')) return { json: { access_token: token, expires_in: 3600 } };
    const said = `${body} ${String(headers.authorization)} ${new URLSearchParams(body).get('client_secret') ?? token}`;
    const late = `${'x'.repeat(285)}${new URLSearchParams(body).get('client_secret') ?? token}`;
    const echoes: readonly ReturnType<Respond>[] = [
      { status: 403, json: { code: 20003, message: said }, headers: { 'twilio-request-id': token } },
      { status: 400, json: { detail: late, scimType: token, status: '400' } },
      { status: 401, text: `<html><head><title>${said}</title></head></html>` },
      { status: 403, text: said },
      {
        status: 302,
        headers: { location: `https://${Buffer.from(token).toString('hex')}.example/${token}?token=${token}` },
      },
      { status: 400, json: { error: 'invalid_client', error_description: Buffer.from(said).toString('base64') } },
      { status: 400, json: { message: encodeURIComponent(said), code: 20001 } },
    ];
    return echoes[asked++ % echoes.length] ?? {};
  };
}

test.each([
  ['the token service', false],
  ['the API', true],
])('no secret is repeated after %s, which repeats it in any form', async (_who, granting) => {
  const { canaries, environment, configure, run } = await scene();
  const hostile = await listen(echoing(canaries, granting));
  await configure('tdsync.yaml', { twilio: twilioAt(hostile.url) });
  const line = (...args: string[]): CommandLine => ({ args: ['-c', 'tdsync.yaml', ...args, ...debug], environment });

  const results = await run([
    ...Array.from({ length: 7 }, () => line('reconcile', '--json')),
    ...Array.from({ length: 2 }, () => line('roles')),
    line('doctor'),
    { args: ['-c', 'tdsync.yaml', 'runs', '--json'] },
    { args: ['-c', 'tdsync.yaml', 'runs', '--export', 'jsonl'] },
  ]);

  expect(new Set(results.slice(0, 9).map(({ code }) => code))).toEqual(new Set([6]));
  expect(results.at(-2)?.stdout).toMatch(/\[(?:secret|token)\]/);
});

test('no secret is in what a daemon logs, or shows to whoever watches it, after an API that repeats it', async () => {
  const { world, canaries, environment, configure, run } = await scene();
  const { url } = await listen(echoing(canaries, true));
  await configure('tdsync.yaml', {
    twilio: twilioAt(url),
    schedule: { cron: '0 0 29 2 *', runOnStart: true },
    server: { listen: '127.0.0.1:0' },
  });

  const daemon = world.start(['daemon', ...debug], { environment });
  const { url: watched } = JSON.parse(await daemon.line('health and metrics are served')) as { readonly url: string };
  await daemon.line('"code":"twilio-');
  const pages = await Promise.all(
    ['metrics', 'health/live', 'health/ready', `other?secret=${canaries.of('client secret')}`].map(async (path) =>
      (await fetch(`${watched}/${path}`)).text(),
    ),
  );
  daemon.kill('SIGTERM');
  const { code, stdout, stderr } = await daemon.ended;

  expect(code).toBe(0);
  expect(canaries.in(pages.join('\n') + stdout + stderr)).toEqual([]);
  await run([{ args: ['-c', 'tdsync.yaml', 'status', '--json'], environment }]);
});

/** The same app, approved by a person. */
function approvedAt(url: string) {
  const { oauth, ...twilio } = twilioAt(url);
  return {
    ...twilio,
    oauth: { ...oauth, grantType: 'authorization_code', redirectUri: elsewhere, approvedBy: 'owner@corp.example' },
  };
}

/** `tdsync authorize` with the browser of a person who approves; the code and the refresh token are secrets from then on. */
async function approved({ world, canaries, environment, configure }: Scene): Promise<string> {
  const { url } = await listen(passedOn(world, canaries));
  await configure('tdsync.yaml', { twilio: approvedAt(url) });
  const running = world.start(['authorize', '--paste', ...debug], { environment, stdin: 'open' });
  const page = (await running.line('/v2/authorize?')).trim();
  const back = await visit(page.replace(url, world.twilio.url));
  canaries.add('code', back.searchParams.get('code') ?? '');
  running.type(`${back}\n`);
  const { code, stdout, stderr } = await running.ended;
  expect({ code, leaks: canaries.in(stdout + stderr), files: canaries.inFiles(world.folder, planted) }).toEqual({
    ...{ code: 0, leaks: [], files: [] },
  });
  const { refreshToken } = JSON.parse(readFileSync(world.path('tdsync-token.json'), 'utf8'));
  canaries.add('refresh token', refreshToken);
  return refreshToken;
}

test('neither code nor refresh token is in anything that comes of access by approval, as long as all goes well', async () => {
  const it = await scene('authorization_code');
  await approved(it);
  const line = (...args: string[]): CommandLine => ({
    args: ['-c', 'tdsync.yaml', ...args],
    environment: it.environment,
  });

  const results = await it.run([
    line('reconcile', '--json', ...debug),
    line('reconcile', ...debug),
    ...[['doctor', '--json', ...debug], ['doctor', ...debug], ['status'], ['status', '--json'], ['roles']].map((args) =>
      line(...args),
    ),
    line('runs', '--export', 'jsonl'),
  ]);

  expect(results.map(({ code }) => code)).toEqual(results.map(() => 0));
});

test.each([
  ['the token service', false],
  ['the API', true],
])('no refresh token is repeated after %s, which repeats it in any form', async (_who, granting) => {
  const it = await scene('authorization_code');
  const refreshToken = await approved(it);
  const next = `${it.canaries.of('next refresh token')}${'y'.repeat(20)}`;
  it.canaries.add('next refresh token', next);
  let asked = 0;
  const hostile = await listen(({ path }) => {
    if (granting && path.endsWith('/token')) {
      return { json: { access_token: it.canaries.of('opaque token'), expires_in: 3600, refresh_token: next } };
    }
    const said = granting ? next : refreshToken;
    const forms = [said, encodeURIComponent(said), Buffer.from(said).toString('base64')];
    const message = `no: ${forms.join(' ')}`;
    const answers: readonly ReturnType<Respond>[] = [
      { status: 403, json: { code: 20003, message }, headers: { 'twilio-request-id': said } },
      { status: 400, json: { error: 'invalid_grant', error_description: message } },
      { status: 400, json: { detail: `${'x'.repeat(290 - said.length / 2)}${said}`, scimType: said } },
      { status: 302, headers: { location: `https://${Buffer.from(said).toString('hex')}.example/${said}` } },
      { status: 401, text: `<html><head><title>${message}</title></head></html>` },
    ];
    return answers[asked++ % answers.length] ?? {};
  });
  await it.configure('tdsync.yaml', { twilio: approvedAt(hostile.url) });
  const line = (...args: string[]): CommandLine => ({
    args: ['-c', 'tdsync.yaml', ...args],
    environment: it.environment,
  });

  const results = await it.run([
    ...Array.from({ length: 6 }, () => line('reconcile', '--json', ...debug)),
    ...[['doctor', ...debug], ['status'], ['runs', '--json'], ['runs', '--export', 'jsonl']].map((args) =>
      line(...args),
    ),
  ]);

  expect(new Set(results.slice(0, 6).map(({ code }) => code))).toEqual(new Set([6]));
});

test('no password is repeated after a directory that repeats it, nor a client key that is none', async () => {
  const { world, canaries, environment, configure, run } = await scene();
  const password = canaries.of('LDAP password');
  const said = `no: ${password} ${Buffer.from(password).toString('base64')} ${'x'.repeat(970)}${password}`;
  const directories = await Promise.all([
    serve({ bind: { code: 49, message: said, matchedDn: `cn=${password}` }, search: () => [] }),
    serve({ search: () => [{ done: { code: 53, message: said, matchedDn: `cn=${password}` } }] }),
    serve({ search: () => [{ notice: { code: 52, message: said } }, 'end'] }),
  ]);
  await world.write(
    'client.key',
    `-----BEGIN PRIVATE KEY-----\n${canaries.of('client key')}\n-----END PRIVATE KEY-----\n`,
  );
  await world.write('client.pem', readFileSync(makeSelfSigned(world.folder, 'own', ['DNS:own']).certFile));
  const ldap = (url: string, tls = {}) => ({
    source: {
      ...{ type: 'ldap', url, bindDn: 'cn=sync,dc=x', bindPassword: `\${env:LDAP_PASSWORD}`, tls },
      users: { baseDn: 'dc=x' },
      groups: { baseDn: 'dc=x' },
    },
  });
  for (const [index, { url }] of directories.entries()) await configure(`ldap-${index}.yaml`, ldap(url));
  await configure('ldap-3.yaml', ldap('ldaps://127.0.0.1:1', { certFile: 'client.pem', keyFile: 'client.key' }));

  const results = await run(
    [0, 1, 2, 3].flatMap((index) =>
      [['reconcile', '--json'], ['doctor']].map((args) => ({
        args: ['-c', `ldap-${index}.yaml`, ...args, ...debug],
        environment,
      })),
    ),
  );

  expect(results.map(({ code }) => code)).toEqual([5, 1, 5, 1, 5, 1, 5, 1]);
  expect(results[0]?.stderr).toContain('no: [secret] [secret] x');
});

test('no secret is repeated when TLS fails, a proxy refuses, or a proxy is no proxy', async () => {
  const { world, canaries, environment, configure, run } = await scene();
  const { keyFile, certFile } = makeSelfSigned(world.folder, 'unknown', ['IP:127.0.0.1']);
  const tls = createTlsServer({ key: readFileSync(keyFile), cert: readFileSync(certFile) });
  const heads: string[] = [];
  const proxy = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', (head) => {
      heads.push(head.toString());
      socket.write('HTTP/1.1 200 go on\r\n\r\n');
      const onward = connect((tls.address() as AddressInfo).port, '127.0.0.1').on('error', () => socket.destroy());
      socket.pipe(onward).pipe(socket);
    });
  });
  const ports = await Promise.all(
    [tls, proxy].map(async (server) => {
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      onTestFinished(() => void server.close());
      return (server.address() as AddressInfo).port;
    }),
  );
  await configure('tls.yaml', { twilio: twilioAt(`https://127.0.0.1:${ports[0]}`) });
  await configure('proxy.yaml', { twilio: twilioAt('https://iam.example') });
  await configure('hooks.yaml', { notify: [{ url: `\${env:HOOK_URL}` }] });
  const credentials = `user:${encodeURIComponent(canaries.of('proxy password'))}`;
  const line = (file: string, more: Readonly<Record<string, string>>, ...args: string[]): CommandLine => ({
    args: ['-c', file, ...args, ...debug],
    environment: { ...environment, ...more },
  });
  const through = (value: string) => ({ HTTPS_PROXY: value });

  const results = await run([
    line('tls.yaml', {}, 'reconcile', '--json'),
    line('proxy.yaml', through(`http://${credentials}@127.0.0.1:${ports[1]}`), 'roles'),
    line('proxy.yaml', through(`http://user:${canaries.of('proxy password')}@127.0.0.1:${ports[1]}`), 'roles'),
    line('proxy.yaml', through(`${credentials}@127.0.0.1:${ports[1]}`), 'roles'),
    line('proxy.yaml', through(`ftp://${credentials}@127.0.0.1:1`), 'doctor'),
    line('hooks.yaml', { HOOK_URL: `https://user:${canaries.of('hook password')}@hook.example` }, 'doctor', '--notify'),
  ]);

  expect(results.map(({ code }) => code)).toEqual([6, 6, 78, 78, 78, 1]);
  // To a proxy nothing is said but where to.
  expect(new Set(heads.map((head) => head.split('\r\n')[0]))).toEqual(new Set(['CONNECT iam.example:443 HTTP/1.1']));
  expect(heads.filter((head) => /Bearer|client_secret/.test(head))).toEqual([]);
});

test('no secret is repeated by an error about it or about its neighbours in the configuration', async () => {
  const { world, canaries, environment, configure, run } = await scene();
  const literal = canaries.of('literal');
  const good = twilioAt('https://iam.example');
  const wrong: readonly object[] = [
    { twilio: { ...good, oauth: { ...good.oauth, clientSecret: literal } } },
    { twilio: { ...good, oauth: { ...good.oauth, clientSecret: [literal] } } },
    { twilio: { ...good, oauth: { ...good.oauth, clientSecert: literal, clientId: literal } } },
    { twilio: { ...good, oauth: { ...good.oauth, grantType: literal } } },
    { twilio: { ...good, organizationSid: literal, endpoints: { iam: `https://user:${literal}@iam.example` } } },
    { notify: [{ url: `https://user:${literal}@hook.example`, secret: literal, on: [literal] }] },
    { notify: [{ url: `http://hook.example/${literal}` }] },
    { source: { type: 'ldap', url: `ldap://user:${literal}@dc`, bindDn: 'cn=x', bindPassword: literal } },
    { source: { type: literal } },
    { log: { level: literal }, snapshot: { path: 'x', refreshUsers: literal } },
    { twilio: { ...good, oauth: { ...good.oauth, clientSecret: `\${env:${literal}}` } } },
  ];
  const names = await Promise.all(
    wrong.map(async (sections, index) => {
      await configure('literal.yaml', sections);
      const name = `wrong-${index}.yaml`;
      planted.push(name);
      await world.write(name, readFileSync(world.path('literal.yaml')));
      await configure('literal.yaml', sections);
      return name;
    }),
  );
  await world.write(
    'broken.yaml',
    `twilio:\n  oauth:\n    clientSecret: "${literal}\n  : x\n- ${literal}: *${literal}`,
  );
  const variable = { TDSYNC_LOG_LEVEL: literal };

  const results = await run([
    ...[...names, 'broken.yaml'].map((name) => ({ args: ['-c', name, 'config', 'check', '--json'], environment })),
    { args: ['-c', 'broken.yaml', 'reconcile', ...debug], environment },
    { args: ['-c', 'broken.yaml', 'config', 'check'], environment: { ...environment, ...variable } },
  ]);

  expect(new Set(results.map(({ code }) => code))).toEqual(new Set([78]));
});
