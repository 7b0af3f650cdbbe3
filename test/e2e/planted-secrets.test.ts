/**
 * Secrets planted in every input that carries one, and every output searched for them: what each command prints, in good and in
 * failing ways, its logs at the most talkative level, and all files that it leaves, the database with its write-ahead log included.
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { expect, onTestFinished, test } from 'vitest';
import type { Canaries } from '../support/canaries.ts';
import { makeSelfSigned } from '../support/certificates.ts';
import type { CommandLine } from '../support/commands.ts';
import { serve } from '../support/ldap-server.ts';
import { debug, listen, planted, scene, twilioAt } from '../support/planted.ts';
import type { Respond } from '../support/scripted-http.ts';

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
