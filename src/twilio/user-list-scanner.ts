/**
 * Takes a SCIM list answer (RFC 7644 section 3.4.2) apart while it arrives, so that an organization of 100,000 people
 * (some 45 MB) is never in memory at once. Bytes are scanned for braces outside of strings; each object directly inside
 * `Resources` is handed over as its own piece of text, and everything else is collected into the envelope, which ends up
 * as the same answer with an empty `Resources`. Whether the pieces are valid JSON is for JSON.parse to say.
 *
 * Where the same users may follow as last time, so many bytes are taken without looking at them. When they turn out to be
 * the same, they are whole users, because they were then; otherwise they are scanned like all others.
 */
import type { TwilioUser } from '../domain/user.ts';
import type { KnownStretch } from '../ports.ts';
import type { BodySink } from './http-client.ts';
import { BrokenAnswer, parseObject, UnexpectedAnswer, type WireObject } from './wire.ts';

export interface UserListScanner extends BodySink {
  /** The answer without its resources, once the end was reached. */
  envelope(): WireObject;
}

export interface Memory {
  /** What may stand where a user begins. */
  next(): KnownStretch | undefined;
  onKnown(users: readonly TwilioUser[]): void;
}

const quote = 0x22;
const backslash = 0x5c;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const openBracket = 0x5b;
const closeBracket = 0x5d;
const comma = 0x2c;

const largestPiece = 1024 * 1024;

export function createUserListScanner(onResource: (text: string) => void, memory?: Memory): UserListScanner {
  /** Depth of braces and brackets; inside a resource it counts from that resource's own brace. */
  let depth = 0;
  let inString = false;
  let escaped = false;
  let inResource = false;
  let inResources = false;
  let ended = false;
  let expectComma = false;
  let parsed: WireObject | undefined;
  /** Bytes of the current resource from earlier chunks. */
  let carried: Uint8Array[] = [];
  let carriedSize = 0;
  const outer: number[] = [];
  let blanks = 0;
  /** Where the last string at depth 1 began in `outer`: the name of the member that a bracket opens. */
  let nameStart = 0;
  let nameEnd = 0;
  /** A stretch that may come again: its bytes so far, in the order of their coming. */
  let expected: { readonly stretch: KnownStretch; readonly bytes: Buffer; size: number } | undefined;

  function write(chunk: Uint8Array): void {
    const buffer = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    let index = 0;
    while (index < buffer.length) {
      if (expected !== undefined) index = gather(buffer, index);
      else index = inResource ? resource(buffer, index) : envelopeByte(buffer, index);
    }
  }

  function gather(buffer: Buffer, start: number): number {
    if (expected === undefined) return start;
    const end = Math.min(buffer.length, start + expected.bytes.length - expected.size);
    buffer.copy(expected.bytes, expected.size, start, end);
    expected.size += end - start;
    if (expected.size === expected.bytes.length) compare();
    return end;
  }

  /** Takes what was gathered as the stretch that it was gathered for, or scans it. */
  function compare(): void {
    if (expected === undefined) return;
    const { stretch, bytes, size } = expected;
    expected = undefined;
    const users = size === bytes.length ? stretch.recognise(bytes) : undefined;
    if (users !== undefined) {
      expectComma = true;
      memory?.onKnown(users);
      return;
    }
    inResource = true;
    depth = 0;
    write(bytes.subarray(0, size));
  }

  /** Scans on inside a resource; returns where to go on. */
  function resource(buffer: Buffer, start: number): number {
    const { length } = buffer;
    let index = start;
    let level = depth;
    let string = inString;
    let afterBackslash = escaped;
    while (index < length) {
      const byte = buffer[index++];
      if (string) {
        if (afterBackslash) afterBackslash = false;
        else if (byte === quote) string = false;
        else if (byte === backslash) afterBackslash = true;
      } else if (byte === quote) string = true;
      else if (byte === openBrace || byte === openBracket) level++;
      else if (byte === closeBrace || byte === closeBracket) {
        level--;
        if (level === 0) {
          finish(buffer, start, index);
          return index;
        }
      }
    }
    depth = level;
    inString = string;
    escaped = afterBackslash;
    carry(buffer.subarray(start));
    return index;
  }

  function carry(piece: Uint8Array): void {
    carriedSize += piece.byteLength;
    if (carriedSize > largestPiece) throw new UnexpectedAnswer('one user is larger than 1 MiB');
    // A copy: the chunk's memory may be used again.
    carried.push(Uint8Array.from(piece));
  }

  function finish(buffer: Buffer, start: number, end: number): void {
    if (carriedSize + end - start > largestPiece) throw new UnexpectedAnswer('one user is larger than 1 MiB');
    const text =
      carriedSize === 0
        ? buffer.toString('utf8', start, end)
        : Buffer.concat([...carried, buffer.subarray(start, end)]).toString('utf8');
    carried = [];
    carriedSize = 0;
    inResource = false;
    inString = false;
    escaped = false;
    depth = 2;
    expectComma = true;
    onResource(text);
  }

  /** One byte outside of resources; returns where to go on. */
  function envelopeByte(buffer: Buffer, index: number): number {
    const byte = buffer[index] ?? 0;
    if (inResources && depth === 2) return betweenResources(byte, index);
    if (ended && byte > 0x20) throw new UnexpectedAnswer('something follows the list');
    outer.push(byte);
    if (outer.length > largestPiece) throw new BrokenAnswer('the list has more than 1 MiB outside of Resources');
    if (inString) {
      if (escaped) escaped = false;
      else if (byte === backslash) escaped = true;
      else if (byte === quote) {
        inString = false;
        if (depth === 1) nameEnd = outer.length - 1;
      }
    } else if (byte === quote) {
      inString = true;
      if (depth === 1) nameStart = outer.length;
    } else if (byte === openBrace || byte === openBracket) {
      depth++;
      inResources = depth === 2 && byte === openBracket && lastName() === 'resources';
      expectComma = false;
    } else if (byte === closeBrace || byte === closeBracket) {
      depth--;
      ended = depth === 0;
    }
    return index + 1;
  }

  function betweenResources(byte: number, index: number): number {
    if (byte <= 0x20) {
      if (++blanks > largestPiece) throw new BrokenAnswer('more than 1 MiB of blanks between users');
      return index + 1;
    }
    blanks = 0;
    if (byte === openBrace && !expectComma) {
      const stretch = memory?.next();
      if (stretch !== undefined && stretch.bytes <= largestPiece) {
        expected = { stretch, bytes: Buffer.allocUnsafe(stretch.bytes), size: 0 };
        return index;
      }
      inResource = true;
      depth = 0;
      return index;
    }
    if (byte === comma && expectComma) expectComma = false;
    else if (byte === closeBracket) {
      outer.push(byte);
      depth = 1;
      inResources = false;
    } else throw new UnexpectedAnswer('Resources holds something other than users');
    return index + 1;
  }

  /** Attribute names are case-insensitive (RFC 7643 section 2.1). */
  function lastName(): string {
    return Buffer.from(outer.slice(nameStart, nameEnd)).toString('utf8').toLowerCase();
  }

  return {
    write,
    end() {
      while (expected !== undefined) compare();
      if (!ended) throw new BrokenAnswer('the body ends in the middle of the list');
      parsed = parseObject(
        Buffer.from(outer)
          .toString('utf8')
          .replace(/^\uFEFF/, ''),
      );
    },
    envelope() {
      if (parsed === undefined) throw new UnexpectedAnswer('the list was not read to its end');
      return parsed;
    },
  };
}
