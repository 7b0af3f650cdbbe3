/**
 * The main job on the sample of the config folder, as an operator would see it: a local Twilio organization, a dry run,
 * a run, a run that finds nothing to do, a changed directory, and a mistake that is refused. Everything happens in a
 * temporary folder and ends with the process.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const root = new URL('../..', import.meta.url).pathname;
const program = join(root, 'src/cli/main.ts');
const folder = mkdtempSync(join(tmpdir(), 'tdsync-demo-'));
cpSync(join(root, 'config'), join(folder, 'config'), { recursive: true });
const configuration = join(folder, 'config/tdsync.yaml');
const people = join(folder, 'config/people.csv');

const simulator = spawn(
  process.execPath,
  [program, 'simulator', '--port', '0', '--seed', join(folder, 'config/simulator-seed.json')],
  { stdio: ['ignore', 'pipe', 'inherit'] },
);
try {
  const [line] = (await once(createInterface({ input: simulator.stdout }), 'line')) as [string];
  const url = /http:\S+/.exec(line)?.[0] ?? '';
  say(line);

  say('A dry run: what would happen? Nothing is written.');
  tdsync(url, 0, 'reconcile', '--dry-run');
  say('The same, for real.');
  tdsync(url, 0, 'reconcile');
  say('Once more: nothing is left to do.');
  tdsync(url, 0, 'reconcile');

  say(
    'The directory changes: a joiner (Noor), a mover (Zoë marries), a leaver (Greta), a rename (Hana), another role (Tomás).',
  );
  edit(people, [
    [/^1005,Zoë,Lindqvist,/m, '1005,Zoë,Lindqvist-Berg,'],
    [/^1010,.*\n/m, ''],
    ['hana.sato@corp.example', 'hana.mori@corp.example'],
    [/^(1002,.*)twilio-developers$/m, '$1twilio-support'],
    [/$/, '1013,Noor,Salem,noor.salem@corp.example,employee,enabled,twilio-users; twilio-developers\n'],
  ]);
  tdsync(url, 0, 'reconcile', '--dry-run');
  tdsync(url, 0, 'reconcile');
  tdsync(url, 0, 'reconcile');

  say('Somebody mistypes the filter: nobody would be in scope any more. The guards refuse (exit code 3).');
  edit(configuration, [['"twilio-users" in groups', '"twilio-user" == entry.employeeType']]);
  tdsync(url, 3, 'reconcile');
  tdsync(url, 0, 'status');
  tdsync(url, 0, 'runs');
} finally {
  const ended = once(simulator, 'exit');
  simulator.kill('SIGTERM');
  await ended;
  rmSync(folder, { recursive: true, force: true });
}

function say(text: string): void {
  process.stdout.write(`\n# ${text}\n`);
}

function tdsync(url: string, expected: number, ...args: readonly string[]): void {
  process.stdout.write(`\n$ tdsync ${args.join(' ')}\n\n`);
  const { status } = spawnSync(process.execPath, [program, '--config', configuration, ...args], {
    stdio: 'inherit',
    env: {
      ...process.env,
      TWILIO_CLIENT_ID: 'OQ00000000000000000000000000000001',
      TWILIO_CLIENT_SECRET: 'simulator-secret',
      TDSYNC_TWILIO_IAM_URL: url,
      TDSYNC_TWILIO_OAUTH_URL: url,
      TDSYNC_TWILIO_ACCOUNTS_URL: url,
      TDSYNC_LOG_LEVEL: 'warn',
    },
  });
  if (status !== expected) throw new Error(`tdsync ${args.join(' ')} ended with ${status} instead of ${expected}`);
}

function edit(file: string, changes: readonly (readonly [string | RegExp, string])[]): void {
  const before = readFileSync(file, 'utf8');
  const after = changes.reduce((text, [what, replacement]) => text.replace(what, replacement), before);
  writeFileSync(file, after);
}
