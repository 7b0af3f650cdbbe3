import type { Entry } from './entry.ts';
import type { ExternalId } from './identity.ts';

/** What a run saw of the people whom its plan is about. */
export interface Seen {
  readonly entries: readonly Entry[];
  /** Keys that no entry has. */
  readonly missing: readonly ExternalId[];
}

/** An entry as a run read it, kept for those about whom the run had something to do or to say. */
export interface SeenEntry {
  readonly entry: Entry;
  /** Id of the run. */
  readonly run: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
}
