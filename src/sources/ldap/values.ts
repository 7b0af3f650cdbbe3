import { isUtf8 } from 'node:buffer';

/**
 * The text of a value, or undefined when its bytes are no text: not UTF-8 (RFC 4517 section 3.3.6), or holding control
 * characters, which text attributes do not hold but identifiers and pictures do. Bytes never become text by replacement.
 */
export function decodeText(bytes: Buffer, start: number, end: number): string | undefined {
  let ascii = true;
  for (let offset = start; offset < end; offset += 1) {
    const byte = bytes[offset] ?? 0;
    if (byte >= 0x80) ascii = false;
    else if (byte < 0x20 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0d) return undefined;
  }
  if (ascii) return bytes.toString('latin1', start, end);
  return isUtf8(bytes.subarray(start, end)) ? bytes.toString('utf8', start, end) : undefined;
}

/** Attributes of Active Directory whose 16 bytes are a GUID. */
const guidAttributes: ReadonlySet<string> = new Set(['objectguid', 'ms-ds-consistencyguid', 'schemaidguid']);

/** By name, because 16 bytes may happen to be text. */
export function isGuidAttribute(name: string): boolean {
  return guidAttributes.has(name.toLowerCase());
}

/**
 * The canonical text of a GUID as Active Directory stores it: the first three groups little-endian (MS-DTYP section 2.3.4.2).
 * Undefined unless there are 16 bytes.
 */
export function decodeGuid(bytes: Buffer, start: number, end: number): string | undefined {
  if (end - start !== 16) return undefined;
  const hex = (...offsets: number[]) =>
    offsets.map((offset) => bytes.toString('hex', start + offset, start + offset + 1)).join('');
  return [hex(3, 2, 1, 0), hex(5, 4), hex(7, 6), hex(8, 9), hex(10, 11, 12, 13, 14, 15)].join('-');
}

/** UUIDs are equal whatever their case (RFC 4122 section 3), and must not change identity when a server changes its spelling. */
export function canonicalId(attribute: string, value: string): string {
  const text = value.trim();
  return attribute.toLowerCase() === 'entryuuid' || isGuidAttribute(attribute) ? text.toLowerCase() : text;
}
