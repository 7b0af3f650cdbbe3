/** How a group of commands is put on the command line. */
import type { Command } from 'commander';
import type { ExitCode } from './exit-codes.ts';

/** What every command gets besides its own options. */
export interface GlobalOptions {
  readonly config?: string;
  readonly json?: boolean;
  readonly logLevel?: string;
}

type Action<Arguments extends unknown[], Options> = (
  ...given: [...Arguments, Options & GlobalOptions]
) => Promise<ExitCode>;

export interface CommandLine {
  /** A new command of the group. */
  command(name: string, description: string): Command;
  /**
   * What a command does, loaded when it is called, so that a command pays for what it uses. It gets its arguments and the
   * options of the command and the program.
   */
  act<Arguments extends unknown[], Options>(
    load: () => Promise<Action<Arguments, Options>>,
  ): (...given: unknown[]) => Promise<void>;
}

/** `heading` stands above the group's commands in the help text. */
export function commandLine(program: Command, heading: string, finish: (code: ExitCode) => void): CommandLine {
  return {
    command: (name, description) => program.command(name).description(description).helpGroup(heading).exitOverride(),
    act<Arguments extends unknown[], Options>(load: () => Promise<Action<Arguments, Options>>) {
      return async (...given: unknown[]) => {
        const command = given.at(-1) as Command;
        const action = await load();
        finish(
          await action(...(given.slice(0, -2) as Arguments), command.optsWithGlobals() as Options & GlobalOptions),
        );
      };
    },
  };
}
