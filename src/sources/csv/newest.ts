import type { Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { SourceIncompleteError, SourceUnavailableError } from '../../errors.ts';
import { unreadable } from './file-guard.ts';
import { quoted } from './header.ts';
import type { CsvFile, NewestFile } from './options.ts';

/**
 * Which file is meant, when configuration names a folder: the newest whose name matches.
 *
 * | newest by  | order                                                | a tie                                     |
 * |------------|------------------------------------------------------|-------------------------------------------|
 * | `name`     | as text, but runs of digits as numbers: 9 before 10  | names that differ by leading zeros alone  |
 * | `modified` | time of the last write, as exact as the disk has it  | written at the same time                  |
 *
 * Folders, and names that do not match, do not count, so that an upload under another name is not seen before it is
 * renamed. The file is chosen once per read.
 */

/** The path of the file to read. Throws SourceUnavailableError when there is none, SourceIncompleteError for a tie. */
export async function resolveFile(file: CsvFile): Promise<string> {
  return typeof file === 'string' ? file : newestOf(file);
}

/** As configured, for people. */
export function describeFile(file: CsvFile): string {
  return typeof file === 'string' ? file : `newest of ${join(file.folder, file.match)}`;
}

async function newestOf({ folder, match, newest }: NewestFile): Promise<string> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
    throw unreadable(folder, 'listed', error);
  });
  const matches = patternOf(match);
  const names = entries.filter((entry) => mayBeFile(entry) && matches.test(entry.name)).map(({ name }) => name);
  const files = newest === 'name' ? names.map((name) => ({ name })) : await withTimes(folder, names);
  const [first, second] = files.sort((a, b) => compareAge(b, a));
  if (first === undefined) {
    throw new SourceUnavailableError(`${folder}: no file matches ${quoted(match)}`, {
      hint: `the folder has ${entries.length} entries; has the export run, and is the pattern right? Letter case counts`,
    });
  }
  if (second !== undefined && compareAge(first, second) === 0) {
    throw new SourceIncompleteError(
      `${folder}: ${quoted(first.name)} and ${quoted(second.name)} are equally new by ${newest === 'name' ? 'name' : 'time of the last write'}`,
      { hint: 'move one of them away, or make the pattern match one only' },
    );
  }
  return join(folder, first.name);
}

interface Candidate {
  readonly name: string;
  /** Absent when the name decides. */
  readonly written?: bigint;
}

async function withTimes(folder: string, names: readonly string[]): Promise<Candidate[]> {
  const found: Candidate[] = [];
  for (const name of names) {
    const { mtimeNs } = await stat(join(folder, name), { bigint: true }).catch((error: unknown) => {
      throw unreadable(join(folder, name), 'looked at', error);
    });
    found.push({ name, written: mtimeNs });
  }
  return found;
}

function compareAge(a: Candidate, b: Candidate): number {
  if (a.written === undefined || b.written === undefined) return compareNames(a.name, b.name);
  return a.written < b.written ? -1 : a.written > b.written ? 1 : 0;
}

/** 0 for names that differ in leading zeros only. */
export function compareNames(a: string, b: string): number {
  const left = a.match(/\d+|\D+/g) ?? [];
  const right = b.match(/\d+|\D+/g) ?? [];
  for (let at = 0; at < Math.max(left.length, right.length); at++) {
    const order = compareParts(left[at] ?? '', right[at] ?? '');
    if (order !== 0) return order;
  }
  return 0;
}

function compareParts(a: string, b: string): number {
  const numbers = /^\d/.test(a) && /^\d/.test(b);
  const [x, y] = numbers ? [BigInt(a), BigInt(b)] : [a, b];
  return x < y ? -1 : x > y ? 1 : 0;
}

/** `*` stands for any characters, `?` for one; a name that begins with a dot is hidden from a leading one of them. */
function patternOf(match: string): RegExp {
  const parts = [...match].map((character) =>
    character === '*' ? '.*' : character === '?' ? '.' : character.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'),
  );
  return new RegExp(`^${/^[*?]/.test(match) ? '(?!\\.)' : ''}${parts.join('')}$`, 'su');
}

function mayBeFile(entry: Dirent): boolean {
  return entry.isFile() || entry.isSymbolicLink();
}
