import { systemClock } from '../ops/clock.ts';
import type { Act } from '../store/ledger.ts';
import { openSnapshot, type Snapshot } from '../store/snapshot.ts';
import type { GlobalOptions } from './command-line.ts';
import { whoRuns } from './session.ts';
import { openForLooking } from './snapshot-session.ts';

/** For commands by which a person changes what the snapshot knows: under the lease, so that no run looks at two states. */
export async function changeSnapshot<Result>(
  command: string,
  options: GlobalOptions & { readonly reason?: string },
  change: (snapshot: Snapshot, act: Act) => Result,
): Promise<Result> {
  const { configuration, snapshot: looked } = openForLooking(options);
  looked.close();
  const { acquireLease } = await import('../store/lease.ts');
  const who = whoRuns(command);
  const at = systemClock.now();
  using _lease = acquireLease(configuration.snapshot.path, { ...who, since: at });
  using snapshot = openSnapshot(configuration.snapshot.path, 'write', configuration.rules.organization);
  return change(snapshot, { at, user: who.user, host: who.host, reason: options.reason });
}
