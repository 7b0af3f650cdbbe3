/** Commands about single people. */

import { Option } from 'commander';
import type { CommandLine } from './command-line.ts';
import { collect, jsonOption } from './command-options.ts';

export function peopleCommands({ command, act }: CommandLine): void {
  command('why', 'explain one person: entry, rules, roles, history, and what the next run would do; works offline')
    .argument('<user>', 'address, externalId or user SID')
    .argument('[role]', 'only what concerns this role, account or SID')
    .option(...jsonOption)
    .action(act(async () => (await import('./why.ts')).why));
  command('managed', 'who is managed, since when and by which run; of one person also who made each role')
    .argument('[user]', 'address, externalId or user SID')
    .option(...jsonOption)
    .action(act(async () => (await import('./managed.ts')).managed));
  command('release', 'give a person back to manual care; nothing changes in Twilio')
    .argument('<user>', 'address, externalId or user SID')
    .option('--undo', 'let runs manage the person again')
    .option('--dry-run', 'say what would change')
    .option('--reason <text>', 'why, for the ledger')
    .option(...jsonOption)
    .action(act(async () => (await import('./release.ts')).release));
  command('retry', 'list whom Twilio refused and who waits; let the next run try them again')
    .argument('[users...]', 'address, externalId or user SID')
    .option('--all', 'everybody and everything')
    .addOption(
      new Option('--domain <domain>', 'everybody with an address in this domain (repeatable)').argParser(collect),
    )
    .option('--quota', 'everybody for whom the organization had no room')
    .option('--breaker', 'close the circuit breaker')
    .option('--dry-run', 'say what would change')
    .option('--reason <text>', 'why, for the ledger')
    .option(...jsonOption)
    .action(act(async () => (await import('./retry.ts')).retry));
  command('relink', 'let links go over to other keys, when the source has changed them')
    .argument('[old]', 'key that is linked')
    .argument('[new]', 'key that the same person has now')
    .option('--file <file>', 'CSV file with a header and two columns: old and new key')
    .option('--dry-run', 'say what would change')
    .option('--reason <text>', 'why, for the ledger')
    .option(...jsonOption)
    .action(act(async () => (await import('./relink.ts')).relink));
}
