import { isIP } from 'node:net';
import type { LdapOptions, SearchScope } from '../../domain/ldap-options.ts';
import { ConfigError, type ConfigIssue } from '../../errors.ts';
import { isWithin, normalizeDn } from './dn.ts';
import { parseFilter } from './filter.ts';

export interface ServerAddress {
  /** As configured, for messages. */
  readonly url: string;
  readonly host: string;
  readonly port: number;
  readonly secure: boolean;
}

/** A domain whose servers DNS lists. */
export interface SrvUrl {
  /** As configured, for messages. */
  readonly url: string;
  readonly domain: string;
  readonly secure: boolean;
}

export type ServerUrl = ServerAddress | SrvUrl;

/** Undefined when the URL is not `ldap[s]://host[:port]` or `ldap[s]+srv://domain`. */
export function parseServerUrl(text: string): ServerUrl | undefined {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  const scheme = /^ldap(s?)(\+srv)?:$/.exec(url.protocol);
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const hasMore = url.username !== '' || url.search !== '' || (url.pathname !== '' && url.pathname !== '/');
  if (scheme === null || host === '' || hasMore) return undefined;
  const secure = scheme[1] === 's';
  if (scheme[2] !== undefined) {
    const isDomain = url.port === '' && isIP(host) === 0;
    return isDomain ? { url: text, domain: host.replace(/\.$/, ''), secure } : undefined;
  }
  return { url: text, host, port: url.port === '' ? (secure ? 636 : 389) : Number(url.port), secure };
}

/** The name that the certificate is checked against, and whether it can be sent as SNI (RFC 6066 section 3 excludes addresses). */
export function certificateName(
  options: Pick<LdapOptions, 'tls'>,
  address: ServerAddress,
): { name: string; sni: boolean } {
  const name = options.tls.serverName ?? address.host;
  return { name, sni: isIP(name) === 0 };
}

/**
 * Bases without those that another one already covers: an entry read twice would look like two people.
 * Keeps the spelling and order of the rest.
 */
export function distinctBases(bases: readonly string[], scope: SearchScope): readonly string[] {
  const keys = bases.map((base) => normalizeDn(base) ?? base);
  return bases.filter((_, index) => {
    const key = keys[index] ?? '';
    return keys.every((other, otherIndex) => {
      if (otherIndex === index) return true;
      if (other === key) return otherIndex > index;
      return scope !== 'sub' || !isWithin(key, other);
    });
  });
}

/** Throws ConfigError naming everything that is wrong, with paths below `source`. */
export function checkOptions(options: LdapOptions): readonly ServerUrl[] {
  const issues: ConfigIssue[] = [];
  const report = (path: string, message: string) => issues.push({ path: `source.${path}`, message });
  const addresses = options.urls.flatMap((url) => {
    const address = parseServerUrl(url);
    if (address === undefined)
      report('url', `"${url}" is not of the form ldap[s]://host, ldap[s]://host:port or ldap[s]+srv://domain`);
    return address ?? [];
  });
  if (options.urls.length === 0) report('url', 'at least one URL is needed');
  if (addresses.some(({ secure }) => secure) && options.tls.startTls)
    report('tls.startTls', 'StartTLS upgrades ldap:// URLs; ldaps:// is encrypted from the start');
  if (!options.tls.startTls && new Set(addresses.map(({ secure }) => secure)).size > 1)
    report('url', 'ldaps:// and ldap:// are mixed: who disturbs the encrypted servers would get to see the password');
  if ((options.tls.certFile === undefined) !== (options.tls.keyFile === undefined))
    report('tls.certFile', 'certFile and keyFile belong together: give both or neither');
  if (options.tls.certFile !== undefined && !options.tls.startTls && !addresses.every(({ secure }) => secure))
    report('tls.certFile', 'a client certificate needs TLS: use ldaps:// URLs or tls.startTls');
  if (options.bindDn !== undefined && options.bindDn !== '' && options.bindPassword === undefined) {
    // A name with an empty password succeeds as anonymous on many servers, which then show less (RFC 4513 section 5.1.2).
    report('bindPassword', 'bindDn needs a password; leave both out for an anonymous read');
  }
  if (options.bindPassword !== undefined && (options.bindDn ?? '') === '')
    report('bindDn', 'bindPassword is set, but bindDn is not');
  if (options.bindDn !== undefined && looksLikeBrokenDn(options.bindDn))
    report('bindDn', `"${options.bindDn}" is not a DN`);
  for (const [name, search] of [['users', options.users] as const, ['groups', options.groups] as const]) {
    if (search === undefined) continue;
    if (search.baseDn.length === 0) report(`${name}.baseDn`, 'at least one base DN is needed');
    for (const [index, base] of search.baseDn.entries()) {
      if (normalizeDn(base) === undefined) report(`${name}.baseDn[${index}]`, `"${base}" is not a DN`);
    }
    try {
      parseFilter(search.filter);
    } catch (error) {
      report(`${name}.filter`, `"${search.filter}" is not an LDAP filter: ${(error as Error).message}`);
    }
  }
  if (!Number.isInteger(options.pageSize) || options.pageSize < 1)
    report('pageSize', 'must be a whole number of at least 1');
  if (issues.length > 0) throw new ConfigError(issues);
  return addresses;
}

/** Active Directory also takes `user@domain` and `DOMAIN\user`; only what was meant as a DN can be a broken one. */
function looksLikeBrokenDn(name: string): boolean {
  return name.includes('=') && normalizeDn(name) === undefined;
}
