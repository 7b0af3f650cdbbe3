/** Commands that look at what was. */
import { Option } from 'commander';
import type { CommandLine } from './command-line.ts';
import { count, jsonOption } from './command-options.ts';

export function historyCommands({ command, act }: CommandLine): void {
  command('status', 'last runs, managed people, open findings, refused plan')
    .option('--max-age <duration>', 'exit 1 when the last good run is older, e.g. 2h')
    .option(...jsonOption)
    .action(act(async () => (await import('./status.ts')).status));
  const runs = command('runs', 'history of runs, or one run with every operation')
    .argument('[id]', 'a run')
    .option('--limit <number>', 'runs to list', count, 20)
    .option(...jsonOption)
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
    .option(...jsonOption)
    .exitOverride()
    .action(act(async () => (await import('./runs-verify.ts')).runsVerify));
}
