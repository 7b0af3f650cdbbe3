/** Which encoding a file is in: as configured, and never against its byte order mark (Unicode 16, section 23.8). */

export type CsvEncoding =
  | 'utf-8'
  | 'utf-16' // byte order by the mark, which must be there
  | 'utf-16le'
  | 'utf-16be'
  | 'windows-1252'
  | 'iso-8859-1'
  | 'iso-8859-15';

/** What a decoder is made for: the byte order is known. */
export type ResolvedEncoding = Exclude<CsvEncoding, 'utf-16'>;

export interface EncodingChoice {
  readonly encoding: ResolvedEncoding;
  /** Length of the byte order mark, which is no part of the text. */
  readonly skip: number;
}

const marks: readonly { readonly encoding: ResolvedEncoding; readonly bytes: readonly number[] }[] = [
  { encoding: 'utf-8', bytes: [0xef, 0xbb, 0xbf] },
  { encoding: 'utf-16le', bytes: [0xff, 0xfe] },
  { encoding: 'utf-16be', bytes: [0xfe, 0xff] },
];

/** `start`: the first three bytes of the file, or as many as there are. A string is the reason why it cannot be read. */
export function chooseEncoding(start: Buffer, configured: CsvEncoding | undefined): EncodingChoice | string {
  const mark = marks.find(({ bytes }) => bytes.every((byte, index) => start[index] === byte));
  if (mark === undefined) {
    if (configured !== 'utf-16') return { encoding: configured ?? 'utf-8', skip: 0 };
    return 'has no byte order mark, so utf-16 leaves its byte order open';
  }
  const agrees =
    configured === undefined ||
    configured === mark.encoding ||
    (configured === 'utf-16' && mark.encoding.startsWith('utf-16'));
  if (agrees) return { encoding: mark.encoding, skip: mark.bytes.length };
  return `begins with the byte order mark of ${mark.encoding}, but is configured as ${configured}`;
}
