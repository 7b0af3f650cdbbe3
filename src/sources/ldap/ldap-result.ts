import { BerReader } from 'ldapts';
import { withoutSecrets } from '../../domain/secret.ts';
import { type Frame, MalformedMessageError } from './framing.ts';

/** An answer that ends a request (RFC 4511 section 4.1.9). */
export interface LdapResult {
  readonly code: number;
  /** The deepest entry that exists on the way to the base, for noSuchObject. */
  readonly matchedDn: string;
  /** The server's own words. */
  readonly message: string;
  readonly referrals: readonly string[];
  /** Of the paged results control (RFC 2696): empty after the last page; undefined when the server sent no such control. */
  readonly cookie: Buffer | undefined;
  /** Values of all controls of the answer, by their OIDs; empty for a control without one. */
  readonly controls: ReadonlyMap<string, Buffer>;
}

const referralTag = 0xa3;
const controlsTag = 0xa0;
const booleanTag = 0x01;
const octetString = 0x04;
const pagedResults = '1.2.840.113556.1.4.319';

/** `secrets`: what was said to the server, which its words may repeat; taken out before anything is cut off. */
export function readResult(frame: Frame, secrets: readonly string[] = []): LdapResult {
  // Copied: the cookie outlives the chunk it came in.
  const reader = new BerReader(Buffer.from(frame.bytes.subarray(frame.start, frame.end)));
  try {
    const code = reader.readEnumeration();
    const matchedDn = reader.readString();
    const message = reader.readString();
    if (code === null || matchedDn === null || message === null) throw new Error('the result is cut off');
    const referrals = reader.peek() === referralTag ? readStrings(reader, referralTag) : [];
    const controls = readControls(frame);
    const cookie = readCookie(controls.get(pagedResults));
    return {
      code,
      matchedDn: withoutSecrets(matchedDn, secrets),
      message: wordsOf(message, secrets),
      referrals,
      cookie,
      controls,
    };
  } catch (error) {
    throw new MalformedMessageError(`a result cannot be read: ${(error as Error).message}`);
  }
}

/** Enough for what any server says; Active Directory's longest are about 300 characters. */
const longestMessage = 1_000;

function wordsOf(message: string, secrets: readonly string[]): string {
  const words = withoutSecrets(message.replaceAll('\0', '').trim(), secrets);
  return words.length > longestMessage ? `${words.slice(0, longestMessage)}…` : words;
}

/** The URLs of a SearchResultReference (RFC 4511 section 4.5.3). */
export function readReferences(frame: Frame): readonly string[] {
  const reader = new BerReader(Buffer.from(frame.bytes.subarray(frame.start, frame.end)));
  const urls: string[] = [];
  try {
    for (let url = reader.readString(); url !== null; url = reader.readString()) urls.push(url);
  } catch (error) {
    throw new MalformedMessageError(`a reference cannot be read: ${(error as Error).message}`);
  }
  return urls;
}

function readStrings(reader: BerReader, tag: number): string[] {
  reader.readSequence(tag);
  const end = reader.offset + reader.length;
  const strings: string[] = [];
  while (reader.offset < end) {
    const text = reader.readString();
    if (text === null) break;
    strings.push(text);
  }
  return strings;
}

/** The controls of any message (RFC 4511 section 4.1.11), their values copied. */
export function readControls(frame: Frame): ReadonlyMap<string, Buffer> {
  if (frame.end === frame.limit) return new Map();
  try {
    return controlsOf(frame);
  } catch (error) {
    throw new MalformedMessageError(`the controls of a message cannot be read: ${(error as Error).message}`);
  }
}

function controlsOf(frame: Frame): ReadonlyMap<string, Buffer> {
  const controls = new Map<string, Buffer>();
  const reader = new BerReader(Buffer.from(frame.bytes.subarray(frame.end, frame.limit)));
  reader.readSequence(controlsTag);
  while (reader.remain > 0) {
    reader.readSequence();
    const end = reader.offset + reader.length;
    const type = reader.readString();
    if (reader.offset < end && reader.peek() === booleanTag) reader.readBoolean();
    const value = reader.offset < end ? reader.readString(octetString, true) : null;
    if (type !== null) controls.set(type, value ?? Buffer.alloc(0));
    reader.offset = end;
  }
  return controls;
}

function readCookie(control: Buffer | undefined): Buffer | undefined {
  if (control === undefined) return undefined;
  const value = new BerReader(control);
  value.readSequence();
  value.readInt();
  const cookie = value.readString(octetString, true);
  if (cookie === null) throw new Error('the paged results control is cut off');
  return cookie;
}
