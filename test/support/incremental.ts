/** A source that remembers its reads, and the same source without a memory to compare with. */
import { onTestFinished } from 'vitest';
import type { Demand, Entry } from '../../src/domain/entry.ts';
import type { IncrementalMethod, LdapOptions } from '../../src/domain/ldap-options.ts';
import type { SourceCache } from '../../src/domain/source-cache.ts';
import type { ReadManner } from '../../src/domain/source-read.ts';
import { createLdapSource } from '../../src/sources/ldap/ldap-source.ts';
import { openSnapshot } from '../../src/store/snapshot.ts';
import { organization } from './builders.ts';
import { createTestLogger, demandOf } from './ldap-reading.ts';
import { temporaryFolder } from './snapshots.ts';
import { createVirtualClock } from './virtual-clock.ts';

type SeenEntry = Omit<Entry, 'groupPaths'> & { readonly paths?: Readonly<Record<string, readonly string[]>> };

export interface Seen {
  readonly entries: readonly SeenEntry[];
  readonly manner: ReadManner | undefined;
}

export interface IncrementalSource {
  readonly cache: SourceCache;
  readonly clock: ReturnType<typeof createVirtualClock>;
  readonly logger: ReturnType<typeof createTestLogger>;
  read(): Promise<Seen>;
  /** As after a good run. */
  confirm(): void;
  readAndConfirm(): Promise<Seen>;
  /** What a read of everything sees, by a source that remembers nothing. */
  everything(): Promise<readonly SeenEntry[]>;
}

export interface IncrementalOptions {
  readonly method?: IncrementalMethod;
  readonly demand?: Demand;
  readonly confirmAbsence?: number;
  /** Of another source, to go on from where that one stopped. */
  readonly cache?: SourceCache;
  readonly mode?: 'write' | 'read';
}

export const day = 24 * 3_600_000;

export function incrementalSource(plain: LdapOptions, given: IncrementalOptions = {}): IncrementalSource {
  const { method = 'syncrepl', confirmAbsence = 1, mode = 'write' } = given;
  const demand = given.demand ?? demandOf({ attributes: ['cn', 'mail', 'title'], groups: ['developers', 'operators'] });
  const options = { ...plain, incremental: { method, fullReadEveryMs: day } };
  const cache = given.cache ?? ownCache(mode);
  const clock = createVirtualClock();
  const logger = createTestLogger();
  const source = createLdapSource(options, logger, { now: () => clock.now(), memory: { cache, confirmAbsence } });
  const read = async () => {
    const entries: Entry[] = [];
    const { manner } = await source.read(demand, (entry) => entries.push(entry), new AbortController().signal);
    return { entries: sorted(entries), manner };
  };
  const confirm = () => source.incremental?.confirm();
  return {
    cache,
    clock,
    logger,
    read,
    confirm,
    async readAndConfirm() {
      const seen = await read();
      confirm();
      return seen;
    },
    async everything() {
      const entries: Entry[] = [];
      const forgetful = createLdapSource(plain, createTestLogger(), { now: () => clock.now() });
      await forgetful.read(demand, (entry) => entries.push(entry), new AbortController().signal);
      return sorted(entries);
    },
  };
}

function ownCache(mode: 'write' | 'read'): SourceCache {
  const snapshot = openSnapshot(`${temporaryFolder()}/tdsync.db`, mode, organization);
  onTestFinished(() => snapshot.close());
  return snapshot.sourceCache;
}

/** In the order of their DNs, and with every way to a group worked out, so that entries can be compared. */
function sorted(entries: readonly Entry[]): readonly SeenEntry[] {
  const seen = entries.map(({ groupPaths, ...entry }) => ({
    ...entry,
    ...(groupPaths && { paths: Object.fromEntries(entry.groups.map((name) => [name, groupPaths.to(name)])) }),
  }));
  return seen.toSorted((a, b) => (a.location < b.location ? -1 : 1));
}
