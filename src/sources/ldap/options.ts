import { isIP } from 'node:net';
import type { Secret } from '../../domain/secret.ts';
import { ConfigError, type ConfigIssue } from '../../errors.ts';
import { isWithin, normalizeDn } from './dn.ts';
import { parseFilter } from './filter.ts';

export type SearchScope = 'sub' | 'one' | 'base';

/** How group membership is stored: in the group as DNs or as user names, or in the user as DNs of groups. */
export type MembershipKind = 'member' | 'uniqueMember' | 'memberUid' | 'memberOf';

export interface LdapOptions {
  /** `ldap://host[:port]` or `ldaps://host[:port]`. */
  readonly url: string;
  /** Anonymous when absent. */
  readonly bindDn?: string;
  readonly bindPassword?: Secret;
  readonly tls: {
    /** Absolute path of a PEM file whose certificates replace the built-in roots; read at each connect. */
    readonly caFile?: string;
    /** Upgrade an ldap:// connection before anything else is sent; never falls back to clear text. */
    readonly startTls: boolean;
    readonly minVersion?: 'TLSv1.2' | 'TLSv1.3';
    /** The name that the server's certificate must carry, when it is not the URL's host. */
    readonly serverName?: string;
  };
  readonly users: {
    readonly baseDn: readonly string[];
    readonly filter: string;
    readonly scope: SearchScope;
    /** Attribute that holds the immutable key: entryUUID, objectGUID, employeeNumber … */
    readonly id: string;
  };
  /** Needed when a rule names a group. */
  readonly groups?: {
    readonly baseDn: readonly string[];
    readonly filter: string;
    readonly scope: SearchScope;
    /** Attribute that holds the group's name. */
    readonly name: string;
    readonly membership: MembershipKind;
    /** The users' attribute that memberUid refers to. */
    readonly uid: string;
  };
  /** Entries per page. */
  readonly pageSize: number;
  readonly timeouts: {
    /** For each step until the connection is ready: TCP, StartTLS, TLS handshake, bind. */
    readonly connectMs: number;
    /** For one request: a page of entries. */
    readonly operationMs: number;
  };
}

export type GroupOptions = NonNullable<LdapOptions['groups']>;

export interface ServerAddress {
  readonly host: string;
  readonly port: number;
  readonly secure: boolean;
}

/** Undefined when the URL is not `ldap[s]://host[:port]`. */
export function parseServerUrl(text: string): ServerAddress | undefined {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  const secure = url.protocol === 'ldaps:';
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const hasMore = url.username !== '' || url.search !== '' || (url.pathname !== '' && url.pathname !== '/');
  if ((!secure && url.protocol !== 'ldap:') || host === '' || hasMore) return undefined;
  return { host, port: url.port === '' ? (secure ? 636 : 389) : Number(url.port), secure };
}

/** The name that the certificate is checked against, and whether it can be sent as SNI (RFC 6066 section 3 excludes addresses). */
export function certificateName(options: LdapOptions, address: ServerAddress): { name: string; sni: boolean } {
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
export function checkOptions(options: LdapOptions): ServerAddress {
  const issues: ConfigIssue[] = [];
  const report = (path: string, message: string) => issues.push({ path: `source.${path}`, message });
  const address = parseServerUrl(options.url);
  if (address === undefined) report('url', `"${options.url}" is not of the form ldap://host:port or ldaps://host:port`);
  if (address?.secure && options.tls.startTls)
    report('tls.startTls', 'StartTLS upgrades ldap:// URLs; ldaps:// is encrypted from the start');
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
  if (address === undefined || issues.length > 0) throw new ConfigError(issues);
  return address;
}

/** Active Directory also takes `user@domain` and `DOMAIN\user`; only what was meant as a DN can be a broken one. */
function looksLikeBrokenDn(name: string): boolean {
  return name.includes('=') && normalizeDn(name) === undefined;
}
