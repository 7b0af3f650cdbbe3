/**
 * Decodes search entries straight from the bytes, and of them only what was asked for. This is the inner loop of a read:
 * every value that is skipped is a string that is not made.
 *
 * | the server's attribute          | what becomes of it |
 * |---------------------------------|--------------------|
 * | a wanted name, in any case      | decoded into its field |
 * | a wanted name with `;range=…`   | a part of the values: kept apart, to be completed (ranges.ts) |
 * | a wanted name with other options | another attribute; ignored unless wanted like that |
 * | a value that is no text         | the whole attribute counts as unreadable on that entry, and is counted |
 * | anything else                   | ignored, its name remembered for messages |
 */
import type { AttributeValue } from '../../domain/entry.ts';
import { BerCursor, type Frame } from './framing.ts';
import { parseRange, type RangeOption } from './range-option.ts';
import { decodeDn, type ValueDecoder, valueDecoder } from './values.ts';

/** One attribute to decode. The counts are over all entries decoded so far. */
export interface Field {
  /** As asked for, or as first sent by the server when everything is read. */
  readonly name: string;
  readonly index: number;
  readonly decode: ValueDecoder;
  /** Entries that hold the attribute. */
  seen: number;
  /** Entries whose value was left out because it is no text. */
  binary: number;
  /** The first of them. */
  binaryDn: string;
}

/** Some of an attribute's values, and where they stand among all of them. */
export interface PartOfValues extends RangeOption {
  readonly field: Field;
  readonly values: readonly string[];
}

/** An entry taken out of its decoder. */
export interface KeptEntry {
  readonly dn: string;
  readonly values: readonly (AttributeValue | undefined)[];
  readonly unreadable: readonly Field[];
  readonly parts: readonly PartOfValues[];
}

export interface EntryDecoder {
  readonly fields: readonly Field[];
  /** Attributes that came without being wanted. */
  readonly unexpected: ReadonlySet<string>;
  /** Values of the entry decoded last, by the fields' indexes; overwritten by the next. */
  readonly values: readonly (AttributeValue | undefined)[];
  /** Attributes of the entry decoded last that hold bytes which are no text; nearly always none. */
  readonly unreadable: readonly Field[];
  /** Attributes of the entry decoded last of which only a part has come; nearly always none. */
  readonly parts: readonly PartOfValues[];
  /** Returns the entry's DN. Throws MalformedMessageError. */
  decode(frame: Frame): string;
  /** Takes the entry decoded last out, before the next overwrites it. */
  keep(dn: string): KeptEntry;
  /** Makes a kept entry the one decoded last. */
  restore(entry: KeptEntry): void;
  /** The field for a name in any case; undefined when it is not wanted. */
  field(name: string): Field | undefined;
  /** The entry decoded last, in a form that outlives its decoder. */
  save(): SavedEntry;
  /** Makes a saved entry the one decoded last, as if it had come just now. */
  load(saved: SavedEntry): void;
}

/** What was decoded of a whole entry, by the names of the fields. */
export interface SavedEntry {
  readonly values: Readonly<Record<string, AttributeValue>>;
  readonly unreadable: readonly string[];
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
  let unreadable: Field[] = [];
  let parts: PartOfValues[] = [];
  /** The attributes of the entries before, by their places: most entries have the same in the same order, so a name is compared instead of made. */
  const expected: Expected[] = [];
  for (const name of wanted) addField(name);

  function addField(name: string): Field {
    const existing = byLowerName.get(name.toLowerCase());
    if (existing !== undefined) return existing;
    const field: Field = { name, index: fields.length, decode: valueDecoder(name), seen: 0, binary: 0, binaryDn: '' };
    fields.push(field);
    values.push(undefined);
    byLowerName.set(name.toLowerCase(), field);
    return field;
  }

  function resolve(sentName: string): Field | null {
    const field = byLowerName.get(sentName.toLowerCase()) ?? (open ? addField(sentName) : null);
    if (field === null && !sentName.includes(';')) unexpected.add(sentName);
    return field;
  }

