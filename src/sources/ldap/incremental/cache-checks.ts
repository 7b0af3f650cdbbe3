import { createHash } from 'node:crypto';
import type { Demand } from '../../../domain/entry.ts';
import type { LdapOptions } from '../../../domain/ldap-options.ts';
import type { SourceCacheState } from '../../../domain/source-cache.ts';

/** To be raised when entries are read or kept in another way. */
const format = 1;

/** Of everything that decides which entries a read finds and what it learns of them. */
export function readDigest(options: LdapOptions, demand: Demand): string {
  const { bindDn, users, groups, referrals, incremental } = options;
  const parts = [format, incremental?.method, bindDn ?? null, users, groups ?? null, referrals, demand];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

export interface Circumstances {
  readonly method: string;
  readonly digest: string;
  readonly server: string;
  /** Records that the cache really holds. */
  readonly records: number;
  readonly now: number;
  readonly fullReadEveryMs: number;
}

/** Why the cache is not to be believed under these circumstances; undefined when it is. */
export function reasonForFullRead(state: SourceCacheState | undefined, now: Circumstances): string | undefined {
  if (state === undefined) return 'nothing is known of an earlier read';
  if (state.method !== now.method || state.digest !== now.digest)
    return 'the configuration asks for something else than before';
  if (state.server !== now.server) return `another server answers than before (${state.server})`;
  if (state.records !== now.records) return `the cache holds ${now.records} entries instead of ${state.records}`;
  if (state.fullReadAt > now.now) return 'the clock was set back';
  if (now.now - state.fullReadAt >= now.fullReadEveryMs) return 'the last full read is fullReadEvery ago';
  return undefined;
}
