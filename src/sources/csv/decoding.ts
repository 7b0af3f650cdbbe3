import { isUtf8 } from 'node:buffer';
import type { ResolvedEncoding } from './encoding.ts';

/**
 * Strict decoding into UTF-8 bytes, chunk by chunk: whatever the encoding does not allow is a fault and never
 * turns into U+FFFD, because a name that changed silently is a different person or a lost group.
 *
 * | encoding     | work per chunk                              | fault                               |
 * |--------------|---------------------------------------------|-------------------------------------|
 * | utf-8        | validated, handed on without a copy         | ill-formed sequence                 |
 * | utf-16       | code units, surrogate pairs kept together   | lone surrogate, odd number of bytes |
 * | single bytes | Latin-1, then the bytes that differ from it | byte without a printable character  |
 */

interface Decoded {
  /** UTF-8; may be a view of the chunk. Ends where the fault stands, if there is one. */
  readonly text: Buffer;
  readonly fault?: { readonly reason: string; readonly offset: number };
}

/** `last` says that no chunk follows. Offsets count bytes from the first chunk's beginning. */
export type Decode = (chunk: Buffer, last: boolean) => Decoded;

interface Converted {
  readonly text: Buffer;
  /** Bytes of the chunk that became text. */
  readonly used: number;
  readonly reason?: string;
}

const NOTHING = Buffer.alloc(0);

export function createDecoder(encoding: ResolvedEncoding): Decode {
  const convert = converterOf(encoding);
  let held: Buffer = NOTHING;
  let offset = 0;
  return (chunk, last) => {
    const bytes = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
    const { text, used, reason } = convert(bytes);
    const truncated = reason === undefined && last && used < bytes.length;
    offset += used;
    if (reason !== undefined || truncated) {
      return { text, fault: { reason: reason ?? 'the file ends in the middle of a character', offset } };
    }
    held = used === bytes.length ? NOTHING : Buffer.from(bytes.subarray(used));
    return { text };
  };
}

function converterOf(encoding: ResolvedEncoding): (bytes: Buffer) => Converted {
  switch (encoding) {
    case 'utf-8':
      return fromUtf8;
    case 'utf-16le':
      return (bytes) => fromUtf16(bytes);
    case 'utf-16be':
      // swap16 works in place, so on a copy; an odd byte waits for its other half.
      return (bytes) => fromUtf16(Buffer.from(bytes.subarray(0, bytes.length & ~1)).swap16());
    case 'windows-1252':
      return (bytes) => fromSingleBytes(bytes, windows1252);
    case 'iso-8859-15':
      return (bytes) => fromSingleBytes(bytes, latin9);
    case 'iso-8859-1':
      return (bytes) => fromSingleBytes(bytes, new Map());
  }
}

function fromUtf8(bytes: Buffer): Converted {
  const whole = bytes.length - incompleteTail(bytes);
  const text = bytes.subarray(0, whole);
  if (isUtf8(text)) return { text, used: whole };

  let valid = 0;
  let bad = whole;
  while (bad - valid > 1) {
    const middle = (valid + bad) >>> 1;
    const prefix = bytes.subarray(0, middle);
    if (isUtf8(prefix.subarray(0, middle - incompleteTail(prefix)))) valid = middle;
    else bad = middle;
  }
  const used = valid - incompleteTail(bytes.subarray(0, valid));
  const byte = hexadecimal(bytes[used] ?? 0);
  return { text: bytes.subarray(0, used), used, reason: `byte ${byte} does not fit UTF-8` };
}

/** Number of bytes at the end that begin a UTF-8 sequence (RFC 3629 section 3) without finishing it. */
function incompleteTail(bytes: Buffer): number {
  for (let back = 1; back <= 3 && back <= bytes.length; back++) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (byte < 0x80) return 0;
    if (byte >= 0xc0) {
      const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
      return length > back ? back : 0;
    }
  }
  return 0;
}

function fromUtf16(bytes: Buffer): Converted {
  let used = bytes.length & ~1;
  if (used > 0 && ((bytes[used - 1] ?? 0) & 0xfc) === 0xd8) used -= 2; // first half of a surrogate pair
  const text = bytes.toString('utf16le', 0, used);
  if (text.isWellFormed()) return { text: Buffer.from(text), used };

  const lone = text.search(/\p{Surrogate}/u);
  const unit = hexadecimal(text.charCodeAt(lone));
  return { text: Buffer.from(text.slice(0, lone)), used: lone * 2, reason: `code unit ${unit} does not fit UTF-16` };
}

function fromSingleBytes(bytes: Buffer, differing: ReadonlyMap<string, string>): Converted {
  const latin1 = bytes.toString('latin1');
  const text =
    differing.size === 0 ? latin1 : latin1.replace(/[\u0080-\u00be]/g, (byte) => differing.get(byte) ?? byte);
  const bad = text.search(/[\u0080-\u009f]/);
  if (bad < 0) return { text: Buffer.from(text), used: bytes.length };
  const byte = hexadecimal(text.charCodeAt(bad));
  return { text: Buffer.from(text.slice(0, bad)), used: bad, reason: `byte ${byte} is no character of the encoding` };
}

function hexadecimal(value: number): string {
  return `0x${value.toString(16).toUpperCase().padStart(2, '0')}`;
}

/** The bytes 0x80 to 0x9F of windows-1252 (WHATWG Encoding, index-windows-1252); a dot stands for an unassigned byte. */
const windows1252 = new Map(
  [...'€.‚ƒ„…†‡ˆ‰Š‹Œ.Ž..‘’“”•–—˜™š›œ.žŸ'].flatMap((character, index): [string, string][] =>
    character === '.' ? [] : [[String.fromCharCode(0x80 + index), character]],
  ),
);

/** Where ISO 8859-15 differs from ISO 8859-1. */
const latin9 = new Map([
  ['\u00a4', '€'],
  ['\u00a6', 'Š'],
  ['\u00a8', 'š'],
  ['\u00b4', 'Ž'],
  ['\u00b8', 'ž'],
  ['\u00bc', 'Œ'],
  ['\u00bd', 'œ'],
  ['\u00be', 'Ÿ'],
]);
