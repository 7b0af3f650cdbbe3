/** Whatever a directory, Twilio or a file calls somebody: no output steers the terminal or deceives the eye of who reads it. */
import { rename } from 'node:fs/promises';
import { expect, onTestFinished, test } from 'vitest';
import { stringify } from 'yaml';
import { type CommandLine, runCommands } from '../support/commands.ts';
import { serve } from '../support/ldap-server.ts';
import { createWorld, plantedSecret } from '../support/world.ts';

/** A screen cleared, a C1 control, text turned round, no room taken, tags, line separators. */
const bad = 'x\u001b[2J\u001b]0;t\u0007\u009b31m\u202egnp.exe\u2066\u200b\u00ad\ufeff\u{e0041}\u2028\u0085\u007f\ry';
// biome-ignore lint/complexity/useRegexLiterals: a literal may not hold control characters
const unsafe = new RegExp(
  '[\\0-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f-\\x9f\\xad\\u200b\\u200e\\u200f\\u2028-\\u202e\\u2060-\\u206f\\ufeff\\u{e0000}-\\u{e007f}]|\\r(?!\\n)',
  'u',
);
const environment = { TWILIO_CLIENT_SECRET: plantedSecret };

test('no command prints a character that steers a terminal, as text, as JSON or in its log', async () => {
  const world = await createWorld({
    seed: {
      roles: [
        { name: 'Developer', lowestLevel: 'ACCOUNT' },
        { name: `Role ${bad}`, lowestLevel: 'ORGANIZATION' },
      ],
      accounts: [{ name: 'Production' }, { name: `Account ${bad}` }],
      users: [{ userName: 'cleo@corp.example', displayName: `Cleo ${bad}` }],
    },
  });
  onTestFinished(() => world[Symbol.asyncDispose]());
  const groups = `g${bad.replaceAll(/[\r\n;]/g, '')}`;
  await world.people([
    { id: 'anna', given: bad, family: `"${bad}"`, groups: ['developers', groups] },
    { id: `ben${bad}`, mail: 'ben@corp.example', groups: [groups] },
    { id: 'cleo', given: bad },
    { id: 'emil' },
    { id: 'dora', mail: `dora ${bad}@corp.example` },
  ]);
  const roles = [
    { group: 'developers', grants: [{ role: 'Developer', scope: 'Production' }] },
    { group: groups, grants: [{ role: `Role ${bad}`, scope: 'organization' }] },
  ];
  await world.configure({ roles, log: { level: 'debug', format: 'pretty' } });
  const refusal = {
    status: 400,
    body: { code: 25002, message: `no ${bad}`, detail: bad, scimType: bad, status: '400' },
  };
  world.twilio.faults.add({ match: { method: 'POST', path: '/scim/v2/Users' }, fault: refusal, times: 1 });
  const line = (...args: string[]): CommandLine => ({ args: ['-c', 'tdsync.yaml', ...args], environment });
  await world.write('keys.csv', `old,new\nanna,${bad.replaceAll('\r', '')}\n`);
  await world.write(
    'made-up.yaml',
    stringify({ people: [{ name: bad, entry: { employeeId: bad, mail: bad }, expect: 'out-of-scope' }] }),
  );

  const results = await runCommands(world.folder, [
    line('reconcile', '--dry-run', '--out', 'plan.json'),
    line('reconcile', '--dry-run', '--json', '--log-level', 'debug'),
    line('reconcile', '--log-level', 'debug'),
    line('reconcile', '--json'),
    ...['status', 'managed', 'drift', 'roles', 'doctor', 'runs'].flatMap((name) => [line(name), line(name, '--json')]),
    ...[
      ['why', 'anna'],
      ['why', 'anna', '--json'],
      ['why', bad],
      ['managed', 'anna'],
      ['release', 'anna', '--dry-run'],
      ['release', bad],
    ].map((args) => line(...args)),
    ...[
      ['relink', '--file', 'keys.csv', '--dry-run'],
      ['relink', bad, 'x'],
      ['test', 'made-up.yaml'],
      ['test', 'made-up.yaml', '--json'],
    ].map((args) => line(...args)),
    ...[
      ['runs', '--export', 'jsonl'],
      ['runs', '--export', 'csv'],
      ['runs', 'verify'],
      ['approve', bad],
      ['undo', bad],
    ].map((args) => line(...args)),
    ...[[bad], ['reconcile', `--${bad}`], ['reconcile', '--only', bad], ['reconcile', '--allow', bad]].map((args) =>
      line(...args),
    ),
    { args: ['-c', bad, 'config', 'check', '--json'], environment },
  ]);

  expect(results.filter(({ stdout, stderr }) => unsafe.test(stdout + stderr)).map(({ line }) => line)).toEqual([]);
  expect(results.map(({ code }) => code).slice(0, 3)).toEqual([0, 0, 4]);
  expect(results[0]?.stdout).toContain('x\ufffd[2J');
  const planned = JSON.parse(results[1]?.stdout ?? '') as { plan: { operations: readonly { userName: string }[] } };
  expect(JSON.stringify(planned)).toContain(JSON.stringify(bad).slice(1, -1));
});

test('no word of a directory server steers the terminal', async () => {
  const world = await createWorld();
  onTestFinished(() => world[Symbol.asyncDispose]());
  const servers = await Promise.all([
    serve({ bind: { code: 49, message: bad, matchedDn: bad }, search: () => [] }),
    serve({ search: () => [{ done: { code: 32, message: bad, matchedDn: `cn=${bad}` } }] }),
    serve({ search: () => [{ reference: [`ldap://${bad}/`] }, { done: {} }] }),
  ]);
  const source = (url: string) => ({
    ...{ type: 'ldap', url, bindDn: 'cn=x\u202ey\u009b,dc=x', bindPassword: `\${env:TWILIO_CLIENT_SECRET}` },
    users: { baseDn: 'ou=people,dc=x' },
  });

  const lines: CommandLine[] = [];
  for (const [index, { url }] of servers.entries()) {
    const format = index === 0 ? 'json' : 'pretty';
    await world.configure({
      source: source(url),
      roles: [],
      snapshot: { path: `${index}.db` },
      log: { level: 'debug', format },
    });
    await rename(world.path('tdsync.yaml'), world.path(`${index}.yaml`));
    for (const args of [['reconcile'], ['reconcile', '--json'], ['doctor']])
      lines.push({ args: ['-c', `${index}.yaml`, ...args], environment });
  }

  const results = await runCommands(world.folder, lines);

  expect(results.filter(({ stdout, stderr }) => unsafe.test(stdout + stderr))).toEqual([]);
  expect(results.map(({ code }) => code)).toEqual([5, 5, 1, 5, 5, 1, 5, 5, 1]);
});
