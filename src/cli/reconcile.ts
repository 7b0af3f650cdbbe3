import { normalizeEmail } from '../domain/identity.ts';
import type { Policy } from '../domain/rules.ts';
import { type ExitCode, exitCodeOfRun } from './exit-codes.ts';
import { dryRun, type Presentation, present, realRun } from './one-run.ts';
import { writePlanFile } from './plan-file.ts';
import type { GlobalOptions } from './program.ts';
import { openSession, parseAllowances } from './session.ts';
import { UsageError } from './usage-error.ts';

interface ReconcileOptions extends GlobalOptions, Presentation {
  readonly dryRun?: boolean;
  readonly out?: string;
  readonly only?: readonly string[];
  readonly policy?: Policy['mode'];
  readonly refresh?: boolean;
  readonly allow?: readonly string[];
}

export async function reconcile(options: ReconcileOptions): Promise<ExitCode> {
  const { out, only, policy, refresh } = options;
  if (out !== undefined && !options.dryRun)
    throw new UsageError('--out goes with --dry-run: it saves a plan for review');
  const allowances = parseAllowances(options.allow);
  const session = openSession(options, { mode: policy });
  const pass = { refresh, allowances, only: chosen(only) };
  if (!options.dryRun) return realRun(session, 'reconcile', pass, options);

  const report = await dryRun(session, pass);
  if (out !== undefined) {
    const { plan, verdict, bill } = report;
    const madeAt = new Date(report.endedAt).toISOString();
    const made = { ...(only && { only }), ...(policy && { mode: policy }) };
    writePlanFile(out, { version: 1, madeAt, options: made, plan, verdict, bill });
  }
  present(report, options);
  return exitCodeOfRun(report.status, options.detailedExitcode === true);
}

/** People are named by externalId, SID or address; addresses are compared normalised. */
export function chosen(only: readonly string[] | undefined): ReadonlySet<string> | undefined {
  return only && new Set(only.flatMap((each) => [each.trim(), normalizeEmail(each) as string]));
}
