/** Other servers that hold a part of the tree: what their URLs say, and connections to them for the time of a read. */
import type { LdapOptions, ReferralPolicy, SearchScope } from '../../domain/ldap-options.ts';
import { SourceUnavailableError } from '../../errors.ts';
import type { Logger } from '../../ports.ts';
import type { LdapConnection } from './connection.ts';
import { parseServerUrl, type ServerAddress } from './options.ts';

/** An LDAP URL (RFC 4516). What is absent stays as it was asked for. */
export interface Referral {
  readonly address: ServerAddress;
  readonly base: string | undefined;
  readonly scope: SearchScope | undefined;
  readonly filter: string | undefined;
}

/** Undefined when it is no LDAP URL, names no server, or has an extension that must be understood. */
export function parseReferral(text: string): Referral | undefined {
  const parts = /^(ldaps?:\/\/[^/?]+)(?:\/([^?]*))?((?:\?[^?]*){0,4})$/i.exec(text);
  const address = parts?.[1] === undefined ? undefined : parseServerUrl(parts[1]);
  if (parts === null || address === undefined || 'domain' in address) return undefined;
  const fields = [parts[2] ?? '', ...(parts[3] ?? '').split('?').slice(1)].map(decode);
  const [base = '', , scope = '', filter = '', extensions = ''] = fields;
  if (fields.includes(undefined) || !isScope(scope) || /(?:^|,)!/.test(extensions)) return undefined;
  return {
    address,
    base: base === '' ? undefined : base,
    scope: scope === '' ? undefined : scope,
    filter: filter === '' ? undefined : filter,
  };
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

function isScope(text: string): text is SearchScope | '' {
  return ['', 'sub', 'one', 'base'].includes(text);
}

export interface Referrals {
  readonly policy: ReferralPolicy;
  /** A connection with the same bind and no weaker encryption; one for each server. Throws SourceError. */
  connect(address: ServerAddress): Promise<LdapConnection>;
  /** Tells, once for each, which parts are left out. */
  leaveOut(urls: readonly string[]): void;
  close(): void;
}

export function createReferrals(
  options: LdapOptions,
  origin: ServerAddress,
  logger: Logger,
  open: (options: LdapOptions, address: ServerAddress) => Promise<LdapConnection>,
): Referrals {
  const connections = new Map<string, LdapConnection>();
  const leftOut = new Set<string>();

  async function connect(address: ServerAddress): Promise<LdapConnection> {
    const known = connections.get(serverKey(address));
    if (known !== undefined) return known;
    const { serverName: _ofTheOrigin, ...tls } = options.tls;
    const startTls = tls.startTls && !address.secure;
    if ((origin.secure || options.tls.startTls) && !address.secure && !startTls) {
      throw new SourceUnavailableError(
        `${address.url}: not followed: this connection would not be encrypted, that to ${origin.url} is`,
        { hint: 'let the referral name an ldaps:// URL, or use ldap:// with tls.startTls for all servers' },
      );
    }
    logger.debug({ from: origin.url, to: address.url }, 'a referral leads to another server');
    const connection = await open({ ...options, tls: { ...tls, startTls } }, address);
    connections.set(serverKey(address), connection);
    return connection;
  }

  return {
    policy: options.referrals,
    connect,
    leaveOut(urls) {
      const [url = ''] = urls;
      if (leftOut.has(url)) return;
      leftOut.add(url);
      logger.warn(
        { server: origin.url, urls },
        'a part of the tree is on another server and is left out (referrals: ignore)',
      );
    },
    close() {
      for (const connection of connections.values()) connection.close();
      connections.clear();
    },
  };
}

/** The same for every spelling of one server. */
export function serverKey({ host, port }: ServerAddress): string {
  return `${host.toLowerCase()}:${port}`;
}
