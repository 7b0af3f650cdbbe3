/**
 * Distinguished names as keys: two names of the same entry give the same string (RFC 4514 syntax, RFC 4518 preparation).
 *
 * | difference                                   | equal? |
 * |----------------------------------------------|--------|
 * | case of attribute types and of values        | yes: names are made of case-insensitive attributes in practice |
 * | `CN`, `2.5.4.3`, `OID.2.5.4.3`               | yes, for the types of RFC 4514 section 3 |
 * | `\,` and `\2C`, `"a,b"` and `a\,b`           | yes |
 * | spaces around `,` `=` `+`, runs of spaces    | yes |
 * | order inside `cn=a+sn=b`                     | yes |
 * | compatibility forms (NFKC), e.g. `ﬁ` and `fi` | yes |
 *
 * A read compares a million names, and nearly all of them are plain ASCII without anything to undo: these are
 * recognised by one expression and only lower-cased. The canonical form of every other name keeps that shape.
 */
import { compareStrings } from '../../domain/identity.ts';
import { parseDn, type Rdn } from './dn-parser.ts';

const plainValue = String.raw`[!$-*\-./0-:?-\[\]-~]+(?: [!$-*\-./0-:?-\[\]-~]+)*`;
const plainRdn = `[a-z][a-z0-9-]*=${plainValue}`;
/** An odd number of backslashes: the comma that follows belongs to a value. */
const endsInEscape = /(?<!\\)\\(?:\\\\)*$/;
const plainName = new RegExp(`^${plainRdn}(?:,${plainRdn})*$`, 'i');

/** The short names of RFC 4514 section 3, and those that certificates' tools write out. */
const shortTypes: ReadonlyMap<string, string> = new Map([
  ['2.5.4.3', 'cn'],
  ['2.5.4.7', 'l'],
  ['2.5.4.8', 'st'],
  ['2.5.4.10', 'o'],
  ['2.5.4.11', 'ou'],
  ['2.5.4.6', 'c'],
  ['2.5.4.9', 'street'],
  ['0.9.2342.19200300.100.1.25', 'dc'],
  ['0.9.2342.19200300.100.1.1', 'uid'],
]);

/** The canonical form of a DN; undefined when the text is not a DN. Idempotent. The empty DN is a DN. */
export function normalizeDn(dn: string): string | undefined {
  if (plainName.test(dn)) return dn.toLowerCase();
  const rdns = parseDn(dn);
  return rdns?.map(canonicalRdn).join(',');
}

/** Whether the first canonical DN lies below the second, or is the same. */
export function isWithin(dn: string, base: string): boolean {
  if (dn === base || base === '') return true;
  return dn.endsWith(`,${base}`) && !endsInEscape.test(dn.slice(0, -base.length - 1));
}

/** uniqueMember values may end in a bit string that tells reused names apart: `cn=x#'0101'B` (RFC 4517 section 3.3.21). */
export function withoutUniqueIdentifier(value: string): string {
  return value.endsWith("'B") ? value.replace(/#'[01]*'B$/, '') : value;
}

function canonicalRdn(rdn: Rdn): string {
  const parts = rdn.map(({ type, value }) => `${canonicalType(type)}=${canonicalValue(value)}`);
  return parts.length === 1 ? (parts[0] ?? '') : parts.sort(compareStrings).join('+');
}

function canonicalType(type: string): string {
  const lower = type.toLowerCase().replace(/^oid\./, '');
  return shortTypes.get(lower) ?? lower;
}

function canonicalValue(value: Rdn[number]['value']): string {
  if (typeof value !== 'string') return `#${value.hex.toLowerCase()}`;
  const folded = value.normalize('NFKC').toLowerCase().normalize('NFKC').replace(/\s+/g, ' ').trim();
  return folded.replace(/[\\,+"<>;]|^#/g, '\\$&');
}
