import type { GlobalOptions } from './command-line.ts';
import type { ExitCode } from './exit-codes.ts';
import { type Presentation, realRun } from './one-run.ts';
import { readPlanFile } from './plan-file.ts';
import { chosen } from './reconcile.ts';
import { openSession, parseAllowances } from './session.ts';
import { operationsOf } from './undo.ts';

interface ApplyOptions extends GlobalOptions, Presentation {
  readonly refresh?: boolean;
  readonly allow?: readonly string[];
}

/** Makes the plan anew with the options it was made with, and applies it only when it is the same plan. */
export async function apply(file: string, options: ApplyOptions): Promise<ExitCode> {
  const reviewed = readPlanFile(file);
  const { only, mode, undo } = reviewed.options;
  const allowances = parseAllowances(options.allow);
  const session = openSession(options, { mode });
  const undone = undo === undefined ? undefined : { run: undo, done: await operationsOf(undo, session) };
  const pass = { refresh: options.refresh, allowances, only: chosen(only), reviewed: reviewed.plan, undo: undone };
  return realRun(session, 'apply', pass, options);
}
