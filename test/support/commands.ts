import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

export interface CommandLine {
  /** Without the program's name. */
  readonly args: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

export interface CommandResult {
  readonly line: string;
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The results of command lines that ran one after the other in a process of their own, in this folder. */
export async function runCommands(folder: string, lines: readonly CommandLine[]): Promise<readonly CommandResult[]> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'run-commands.ts')], {
    cwd: folder,
    env: { PATH: process.env.PATH, HOME: folder },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  child.stdin.end(JSON.stringify(lines));
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const [results, complaints] = [parts(stdout), parts(stderr)];
  if (results.length !== lines.length)
    throw new Error(`the process ended after ${results.length} commands:\n${stderr}`);
  return lines.map(({ args }, index) => ({
    line: args.join(' '),
    code: results[index]?.code ?? -1,
    stdout: results[index]?.text ?? '',
    stderr: complaints[index]?.text ?? '',
  }));
}

function parts(output: string): readonly { readonly text: string; readonly code: number }[] {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: no command prints this character
  return [...output.matchAll(/([^\u0000]*?)\n\u0000\d+ (\d+)\n/g)].map(([, text = '', code]) => ({
    text,
    code: Number(code),
  }));
}
