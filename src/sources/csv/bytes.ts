import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { InterruptedError, SourceIncompleteError } from '../../errors.ts';
import { changedWhileRead, type GuardedFile, unreadable } from './file-guard.ts';

/** The bytes of a file, unpacked when it is packed. */
export interface Bytes {
  /** True for a file in gzip (RFC 1952), told by its first two bytes whatever its name. */
  readonly packed: boolean;
  /** Each piece is valid until the next is asked for. */
  readonly pieces: AsyncIterable<Buffer>;
}

/**
 * Text of people packs to a fifth or a twentieth, and the format's limit is about a thousandth. What unpacks to more than
 * this many times its size was not made by an export; small files may hold one sentence many times over.
 */
const MOST_TIMES = 100;
const ALWAYS_ALLOWED = 64 * 1024 * 1024;

/**
 * Throws SourceUnavailableError when reading fails, SourceIncompleteError when the file is longer or shorter than it was
 * when opened, or packed data is damaged, cut off or unpacks to too much, and the signal's reason between two reads.
 */
export async function openBytes(file: GuardedFile, chunkSize: number, signal: AbortSignal): Promise<Bytes> {
  const magic = Buffer.alloc(2);
  await readAt(file, magic, 0);
  const stored = eachChunk(file, chunkSize, signal);
  return magic.equals(gzipMagic) ? { packed: true, pieces: unpack(file, stored) } : { packed: false, pieces: stored };
}

const gzipMagic = Buffer.from([0x1f, 0x8b]);

async function* eachChunk(file: GuardedFile, chunkSize: number, signal: AbortSignal): AsyncGenerator<Buffer> {
  const chunk = Buffer.allocUnsafe(chunkSize);
  for (let position = 0; ; ) {
    if (signal.aborted) throw reasonOf(signal);
    const length = await readAt(file, chunk, position);
    if (length === 0) {
      if (position !== file.size) throw changedWhileRead(file.path);
      return;
    }
    position += length;
    yield chunk.subarray(0, length);
  }
}

async function* unpack(file: GuardedFile, stored: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const gunzip = createGunzip();
  // The piece that is being unpacked elsewhere must not be overwritten by the next read.
  const source = Readable.from(copies(stored), { highWaterMark: 1 });
  // What goes wrong in the source destroys the sink, which then throws it below.
  pipeline(source, gunzip, () => undefined);
  const most = Math.max(ALWAYS_ALLOWED, file.size * MOST_TIMES);
  let length = 0;
  try {
    for await (const piece of gunzip as AsyncIterable<Buffer>) {
      length += piece.length;
      if (length > most) throw tooMuch(file, most);
      yield piece;
    }
  } catch (error) {
    throw isZlibError(error) ? damaged(file, error) : error;
  }
}

async function* copies(pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  for await (const piece of pieces) yield Buffer.from(piece);
}

function tooMuch(file: GuardedFile, most: number): SourceIncompleteError {
  return new SourceIncompleteError(`${file.path}: ${file.size} bytes unpack to more than ${most}`, {
    hint: `no export packs to less than a ${MOST_TIMES}th; if this one does, hand it over unpacked`,
  });
}

function damaged(file: GuardedFile, error: Error & { readonly code: string }): SourceIncompleteError {
  const cut = error.code === 'Z_BUF_ERROR';
  const what = cut ? 'the packed data ends too early' : `the packed data is damaged (${error.message})`;
  return new SourceIncompleteError(`${file.path}: ${what}`, {
    hint: 'look whether the upload was cut off; gzip -t checks the file',
    cause: error,
  });
}

function isZlibError(error: unknown): error is Error & { readonly code: string } {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && error.code.startsWith('Z_');
}

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
