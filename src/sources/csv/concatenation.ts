/**
 * What `cat a.csv b.csv` leaves in the middle of a file.
 *
 * | found where a record begins                                | taken as                        |
 * |------------------------------------------------------------|---------------------------------|
 * | byte order mark                                            | nothing                         |
 * | every wanted column holds its own name                     | the header once more: no row    |
 * | every wanted column holds the name of some column          | another header: refused         |
 * | a mark, then all wanted names in other places              | another header: refused         |
 *
 * A mark inside a quoted field is part of the value, and one elsewhere goes when the value is trimmed.
 */

const MARK = Buffer.from('\ufeff');
const QUOTE = 0x22;
const LINE_FEED = 0x0a;

export interface Piece {
  readonly records: Buffer;
  /** A byte order mark stood before the first record. */
  readonly marked: boolean;
}

/** Whole records, cut before each that begins with a byte order mark, which is left out. */
export function cutAtMarks(block: Buffer): readonly Piece[] {
  let at = block.indexOf(MARK);
  if (at < 0) return [{ records: block, marked: false }];
  const pieces: Piece[] = [];
  let start = 0;
  let marked = false;
  let looked = 0;
  let quoted = false;
  for (; at >= 0; at = block.indexOf(MARK, at + MARK.length)) {
    for (let quote = block.indexOf(QUOTE, looked); quote >= 0 && quote < at; quote = block.indexOf(QUOTE, quote + 1)) {
      quoted = !quoted;
    }
    looked = at;
    if (quoted || (at > start && block[at - 1] !== LINE_FEED)) continue;
    if (at > start) pieces.push({ records: block.subarray(start, at), marked });
    start = at + MARK.length;
    marked = true;
  }
  return [...pieces, { records: block.subarray(start), marked }];
}

/** Says of a row's wanted values whether they are the header once more, or another one. */
export type HeaderWatch = (values: readonly string[]) => 'repeated' | 'another' | undefined;

/** `expected` are the wanted columns' names in the order of a row's values, `names` those of all columns. */
export function createHeaderWatch(expected: readonly string[], names: readonly string[]): HeaderWatch {
  const known = new Set(names);
  known.delete('');
  // Every row passes here: length and first letter tell nearly all of them from a name without a look into the set.
  let signs = 0;
  for (const name of known) signs |= 1 << signOf(name);
  return (values) => {
    const first = values[0] ?? '';
    if ((signs & (1 << signOf(first))) === 0 || !known.has(first)) return undefined;
    if (expected.every((name, slot) => values[slot] === name)) return 'repeated';
    return expected.every((_, slot) => known.has(values[slot] ?? '')) ? 'another' : undefined;
  };
}

function signOf(text: string): number {
  return (text.length * 7 + (text.length === 0 ? 0 : text.charCodeAt(0))) & 31;
}
