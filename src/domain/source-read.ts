import type { Demand } from './entry.ts';

/** How a complete read came about. */
export type ReadManner =
  /** Everything was asked for; `reason` says why not only what changed. */
  | { readonly manner: 'full'; readonly reason: string }
  /** What had not changed since the last read came from the cache. */
  | {
      readonly manner: 'incremental';
      /** Entries asked for again that exist: new ones and changed ones. */
      readonly changed: number;
      /** Entries of the cache that exist no longer, or no longer match. */
      readonly gone: number;
      /** When everything was read last, in milliseconds since the epoch. */
      readonly fullReadAt: number;
    };

/** What a source offers besides its reads when it asks only for what changed. */
export interface IncrementalReads {
  /** The run that used the last read converged or was applied: the next read may go on from there. Throws StoreError. */
  confirm(): void;
  /** Whether the server offers this to us, as a sentence. Throws SourceError saying why not. */
  check(demand: Demand, signal: AbortSignal): Promise<string>;
}
