import { compose } from '../compose.ts';
import { onShutdown } from '../ops/shutdown.ts';
import { driftOnce } from '../reconcile/drift.ts';
import { renderDrift } from '../report/drift-text.ts';
import { documentJson } from '../report/json.ts';
import type { GlobalOptions } from './command-line.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { chosen } from './reconcile.ts';
import { locating, openSession } from './session.ts';
import { palette, print } from './terminal.ts';

interface DriftOptions extends GlobalOptions {
  readonly only?: readonly string[];
  readonly refresh?: boolean;
  readonly detailedExitcode?: boolean;
}

/** Lists what was changed in Twilio, and nothing else; writes nothing anywhere, and takes no lease. */
export async function drift(options: DriftOptions): Promise<ExitCode> {
  const session = openSession(options);
  const { configuration, compiled, digest, rim } = session;
  using shutdown = onShutdown();
  await using composition = await compose(configuration, compiled, digest, rim, 'read');
  const pass = { refresh: options.refresh, only: chosen(options.only) };
  const report = await locating(session, () => driftOnce(composition.context, pass, shutdown.signal));
  print(options.json ? documentJson(report) : renderDrift(report, palette()));
  return report.people.length > 0 && options.detailedExitcode ? exitCodes.pending : exitCodes.ok;
}
