/**
 * Decodes search entries straight from the bytes, and of them only what was asked for. This is the inner loop of a read:
 * every value that is skipped is a string that is not made.
 *
 * | the server's attribute          | what becomes of it |
 * |---------------------------------|--------------------|
 * | a wanted name, in any case      | decoded into its field |
 * | a wanted name with `;range=…`   | the read is incomplete: more values exist than were sent (MS-ADTS section 3.1.1.3.1.3.3) |
 * | a wanted name with other options | another attribute; ignored unless wanted like that |
 * | a value that is no text         | the whole attribute counts as absent on that entry, and is counted |
 * | anything else                   | ignored, its name remembered for messages |
 */
import type { AttributeValue } from '../../domain/entry.ts';
import { BerCursor, type Frame } from './framing.ts';
import { decodeGuid, decodeText, isGuidAttribute } from './values.ts';

/** One attribute to decode. The counts are over all entries decoded so far. */
export interface Field {
  /** As asked for, or as first sent by the server when everything is read. */
  readonly name: string;
  readonly index: number;
  readonly guid: boolean;
  /** Entries that hold the attribute. */
  seen: number;
  /** Entries whose value was left out because it is no text. */
  binary: number;
  /** The first of them. */
  binaryDn: string;
}

export interface EntryDecoder {
  readonly fields: readonly Field[];
  /** Attributes that came without being wanted. */
  readonly unexpected: ReadonlySet<string>;
  /** Values of the entry decoded last, by the fields' indexes; overwritten by the next. */
  readonly values: readonly (AttributeValue | undefined)[];
  /** Returns the entry's DN. Throws ValueRangeError, MalformedMessageError. */
  decode(frame: Frame): string;
  /** The field for a name in any case; undefined when it is not wanted. */
  field(name: string): Field | undefined;
}

/** The server sent a part of an attribute's values. */
export class ValueRangeError extends Error {
  readonly dn: string;
  readonly attribute: string;

  constructor(dn: string, attribute: string) {
    super(`${dn} has more values than the server sends at once: ${attribute}`);
    this.dn = dn;
    this.attribute = attribute;
  }
}

const octetString = 0x04;
const sequence = 0x30;
const set = 0x31;

/** An attribute's name as bytes, and what it stands for. */
interface Expected {
  readonly name: Uint8Array;
  readonly field: Field | null;
}

const mostExpected = 100;

/** `open`: every attribute that comes is wanted, besides those named. */
export function createEntryDecoder(wanted: readonly string[], open = false): EntryDecoder {
  const fields: Field[] = [];
  const byLowerName = new Map<string, Field>();
  /** By the server's spelling; null for what is ignored. Small: a directory has a few hundred attribute names. */
  const bySentName = new Map<string, Field | null>();
  const unexpected = new Set<string>();
  const values: (AttributeValue | undefined)[] = [];
  /** The attributes of the entries before, by their places: most entries have the same in the same order, so a name is compared instead of made. */
  const expected: Expected[] = [];
  for (const name of wanted) addField(name);

  function addField(name: string): Field {
    const existing = byLowerName.get(name.toLowerCase());
    if (existing !== undefined) return existing;
    const field: Field = { name, index: fields.length, guid: isGuidAttribute(name), seen: 0, binary: 0, binaryDn: '' };
    fields.push(field);
    values.push(undefined);
    byLowerName.set(name.toLowerCase(), field);
    return field;
  }

  function resolve(sentName: string, dn: string): Field | null {
    const [type = '', ...tags] = sentName.toLowerCase().split(';');
    const isRange = tags.some((tag) => tag.startsWith('range='));
    if (isRange && (open || byLowerName.has(type))) throw new ValueRangeError(dn, sentName);
    const field = byLowerName.get(sentName.toLowerCase()) ?? (open ? addField(sentName) : null);
    if (field === null && tags.length === 0) unexpected.add(sentName);
    bySentName.set(sentName, field);
    return field;
  }

  function decode(frame: Frame): string {
    const { bytes } = frame;
    const cursor = new BerCursor(bytes, frame.start, frame.end);
    values.fill(undefined);
    const dnEnd = cursor.enter(octetString);
    const dn = bytes.toString('utf8', cursor.offset, dnEnd);
    cursor.offset = dnEnd;
    const attributesEnd = cursor.enter(sequence);
    for (let place = 0; cursor.offset < attributesEnd; place += 1) {
      const attributeEnd = cursor.enter(sequence);
      const nameEnd = cursor.enter(octetString);
      const before = expected[place];
      let field: Field | null;
      if (before !== undefined && isAt(before.name, bytes, cursor.offset, nameEnd)) field = before.field;
      else {
        const name = bytes.toString('latin1', cursor.offset, nameEnd);
        const known = bySentName.get(name);
        field = known === undefined ? resolve(name, dn) : known;
        if (place < mostExpected) expected[place] = { name: Buffer.from(name, 'latin1'), field };
      }
      if (field !== null) {
        cursor.offset = nameEnd;
        readValues(field, cursor, bytes, dn);
      }
      cursor.offset = attributeEnd;
    }
    return dn;
  }

  function readValues(field: Field, cursor: BerCursor, bytes: Buffer, dn: string): void {
    const end = cursor.enter(set);
    let first: string | undefined;
    let several: string[] | undefined;
    while (cursor.offset < end) {
      const valueEnd = cursor.enter(octetString);
      const value = field.guid
        ? decodeGuid(bytes, cursor.offset, valueEnd)
        : decodeText(bytes, cursor.offset, valueEnd);
      cursor.offset = valueEnd;
      if (value === undefined) {
        if (field.binary === 0) field.binaryDn = dn;
        field.binary += 1;
        return;
      }
      if (first === undefined) first = value;
      else if (several === undefined) several = [first, value];
      else several.push(value);
    }
    if (first === undefined) return;
    field.seen += 1;
    values[field.index] = several ?? first;
  }

  return { fields, unexpected, values, decode, field: (name) => byLowerName.get(name.toLowerCase()) };
}

function isAt(name: Uint8Array, bytes: Buffer, start: number, end: number): boolean {
  if (name.length !== end - start) return false;
  for (let index = 0; index < name.length; index += 1) if (name[index] !== bytes[start + index]) return false;
  return true;
}

/** The values as a list, empty when absent. */
export function listOf(value: AttributeValue | undefined): readonly string[] {
  if (value === undefined) return [];
  return typeof value === 'string' ? [value] : value;
}
