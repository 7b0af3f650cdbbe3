import { readFile } from 'node:fs/promises';
import { SourceIncompleteError } from '../../errors.ts';
import { unreadable } from './file-guard.ts';
import { quoted } from './header.ts';

/** The number of rows that the producer of a file counted, and where it says so. */
export interface ExpectedRows {
  readonly path: string;
  readonly rows: number;
}

/**
 * Reads a file whose whole content is a number of rows.
 * Throws SourceUnavailableError when it cannot be read, SourceIncompleteError when it holds something else.
 */
export async function readExpectedRows(path: string): Promise<ExpectedRows> {
  const text = await readFile(path, 'latin1').catch((error: unknown) => {
    throw unreadable(path, 'read', error);
  });
  const content = text.trim();
  if (/^\d{1,15}$/.test(content)) return { path, rows: Number(content) };
  throw new SourceIncompleteError(
    `${path}: holds ${quoted(content.slice(0, 40))}, where a number of rows is expected`,
    {
      hint: 'source.expectRowsFrom names a file that holds the number of rows of the users file and nothing else',
    },
  );
}

/** Throws SourceIncompleteError when a file has fewer rows than configured, or not as many as its producer counted. */
export function checkRows(path: string, rows: number, minRows: number, expected: ExpectedRows | undefined): void {
  const counted = rows === 1 ? '1 row' : `${rows} rows`;
  if (rows < minRows) {
    throw new SourceIncompleteError(`${path}: ${counted}, at least ${minRows} expected`, {
      hint: 'look whether the export that writes it failed; source.minRows is the least that is believed',
    });
  }
  if (expected !== undefined && rows !== expected.rows) {
    throw new SourceIncompleteError(`${path}: ${counted}, where ${expected.path} says ${expected.rows}`, {
      hint: 'look whether the export that writes them was cut off or is still at work',
    });
  }
}
