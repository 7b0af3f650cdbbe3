import type { Entry } from './entry.ts';
import type { ExternalId } from './identity.ts';

/** What a run saw of the people in scope, or linked. */
export interface Seen {
  /** Those that are not kept like that already, each with its hash. */
  readonly entries: readonly { readonly entry: Entry; readonly hash: number }[];
  /** Keys of linked people that no entry has. */
  readonly missing: readonly ExternalId[];
}

/** An entry as a run read it. */
export interface SeenEntry {
  readonly entry: Entry;
  /** Id of the run. */
  readonly run: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** The entry of somebody whom the source no longer holds, as last kept. */
export interface MissingEntry extends SeenEntry {
  /** The first run that missed it. */
  readonly missing: { readonly run: string; readonly at: number };
}
