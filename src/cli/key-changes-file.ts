import { CsvError, parse } from 'csv-parse/sync';
import { readBounded } from '../config/bounded-file.ts';
import type { ExternalId } from '../domain/identity.ts';
import type { KeyChange } from '../store/ledger.ts';
import { UsageError } from './usage-error.ts';

const largest = 256 * 1024 * 1024;

/**
 * Pairs of old and new key from a CSV file with a header line and two columns, in this order. Throws UsageError naming file and
 * line for everything that is not such a file.
 */
export function readKeyChanges(file: string): readonly KeyChange[] {
  const rows = rowsOf(file);
  const [header, ...pairs] = rows;
  if (header === undefined || header.record.length !== 2) {
    throw new UsageError(`relink: ${file}:1: a header line with two columns is needed: the old and the new key`);
  }
  if (pairs.length === 0) throw new UsageError(`relink: ${file} has no row below its header`);
  return pairs.map(({ record: [from = '', to = ''], info }) => {
    if (from.trim() === '' || to.trim() === '') {
      throw new UsageError(`relink: ${file}:${info.lines}: a key is empty`);
    }
    return { from: from.trim() as ExternalId, to: to.trim() as ExternalId };
  });
}

interface Row {
  readonly record: readonly string[];
  readonly info: { readonly lines: number };
}

function rowsOf(file: string): readonly Row[] {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(readBounded(file, largest));
    return parse(text, { info: true, skip_empty_lines: true }) as unknown as readonly Row[];
  } catch (error) {
    const line = error instanceof CsvError && typeof error.lines === 'number' ? `:${error.lines}` : '';
    throw new UsageError(`relink: ${file}${line} cannot be read: ${(error as Error).message}`, { cause: error });
  }
}
