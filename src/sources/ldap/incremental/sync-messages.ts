/** The messages of content synchronization (RFC 4533 section 2), to the letter and no further. */
import { BerReader } from 'ldapts';
import { type Frame, MalformedMessageError } from '../framing.ts';
import { encode, RawControl } from './raw-control.ts';

const syncRequest = '1.3.6.1.4.1.4203.1.9.1.1';
export const syncState = '1.3.6.1.4.1.4203.1.9.1.2';
export const syncDone = '1.3.6.1.4.1.4203.1.9.1.3';
const syncInfo = '1.3.6.1.4.1.4203.1.9.1.4';

const refreshOnly = 1;
const octetString = 0x04;
const booleanTag = 0x01;
const sequence = 0x30;
const set = 0x31;
const states = ['present', 'add', 'modify', 'delete'] as const;

/** Without a cookie: the state as it is now. With `reloadHint` false the server says so when it cannot go on from the cookie. */
export function syncRequestControl(cookie: Buffer | undefined): RawControl {
  const value = encode((writer) => {
    writer.writeEnumeration(refreshOnly);
    if (cookie !== undefined) writer.writeBuffer(cookie, octetString);
  });
  return new RawControl(syncRequest, value);
}

export interface SyncState {
  readonly state: (typeof states)[number];
  readonly uuid: string;
}

export function readSyncState(value: Buffer): SyncState {
  return reading(() => {
    const reader = new BerReader(value);
    open(reader);
    const state = states[reader.readEnumeration() ?? -1];
    const uuid = reader.readString(octetString, true);
    if (state === undefined || uuid === null) throw new Error('the state or the UUID is missing');
    return { state, uuid: formatUuid(uuid) };
  });
}

export interface SyncDone {
  readonly cookie: Buffer | undefined;
  /** False: what was neither sent nor called present is gone. */
  readonly refreshDeletes: boolean;
}

export function readSyncDone(value: Buffer): SyncDone {
  return reading(() => {
    const reader = new BerReader(value);
    open(reader);
    const cookie = optionalCookie(reader);
    return { cookie, refreshDeletes: optionalBoolean(reader, false) };
  });
}

export type SyncInfo =
  | { readonly kind: 'cookie' }
  /** The end of one phase of the answer. */
  | { readonly kind: 'refresh-delete' | 'refresh-present' }
  /** `deleted` or else present. */
  | { readonly kind: 'ids'; readonly deleted: boolean; readonly uuids: readonly string[] };

/** Undefined for an intermediate response that is no Sync Info message. */
export function readSyncInfo(frame: Frame): SyncInfo | undefined {
  return reading(() => {
    const reader = new BerReader(Buffer.from(frame.bytes.subarray(frame.start, frame.end)));
    if (reader.peek() !== 0x80 || reader.readString(0x80) !== syncInfo || reader.peek() !== 0x81) return undefined;
    const value = new BerReader(reader.readString(0x81, true) ?? Buffer.alloc(0));
    switch (value.peek()) {
      case 0x80:
        return { kind: 'cookie' };
      case 0xa1:
        return { kind: 'refresh-delete' };
      case 0xa2:
        return { kind: 'refresh-present' };
      case 0xa3:
        return readIdSet(value);
      default:
        return undefined;
    }
  });
}

function readIdSet(reader: BerReader): SyncInfo {
  open(reader, 0xa3);
  optionalCookie(reader);
  const deleted = optionalBoolean(reader, false);
  open(reader, set);
  const uuids: string[] = [];
  while (reader.remain > 0) {
    const uuid = reader.readString(octetString, true);
    if (uuid === null) throw new Error('the set of UUIDs is cut off');
    uuids.push(formatUuid(uuid));
  }
  return { kind: 'ids', deleted, uuids };
}

function open(reader: BerReader, tag = sequence): void {
  if (reader.readSequence(tag) === null) throw new Error('it is cut off');
}

function optionalCookie(reader: BerReader): Buffer | undefined {
  if (reader.peek() !== octetString) return undefined;
  return Buffer.from(reader.readString(octetString, true) ?? '');
}

function optionalBoolean(reader: BerReader, otherwise: boolean): boolean {
  return reader.peek() === booleanTag ? (reader.readBoolean() ?? otherwise) : otherwise;
}

/** The 16 bytes of a UUID as entryUUID spells them (RFC 4530 section 2.1). */
function formatUuid(bytes: Buffer): string {
  if (bytes.length !== 16) throw new Error(`a UUID has ${bytes.length} bytes`);
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

function reading<Result>(read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    throw new MalformedMessageError(`a message of content synchronization cannot be read: ${(error as Error).message}`);
  }
}
