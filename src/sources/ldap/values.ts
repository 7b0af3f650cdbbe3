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

/** The text of one value, or undefined when it has none. */
export type ValueDecoder = (bytes: Buffer, start: number, end: number) => string | undefined;

/** Attributes of Active Directory whose 16 bytes are a GUID, and those that hold a SID. */
const guidAttributes: ReadonlySet<string> = new Set(['objectguid', 'ms-ds-consistencyguid', 'schemaidguid']);
const sidAttributes: ReadonlySet<string> = new Set(['objectsid', 'sidhistory', 'tokengroups', 'securityidentifier']);

/** By name, because bytes may happen to be text. */
export function valueDecoder(attribute: string): ValueDecoder {
  if (isGuidAttribute(attribute)) return decodeGuid;
  return sidAttributes.has(attribute.toLowerCase()) ? decodeSid : decodeText;
}

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

/**
 * `S-1-5-21-…` (MS-DTYP section 2.4.2): revision, number of sub-authorities, the authority in six bytes big-endian, then each
 * sub-authority in four bytes little-endian. Undefined when the bytes are not that.
 */
export function decodeSid(bytes: Buffer, start: number, end: number): string | undefined {
  const count = bytes[start + 1] ?? 0;
  if (end - start < 8 || bytes[start] !== 1 || count > 15 || end - start !== 8 + count * 4) return undefined;
  const parts = Array.from({ length: count }, (_, index) => bytes.readUInt32LE(start + 8 + index * 4));
  return ['S-1', bytes.readUIntBE(start + 2, 6), ...parts].join('-');
}

/**
 * A DN as text. Servers must send UTF-8 (RFC 4514); bytes that are not are kept apart by writing them as the hex pairs that a DN may hold,
 * for two names that became one by replacement would be one person.
 */
export function decodeDn(bytes: Buffer, start: number, end: number): string {
  const text = bytes.toString('utf8', start, end);
  if (!text.includes('\ufffd') || isUtf8(bytes.subarray(start, end))) return text;
  return bytes
    .toString('latin1', start, end)
    .replace(/[\x80-\xff]/g, (character) => `\\${character.charCodeAt(0).toString(16)}`);
}

/** UUIDs are equal whatever their case (RFC 4122 section 3), and must not change identity when a server changes its spelling. */
export function canonicalId(attribute: string, value: string): string {
  const text = value.trim();
  return attribute.toLowerCase() === 'entryuuid' || isGuidAttribute(attribute) ? text.toLowerCase() : text;
}

/** The other way round. */
export function guidBytes(guid: string): Buffer {
  const bytes = Buffer.from(guid.replaceAll('-', ''), 'hex');
  bytes.subarray(0, 4).reverse();
  bytes.subarray(4, 6).reverse();
  bytes.subarray(6, 8).reverse();
  return bytes;
}
