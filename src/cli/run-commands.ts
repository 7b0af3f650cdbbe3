/** Commands that read both sides and change Twilio, and those that look at what a run would do or did not dare. */
import { Option } from 'commander';
import type { CommandLine } from './command-line.ts';
import { jsonOption, logLevel, only, runOptions } from './command-options.ts';

export function runCommands({ command, act }: CommandLine): void {
  runOptions(command('reconcile', 'one run: read both sides, plan, ask the guards, apply, report'))
    .option('--dry-run', 'stop after the plan; write nothing to Twilio and nothing to the snapshot')
    .option('--out <file>', 'with --dry-run: save the plan for review and `tdsync apply`')
    .option('--source-file <file>', 'with --dry-run: people in this file in place of the source')
    .option('--twilio-file <file>', 'with --dry-run: the organization in this file in place of Twilio')
    .addOption(only('plan for this person alone'))
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
    .addOption(only('for this person alone'))
    .option('--detailed-exitcode', 'exit 2 when a dry run found changes')
    .action(act(async () => (await import('./undo.ts')).undo));
  command('approve', 'let the refused plan with this digest through once, also for a running daemon')
    .argument('<digest>', 'of the plan, or its first digits, as `tdsync status` shows it')
    .option('--reason <text>', 'why, for the history')
    .option(...jsonOption)
    .action(act(async () => (await import('./approve.ts')).approve));
  command('drift', 'list what somebody changed in Twilio of people who are managed; writes nothing')
    .option('--refresh', 'read all of Twilio anew')
    .option('--no-refresh', 'believe the snapshot at any age')
    .addOption(only('this person alone'))
    .option('--detailed-exitcode', 'exit 2 when there is drift')
    .option(...jsonOption)
    .addOption(logLevel())
    .action(act(async () => (await import('./drift.ts')).drift));
  command('daemon', 'run on the schedule until SIGTERM')
    .addOption(logLevel())
    .action(act(async () => (await import('./daemon.ts')).daemon));
}
