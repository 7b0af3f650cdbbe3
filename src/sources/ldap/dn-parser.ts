import { isUtf8 } from 'node:buffer';

/** What a name says of one attribute: text, bytes that are no text, or the BER encoding of another kind of value; both as hex. */
export type RdnValue = string | { readonly bytes: string } | { readonly ber: string };

/** One relative name: usually one pair, several when joined by `+`. */
export type Rdn = readonly { readonly type: string; readonly value: RdnValue }[];

const typePattern = /^(?:oid\.)?(?:[a-z][a-z0-9-]*|\d+(?:\.\d+)*)$/i;
/** UTF8String, OCTET STRING, PrintableString, IA5String: a `#hex` value of these holds text. */
const textTags: ReadonlySet<number> = new Set([0x0c, 0x04, 0x13, 0x16]);

/** RFC 4514, and of RFC 2253 what servers still send: quoted values, spaces around separators. Undefined when not a DN. */
export function parseDn(dn: string): readonly Rdn[] | undefined {
  if (dn.trim() === '') return [];
  const rdns: Rdn[] = [];
  let pairs: Rdn[number][] = [];
  for (let offset = 0; ; ) {
    const equals = dn.indexOf('=', offset);
    if (equals === -1) return undefined;
    const type = dn.slice(offset, equals).trim();
    if (!typePattern.test(type)) return undefined;
    const parsed = parseValue(dn, equals + 1);
    if (parsed === undefined) return undefined;
    pairs.push({ type, value: parsed.value });
    const separator = dn[parsed.end];
    if (separator !== '+') {
      rdns.push(pairs);
      pairs = [];
    }
    if (separator === undefined) return rdns;
    offset = parsed.end + 1;
  }
}

interface ParsedValue {
  readonly value: RdnValue;
  /** Where the separator stands, or the end of the name. */
  readonly end: number;
}

function parseValue(dn: string, from: number): ParsedValue | undefined {
  let start = from;
  while (dn[start] === ' ') start += 1;
  if (dn[start] === '#') return parseHexValue(dn, start + 1);
  if (dn[start] === '"') return parseQuotedValue(dn, start + 1);
  return parseStringValue(dn, start);
}

function parseStringValue(dn: string, start: number): ParsedValue | undefined {
  const bytes = new ValueBytes();
  let offset = start;
  for (; offset < dn.length; ) {
    const character = dn[offset] ?? '';
    if (character === ',' || character === '+') break;
    if (character === '"' || character === ';' || character === '<' || character === '>') return undefined;
    const next = character === '\\' ? bytes.addEscape(dn, offset) : bytes.addCharacter(dn, offset);
    if (next === undefined) return undefined;
    offset = next;
  }
  return { value: bytes.value(), end: offset };
}

function parseQuotedValue(dn: string, start: number): ParsedValue | undefined {
  const bytes = new ValueBytes();
  for (let offset = start; offset < dn.length; ) {
    if (dn[offset] === '"') {
      const end = skipSpaces(dn, offset + 1);
      const separator = dn[end];
      return separator === undefined || separator === ',' || separator === '+'
        ? { value: bytes.value(), end }
        : undefined;
    }
    const next = dn[offset] === '\\' ? bytes.addEscape(dn, offset) : bytes.addCharacter(dn, offset);
    if (next === undefined) return undefined;
    offset = next;
  }
  return undefined;
}

function parseHexValue(dn: string, start: number): ParsedValue | undefined {
  const digits = /^(?:[0-9a-f]{2})+/i.exec(dn.slice(start))?.[0];
  if (digits === undefined) return undefined;
  const end = skipSpaces(dn, start + digits.length);
  const separator = dn[end];
  if (separator !== undefined && separator !== ',' && separator !== '+') return undefined;
  return { value: decodeBer(Buffer.from(digits, 'hex')) ?? { ber: digits.toLowerCase() }, end };
}

/** The value inside, when it is of a kind that could as well stand there as text (X.690 sections 8.1.2 and 8.1.3). */
function decodeBer(ber: Buffer): RdnValue | undefined {
  const first = ber[1] ?? 0;
  const lengthBytes = first < 0x80 ? 0 : first - 0x80;
  if (!textTags.has(ber[0] ?? -1) || lengthBytes > 4 || ber.length < 2 + lengthBytes) return undefined;
  const length = lengthBytes === 0 ? first : ber.readUIntBE(2, lengthBytes);
  const content = ber.subarray(2 + lengthBytes);
  return first !== 0x80 && content.length === length ? valueFrom(content) : undefined;
}

function valueFrom(bytes: Buffer): RdnValue {
  return isUtf8(bytes) ? bytes.toString() : { bytes: bytes.toString('hex') };
}

function skipSpaces(dn: string, from: number): number {
  let offset = from;
  while (dn[offset] === ' ') offset += 1;
  return offset;
}

/** Collects a value's text. Hex escapes are bytes of UTF-8, so neighbours must be decoded together. */
class ValueBytes {
  readonly #bytes: number[] = [];

  /** Returns the offset behind the escape; undefined when nothing may follow the backslash like that. */
  addEscape(dn: string, offset: number): number | undefined {
    const pair = dn.slice(offset + 1, offset + 3);
    if (/^[0-9a-f]{2}$/i.test(pair)) {
      this.#bytes.push(Number.parseInt(pair, 16));
      return offset + 3;
    }
    return offset + 1 < dn.length ? this.addCharacter(dn, offset + 1) : undefined;
  }

  addCharacter(dn: string, offset: number): number {
    const character = String.fromCodePoint(dn.codePointAt(offset) ?? 0);
    for (const byte of Buffer.from(character)) this.#bytes.push(byte);
    return offset + character.length;
  }

  /** Outer spaces are dropped here or by preparation alike: RFC 4518 section 2.6.1 calls them insignificant. */
  value(): RdnValue {
    return valueFrom(Buffer.from(this.#bytes));
  }
}
