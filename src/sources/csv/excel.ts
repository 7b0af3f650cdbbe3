/**
 * `="007"`: what exports write so that Excel shows a number as the text that it is. Exactly this form means the text between
 * the quotes; whatever differs by one character is left as it is.
 *
 * | in the file                        | value                                                       |
 * |------------------------------------|-------------------------------------------------------------|
 * | `="007"` as a whole field          | `007`                                                       |
 * | `"=""007"""`, the same well quoted | `007`                                                       |
 * | `="0,7"`, delimiter or line break  | malformed, as RFC 4180 says of a quote in an unquoted field |
 * | `=A1`, `="a"&"b"`, ` ="007"`       | not this form: taken as it stands, or malformed             |
 */

const QUOTE = 0x22;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const OPENING = Buffer.from('="');

/** True when the form may stand somewhere in whole records. */
export function mayHoldExcelText(records: Buffer): boolean {
  return records.includes(OPENING);
}

/** The text within, for a field's value in exactly this form; every other value as it is. */
export function withoutExcelText(value: string): string {
  const inner = value.length >= 3 && value.startsWith('="') && value.endsWith('"') ? value.slice(2, -1) : '"';
  return inner.includes('"') ? value : inner;
}

/** Whole records in which every field `="007"` has become `"007"`, which the grammar of quoting knows. Lines stay as they are. */
export function quotedExcelText(records: Buffer, delimiter: string): Buffer {
  const between = Buffer.from(delimiter);
  const pieces: Buffer[] = [];
  let copied = 0;
  let from = 0;
  let quoted = false;
  for (let at = records.indexOf(OPENING); at >= 0; at = records.indexOf(OPENING, from)) {
    quoted = quoted !== isOdd(records.subarray(from, at));
    const closing = records.indexOf(QUOTE, at + OPENING.length);
    if (!quoted && closing >= 0 && isWholeField(records, at, closing, between)) {
      pieces.push(records.subarray(copied, at));
      copied = at + 1;
      from = closing + 1;
    } else {
      from = at + 1;
    }
  }
  return pieces.length === 0 ? records : Buffer.concat([...pieces, records.subarray(copied)]);
}

function isWholeField(records: Buffer, start: number, closing: number, delimiter: Buffer): boolean {
  const before = start - delimiter.length;
  const begins =
    start === 0 ||
    records[start - 1] === LINE_FEED ||
    (before >= 0 && records.subarray(before, start).equals(delimiter));
  if (!begins) return false;
  const end = closing + 1;
  const next = records[end] === CARRIAGE_RETURN ? records[end + 1] : records[end];
  const ends =
    end === records.length || next === LINE_FEED || records.subarray(end, end + delimiter.length).equals(delimiter);
  const inner = records.subarray(start + OPENING.length, closing);
  return ends && !inner.includes(LINE_FEED) && !inner.includes(CARRIAGE_RETURN) && !inner.includes(delimiter);
}

function isOdd(text: Buffer): boolean {
  let odd = false;
  for (let at = text.indexOf(QUOTE); at >= 0; at = text.indexOf(QUOTE, at + 1)) odd = !odd;
  return odd;
}
