/**
 * Runs command lines one after the other in one process, each as `tdsync` would: a process for each would cost more than the
 * commands. Reads them as JSON from standard input; between what they print stands a line of their number.
 */
import { readFileSync, writeSync } from 'node:fs';
import { run } from '../../src/cli/program.ts';
import { forgetSecrets } from '../../src/ops/redaction.ts';
import type { CommandLine } from './commands.ts';

const lines = JSON.parse(readFileSync(0, 'utf8')) as readonly CommandLine[];
const inherited = { ...process.env };
for (const [index, { args, environment }] of lines.entries()) {
  process.env = { ...inherited, ...environment };
  // Each command knows only what it has read itself, as in a process of its own.
  forgetSecrets();
  const code = await run(args);
  for (const descriptor of [1, 2]) writeSync(descriptor, `\n\u0000${index} ${code}\n`);
}
process.exit(0);