  function decode(frame: Frame): string {
    const { bytes } = frame;
    const cursor = new BerCursor(bytes, frame.start, frame.end);
    values.fill(undefined);
    if (unreadable.length > 0) unreadable = [];
    if (parts.length > 0) parts = [];
    const dnEnd = cursor.enter(octetString);
    const dn = decodeDn(bytes, cursor.offset, dnEnd);
    cursor.offset = dnEnd;
    const attributesEnd = cursor.enter(sequence);
    for (let place = 0; cursor.offset < attributesEnd; place += 1) {
      const attributeEnd = cursor.enter(sequence);
      const nameEnd = cursor.enter(octetString);
      const before = expected[place];
      if (before !== undefined && isAt(before.name, bytes, cursor.offset, nameEnd)) {
        cursor.offset = nameEnd;
        if (before.field !== null) take(before.field, readValues(before.field, cursor, bytes, dn));
      } else {
        const name = bytes.toString('latin1', cursor.offset, nameEnd);
        cursor.offset = nameEnd;
        const known = bySentName.get(name);
        if (known === undefined) readUnknown(name, cursor, bytes, dn);
        else if (known !== null) take(known, readValues(known, cursor, bytes, dn));
        const field = bySentName.get(name);
        // A name with a range option is never learnt: what follows depends on its numbers.
        if (field !== undefined && place < mostExpected) expected[place] = { name: Buffer.from(name, 'latin1'), field };
      }
      cursor.offset = attributeEnd;
    }
    return dn;
  }

  function readUnknown(name: string, cursor: BerCursor, bytes: Buffer, dn: string): void {
    const range = name.includes(';') ? parseRange(name) : undefined;
    const field = resolve(range?.attribute ?? name);
    // Ranges are as many as there are large entries: their names are not remembered.
    if (range === undefined) bySentName.set(name, field);
    if (field === null) return;
    const read = readValues(field, cursor, bytes, dn);
    if (range === undefined || (range.first === 0 && range.last === undefined)) take(field, read);
    else if (!unreadable.includes(field)) {
      field.seen += 1;
      parts.push({ ...range, field, values: listOf(read) });
    }
  }

  function take(field: Field, read: AttributeValue | undefined): void {
    if (read === undefined) return;
    field.seen += 1;
    values[field.index] = read;
  }

  /** Undefined when there is none, or none that can be read. */
  function readValues(field: Field, cursor: BerCursor, bytes: Buffer, dn: string): AttributeValue | undefined {
    const end = cursor.enter(set);
    let first: string | undefined;
    let several: string[] | undefined;
    while (cursor.offset < end) {
      const valueEnd = cursor.enter(octetString);
      const value = field.decode(bytes, cursor.offset, valueEnd);
      cursor.offset = valueEnd;
      if (value === undefined) {
        if (field.binary === 0) field.binaryDn = dn;
        field.binary += 1;
        unreadable.push(field);
        return undefined;
      }
      if (first === undefined) first = value;
      else if (several === undefined) several = [first, value];
      else several.push(value);
    }
    return several ?? first;
  }

  function save(): SavedEntry {
    const saved: Record<string, AttributeValue> = {};
    for (const { name, index } of fields) {
      const value = values[index];
      if (value !== undefined) saved[name] = value;
    }
    return { values: saved, unreadable: unreadable.map(({ name }) => name) };
  }

  function load(saved: SavedEntry): void {
    const fieldOf = (name: string) => (open ? addField(name) : byLowerName.get(name.toLowerCase()));
    values.fill(undefined);
    for (const [name, value] of Object.entries(saved.values)) {
      const field = fieldOf(name);
      if (field === undefined) continue;
      field.seen += 1;
      values[field.index] = value;
    }
    unreadable = saved.unreadable.flatMap((name) => fieldOf(name) ?? []);
    parts = [];
  }

  return {
    fields,
    unexpected,
    values,
    get unreadable() {
      return unreadable;
    },
    get parts() {
      return parts;
    },
    decode,
    keep: (dn) => ({ dn, values: [...values], unreadable, parts }),
    restore(entry) {
      for (const [index] of fields.entries()) values[index] = entry.values[index];
      unreadable = [...entry.unreadable];
      parts = [...entry.parts];
    },
    field: (name) => byLowerName.get(name.toLowerCase()),
    save,
    load,
  };
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
