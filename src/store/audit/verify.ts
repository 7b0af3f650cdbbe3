import type { Database } from '../database.ts';
import { recordsOf, removedStretches } from './chain.ts';
import { type Anchor, followChain, genesis, type Stretch } from './record.ts';
import { replayRecords } from './replay.ts';

/** What an examination of a chain came to. Times are milliseconds since the epoch. */
export interface Verification {
  readonly verified: boolean;
  /** Records that were found sound. */
  readonly records: number;
  readonly runs: number;
  /** Of the runs, those from before the chain: proved since it began, not before. */
  readonly inherited: number;
  /** The first record that is still there; undefined when there is none. */
  readonly from: { readonly seq: number; readonly at: number } | undefined;
  /** The last sound record. */
  readonly head: Anchor | undefined;
  /** What retention has removed. */
  readonly removed: readonly Stretch[];
  /** The first thing that does not fit. */
  readonly problem:
    | { readonly seq: number | undefined; readonly run: string | undefined; readonly message: string }
    | undefined;
}

/**
 * Follows the chain from its first record to its last and compares the history with it, in one view of the database.
 * `known`: a hash that was written down earlier; not to find it is a problem.
 */
export function verifyAudit(database: Database, known: string | undefined): Verification {
  const removed = removedStretches(database);
  const chain = followChain(genesis, removed);
  const replay = replayRecords(database);
  let from: Verification['from'];
  let records = 0;
  let isKnown = known === undefined || removed.some((stretch) => stretch.hash === known);

  const result = (problem: Verification['problem']): Verification => ({
    verified: problem === undefined,
    records,
    ...replay.counts,
    from,
    head: records === 0 ? undefined : chain.at,
    removed,
    problem,
  });
  for (const record of recordsOf(database)) {
    const { seq, at, run } = record;
    const message = chain.follow(record) ?? replay.take(record);
    if (message !== undefined) return result({ seq, run: run ?? undefined, message });
    from ??= { seq, at };
    records += 1;
    isKnown ||= record.hash === known;
  }
  const left = replay.finish();
  if (left !== undefined) return result({ seq: undefined, ...left });
  return result(isKnown ? undefined : { seq: undefined, run: undefined, message: notFound(known) });
}

export function notFound(known: string | undefined): string {
  return `no record has the hash ${known}: the history was cut or written anew since, or retention removed the record`;
}
