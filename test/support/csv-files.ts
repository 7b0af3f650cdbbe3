import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AttributeValue, CompleteRead, Demand } from '../../src/domain/entry.ts';
import type { Clock, Logger } from '../../src/ports.ts';
import { createCsvSource } from '../../src/sources/csv/csv-source.ts';
import type { CsvOptions } from '../../src/sources/csv/options.ts';

/** A folder of CSV files that goes away at the end of the block that declares it with `await using`. */
export interface CsvFolder extends AsyncDisposable {
  path(name: string): string;
  /** Writes a file and returns its path; a text is written as UTF-8. */
  write(name: string, content: string | Buffer): Promise<string>;
}

export async function createCsvFolder(): Promise<CsvFolder> {
  const folder = await mkdtemp(join(tmpdir(), 'tdsync-csv-'));
  return {
    path: (name) => join(folder, name),
    async write(name, content) {
      await writeFile(join(folder, name), content);
      return join(folder, name);
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: () => Promise.reject(new Error('the CSV source does not sleep')),
};

/** For reads that have nothing to warn about. */
export const silent: Pick<Logger, 'warn'> = {
  warn: (fields, message) => {
    throw new Error(`unexpected warning: ${message} ${JSON.stringify(fields)}`);
  },
};

/** Keeps what a read warns about. */
export function createWarnings(): Pick<Logger, 'warn'> & { readonly told: readonly unknown[] } {
  const told: unknown[] = [];
  return { told, warn: (fields, message) => void told.push({ ...fields, message }) };
}

interface ReadEntry {
  readonly id: string;
  readonly attributes: Readonly<Record<string, AttributeValue>>;
  readonly groups: readonly string[];
  readonly location: string;
}

export interface Reading {
  readonly entries: readonly ReadEntry[];
  readonly complete: CompleteRead;
}

interface Rim {
  readonly onEntry: () => void;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly logger: Pick<Logger, 'warn'>;
}

/** Reads everything; `onEntry` is called before each entry is kept. */
export async function readCsv(
  options: CsvOptions,
  demand: Partial<Demand> = {},
  { onEntry, signal, clock, logger }: Partial<Rim> = {},
): Promise<Reading> {
  const entries: ReadEntry[] = [];
  const complete = await createCsvSource(options, clock ?? systemClock, logger ?? silent).read(
    { attributes: [], groups: [], allGroups: false, ...demand },
    (entry) => {
      onEntry?.();
      entries.push({ ...entry, attributes: { ...entry.attributes } });
    },
    signal ?? new AbortController().signal,
  );
  return { entries, complete };
}

/** What reading threw; fails the test when it was a complete read. */
export async function refusalOf(
  ...reading: Parameters<typeof readCsv>
): Promise<Error & { code?: string; hint?: string }> {
  try {
    await readCsv(...reading);
  } catch (error) {
    if (error instanceof Error) return error;
    throw error;
  }
  throw new Error('the read was taken as complete');
}
