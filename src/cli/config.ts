import { configurationJsonSchema } from '../config/json-schema.ts';
import { checkSecrets } from '../config/secret-checks.ts';
import { documentJson } from '../report/json.ts';
import type { GlobalOptions } from './command-line.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { openSession } from './session.ts';
import { complain, print } from './terminal.ts';

/** Everything that can be known without a network: syntax, keys, values, expressions, and whether the secrets resolve. */
export async function configCheck(options: GlobalOptions): Promise<ExitCode> {
  const { loaded } = openSession(options);
  const secrets = checkSecrets(loaded.configuration);
  const { file, overrides } = loaded;
  if (options.json) print(documentJson({ file, valid: true, overrides, secrets }));
  else print(`${file}: valid\n`);
  for (const { resolves, message } of secrets) if (!resolves) complain(`tdsync: warning: ${message}\n`);
  return exitCodes.ok;
}

export async function configSchema(): Promise<ExitCode> {
  print(`${JSON.stringify(configurationJsonSchema(), null, 2)}\n`);
  return exitCodes.ok;
}
