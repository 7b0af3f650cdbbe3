import { existsSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { defaultClient } from '../../src/simulator/default-seed.ts';
import { elsewhere, freePort, useCodeGrant, visit } from '../support/code-grant.ts';
import {
  createWorld,
  type ErrorDocument,
  plantedSecret,
  type Running,
  type StartOptions,
  type World,
} from '../support/world.ts';

const tokenFile = 'tdsync-token.json';

interface Stage extends AsyncDisposable {
  readonly world: World;
  readonly redirectUri: string;
}

/** A world whose redirect URL is on this machine, or elsewhere. */
async function stage(where: 'here' | 'elsewhere', oauth: Readonly<Record<string, unknown>> = {}): Promise<Stage> {
  const redirectUri = where === 'elsewhere' ? elsewhere : `http://127.0.0.1:${await freePort()}/callback`;
  const client = { ...defaultClient, clientSecret: plantedSecret, redirectUris: [redirectUri] };
  const world = await createWorld({ seed: { clients: [client] } });
  await useCodeGrant(world, { redirectUri, ...oauth });
  await world.people([{ id: 'anna', groups: ['developers'] }]);
  return { world, redirectUri, [Symbol.asyncDispose]: () => world[Symbol.asyncDispose]() };
}

/** Starts it, and waits for the address that it prints. */
async function begin({ world }: Pick<Stage, 'world'>, args: readonly string[] = [], options: StartOptions = {}) {
  const running = world.start(['authorize', ...args], options);
  const url = (await running.line('/v2/authorize?')).trim();
  return { running, url };
}

function refused({ world }: Pick<Stage, 'world'>) {
  return (run: Awaited<Running['ended']>) => ({
    code: run.code,
    stderr: run.stderr,
    kept: existsSync(world.path(tokenFile)) || existsSync(world.path(`${tokenFile}.new`)),
  });
}

describe.concurrent('tdsync authorize', () => {
  test('prints an address, receives the browser on this machine, keeps the refresh token, and access works', async () => {
    await using it = await stage('here');
    const { running, url } = await begin(it);

    const back = await visit(url);
    const page = await fetch(back);
    const html = await page.text();
    const run = await running.ended;
    const dry = await it.world.tdsync('reconcile', '--dry-run');

    const { searchParams } = new URL(url);
    expect(Object.fromEntries(searchParams)).toEqual({
      client_id: defaultClient.clientId,
      response_type: 'code',
      scope: 'offline_access',
      redirect_uri: it.redirectUri,
      state: expect.stringMatching(/^[\w-]{43}$/),
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
      code_challenge_method: 'S256',
    });
    expect([page.status, page.headers.get('content-security-policy')]).toEqual([200, "default-src 'none'"]);
    expect(html).not.toMatch(/code-|state|<script/);
    expect([run.code, run.stdout]).toEqual([
      0,
      expect.stringMatching(
        /^Approved\.[\s\S]*the token says so too[\s\S]*owner@corp\.example[\s\S]*Next: tdsync doctor/,
      ),
    ]);
    expect(statSync(it.world.path(tokenFile)).mode & 0o777).toBe(0o600);
    expect(await readFile(it.world.path(tokenFile), 'utf8')).toContain('"refreshToken": "refresh-');
    expect([dry.code, dry.stdout]).toEqual([0, expect.stringContaining('1 create')]);
    const grants = it.world.twilio.requests
      .matching({ path: '/v2/token' })
      .map(({ body }) => (body as Record<string, string>).grant_type);
    expect(grants).toEqual(['authorization_code', 'refresh_token']);
    expect(run.stdout + run.stderr + dry.stdout + dry.stderr).not.toMatch(/code-[0-9a-f]{40}|refresh-[0-9a-f]{40}/);
  });

  test('takes only the request that it waits for: another path, method or host gets nothing, and does not end it', async () => {
    await using it = await stage('here');
    const { running, url } = await begin(it);
    const back = await visit(url);

    const others = await Promise.all([
      fetch(new URL('/favicon.ico', back)),
      fetch(new URL(`/callback/../other?${back.searchParams}`, back)),
      fetch(back, { method: 'POST' }),
      fetch(back.href.replace('127.0.0.1', 'localhost')),
    ]);
    await fetch(back);
    const run = await running.ended;

    expect(others.map(({ status }) => status)).toEqual([404, 404, 404, 404]);
    expect(run.code).toBe(0);
  });

  test('takes a pasted address where nobody can listen, and says it in JSON', async () => {
    await using it = await stage('elsewhere', { tokenFile: 'kept/token.json' });
    const { running, url } = await begin(it, ['--json'], { stdin: 'open' });

    running.type(`\n  ${await visit(url)}  \n`);
    const run = await running.ended;

    expect(run.json()).toEqual({
      version: 1,
      organization: 'OR00000000000000000000000000000001',
      organizationChecked: true,
      clientId: defaultClient.clientId,
      tokenFile: it.world.path('kept/token.json'),
      approvedBy: 'owner@corp.example',
      authorizedAt: expect.stringMatching(/Z$/),
      next: 'doctor',
    });
    expect(statSync(it.world.path('kept/token.json')).mode & 0o777).toBe(0o600);
  });

  test('takes a pasted address with --paste although it could listen, without a line break', async () => {
    await using it = await stage('here');
    const { running, url } = await begin(it, ['--paste'], { stdin: 'open' });

    running.type((await visit(url)).href);

    expect((await running.ended).code).toBe(0);
  });
});

describe.concurrent('tdsync authorize keeps nothing', () => {
  test.each([
    ['somebody refuses', { approval: 'denied' }, /not approved \(access_denied/, /Organization Owner or Admin/],
    ['the code is refused', {}, /the code was refused: it lives five minutes/, /authorize/],
  ] as const)('when %s', async (_, quirks, message, hint) => {
    await using it = await stage('here');
    Object.assign(it.world.twilio.quirks, quirks);
    const { running, url } = await begin(it);

    const back = await visit(url);
    if (back.searchParams.has('code')) back.searchParams.set('code', 'code-of-somebody-else');
    await fetch(back);
    const run = refused(it)(await running.ended);

    expect(run).toMatchObject({ code: 6, kept: false, stderr: expect.stringMatching(message) });
    expect(run.stderr).toMatch(hint);
  });

  test('when what is pasted belongs to another request: the token endpoint is not even asked', async () => {
    await using it = await stage('elsewhere');
    const { running, url } = await begin(it, [], { stdin: 'open' });
    const back = await visit(url);
    back.searchParams.set('state', 'x'.repeat(43));

    running.type(`${back}\n`);
    const run = refused(it)(await running.ended);

    expect(run).toMatchObject({ code: 6, kept: false, stderr: expect.stringContaining('another state than') });
    expect(it.world.twilio.requests.count({ path: '/v2/token' })).toBe(0);
  });

  test('when nothing is pasted', async () => {
    await using it = await stage('elsewhere');

    const run = refused(it)(await it.world.tdsync('authorize'));

    expect(run).toMatchObject({ code: 64, kept: false, stderr: expect.stringContaining('stdin ended') });
  });

  test('when nobody comes in time, or somebody presses Ctrl-C', async () => {
    await using it = await stage('here');

    const late = refused(it)(await it.world.tdsync('authorize', '--timeout', '50ms'));
    const { running } = await begin(it);
    running.kill('SIGINT');
    const stopped = refused(it)(await running.ended);
    const pasting = await begin(it, ['--paste'], { stdin: 'open' });
    pasting.running.kill('SIGINT');
    const pastingStopped = refused(it)(await pasting.running.ended);

    expect(late).toMatchObject({
      code: 6,
      kept: false,
      stderr: expect.stringContaining('nothing came back within 50ms'),
    });
    for (const run of [stopped, pastingStopped]) {
      expect(run).toMatchObject({ code: 4, kept: false, stderr: expect.stringContaining('stopped by SIGINT') });
    }
  });

  test('when the token is for another organization', async () => {
    await using world = await createWorld({
      seed: { organizationSid: `OR${'7'.repeat(32)}`, clients: [{ ...defaultClient, clientSecret: plantedSecret }] },
    });
    await useCodeGrant(world);
    const it = { world };

    const { running, url } = await begin(it, [], { stdin: 'open' });
    running.type(`${await visit(url)}\n`);
    const run = refused(it)(await running.ended);

    expect(run).toMatchObject({
      code: 6,
      kept: false,
      stderr: expect.stringContaining(`organization OR${'7'.repeat(32)}`),
    });
  });

  test('and asks nobody when it could not keep it, could not listen, or the grant needs nobody', async () => {
    await using it = await stage('here');
    await it.world.write('blocked', 'a file where a folder should be');

    await useCodeGrant(it.world, { redirectUri: it.redirectUri, tokenFile: 'blocked/token.json' });
    const unkept = await it.world.tdsync('authorize', '--json');
    await useCodeGrant(it.world, { redirectUri: `${it.world.twilio.url}/callback`, tokenFile });
    const taken = await it.world.tdsync('authorize', '--json');
    await it.world.configure();
    const needless = await it.world.tdsync('authorize', '--json');

    const seen = [unkept, taken, needless].map((run) => [run.code, run.json<ErrorDocument>().error.issues?.[0]?.path]);
    expect(seen).toEqual([
      [78, 'twilio.oauth.tokenFile'],
      [78, 'twilio.oauth.redirectUri'],
      [78, 'twilio.oauth.grantType'],
    ]);
    expect([unkept, taken, needless].map(({ stderr }) => stderr.includes('/v2/authorize?'))).toEqual([
      false,
      false,
      false,
    ]);
  });
});
