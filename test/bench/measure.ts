import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const root = new URL('../..', import.meta.url).pathname;
/** The built program, run as it is shipped: by its own first line. */
export const tdsync = join(root, 'dist/cli/main.js');

export interface Measured {
  readonly seconds: number;
  /** Peak resident memory in MiB; undefined for programs other than Node. */
  readonly mebibytes: number | undefined;
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end, its output going to files, and measures it. */
export async function measure(
  command: string,
  args: readonly string[],
  options: { readonly cwd?: string; readonly env?: Record<string, string> } = {},
): Promise<Measured> {
  const folder = mkdtempSync(join(tmpdir(), 'tdsync-bench-'));
  const [out, err, peak] = ['stdout', 'stderr', 'peak'].map((name) => join(folder, name)) as [string, string, string];
  const files = [openSync(out, 'w'), openSync(err, 'w')] as const;
  const node = command === process.execPath || command === tdsync;
  const startedAt = performance.now();
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: {
      ...process.env,
      ...options.env,
      BENCH_PEAK: peak,
      NODE_OPTIONS: `--import ${join(root, 'test/bench/peak.mjs')}`,
    },
    stdio: ['ignore', ...files],
  });
  const [code] = (await once(child, 'exit')) as [number | null];
  const seconds = (performance.now() - startedAt) / 1_000;
  for (const file of files) closeSync(file);
  const measured = {
    seconds,
    mebibytes: node ? Number(readFileSync(peak, 'utf8')) / 1_024 : undefined,
    code,
    stdout: readFileSync(out, 'utf8'),
    stderr: readFileSync(err, 'utf8'),
  };
  rmSync(folder, { recursive: true, force: true });
  return measured;
}

/** The middle one of several measurements: these machines are noisy. */
export async function median(times: number, work: () => Promise<Measured>): Promise<Measured> {
  const all: Measured[] = [];
  for (let index = 0; index < times; index++) all.push(await work());
  all.sort((a, b) => a.seconds - b.seconds);
  const middle = all[Math.floor(all.length / 2)];
  if (middle === undefined) throw new Error('nothing was measured');
  const peaks = all.flatMap(({ mebibytes }) => mebibytes ?? []);
  return { ...middle, mebibytes: peaks.length > 0 ? Math.max(...peaks) : undefined };
}

export interface Row {
  readonly what: string;
  readonly measured: string;
  readonly floor: string;
  readonly ratio: string;
  readonly wanted: string;
  readonly holds: boolean;
}

export function printTable(rows: readonly Row[]): void {
  const cells = rows.map((row) => [row.what, row.measured, row.floor, row.ratio, row.wanted, row.holds ? 'yes' : 'NO']);
  const table = [['case', 'measured', 'floor', 'ratio', 'wanted', 'holds'], ...cells];
  const widths = (table[0] ?? []).map((_, column) => Math.max(...table.map((line) => (line[column] ?? '').length)));
  for (const line of table) {
    process.stdout.write(
      `${line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd()}\n`,
    );
  }
}

export function expectExit(measured: Measured, code = 0): Measured {
  if (measured.code === code) return measured;
  throw new Error(
    `exit ${measured.code} instead of ${code}:\n${measured.stdout.slice(-2_000)}\n${measured.stderr.slice(-2_000)}`,
  );
}
