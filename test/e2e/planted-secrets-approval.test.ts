/** As planted-secrets.test.ts, with access by a person's approval: code, refresh tokens and what renews them. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { elsewhere, visit } from '../support/code-grant.ts';
import type { CommandLine } from '../support/commands.ts';
import { debug, listen, passedOn, planted, type Scene, scene, twilioAt } from '../support/planted.ts';
import type { Respond } from '../support/scripted-http.ts';

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
