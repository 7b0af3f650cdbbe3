/**
 * Distinguished names as keys: two names of the same entry give the same string (RFC 4514 syntax, RFC 4518 preparation).
 *
 * | difference                                   | equal? |
 * |----------------------------------------------|--------|
 * | case of attribute types and of values        | yes: names are made of case-insensitive attributes in practice |
 * | `CN`, `commonName`, `2.5.4.3`, `OID.2.5.4.3` | yes, for the types of RFC 4514 section 3 |
 * | `\,` and `\2C`, `"a,b"` and `a\,b`           | yes |
 * | spaces around `,` `=` `+`, runs of spaces    | yes |
 * | order inside `cn=a+sn=b`                     | yes |
 * | compatibility forms (NFKC), e.g. `ﬁ` and `fi` | yes |
 * | characters that are not seen: soft hyphen, zero-width space, controls | yes (RFC 4518 section 2.2) |
 * | `#0C03416E61` and `Ana`                      | yes, for the string types and OCTET STRING |
 * | `ß` and `ss`                                 | no, other than RFC 4518: OpenLDAP tells them apart, and so two people may bear them |
 *
 * A read compares a million names, and nearly all of them are plain ASCII without anything to undo: these are
 * recognised by one expression and only lower-cased. The canonical form of every other name keeps that shape.
 */
import { compareStrings } from '../../domain/identity.ts';
import { parseDn, type Rdn, type RdnValue } from './dn-parser.ts';

const plainValue = String.raw`[!$-*\-./0-:?-\[\]-~]+(?: [!$-*\-./0-:?-\[\]-~]+)*`;
const plainRdn = `[a-z][a-z0-9-]*=${plainValue}`;
const plainName = new RegExp(`^${plainRdn}(?:,${plainRdn})*$`, 'i');

/** Other names of the types of RFC 4514 section 3, and of `sn`. */
const shortTypes: ReadonlyMap<string, string> = new Map(
  Object.entries({
    cn: ['commonname', '2.5.4.3'],
    sn: ['surname', '2.5.4.4'],
    c: ['countryname', '2.5.4.6'],
    l: ['localityname', '2.5.4.7'],
    st: ['stateorprovincename', '2.5.4.8'],
    street: ['streetaddress', '2.5.4.9'],
    o: ['organizationname', '2.5.4.10'],
    ou: ['organizationalunitname', '2.5.4.11'],
    dc: ['domaincomponent', '0.9.2342.19200300.100.1.25'],
    uid: ['userid', '0.9.2342.19200300.100.1.1'],
  }).flatMap(([short, others]) => others.map((other) => [other, short] as const)),
);
const longType = new RegExp(`(?:^|,)(?:${[...shortTypes.keys()].filter((type) => /^[a-z]/.test(type)).join('|')})=`);

/** Mapped to nothing by RFC 4518 section 2.2: what formats, selects variants or controls, but for controls that are white space. */
const unseen = /\p{Cf}|\p{Variation_Selector}|\u034f|\ufffc|(?![\s\u0085])\p{Cc}/gu;
const needsPreparation = /[^\x20-\x7e]/;

/** The canonical form of a DN; undefined when the text is not a DN. Idempotent. The empty DN is a DN. */
export function normalizeDn(dn: string): string | undefined {
  if (plainName.test(dn)) {
    const lower = dn.toLowerCase();
    if (!longType.test(lower)) return lower;
  }
  const rdns = parseDn(dn);
  return rdns?.map(canonicalRdn).join(',');
}

/** Whether the first canonical DN lies below the second, or is the same. */
export function isWithin(dn: string, base: string): boolean {
  if (dn === base || base === '') return true;
  return dn.endsWith(`,${base}`) && !isEscaped(dn, dn.length - base.length - 1);
}

/** The DN of the entry above, in the same spelling where that has no quotes; the empty DN above the first. Undefined for what is no DN. */
export function parentDn(dn: string): string | undefined {
  // Quotes (RFC 2253) hide commas; the canonical spelling has none but escaped ones.
  const text = dn.includes('"') ? (normalizeDn(dn) ?? '') : dn;
  for (let offset = text.indexOf(','); offset !== -1; offset = text.indexOf(',', offset + 1)) {
    if (!isEscaped(text, offset)) return text.slice(offset + 1).trimStart();
  }
  return text.includes('=') ? '' : undefined;
}

/** uniqueMember values may end in a bit string that tells reused names apart: `cn=x#'0101'B` (RFC 4517 section 3.3.21). */
export function withoutUniqueIdentifier(value: string): string {
  return value.endsWith("'B") ? value.replace(/#'[01]*'B$/, '') : value;
}

/** Whether an odd number of backslashes stands before: the character belongs to a value. */
function isEscaped(dn: string, offset: number): boolean {
  let backslashes = 0;
  while (dn[offset - 1 - backslashes] === '\\') backslashes += 1;
  return backslashes % 2 === 1;
}

function canonicalRdn(rdn: Rdn): string {
  const parts = rdn.map(({ type, value }) => `${canonicalType(type)}=${canonicalValue(value)}`);
  return parts.length === 1 ? (parts[0] ?? '') : parts.sort(compareStrings).join('+');
}

function canonicalType(type: string): string {
  const lower = type.toLowerCase().replace(/^oid\./, '');
  return shortTypes.get(lower) ?? lower;
}

function canonicalValue(value: RdnValue): string {
  if (typeof value !== 'string') return 'ber' in value ? `#${value.ber}` : value.bytes.replace(/../g, '\\$&');
  const text = needsPreparation.test(value) ? prepare(value) : value.toLowerCase();
  return text
    .replace(/ +/g, ' ')
    .trim()
    .replace(/[\\,+"<>;]|^#/g, '\\$&');
}

/** RFC 4518 section 2, but for the folding of `ß`. Lower case has two forms of sigma, which are one letter. */
function prepare(value: string): string {
  return value
    .replace(unseen, '')
    .replace(/[\s\u0085]/g, ' ')
    .normalize('NFKC')
    .toLowerCase()
    .replaceAll('ς', 'σ')
    .normalize('NFKC')
    .replace(/[\s\u0085]/g, ' ');
}
