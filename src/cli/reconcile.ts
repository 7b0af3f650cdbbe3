import { normalizeEmail } from '../domain/identity.ts';
import type { Policy } from '../domain/rules.ts';
import type { GlobalOptions } from './command-line.ts';
import type { ExitCode } from './exit-codes.ts';
import { concludeDryRun, dryRun, type Presentation, realRun, refuseOutWithoutDryRun } from './one-run.ts';
import type { SavedFiles } from './saved-states.ts';
import { openSession, parseAllowances } from './session.ts';
import { UsageError } from './usage-error.ts';

interface ReconcileOptions extends GlobalOptions, Presentation, SavedFiles {
  readonly dryRun?: boolean;
  readonly out?: string;
  readonly only?: readonly string[];
  readonly policy?: Policy['mode'];
  readonly refresh?: boolean;
  readonly allow?: readonly string[];
}

export async function reconcile(options: ReconcileOptions): Promise<ExitCode> {
  const { out, only, policy } = options;
  const isSaved = options.sourceFile !== undefined || options.twilioFile !== undefined;
  refuseOutWithoutDryRun(out, options.dryRun);
  if (isSaved) refuseWithSavedStates(options);
  // What is mirrored is another Twilio than the one in the file.
  const refresh = options.twilioFile === undefined ? options.refresh : true;
  const allowances = parseAllowances(options.allow);
  const session = openSession(options, { mode: policy });
  const pass = { refresh, allowances, only: chosen(only) };
  if (!options.dryRun) return realRun(session, 'reconcile', pass, options);

  const report = isSaved
    ? await (await import('./saved-states.ts')).withSavedStates(session, options, (saved) => dryRun(saved, pass))
    : await dryRun(session, pass);
  return concludeDryRun(report, out, { ...(only && { only }), ...(policy && { mode: policy }) }, options);
}

function refuseWithSavedStates({ dryRun, out, refresh, twilioFile }: ReconcileOptions): void {
  const files = '--source-file and --twilio-file';
  if (!dryRun) throw new UsageError(`${files} go with --dry-run: nothing can be applied to a file`);
  if (out !== undefined)
    throw new UsageError(`${files} do not go with --out: a plan for review is made from the real sides`);
  if (twilioFile !== undefined && refresh === false) {
    throw new UsageError('--twilio-file does not go with --no-refresh, which would believe the snapshot instead');
  }
}

/** People are named by externalId, SID or address; addresses are compared normalised. */
export function chosen(only: readonly string[] | undefined): ReadonlySet<string> | undefined {
  return only && new Set(only.flatMap((each) => [each.trim(), normalizeEmail(each) as string]));
}
