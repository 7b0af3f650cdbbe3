/** What certificates say of themselves, for people. */
import type { X509Certificate } from 'node:crypto';
import type { DetailedPeerCertificate, PeerCertificate } from 'node:tls';

/** One certificate of a chain. */
export interface ChainLink {
  /** `CN=ldap.corp.example, O=Corp`. */
  readonly subject: string;
  readonly issuer: string;
  /** What it may be used for: `DNS:ldap.corp.example`, `IP:10.0.0.5`. Empty for authorities. */
  readonly names: readonly string[];
  /** Milliseconds since the epoch. */
  readonly validFrom: number;
  readonly validTo: number;
  readonly selfSigned: boolean;
}

/** The chain from the server's own certificate upwards, as far as it is known here. */
export function chainOf(certificate: DetailedPeerCertificate): readonly ChainLink[] {
  const links: ChainLink[] = [];
  const seen = new Set<string>();
  let current: DetailedPeerCertificate | undefined = certificate;
  // The issuer of a self-signed certificate is itself.
  while (current?.fingerprint256 !== undefined && !seen.has(current.fingerprint256)) {
    seen.add(current.fingerprint256);
    const subject = distinguishedName(current.subject);
    const issuer = distinguishedName(current.issuer);
    links.push({
      subject,
      issuer,
      names: namesOf(links.length === 0 ? current.subject.CN : undefined, current.subjectaltname),
      validFrom: Date.parse(current.valid_from),
      validTo: Date.parse(current.valid_to),
      selfSigned: subject === issuer,
    });
    current = current.issuerCertificate;
  }
  return links;
}

/** A certificate by itself. */
export function linkOf(certificate: X509Certificate): ChainLink {
  const [subject, issuer] = [oneLine(certificate.subject), oneLine(certificate.issuer)];
  return {
    subject,
    issuer,
    names: namesOf(undefined, certificate.subjectAltName),
    validFrom: Date.parse(certificate.validFrom),
    validTo: Date.parse(certificate.validTo),
    selfSigned: subject === issuer,
  };
}

/** From the most general part per line to the most specific part first. */
function oneLine(name: string): string {
  return name.split('\n').reverse().join(', ');
}

/** `CN=ldap.corp.example (DNS:ldap.corp.example), issued by CN=Corp CA, valid from 2026-01-01 to 2027-01-01: expired` */
export function describeLink(link: ChainLink, now: number): string {
  const names = link.names.length === 0 ? '' : ` (${link.names.join(', ')})`;
  const issuer = link.selfSigned ? 'self-signed' : `issued by ${link.issuer}`;
  const state = now > link.validTo ? ': expired' : now < link.validFrom ? ': not valid yet' : '';
  return `${link.subject}${names}, ${issuer}, valid from ${day(link.validFrom)} to ${day(link.validTo)}${state}`;
}

/**
 * The names that a certificate is checked against: those of its subjectAltName, or, only when it has none, its common name
 * (RFC 6125 section 6.4.4).
 */
export function namesOf(
  commonName: string | readonly string[] | undefined,
  subjectAltName: string | undefined,
): readonly string[] {
  if (subjectAltName === undefined || subjectAltName === '')
    return [commonName ?? []].flat().map((name) => `CN=${name}`);
  // Node quotes a name that holds a comma.
  const parts = subjectAltName.match(/(?:[^,"]|"(?:[^"\\]|\\.)*")+/g) ?? [];
  return parts.map((part) => part.trim().replace(/^IP Address:/, 'IP:'));
}

function distinguishedName(name: PeerCertificate['subject']): string {
  return Object.entries(name)
    .reverse()
    .flatMap(([type, values]) => [values ?? []].flat().map((value) => `${type}=${value}`))
    .join(', ');
}

function day(time: number): string {
  return Number.isNaN(time) ? '?' : new Date(time).toISOString().slice(0, 10);
}
