import { writeSync } from 'node:fs';
import pc from 'picocolors';
import { safeOutput } from '../domain/visible-text.ts';
import { TdsyncError } from '../errors.ts';
import { scrubbed, withoutKnownSecrets } from '../ops/redaction.ts';
import { documentJson } from '../report/json.ts';
import { type Palette, printable } from '../report/palette.ts';

/** Results go to stdout; everything else to stderr. Synchronous, so that nothing is lost at exit. */
export function print(text: string): void {
  writeAll(1, presentable(text));
}

export function complain(text: string): void {
  writeAll(2, presentable(text));
}

/** The last nets, whatever made the text: no secret that was read, and nothing that steers the terminal. */
function presentable(text: string): string {
  return safeOutput(withoutKnownSecrets(text));
}

/** A pipe may take a part, or ask to wait; a reader that went away wants no more. */
function writeAll(descriptor: number, text: string): void {
  let rest = Buffer.from(text);
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(descriptor, rest));
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EPIPE') return;
      if (code !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
}

/** Colours only on a terminal, and not when NO_COLOR is set (no-color.org). */
export function hasColours(stream: { readonly isTTY?: boolean }): boolean {
  return stream.isTTY === true && !process.env.NO_COLOR && process.env.TERM !== 'dumb';
}

export function palette(): Palette {
  const colors = pc.createColors(hasColours(process.stdout));
  return {
    added: colors.green,
    changed: colors.yellow,
    removed: colors.red,
    strong: colors.bold,
    faint: colors.dim,
  };
}

/** An error for people: what failed, why, and what to do next. */
export function errorText(error: unknown): string {
  if (!(error instanceof TdsyncError)) {
    return scrubbed(`tdsync: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  }
  const hint = error.hint === undefined ? '' : `  → ${printable(error.hint)}\n`;
  const lines = error.message.split('\n').map((line) => `tdsync: ${printable(line)}\n`);
  return scrubbed(`${lines.join('')}${hint}`);
}

/** The same for programs. */
export function errorJson(error: unknown): string {
  if (!(error instanceof TdsyncError)) {
    const message = error instanceof Error ? error.message : String(error);
    return errorDocument({ code: 'unexpected', message });
  }
  const { code, message, hint } = error;
  const issues = 'issues' in error ? { issues: error.issues } : {};
  return errorDocument({ code, message, hint, ...issues });
}

function errorDocument(error: object): string {
  return scrubbed(documentJson({ error }));
}
