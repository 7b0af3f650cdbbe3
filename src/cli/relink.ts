import type { ExternalId } from '../domain/identity.ts';
import { documentJson } from '../report/json.ts';
import { printable } from '../report/palette.ts';
import { plural } from '../report/plan-text.ts';
import type { KeyChange } from '../store/ledger.ts';
import type { GlobalOptions } from './command-line.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { readKeyChanges } from './key-changes-file.ts';
import { changeSnapshot } from './snapshot-change.ts';
import { openForLooking } from './snapshot-session.ts';
import { print } from './terminal.ts';
import { UsageError } from './usage-error.ts';

interface RelinkOptions extends GlobalOptions {
  readonly file?: string;
  readonly dryRun?: boolean;
  readonly reason?: string;
}

const mostShown = 20;

/**
 * Links go over to other keys, when HR has changed them: who is linked stays linked, under the new key. Nothing is written to
 * Twilio. All changes are made, or none.
 */
export async function relink(
  from: string | undefined,
  to: string | undefined,
  options: RelinkOptions,
): Promise<ExitCode> {
  const changes = changesOf(from, to, options);
  const { snapshot } = openForLooking(options);
  const problems = snapshot.ledger.relinkProblems(changes);
  snapshot.close();
  refuse(problems);
  if (!options.dryRun) {
    await changeSnapshot('relink', options, ({ ledger }, act) => {
      refuse(ledger.relinkProblems(changes));
      ledger.relink(changes, act);
    });
  }
  print(
    options.json ? documentJson({ dryRun: options.dryRun === true, changes }) : text(changes, options.dryRun === true),
  );
  return exitCodes.ok;
}

function changesOf(from: string | undefined, to: string | undefined, { file }: RelinkOptions): readonly KeyChange[] {
  if (file !== undefined) {
    if (from !== undefined) throw new UsageError('relink: give two keys, or --file with a pair in each row, not both');
    return readKeyChanges(file);
  }
  if (from === undefined || to === undefined) {
    throw new UsageError('relink: the old and the new key are needed, or --file with a pair in each row');
  }
  return [{ from: from.trim() as ExternalId, to: to.trim() as ExternalId }];
}

function refuse(problems: readonly string[]): void {
  if (problems.length === 0) return;
  const rest = problems.length > mostShown ? `; and ${problems.length - mostShown} more` : '';
  throw new UsageError(`relink: nothing was changed: ${problems.slice(0, mostShown).join('; ')}${rest}`, {
    hint: 'each old key must be linked, and each new one free or itself an old key of the same call',
  });
}

function text(changes: readonly KeyChange[], dryRun: boolean): string {
  const lines = changes.slice(0, mostShown).map(({ from, to }) => `  ${printable(from)} → ${printable(to)}`);
  const rest = changes.length > mostShown ? [`  … and ${changes.length - mostShown} more`] : [];
  const heading = `${plural(changes.length, 'link')} ${dryRun ? 'would go' : 'went'} over to ${changes.length === 1 ? 'another key' : 'other keys'}:`;
  const next = dryRun
    ? 'Nothing was changed.'
    : 'The next run takes these people for the same as before; see it with `tdsync reconcile --dry-run`.';
  return `${[heading, ...lines, ...rest, next].join('\n')}\n`;
}
