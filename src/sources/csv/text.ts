import { SourceIncompleteError } from '../../errors.ts';
import { openBytes } from './bytes.ts';
import { createDecoder, type Decode } from './decoding.ts';
import { type CsvEncoding, chooseEncoding, type EncodingChoice } from './encoding.ts';
import type { GuardedFile } from './file-guard.ts';

/** A piece of the file's text as UTF-8, valid until the next piece is asked for. */
export interface Text {
  readonly bytes: Buffer;
  /** Why the text cannot go on after `bytes`; the reader of the text knows the line. */
  readonly fault?: { readonly reason: string; readonly hint: string };
}

export interface TextOptions {
  readonly encoding: CsvEncoding | undefined;
  /** Bytes per read. */
  readonly chunkSize: number;
}

/** As many bytes as the longest byte order mark has. */
const LONGEST_MARK = 3;

/**
 * The file's text without byte order mark, unpacked, to its last byte.
 * Throws what `openBytes` does, and SourceIncompleteError when the encoding is in doubt.
 */
export async function* readText(file: GuardedFile, options: TextOptions, signal: AbortSignal): AsyncGenerator<Text> {
  const { packed, pieces } = await openBytes(file, options.chunkSize, signal);
  let start: Buffer = Buffer.alloc(0);
  let text: TextOf | undefined;
  for await (const piece of pieces) {
    if (text !== undefined) {
      yield text(piece, false);
      continue;
    }
    start = start.length === 0 && piece.length >= LONGEST_MARK ? piece : Buffer.concat([start, piece]);
    if (start.length < LONGEST_MARK) continue;
    const choice = choose(file, start, options.encoding);
    text = createText(choice, packed);
    yield text(start.subarray(choice.skip), false);
  }
  if (text === undefined) {
    const choice = choose(file, start, options.encoding);
    yield createText(choice, packed)(start.subarray(choice.skip), true);
  } else {
    yield text(Buffer.alloc(0), true);
  }
}

type TextOf = (...decoded: Parameters<Decode>) => Text;

function choose(file: GuardedFile, start: Buffer, configured: CsvEncoding | undefined): EncodingChoice {
  const choice = chooseEncoding(start.subarray(0, LONGEST_MARK), configured);
  if (typeof choice !== 'string') return choice;
  throw new SourceIncompleteError(`${file.path}: ${choice}`, { hint: 'correct source.encoding, or leave it out' });
}

function createText({ encoding, skip }: EncodingChoice, packed: boolean): TextOf {
  const decode = createDecoder(encoding);
  return (bytes, last) => {
    const { text, fault } = decode(bytes, last);
    const nul = text.indexOf(0);
    if (nul >= 0) return { bytes: text.subarray(0, nul), fault: { reason: 'NUL character', hint: nulHint } };
    if (fault === undefined) return { bytes: text };
    const place = `byte ${skip + fault.offset} of the ${packed ? 'unpacked ' : ''}file`;
    const hint = `the file is read as ${encoding}: set source.encoding to what its producer writes`;
    return { bytes: text, fault: { reason: `${fault.reason} (${place})`, hint } };
  };
}

const nulHint =
  'a UTF-16 file without byte order mark needs source.encoding utf-16le or utf-16be; else the file is damaged';
