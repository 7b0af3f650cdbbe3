/** Commands for writing, checking and rehearsing a configuration. */
import { Option } from 'commander';
import type { CommandLine } from './command-line.ts';
import { jsonOption, logLevel, portNumber, positive } from './command-options.ts';

export function setupCommands({ command, act }: CommandLine): void {
  const config = command('config', 'the configuration file');
  config
    .command('check')
    .description('validate the file offline; every error at once, with its line')
    .option(...jsonOption)
    .exitOverride()
    .action(act(async () => (await import('./config.ts')).configCheck));
  config
    .command('schema')
    .description('print the JSON Schema that editors use')
    .exitOverride()
    .action(act(async () => (await import('./config.ts')).configSchema));
  command('doctor', 'check configuration, secrets, snapshot, source, token, permissions and role names')
    .option('--notify', 'send a test message to each hook')
    .option('--no-permissions', 'do not probe the permissions of the app by requests that cannot take effect')
    .option(...jsonOption)
    .addOption(logLevel())
    .action(act(async () => (await import('./doctor.ts')).doctor));
  command('authorize', 'let a person approve the OAuth app, once; only for the authorization-code grant')
    .option('--paste', 'read the address that the browser ended up at from stdin')
    .option('--timeout <duration>', 'how long to wait for the person', '10m')
    .option(...jsonOption)
    .addOption(logLevel())
    .action(act(async () => (await import('./authorize.ts')).authorize));
  command('roles', "list the organization's roles, for writing the role rules")
    .option(...jsonOption)
    .addOption(logLevel())
    .action(act(async () => (await import('./roles.ts')).roles));
  command('test', 'ask the rules about made-up people, offline; exit 1 when something is not as expected')
    .argument('<file>', 'YAML file of entries, each with the user, grants or finding expected of it')
    .option(...jsonOption)
    .action(act(async () => (await import('./test.ts')).test));
  command('simulator', 'a local Twilio organization to rehearse against')
    .option('--port <number>', 'port on 127.0.0.1; 0 lets the system choose', portNumber, 8580)
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .addOption(new Option('--seed <file>', 'start from this JSON file').conflicts('fromSnapshot'))
    .option('--from-snapshot', "start from the snapshot's mirror of Twilio")
    .option('--requests-per-second <number>', 'answer 429 above this', positive)
    .option('--latency <duration>', 'wait before each answer, e.g. 50ms')
    .action(act(async () => (await import('./simulator.ts')).simulator));
}
