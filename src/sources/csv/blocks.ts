/**
 * Cuts a stream of UTF-8 text into blocks of whole records, so that each block can be parsed on its own.
 *
 * A line feed ends a record exactly when an even number of quotes stands before it (RFC 4180 section 2): a quoted
 * field has two quotes around it, and two for each quote in it. Text that breaks the grammar may be cut elsewhere,
 * but every block still begins where a record begins, so that the parser meets the fault and names it.
 */
export interface Blocks {
  /** The records that `text` completes. Valid until `text` is; undefined when it completes none. */
  push(text: Buffer): Buffer | undefined;
  /** What no line feed has ended yet. */
  readonly rest: Buffer;
}

const QUOTE = 0x22;
export const LINE_FEED = 0x0a;

export function createBlocks(): Blocks {
  let rest: Buffer = Buffer.alloc(0);
  return {
    get rest() {
      return rest;
    },
    push(text) {
      const joined = rest.length === 0 ? text : Buffer.concat([rest, text]);
      const end = endOfLastRecord(joined);
      rest = Buffer.from(joined.subarray(end));
      return end === 0 ? undefined : joined.subarray(0, end);
    },
  };
}

/** Index after the first record, its line end included. */
export function endOfFirstRecord(text: Buffer): number {
  let from = 0;
  let quoted = false;
  for (;;) {
    const lineFeed = text.indexOf(LINE_FEED, from);
    if (lineFeed < 0) return text.length;
    if (count(text.subarray(from, lineFeed), QUOTE) % 2 === 1) quoted = !quoted;
    if (!quoted) return lineFeed + 1;
    from = lineFeed + 1;
  }
}

/** Index where the last record that is not blank begins, in whole records; undefined when all of them are blank. */
export function startOfLastRecord(records: Buffer): number | undefined {
  let end = records.length;
  while (end > 0 && blanks.includes(records[end - 1] ?? 0)) end--;
  return end === 0 ? undefined : endOfLastRecord(records.subarray(0, end));
}

/** Line feed, carriage return, space, tab. */
const blanks: readonly number[] = [LINE_FEED, 0x0d, 0x20, 0x09];

/** Quotes nearer than this to each other are one run: starting the parser for quotes costs as much as parsing so many bytes. */
const NEAR = 2048;

/**
 * The first run of whole records with quotes at or after `from`, where a record must begin.
 * Both ends are the text's length when there is none.
 */
export function quotedRun(text: Buffer, from: number): { readonly start: number; readonly end: number } {
  const length = text.length;
  let quote = text.indexOf(QUOTE, from);
  if (quote < 0) return { start: length, end: length };
  const start = text.lastIndexOf(LINE_FEED, quote) + 1;
  for (;;) {
    const closing = text.indexOf(QUOTE, quote + 1);
    const lineFeed = closing < 0 ? -1 : text.indexOf(LINE_FEED, closing + 1);
    if (lineFeed < 0) return { start, end: length };
    quote = text.indexOf(QUOTE, closing + 1);
    if (quote < 0 || quote - lineFeed > NEAR) return { start, end: lineFeed + 1 };
  }
}

export function countLineFeeds(text: Buffer): number {
  return count(text, LINE_FEED);
}

/** Index after the last record that a line feed ends; 0 when there is none. Walks back over the quotes from the end. */
function endOfLastRecord(text: Buffer): number {
  let quoted = count(text, QUOTE) % 2 === 1;
  let lineFeed = text.lastIndexOf(LINE_FEED);
  let end = text.length;
  while (end > 0 && lineFeed >= 0) {
    const quote = text.lastIndexOf(QUOTE, end - 1);
    if (!quoted && lineFeed > quote) return lineFeed + 1;
    if (quote <= 0) return 0;
    end = quote;
    quoted = !quoted;
    if (lineFeed > end) lineFeed = text.lastIndexOf(LINE_FEED, end - 1);
  }
  return 0;
}

function count(text: Buffer, byte: number): number {
  let found = 0;
  for (let at = text.indexOf(byte); at >= 0; at = text.indexOf(byte, at + 1)) found++;
  return found;
}
