/** A world with secrets planted in every input that carries one, and every output of the commands searched for them. */
import { expect, onTestFinished } from 'vitest';
import { stringify } from 'yaml';
import { defaultOrganizationSid } from '../../src/simulator/default-seed.ts';
import { type Canaries, createCanaries } from './canaries.ts';
import { elsewhere } from './code-grant.ts';
import { type CommandLine, type CommandResult, runCommands } from './commands.ts';
import { type Respond, type ScriptedHttp, startScriptedHttp } from './scripted-http.ts';
import { createWorld, type World } from './world.ts';

const clientId = 'OQ5c1d7e90b3a24f68817d2c3e4f5a6b70';
export const debug = ['--log-level', 'debug'];
/** Files that hold a secret because the test put it there. */
export const planted = [
  ...['client-secret', 'ldap-password', 'client.key', 'hook-url', 'literal.yaml', 'broken.yaml'],
  'tdsync-token.json',
];

export interface Scene {
  readonly world: World;
  readonly canaries: Canaries;
  readonly environment: Readonly<Record<string, string>>;
  /** Writes a configuration whose sections replace those of the good one. */
  configure(name: string, sections?: object): Promise<void>;
  /** Runs the commands; fails when anything that came of them holds a secret. */
  run(lines: readonly CommandLine[]): Promise<readonly CommandResult[]>;
}

/** Who approves in a browser sees the app's id; it is a secret for the other grant alone. */
export async function scene(grant: 'client_credentials' | 'authorization_code' = 'client_credentials'): Promise<Scene> {
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

export async function listen(respond: Respond): Promise<ScriptedHttp> {
  const server = await startScriptedHttp(respond);
  onTestFinished(() => server.close());
  return server;
}

export function twilioAt(url: string) {
  return {
    organizationSid: defaultOrganizationSid,
    oauth: { clientId: `\${env:TWILIO_CLIENT_ID}`, clientSecret: `\${file:client-secret}` },
    endpoints: { iam: url, oauth: url, accounts: url },
    limits: { requestsPerSecond: 100, timeout: '2s' },
  };
}

/** The simulator, with every token that it hands out taken down. */
export function passedOn({ twilio }: World, canaries: Canaries): Respond {
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
