import { Command, CommanderError } from 'commander';
import { TdsyncError } from '../errors.ts';
import { type CommandLine, commandLine } from './command-line.ts';
import { type ExitCode, exitCodeOf, exitCodes } from './exit-codes.ts';
import { historyCommands } from './history-commands.ts';
import { peopleCommands } from './people-commands.ts';
import { runCommands } from './run-commands.ts';
import { setupCommands } from './setup-commands.ts';
import { complain, errorJson, errorText, print } from './terminal.ts';
import { programVersion } from './version.ts';

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

/** In the order of the help text. */
const groups: readonly (readonly [string, (line: CommandLine) => void])[] = [
  ['Runs:', runCommands],
  ['People:', peopleCommands],
  ['History:', historyCommands],
  ['Set-up:', setupCommands],
];

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

  for (const [heading, add] of groups) add(commandLine(program, heading, finish));
  return program;
}

const exitCodeHelp = `
Exit codes:
   0  converged, applied, or dry run done     5  source unavailable or incomplete
   1  unexpected                              6  Twilio unavailable, unauthorized or out of contract
   2  changes pending (--detailed-exitcode)  64  usage
   3  refused by a guard, or stale plan      75  another run holds the lease
   4  applied with failures                  78  configuration`;
