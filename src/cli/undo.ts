import type { GlobalOptions } from './command-line.ts';
import type { ExitCode } from './exit-codes.ts';
import { concludeDryRun, dryRun, type Presentation, realRun, refuseOutWithoutDryRun } from './one-run.ts';
import { chosen } from './reconcile.ts';
import { openSession, parseAllowances, type Session } from './session.ts';
import { UsageError } from './usage-error.ts';

interface UndoOptions extends GlobalOptions, Presentation {
  readonly dryRun?: boolean;
  readonly out?: string;
  readonly only?: readonly string[];
  readonly refresh?: boolean;
  readonly allow?: readonly string[];
}

/** Takes back what a run did: a plan with guards and digest like any other. The source is not read. */
export async function undo(run: string, options: UndoOptions): Promise<ExitCode> {
  const { out, only, refresh } = options;
  refuseOutWithoutDryRun(out, options.dryRun);
  const session = openSession(options);
  const pass = {
    refresh,
    allowances: parseAllowances(options.allow),
    only: chosen(only),
    undo: { run, done: await operationsOf(run, session) },
  };
  if (!options.dryRun) return realRun(session, 'undo', pass, options);

  return concludeDryRun(await dryRun(session, pass), out, { undo: run, ...(only && { only }) }, options);
}

/**
 * `already` is also what a write comes to whose first answer was lost; `intended` is one of which nobody knows, and Twilio's
 * present state tells. What failed or was never tried changed nothing.
 */
const mayHaveActed: ReadonlySet<string> = new Set(['done', 'already', 'intended']);

/** What the run did, or may have done. Throws UsageError when there is no such run, or when it did nothing. */
export async function operationsOf(run: string, { configuration }: Session) {
  const { openSnapshot } = await import('../store/snapshot.ts');
  using snapshot = openSnapshot(configuration.snapshot.path, 'read', configuration.rules.organization);
  const details = snapshot.history.run(run);
  if (details === undefined) {
    throw new UsageError(`undo: there is no run ${run} in ${configuration.snapshot.path}`, {
      hint: '`tdsync runs` lists the runs; what is older than snapshot.keepRuns is gone',
    });
  }
  const done = details.operations.filter(({ state }) => mayHaveActed.has(state)).map(({ operation }) => operation);
  if (done.length === 0) throw new UsageError(`undo: run ${run} changed nothing, so there is nothing to undo`);
  return done;
}
