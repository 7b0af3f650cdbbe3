/** Options and their values that several commands share. */
import { type Command, InvalidArgumentError, Option } from 'commander';

export function runOptions(command: Command): Command {
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

export function logLevel(): Option {
  return new Option('--log-level <level>', 'least level that is logged').choices(['debug', 'info', 'warn', 'error']);
}

export function collect(value: string, earlier: readonly string[] = []): readonly string[] {
  return [...earlier, value];
}

export function count(value: string): number {
  const number = Number(value);
  if (!Number.isInteger(number) || number < 1) throw new InvalidArgumentError('a whole number of at least 1 is needed');
  return number;
}

export function positive(value: string): number {
  const number = Number(value);
  if (!(number > 0)) throw new InvalidArgumentError('a number above 0 is needed');
  return number;
}

export function portNumber(value: string): number {
  const number = Number(value);
  if (!Number.isInteger(number) || number < 0 || number > 65_535) throw new InvalidArgumentError('not a port');
  return number;
}

/** One or more people. */
export function only(meaning: string): Option {
  return new Option('--only <user>', `${meaning}: address, externalId or user SID (repeatable)`).argParser(collect);
}

export const jsonOption = ['--json', 'one JSON document on stdout'] as const;
