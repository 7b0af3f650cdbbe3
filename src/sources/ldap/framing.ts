/** One LDAPMessage, still encoded: the operation's content is `bytes[start, end)`, the controls, if any, follow up to `limit`. */
export interface Frame {
  readonly messageId: number;
  readonly operation: number;
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
  readonly limit: number;
}

/** The bytes are not LDAP, or not LDAP as RFC 4511 section 5.1 restricts BER. */
export class MalformedMessageError extends Error {}

/** A group of a million members fits; a length read from bytes that are not LDAP usually does not. */
const largestMessage = 512 * 1024 * 1024;
const sequence = 0x30;
const integer = 0x02;
const tlsAlert = 0x15;

/**
 * Cuts a stream of bytes into LDAP messages; `onFrame` must take what it needs of the bytes before it returns.
 * A message that comes in many pieces is joined once, when it is whole.
 */
export function createFramer(onFrame: (frame: Frame) => void): {
  push(chunk: Buffer): void;
  /** Bytes that wait for the rest of their message. */
  pending(): number;
} {
  let pieces: Buffer[] = [];
  let held = 0;
  let needed = 0;

  function hold(rest: Buffer, wanted: number): void {
    pieces = [rest];
    held = rest.length;
    needed = wanted;
  }

  function push(chunk: Buffer): void {
    let bytes = chunk;
    if (held > 0) {
      pieces.push(chunk);
      held += chunk.length;
      if (held < needed) return;
      bytes = Buffer.concat(pieces, held);
      pieces = [];
      held = 0;
    }
    let offset = 0;
    while (offset < bytes.length) {
      const size = messageSize(bytes, offset);
      if (offset + size > bytes.length) {
        hold(bytes.subarray(offset), size);
        return;
      }
      onFrame(readFrame(bytes, offset, offset + size));
      offset += size;
    }
  }

  return { push, pending: () => held };
}

/** Size of the message at `offset` with its header; more than there is when the header is cut off. */
function messageSize(bytes: Buffer, offset: number): number {
  if (bytes[offset] !== sequence) {
    const what = bytes[offset] === tlsAlert ? 'a TLS alert' : 'bytes that are not LDAP';
    throw new MalformedMessageError(`the server sent ${what}`);
  }
  const available = bytes.length - offset;
  if (available < 2) return 2;
  const first = bytes.readUInt8(offset + 1);
  if (first < 0x80) return 2 + first;
  const count = first & 0x7f;
  if (count === 0 || count > 4)
    throw new MalformedMessageError('the server sent a message of indefinite or absurd length');
  if (available < 2 + count) return 2 + count;
  const length = bytes.readUIntBE(offset + 2, count);
  if (length > largestMessage) throw new MalformedMessageError(`the server announced a message of ${length} bytes`);
  return 2 + count + length;
}

function readFrame(bytes: Buffer, from: number, limit: number): Frame {
  const cursor = new BerCursor(bytes, from, limit);
  cursor.enter(sequence);
  const idEnd = cursor.enter(integer);
  const idLength = idEnd - cursor.offset;
  if (idLength < 1 || idLength > 4) throw new MalformedMessageError('a message id is not a 32-bit integer');
  const messageId = bytes.readIntBE(cursor.offset, idLength);
  cursor.offset = idEnd;
  const operation = bytes[cursor.offset] ?? 0;
  const end = cursor.enter(operation);
  return { messageId, operation, bytes, start: cursor.offset, end, limit };
}

/** Walks through BER elements without copying. Every length is checked against the message's end. */
export class BerCursor {
  readonly #bytes: Buffer;
  readonly #limit: number;
  offset: number;

  constructor(bytes: Buffer, start: number, limit: number) {
    this.#bytes = bytes;
    this.offset = start;
    this.#limit = limit;
  }

  /** Moves to the content of the element, which must have this tag, and returns where that content ends. */
  enter(tag: number): number {
    const bytes = this.#bytes;
    let offset = this.offset;
    if (offset + 2 > this.#limit) throw new MalformedMessageError('a message ends in the middle of an element');
    if (bytes[offset] !== tag) {
      throw new MalformedMessageError(
        `a message holds an element 0x${(bytes[offset] ?? 0).toString(16)} where 0x${tag.toString(16)} belongs`,
      );
    }
    let length = bytes[offset + 1] ?? 0;
    offset += 2;
    if (length >= 0x80) {
      const count = length & 0x7f;
      if (count === 0 || count > 4 || offset + count > this.#limit) {
        throw new MalformedMessageError('a message holds an element of indefinite or absurd length');
      }
      length = bytes.readUIntBE(offset, count);
      offset += count;
    }
    if (offset + length > this.#limit) throw new MalformedMessageError('an element is longer than its message');
    this.offset = offset;
    return offset + length;
  }
}
