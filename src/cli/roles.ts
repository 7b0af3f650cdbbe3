import { composeTarget } from '../compose.ts';
import { compareStrings } from '../domain/identity.ts';
import { ConfigError } from '../errors.ts';
import { onShutdown } from '../ops/shutdown.ts';
import { documentJson } from '../report/json.ts';
import { printable } from '../report/palette.ts';
import type { GlobalOptions } from './command-line.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { locate, openSession } from './session.ts';
import { print } from './terminal.ts';

/** Asks Twilio, not the snapshot: it is for writing rules, often before the first run. */
export async function roles(options: GlobalOptions): Promise<ExitCode> {
  const { configuration, loaded, rim } = openSession(options);
  using shutdown = onShutdown();
  await using target = await composeTarget(configuration, rim);
  const listed = await target.listRoles(shutdown.signal);
  if (listed === undefined) {
    const path = 'twilio.endpoints.generation';
    throw new ConfigError(
      [locate({ path, message: 'the preview generation of the API has no list of roles' }, loaded)],
      {
        hint: 'Role rules need IX… SIDs there: a role assignment that exists shows the SID of its role, and under the current generation this command lists them all.',
      },
    );
  }
  const list = [...listed].sort((a, b) => compareStrings(a.name, b.name) || compareStrings(a.sid, b.sid));
  if (options.json) {
    print(documentJson({ roles: list }));
    return exitCodes.ok;
  }
  const width = Math.max(4, ...list.map(({ name }) => name.length));
  const lines = list.map(
    ({ name, sid, lowestLevel }) => `${printable(name).padEnd(width)}  ${sid}  ${lowestLevel ?? 'unknown'}`,
  );
  print(`${'Name'.padEnd(width)}  ${'SID'.padEnd(34)}  Lowest level\n${lines.join('\n')}\n`);
  return exitCodes.ok;
}
