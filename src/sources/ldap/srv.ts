/**
 * Servers of a domain, as DNS lists them (RFC 2782).
 *
 * | URL                | asked for             | when there is none |
 * |--------------------|-----------------------|--------------------|
 * | ldap+srv://domain  | `_ldap._tcp.domain`   | error |
 * | ldaps+srv://domain | `_ldaps._tcp.domain`  | hosts of `_ldap._tcp.domain` on port 636: Active Directory lists its servers only so |
 *
 * The domain may be any name below which such records stand: `dc._msdcs.corp.example`, `Lisbon._sites.corp.example`.
 */
import { Resolver } from 'node:dns/promises';
import { SourceUnavailableError } from '../../errors.ts';
import type { ServerAddress, SrvUrl } from './options.ts';

export interface SrvRecord {
  readonly name: string;
  readonly port: number;
  readonly priority: number;
  readonly weight: number;
}

/** Rejects with an error whose `code` says why (ENOTFOUND, ENODATA, ETIMEOUT …), or with the signal's reason. */
export type ResolveSrv = (name: string, signal: AbortSignal) => Promise<readonly SrvRecord[]>;

/** Asks the name servers of the system, or these (`address:port`). */
export function createSrvResolver(nameServers?: readonly string[]): ResolveSrv {
  return async (name, signal) => {
    signal.throwIfAborted();
    const resolver = new Resolver();
    if (nameServers !== undefined) resolver.setServers(nameServers);
    const onAbort = () => resolver.cancel();
    signal.addEventListener('abort', onAbort);
    try {
      return await resolver.resolveSrv(name);
    } catch (error) {
      signal.throwIfAborted();
      throw error;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  };
}

/** The servers that DNS lists for a domain, best first. Throws SourceUnavailableError, or the signal's reason. */
export async function lookUpServers(
  url: SrvUrl,
  resolve: ResolveSrv,
  random: () => number,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<readonly ServerAddress[]> {
  const query = (name: string) => ask(url, resolve, name, timeoutMs, signal);
  const plainName = `_ldap._tcp.${url.domain}`;
  const names = url.secure ? [`_ldaps._tcp.${url.domain}`, plainName] : [plainName];
  for (const name of names) {
    const records = await query(name);
    // A single record with the root as its target says: decidedly not offered (RFC 2782).
    const offered = records.filter((record) => record.name !== '' && record.name !== '.');
    if (offered.length === 0) continue;
    const onOtherPort = url.secure && name === plainName;
    return inOrder(offered, random).map((record) => addressOf(record, url.secure, onOtherPort ? 636 : record.port));
  }
  throw lookUpFailed(url, `DNS lists no server under ${names.join(' or ')}`);
}

async function ask(
  url: SrvUrl,
  resolve: ResolveSrv,
  name: string,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<readonly SrvRecord[]> {
  const timeOut = AbortSignal.timeout(timeoutMs);
  try {
    return await resolve(name, AbortSignal.any([signal, timeOut]));
  } catch (error) {
    signal.throwIfAborted();
    if (timeOut.aborted) throw lookUpFailed(url, `DNS did not answer for ${name} within ${timeoutMs} ms`, error);
    const { code, message } = error as { code?: string; message?: string };
    if (code === 'ENOTFOUND' || code === 'ENODATA') return [];
    throw lookUpFailed(url, `the look-up of ${name} failed: ${code ?? message ?? 'unknown reason'}`, error);
  }
}

function lookUpFailed({ url }: SrvUrl, reason: string, cause?: unknown): SourceUnavailableError {
  return new SourceUnavailableError(`${url}: ${reason}`, {
    hint: 'check the domain and which name servers this machine asks (`dig SRV`), or name the servers in url',
    cause,
    elsewhere: true,
  });
}

function addressOf({ name }: SrvRecord, secure: boolean, port: number): ServerAddress {
  const host = name.replace(/\.$/, '');
  return { url: `${secure ? 'ldaps' : 'ldap'}://${host}:${port}`, host, port, secure };
}

/**
 * By priority, and among equals by chance in proportion to their weights (RFC 2782, "Weight").
 * `random` gives numbers in [0, 1).
 */
export function inOrder(records: readonly SrvRecord[], random: () => number): readonly SrvRecord[] {
  const priorities = [...new Set(records.map(({ priority }) => priority))].sort((a, b) => a - b);
  return priorities.flatMap((priority) => {
    // Those of weight 0 first, so that they have a small chance of being chosen before others.
    const left = records.filter((record) => record.priority === priority).sort((a, b) => a.weight - b.weight);
    const chosen: SrvRecord[] = [];
    while (left.length > 0) {
      const sum = left.reduce((total, { weight }) => total + weight, 0);
      const limit = Math.floor(random() * (sum + 1));
      let running = 0;
      const index = left.findIndex(({ weight }) => {
        running += weight;
        return running >= limit;
      });
      chosen.push(...left.splice(index, 1));
    }
    return chosen;
  });
}
