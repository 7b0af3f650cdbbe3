import type { LdapOptions } from '../../domain/ldap-options.ts';
import type { Memory } from './incremental/memory.ts';
import type { ServerAddress, ServerUrl } from './options.ts';
import { createSrvResolver, lookUpServers, type ResolveSrv } from './srv.ts';

/** What the source takes from outside. */
export interface Outside {
  /** Finds the servers of a domain. Left out: the name servers of the system. */
  readonly resolveSrv?: ResolveSrv;
  /** In [0, 1): spreads reads over servers of equal rank. Left out: the one with the greatest weight first. */
  readonly random?: () => number;
  /** Milliseconds since the epoch. Left out: nothing is remembered from read to read. */
  readonly now?: () => number;
  /** When each server failed last, by URL. Left out: known to this source alone. */
  readonly failures?: Map<string, number>;
  /** What earlier reads saw. Left out: every read is full. */
  readonly memory?: Memory;
}

/** How long a server that failed is asked last, in milliseconds. */
const memoryMs = 10 * 60_000;

/** The servers of one directory, over many reads. */
export interface Servers {
  /**
   * Servers to try, best first, each looked up when its turn comes. A look-up that fails goes to `onFailure`, which
   * throws when the read cannot go on. Servers that failed lately come last.
   */
  candidates(signal: AbortSignal, onFailure: (error: unknown) => void): AsyncIterable<ServerAddress>;
  failed(address: ServerAddress): void;
  worked(address: ServerAddress): void;
}

export function createServers(urls: readonly ServerUrl[], options: LdapOptions, outside: Outside): Servers {
  const { resolveSrv = createSrvResolver(), random = () => 1 - Number.EPSILON, now, failures = new Map() } = outside;

  function failedLately({ url }: ServerAddress): boolean {
    const failedAt = failures.get(url);
    return now !== undefined && failedAt !== undefined && now() - failedAt < memoryMs;
  }

  async function* candidates(
    signal: AbortSignal,
    onFailure: (error: unknown) => void,
  ): AsyncGenerator<ServerAddress, void, void> {
    const last: ServerAddress[] = [];
    for (const url of urls) {
      let addresses: readonly ServerAddress[] = [];
      try {
        addresses =
          'domain' in url ? await lookUpServers(url, resolveSrv, random, options.timeouts.connectMs, signal) : [url];
      } catch (error) {
        onFailure(error);
      }
      for (const address of addresses) {
        if (failedLately(address)) last.push(address);
        else yield address;
      }
    }
    yield* last.sort((a, b) => (failures.get(a.url) ?? 0) - (failures.get(b.url) ?? 0));
  }

  return {
    candidates,
    failed: ({ url }) => {
      if (now !== undefined) failures.set(url, now());
    },
    worked: ({ url }) => {
      failures.delete(url);
    },
  };
}
