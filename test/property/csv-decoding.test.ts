import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createDecoder } from '../../src/sources/csv/decoding.ts';
import type { ResolvedEncoding } from '../../src/sources/csv/encoding.ts';
import { holds } from '../support/properties.ts';

/** Decodes in chunks; undefined when there is a fault. */
function decodeInChunks(encoding: ResolvedEncoding, bytes: Buffer, chunkSize: number): string | undefined {
  const decode = createDecoder(encoding);
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += chunkSize) {
    // A copy, because the chunk's memory may be used again.
    const chunk = Buffer.from(bytes.subarray(at, at + chunkSize));
    const { text, fault } = decode(chunk, false);
    parts.push(Buffer.from(text));
    chunk.fill(0);
    if (fault !== undefined) return undefined;
  }
  const { text, fault } = decode(Buffer.alloc(0), true);
  return fault === undefined ? Buffer.concat([...parts, text]).toString() : undefined;
}

function decodeAtOnce(encoding: string, bytes: Buffer): string | undefined {
  try {
    return new TextDecoder(encoding, { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

const chunkSize = fc.integer({ min: 1, max: 9 });
const interesting = fc.constantFrom(
  0x00,
  0x41,
  0x80,
  0xa0,
  0xbf,
  0xc2,
  0xd8,
  0xdc,
  0xdf,
  0xe0,
  0xe2,
  0xed,
  0xf0,
  0xf4,
  0xf5,
  0xff,
);
const noise = fc.array(interesting, { maxLength: 12 }).map((bytes) => Buffer.from(bytes));
const text = fc.string({ unit: 'binary', maxLength: 20 });

describe('decoding in chunks', () => {
  it.each(['utf-8', 'utf-16le', 'utf-16be'] as const)(
    'accepts of any bytes what the standard decoder accepts (%s)',
    (encoding) => {
      holds(
        fc.property(noise, chunkSize, (bytes, size) => {
          const decoded = decodeInChunks(encoding, bytes, size);

          expect(decoded).toBe(decodeAtOnce(encoding, bytes));
        }),
        3000,
      );
    },
  );

  it('gives back any text, however its characters are cut', () => {
    holds(
      fc.property(text, chunkSize, (original, size) => {
        const utf8 = decodeInChunks('utf-8', Buffer.from(original), size);
        const utf16le = decodeInChunks('utf-16le', Buffer.from(original, 'utf16le'), size);
        const utf16be = decodeInChunks('utf-16be', Buffer.from(original, 'utf16le').swap16(), size);

        expect([utf8, utf16le, utf16be]).toEqual([original, original, original]);
      }),
      1000,
    );
  });

  it.each(['windows-1252', 'iso-8859-15'] as const)(
    'knows every byte of %s that stands for a character',
    (encoding) => {
      const bytes = Array.from({ length: 256 }, (_, byte) => Buffer.from([byte]));

      const decoded = bytes.map((byte) => decodeInChunks(encoding, byte, 1));

      const isControl = (character: string | undefined) => character !== undefined && /[\u0080-\u009f]/.test(character);
      const standard = bytes.map((byte) => decodeAtOnce(encoding, byte));
      expect(decoded).toEqual(standard.map((character) => (isControl(character) ? undefined : character)));
    },
  );
});
