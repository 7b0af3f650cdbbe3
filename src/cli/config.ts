import { configurationJsonSchema } from '../config/json-schema.ts';
import { checkSecrets } from '../config/secret-checks.ts';
import type { GlobalOptions } from './command-line.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { openSession } from './session.ts';
import { complain, print } from './terminal.ts';

/** Everything that can be known without a network: syntax, keys, values, expressions, and whether the secrets resolve. */
export async function configCheck(options: GlobalOptions): Promise<ExitCode> {
  const { loaded } = openSession(options);
  const secrets = checkSecrets(loaded.configuration);
  const document = { version: 1, file: loaded.file, valid: true, overrides: loaded.overrides, secrets };
  if (options.json) print(`${JSON.stringify(document, null, 2)}\n`);
  else print(`${loaded.file}: valid\n`);
  for (const { resolves, message } of secrets) if (!resolves) complain(`tdsync: warning: ${message}\n`);
  return exitCodes.ok;
}

export async function configSchema(): Promise<ExitCode> {
  print(`${JSON.stringify(configurationJsonSchema(), null, 2)}\n`);
  return exitCodes.ok;
}
