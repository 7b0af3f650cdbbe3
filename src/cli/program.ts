import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { TdsyncError } from '../errors.ts';
import { type ExitCode, exitCodeOf, exitCodes } from './exit-codes.ts';
import { complain, errorJson, errorText, print } from './terminal.ts';
import { programVersion } from './version.ts';

/** What every command gets besides its own options. */
export interface GlobalOptions {
  readonly config?: string;
  readonly json?: boolean;
  readonly logLevel?: string;
}

type Action<Arguments extends unknown[], Options> = (
  ...given: [...Arguments, Options & GlobalOptions]
) => Promise<ExitCode>;

/** Runs one command line and returns the exit code. Nothing is thrown. */
export async function run(argv: readonly string[]): Promise<number> {
  let exitCode: number = exitCodes.ok;
  const program = build((code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync(argv, { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
    complain(errorText(error));
    if (argv.includes('--json')) print(errorJson(error));
    return error instanceof TdsyncError ? exitCodeOf(error) : exitCodes.unexpected;
  }
}

function build(finish: (code: ExitCode) => void): Command {
  const program = new Command('tdsync')
    .description(
      'Keeps the people of a Twilio organization, and the roles they hold, in step with a company directory.',
    )
    .version(programVersion())
    .option('-c, --config <file>', 'configuration file (default: $TDSYNC_CONFIG or config/tdsync.yaml)')
    .exitOverride()
    .configureOutput({ writeOut: print, writeErr: complain })
    .addHelpText('after', exitCodeHelp);

  /** Hands the action its arguments and the options of the command and the program. */
  function act<Arguments extends unknown[], Options>(load: () => Promise<Action<Arguments, Options>>) {
    return async (...given: unknown[]) => {
      const command = given.at(-1) as Command;
      const action = await load();
      finish(await action(...(given.slice(0, -2) as Arguments), command.optsWithGlobals() as Options & GlobalOptions));
    };
  }
  const command = (name: string, description: string) => program.command(name).description(description).exitOverride();

  runOptions(command('reconcile', 'one run: read both sides, plan, ask the guards, apply, report'))
    .option('--dry-run', 'stop after the plan; write nothing to Twilio and nothing to the snapshot')
    .option('--out <file>', 'with --dry-run: save the plan for review and `tdsync apply`')
    .option('--source-file <file>', 'with --dry-run: people in this file in place of the source')
    .option('--twilio-file <file>', 'with --dry-run: the organization in this file in place of Twilio')
    .addOption(
      new Option('--only <user>', 'plan for this person alone: address, externalId or user SID (repeatable)').argParser(
        collect,
      ),
    )
    .addOption(new Option('--policy <mode>', 'override policy.mode').choices(['sync', 'upsert-only', 'create-only']))
    .option('--detailed-exitcode', 'exit 2 when a dry run found changes')
    .action(act(async () => (await import('./reconcile.ts')).reconcile));
  runOptions(
    command('apply', 'apply exactly a reviewed plan; refuse it when anything has moved since').argument(
      '<plan>',
      'file written by --out',
    ),
  ).action(act(async () => (await import('./apply.ts')).apply));
  runOptions(
    command('undo', 'take back what a run did, as a plan with guards like any other').argument(
      '<run>',
      'id of the run',
    ),
  )
    .option('--dry-run', 'stop after the plan; write nothing to Twilio and nothing to the snapshot')
    .option('--out <file>', 'with --dry-run: save the plan for review and `tdsync apply`')
    .addOption(
      new Option('--only <user>', 'for this person alone: address, externalId or user SID (repeatable)').argParser(
        collect,
      ),
    )
    .option('--detailed-exitcode', 'exit 2 when a dry run found changes')
    .action(act(async () => (await import('./undo.ts')).undo));
  command('drift', 'list what somebody changed in Twilio of people who are managed; writes nothing')
    .option('--refresh', 'read all of Twilio anew')
    .option('--no-refresh', 'believe the snapshot at any age')
    .addOption(
      new Option('--only <user>', 'this person alone: address, externalId or user SID (repeatable)').argParser(collect),
    )
    .option('--detailed-exitcode', 'exit 2 when there is drift')
    .option('--json', 'one JSON document on stdout')
    .addOption(logLevel())
    .action(act(async () => (await import('./drift.ts')).drift));
  command('approve', 'let the refused plan with this digest through once, also for a running daemon')
    .argument('<digest>', 'of the plan, or its first digits, as `tdsync status` shows it')
    .option('--reason <text>', 'why, for the history')
    .option('--json', 'one JSON document on stdout')
    .action(act(async () => (await import('./approve.ts')).approve));
  command('why', 'explain one person: entry, rules, roles, history, and what the next run would do; works offline')
    .argument('<user>', 'address, externalId or user SID')
    .argument('[role]', 'only what concerns this role, account or SID')
    .option('--json', 'one JSON document on stdout')
    .action(act(async () => (await import('./why.ts')).why));
  command('release', 'give a person back to manual care; nothing changes in Twilio')
    .argument('<user>', 'address, externalId or user SID')
    .option('--undo', 'let runs manage the person again')
    .option('--dry-run', 'say what would change')
    .option('--reason <text>', 'why, for the ledger')
    .option('--json', 'one JSON document on stdout')
    .action(act(async () => (await import('./release.ts')).release));
  command('relink', 'let links go over to other keys, when the source has changed them')
    .argument('[old]', 'key that is linked')
    .argument('[new]', 'key that the same person has now')
    .option('--file <file>', 'CSV file with a header and two columns: old and new key')
    .option('--dry-run', 'say what would change')
    .option('--reason <text>', 'why, for the ledger')
    .option('--json', 'one JSON document on stdout')
    .action(act(async () => (await import('./relink.ts')).relink));
  command('daemon', 'run on the schedule until SIGTERM')
    .addOption(logLevel())
    .action(act(async () => (await import('./daemon.ts')).daemon));
  command('status', 'last runs, managed people, open findings, refused plan')
    .option('--max-age <duration>', 'exit 1 when the last good run is older, e.g. 2h')
    .option('--json', 'one JSON document on stdout')
    .action(act(async () => (await import('./status.ts')).status));
  const runs = command('runs', 'history of runs, or one run with every operation')
    .argument('[id]', 'a run')
    .option('--limit <number>', 'runs to list', count, 20)
    .option('--json', 'one JSON document on stdout')
    .addOption(
      new Option('--export <format>', 'write the history with its proof to stdout, oldest first').choices([
        'jsonl',
        'csv',
      ]),
    )
    .option('--since <time>', 'with --export: runs that started since, e.g. 2026-11-01 or 30d')
    .option('--run <id>', 'with --export: this run alone')
    .action(act(async () => (await import('./runs.ts')).runs));
  runs
    .command('verify')
    .description('prove that nothing in the history was changed, removed or put in another order; exit 1 when it was')
    .argument('[file]', 'an export in jsonl, instead of the snapshot')
    .option('--head <hash>', 'the hash of a record that must be there, noted down earlier')
    .option('--json', 'one JSON document on stdout')
    .exitOverride()
    .action(act(async () => (await import('./runs-verify.ts')).runsVerify));
  command('managed', 'who is managed, since when and by which run; of one person also who made each role')
    .argument('[user]', 'address, externalId or user SID')
    .option('--json', 'one JSON document on stdout')
    .action(act(async () => (await import('./managed.ts')).managed));
  command('roles', "list the organization's roles, for writing the role rules")
    .option('--json', 'one JSON document on stdout')
    .addOption(logLevel())
    .action(act(async () => (await import('./roles.ts')).roles));
  command('doctor', 'check configuration, secrets, snapshot, source, token, permissions and role names')
    .option('--notify', 'send a test message to each hook')
    .option('--json', 'one JSON document on stdout')
    .addOption(logLevel())
    .action(act(async () => (await import('./doctor.ts')).doctor));
  command('test', 'ask the rules about made-up people, offline; exit 1 when something is not as expected')
    .argument('<file>', 'YAML file of entries, each with the user, grants or finding expected of it')
    .option('--json', 'one JSON document on stdout')
    .action(act(async () => (await import('./test.ts')).test));
  const config = command('config', 'the configuration file');
  config
    .command('check')
    .description('validate the file offline; every error at once, with its line')
    .option('--json', 'one JSON document on stdout')
    .exitOverride()
    .action(act(async () => (await import('./config.ts')).configCheck));
  config
    .command('schema')
    .description('print the JSON Schema that editors use')
    .exitOverride()
    .action(act(async () => (await import('./config.ts')).configSchema));
  command('simulator', 'a local Twilio organization to rehearse against')
    .option('--port <number>', 'port on 127.0.0.1; 0 lets the system choose', portNumber, 8580)
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .addOption(new Option('--seed <file>', 'start from this JSON file').conflicts('fromSnapshot'))
    .option('--from-snapshot', "start from the snapshot's mirror of Twilio")
    .option('--requests-per-second <number>', 'answer 429 above this', positive)
    .option('--latency <duration>', 'wait before each answer, e.g. 50ms')
    .action(act(async () => (await import('./simulator.ts')).simulator));
  return program;
}

function runOptions(command: Command): Command {
  return command
    .option('--refresh', 'read all of Twilio anew')
    .option('--no-refresh', 'believe the snapshot at any age')
    .addOption(
      new Option('--allow <guard>', 'let a guard through for this run: GUARD or GUARD=N (repeatable)').argParser(
        collect,
      ),
    )
    .option('--json', 'one JSON document on stdout')
    .addOption(logLevel());
}

function logLevel(): Option {
  return new Option('--log-level <level>', 'least level that is logged').choices(['debug', 'info', 'warn', 'error']);
}

function collect(value: string, earlier: readonly string[] = []): readonly string[] {
  return [...earlier, value];
}

function count(value: string): number {
  const number = Number(value);
  if (!Number.isInteger(number) || number < 1) throw new InvalidArgumentError('a whole number of at least 1 is needed');
  return number;
}

function positive(value: string): number {
  const number = Number(value);
  if (!(number > 0)) throw new InvalidArgumentError('a number above 0 is needed');
  return number;
}

function portNumber(value: string): number {
  const number = Number(value);
  if (!Number.isInteger(number) || number < 0 || number > 65_535) throw new InvalidArgumentError('not a port');
  return number;
}

const exitCodeHelp = `
Exit codes:
   0  converged, applied, or dry run done     5  source unavailable or incomplete
   1  unexpected                              6  Twilio unavailable, unauthorized or out of contract
   2  changes pending (--detailed-exitcode)  64  usage
   3  refused by a guard, or stale plan      75  another run holds the lease
   4  applied with failures                  78  configuration`;
