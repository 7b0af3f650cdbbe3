import type { SourceCache } from '../../../domain/source-cache.ts';
import type { ReadManner } from '../../../domain/source-read.ts';

/** Where earlier reads are remembered. */
export interface Memory {
  readonly cache: SourceCache;
  /** Complete reads in a row that a person must be missing from: whoever is missing is looked for as often. */
  readonly confirmAbsence: number;
}

export interface IncrementalRead {
  readonly entries: number;
  readonly manner: ReadManner;
}
