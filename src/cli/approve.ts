import { systemClock } from '../ops/clock.ts';
import { documentJson } from '../report/json.ts';
import { plain, printable } from '../report/palette.ts';
import { guardsText, plural } from '../report/plan-text.ts';
import type { RefusedPlan } from '../store/run-history.ts';
import { openSnapshot } from '../store/snapshot.ts';
import type { GlobalOptions } from './command-line.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { whoRuns } from './session.ts';
import { openForLooking } from './snapshot-session.ts';
import { print } from './terminal.ts';
import { UsageError } from './usage-error.ts';

interface ApproveOptions extends GlobalOptions {
  readonly reason?: string;
}

/** Long enough for the next scheduled run and for a night in between; a forgotten approval must not surprise anybody. */
const validMs = 24 * 3_600_000;
/** As many hex digits as nobody types by accident, and as `status` shows at least. */
const shortest = 8;

/** Lets the refused plan with this digest through once: the next run that makes exactly this plan applies it. */
export async function approve(digest: string, options: ApproveOptions): Promise<ExitCode> {
  const { plan, verdict, configuration } = find(digest, options);
  const now = systemClock.now();
  const { user, host } = whoRuns('approve');
  const { reason } = options;
  const approval = {
    digest: plan.digest,
    user,
    host,
    at: now,
    expiresAt: now + validMs,
    ...(reason !== undefined && { reason }),
  };
  using snapshot = openSnapshot(configuration.snapshot.path, 'write', configuration.rules.organization);
  snapshot.approve(approval);
  if (options.json) print(documentJson({ approval, guards: verdict.guards, operations: plan.operations.length }));
  else {
    const what = `Approved once: plan ${plan.digest}, ${plural(plan.operations.length, 'operation')}, by ${printable(user)}`;
    const until = new Date(approval.expiresAt).toISOString();
    const next = `The next run that makes exactly this plan applies it, until ${until}; any other plan is judged anew.`;
    print(`${what}\n\n${guardsText(verdict, plain)}\n\n${next}\n`);
  }
  return exitCodes.ok;
}

/** Only what stands refused can be approved: an older plan could not be made again anyway, and a typing error must not wait for its day. */
function find(
  digest: string,
  options: GlobalOptions,
): RefusedPlan & Pick<ReturnType<typeof openForLooking>, 'configuration'> {
  const wanted = digest.trim().toLowerCase();
  if (!/^[0-9a-f]+$/.test(wanted) || wanted.length < shortest) {
    throw new UsageError(`approve: "${digest}" is not a digest: at least its first ${shortest} hex digits are needed`, {
      hint: '`tdsync status` shows the refused plan with its digest',
    });
  }
  const { configuration, snapshot } = openForLooking(options);
  using _snapshot = snapshot;
  const refused = snapshot.history.refusedPlan();
  if (refused?.digest.startsWith(wanted)) return { ...refused, configuration };
  const standing =
    refused === undefined
      ? 'no plan stands refused'
      : `the plan that stands refused is ${refused.digest}, of run ${refused.run}`;
  throw new UsageError(`approve: no refused plan begins with ${wanted}: ${standing}`, {
    hint: 'read the plan that stands refused with `tdsync runs`, then approve its digest',
  });
}
