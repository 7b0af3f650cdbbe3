import type { AttributeValue } from './entry.ts';

/** For each group its name, and the way to it where that is known: from the group that the person belongs to directly. */
export type CachedGroups = readonly (readonly string[])[];

/** An entry as the directory said it, so that it can be handed over again without asking. */
export interface CachedRecord {
  /** The directory's own name of the entry, which survives every change. */
  readonly uuid: string;
  readonly dn: string;
  /** What was asked for, by attribute. */
  readonly values: Readonly<Record<string, AttributeValue>>;
  /** Attributes whose values are no text. */
  readonly unreadable: readonly string[];
  readonly groups: CachedGroups;
  /** Number of reads in a row that the entry was missing from; 0: it is there. */
  readonly missing: number;
}

/** What the cache is good for. Times are milliseconds since the epoch. */
export interface SourceCacheState {
  readonly method: string;
  /** Of everything that decides what a read asks for. */
  readonly digest: string;
  /** The server that was read. */
  readonly server: string;
  /** Below which name changes are reported. */
  readonly context: string;
  /** Where the server's report of changes goes on. */
  readonly cookie: Buffer;
  readonly fullReadAt: number;
  /** Records that the cache must hold. */
  readonly records: number;
}

/** A full reading on its way into the cache. */
export interface CacheRefill {
  add(record: CachedRecord): void;
  /** Puts it in the place of what the cache held. Until then, and when it is never called, the cache is as it was. */
  finish(state: SourceCacheState): void;
}

/** The source's entries as last read, so that the next read can ask for changes alone. */
export interface SourceCache {
  /** False where nothing may be written, as in a dry run: then only the reading methods may be called. */
  readonly writable: boolean;
  /** Undefined when the cache is empty. */
  state(): SourceCacheState | undefined;
  /** Number of records that it really holds. */
  count(): number;
  /** In the order of their UUIDs. */
  records(): Iterable<CachedRecord>;
  find(uuid: string): CachedRecord | undefined;
  /** The UUIDs alone, which is much cheaper. */
  keys(): Iterable<Pick<CachedRecord, 'uuid' | 'missing'>>;
  refill(): CacheRefill;
  /** Everything in one transaction. */
  update(put: Iterable<CachedRecord>, remove: Iterable<string>, state: SourceCacheState): void;
  clear(): void;
}
