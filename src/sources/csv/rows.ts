import { isAscii } from 'node:buffer';
import type { CsvError } from 'csv-parse/sync';
import { CsvError as CsvParseError, parse } from 'csv-parse/sync';
import { countLineFeeds, LINE_FEED, quotedRun } from './blocks.ts';
import { mayHoldExcelText, quotedExcelText, withoutExcelText } from './excel.ts';

/**
 * Turns a block of whole records into rows.
 *
 * | records         | parser                                                        | cost           |
 * |-----------------|---------------------------------------------------------------|----------------|
 * | without a quote | bytes between delimiters; only the wanted columns are decoded | under a half   |
 * | with a quote    | csv-parse, which knows the grammar of quoting                 | the library's  |
 *
 * Without a quote RFC 4180 has no grammar left beyond "split", so both give the same rows. Values are copies of their
 * bytes, never slices of a block's text: a slice that is kept would keep its whole block in memory.
 */

/** Which columns are wanted. */
export interface RowShape {
  readonly delimiter: string;
  /** For each column of the header: where its value goes in a row, or -1. */
  readonly slots: readonly number[];
}

/**
 * `values` are those of the wanted columns, trimmed, in an array that is used again for the next row. `fields` counts all
 * fields of the row: when it is not the header's number, `values` mean nothing. 0 stands for a blank line. `line` is 1-based.
 */
export type OnRow = (values: readonly string[], fields: number, line: number) => void;

/** The grammar is broken. `line` is where the field stands; `field` is its 0-based index in the row. */
export class MalformedRowError extends Error {
  readonly line: number;
  readonly field: number;
  readonly hint: string;

  constructor(reason: string, place: { line: number; field: number; hint: string }, cause: unknown) {
    super(reason, { cause });
    this.line = place.line;
    this.field = place.field;
    this.hint = place.hint;
  }
}

const CARRIAGE_RETURN = 0x0d;

/** Hands over each row of the block, whose first line is `line`; returns the line after the block. */
export function eachRow(block: Buffer, shape: RowShape, line: number, onRow: OnRow): number {
  const delimiter = shape.delimiter.charCodeAt(0);
  // Delimiters of several bytes are rare: the parser for quotes takes them too.
  if (shape.delimiter.length > 1 || delimiter > 0x7f) return eachParsedRow(block, shape, line, onRow);
  let next = line;
  for (let at = 0; at < block.length; ) {
    const { start, end } = quotedRun(block, at);
    if (start > at) next = eachPlainRow(block.subarray(at, start), delimiter, shape.slots, next, onRow);
    if (end > start) next = eachParsedRow(block.subarray(start, end), shape, next, onRow);
    at = end;
  }
  return next;
}

function eachPlainRow(block: Buffer, delimiter: number, slots: readonly number[], first: number, onRow: OnRow): number {
  const encoding = isAscii(block) ? 'latin1' : 'utf8';
  const values: string[] = slots.filter((slot) => slot >= 0).map(() => '');
  const length = block.length;
  let line = first;
  let column = 0;
  let start = 0;
  // One step past the end, where a missing last line feed is taken as read.
  for (let at = 0; at <= length; at++) {
    const byte = at < length ? block[at] : LINE_FEED;
    if (byte !== delimiter && byte !== LINE_FEED) continue;
    const slot = slots[column] ?? -1;
    column++;
    if (byte === delimiter) {
      if (slot >= 0) values[slot] = trimmed(block.toString(encoding, start, at));
      start = at + 1;
      continue;
    }
    if (at === length && start === length && column === 1) break;
    const end = at > start && block[at - 1] === CARRIAGE_RETURN ? at - 1 : at;
    if (slot >= 0) values[slot] = trimmed(block.toString(encoding, start, end));
    const blank = column === 1 && block.toString(encoding, start, end).trim() === '';
    onRow(values, blank ? 0 : column, line);
    line++;
    column = 0;
    start = at + 1;
  }
  return line;
}

function eachParsedRow(block: Buffer, shape: RowShape, first: number, onRow: OnRow): number {
  const rows = parseRecords(block, shape.delimiter, first);
  const { slots } = shape;
  const values: string[] = slots.filter((slot) => slot >= 0).map(() => '');
  const lineFeeds = countLineFeeds(block);
  // The last row of a file may lack its line feed.
  const ended = block.at(-1) === LINE_FEED ? rows.length : rows.length - 1;
  const multiline = lineFeeds > ended;
  let line = first;
  for (const row of rows) {
    for (let column = 0; column < slots.length; column++) {
      const slot = slots[column] ?? -1;
      if (slot >= 0) values[slot] = trimmed(row[column] ?? '');
    }
    const blank = row.length === 1 && row[0]?.trim() === '';
    onRow(values, blank ? 0 : row.length, line);
    line += multiline ? 1 + lineFeedsIn(row) : 1;
  }
  return first + lineFeeds;
}

/** Every record of the block with all its fields, `="007"` unwrapped. Throws MalformedRowError. */
export function parseRecords(block: Buffer, delimiter: string, line: number): string[][] {
  if (!mayHoldExcelText(block)) return parseQuoted(block, delimiter, line);
  const records = parseQuoted(quotedExcelText(block, delimiter), delimiter, line);
  return records.map((record) => record.map(withoutExcelText));
}

function parseQuoted(block: Buffer, delimiter: string, line: number): string[][] {
  // The library compares each byte with each line end, so one less is a tenth of its time.
  const lineEnds = block.includes(CARRIAGE_RETURN) ? ['\r\n', '\n'] : ['\n'];
  try {
    return parse(block, { delimiter, record_delimiter: lineEnds, relax_column_count: true });
  } catch (error) {
    if (!(error instanceof CsvParseError)) throw error;
    throw malformed(error, block, line);
  }
}

function malformed(error: CsvError, block: Buffer, line: number): MalformedRowError {
  // The library counts a line break within quotes twice when it is CRLF; the byte where the last whole field ended does not err.
  const { bytes, column } = error;
  const whole = block.subarray(0, typeof bytes === 'number' ? bytes : 0);
  const place = { line: line + countLineFeeds(whole), field: typeof column === 'number' ? column : 0 };
  switch (error.code) {
    case 'CSV_QUOTE_NOT_CLOSED':
      return new MalformedRowError(
        'the quote that opens the field is not closed',
        { ...place, hint: closeHint },
        error,
      );
    case 'CSV_INVALID_CLOSING_QUOTE':
      return new MalformedRowError('text follows the closing quote', { ...place, hint: doubleHint }, error);
    case 'INVALID_OPENING_QUOTE':
      return new MalformedRowError('a quote stands inside an unquoted field', { ...place, hint: doubleHint }, error);
    default:
      return new MalformedRowError(error.message, { ...place, hint: closeHint }, error);
  }
}

const closeHint = 'close the quote, or look whether the file was cut off';
const doubleHint =
  'a field that holds a quote must be quoted as a whole, and the quote doubled; no blank may stand between delimiter and quote';

function trimmed(value: string): string {
  const length = value.length;
  if (length === 0) return value;
  const first = value.charCodeAt(0);
  const last = value.charCodeAt(length - 1);
  // Letters and digits at both ends need no look at the Unicode tables.
  return first > 0x20 && first < 0x7f && last > 0x20 && last < 0x7f ? value : value.trim();
}

function lineFeedsIn(row: readonly string[]): number {
  let found = 0;
  for (const field of row) {
    for (let at = field.indexOf('\n'); at >= 0; at = field.indexOf('\n', at + 1)) found++;
  }
  return found;
}
