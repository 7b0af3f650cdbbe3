import { InterruptedError, SourceIncompleteError } from '../../errors.ts';
import { createDecoder } from './decoding.ts';
import { type CsvEncoding, chooseEncoding } from './encoding.ts';
import { changedWhileRead, type GuardedFile, unreadable } from './file-guard.ts';

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

/**
 * The file's text without byte order mark, to its last byte.
 * Throws SourceUnavailableError when reading fails, SourceIncompleteError when the encoding is in doubt or the file
 * is longer or shorter than it was when opened, and the signal's reason between two reads.
 */
export async function* readText(file: GuardedFile, options: TextOptions, signal: AbortSignal): AsyncGenerator<Text> {
  const start = Buffer.alloc(3);
  const choice = chooseEncoding(start.subarray(0, await readAt(file, start, 0)), options.encoding);
  if (typeof choice === 'string') {
    throw new SourceIncompleteError(`${file.path}: ${choice}`, { hint: 'correct source.encoding, or leave it out' });
  }
  const decode = createDecoder(choice.encoding);
  const chunk = Buffer.allocUnsafe(options.chunkSize);
  for (let position = choice.skip; ; ) {
    if (signal.aborted) throw reasonOf(signal);
    const length = await readAt(file, chunk, position);
    const last = length === 0;
    if (last && position !== file.size) throw changedWhileRead(file.path);
    const { text, fault } = decode(chunk.subarray(0, length), last);
    const nul = text.indexOf(0);
    if (nul >= 0) {
      yield { bytes: text.subarray(0, nul), fault: { reason: 'NUL character', hint: nulHint } };
    } else if (fault !== undefined) {
      const place = `byte ${choice.skip + fault.offset} of the file`;
      const hint = `the file is read as ${choice.encoding}: set source.encoding to what its producer writes`;
      yield { bytes: text, fault: { reason: `${fault.reason} (${place})`, hint } };
    } else {
      yield { bytes: text };
    }
    if (last) return;
    position += length;
  }
}

const nulHint =
  'a UTF-16 file without byte order mark needs source.encoding utf-16le or utf-16be; else the file is damaged';

async function readAt(file: GuardedFile, into: Buffer, position: number): Promise<number> {
  try {
    const { bytesRead } = await file.handle.read(into, 0, into.length, position);
    return bytesRead;
  } catch (error) {
    throw unreadable(file.path, 'read', error);
  }
}

function reasonOf(signal: AbortSignal): Error {
  return signal.reason instanceof Error
    ? signal.reason
    : new InterruptedError('reading the CSV source was interrupted');
}
