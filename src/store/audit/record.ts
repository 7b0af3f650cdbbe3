/**
 * The audit trail: one record for everything that happens in the history, each with a hash over itself and the record
 * before it. A record is written in the transaction that does what it says, so that no crash parts them.
 *
 * Records do not repeat what stands in the tables of the history. They hold what a row was given, and the digest of what
 * is large: a plan's operations, its findings, a refused plan. `verify` walks the chain, works out what every row must
 * say, and compares. So it proves for each row, too, that it was not changed, added or removed.
 *
 * | kind                | of a run  | content                                                                   |
 * |---------------------|-----------|---------------------------------------------------------------------------|
 * | run-started         | yes       | who, where, command, allowances, configuration's digest, version          |
 * | plan-made           | yes       | digest, basis, counts, verdict, findings, digest of its operations and of those carried out |
 * | operation-intended  | yes       | id of the operation                                                        |
 * | operation-completed | yes       | id of the operation, outcome with Twilio's request id                      |
 * | run-ended           | yes       | status, findings, calls, error, manner of reading the source                                          |
 * | run-lost            | yes       | a later run found that this one never ended                                |
 * | run-inherited       | yes       | a run from before the chain, as it was found                               |
 * | approval            | no        | who let which refused plan through, and why                                |
 * | approval-used       | no        | the run that it let through                                                |
 * | ledger              | no        | who gave a person another key, or back to manual care                      |
 * | records-removed     | no        | retention: every stretch that is missing, with the hash of its last record |
 *
 * What it does not prove: that the file was not replaced as a whole, or cut at its end with the rows that belong there.
 * Whoever can write the file can compute hashes. Only a hash kept elsewhere shows that.
 */
import { hash } from 'node:crypto';

export const runKinds = [
  'run-started',
  'plan-made',
  'operation-intended',
  'operation-completed',
  'run-ended',
  'run-lost',
  'run-inherited',
] as const;
export type RunKind = (typeof runKinds)[number];
export type RecordKind = RunKind | 'approval' | 'approval-used' | 'ledger' | 'records-removed';

export interface NewRecord {
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** Id of the run; null when the record is of none. */
  readonly run: string | null;
  readonly kind: RecordKind;
  /** Canonical JSON. */
  readonly content: string;
}

export interface AuditRecord extends NewRecord {
  /** From 1, without a gap but for what retention removed. */
  readonly seq: number;
  readonly hash: string;
}

/** A place in the chain. */
export interface Anchor {
  readonly seq: number;
  readonly hash: string;
}

/** Stands for the hash before the first record. */
export const genesis: Anchor = { seq: 0, hash: '0'.repeat(64) };

/** Records that retention removed: `first` to `last`, and the hash of the last. */
export interface Stretch {
  readonly first: number;
  readonly last: number;
  readonly hash: string;
}

/**
 * SHA-256, hex, over six lines in UTF-8: the hash before, seq, at, run (empty for none), kind, content. Parted by line feeds,
 * with none at the end. Only content, the last, could hold a line feed, so that no two records have one text.
 */
export function hashOf(previous: string, { seq, at, run, kind, content }: Omit<AuditRecord, 'hash'>): string {
  return hash('sha256', `${previous}\n${seq}\n${at}\n${run ?? ''}\n${kind}\n${content}`);
}

/** Takes the records of a chain one after the other, and says of each what does not fit. */
export interface Follower {
  /** A sentence, or undefined when the record follows from those before it. */
  follow(record: AuditRecord): string | undefined;
  /** Of the last record that fitted. */
  readonly at: Anchor;
}

/** `from`: the place before the first record. `removed`: what may be missing. */
export function followChain(from: Anchor, removed: readonly Stretch[]): Follower {
  let last = from;
  return {
    follow(record) {
      const before = anchorBefore(record.seq, last, removed);
      if (before === undefined) return gap(last.seq, record.seq);
      if (/\n/.test(`${record.run}${record.kind}`) || hashOf(before, record) !== record.hash) {
        return 'its hash does not fit: the record was changed, or the one before it was written anew';
      }
      last = { seq: record.seq, hash: record.hash };
      return undefined;
    },
    get at() {
      return last;
    },
  };
}

/** The hash that the record `seq` builds on, when `last` is the one before it that is still there; undefined when some are missing. */
export function anchorBefore(seq: number, last: Anchor, removed: readonly Stretch[]): string | undefined {
  if (seq === last.seq + 1) return last.hash;
  return removed.find((stretch) => stretch.first === last.seq + 1 && stretch.last === seq - 1)?.hash;
}

function gap(last: number, next: number): string {
  if (next <= last) return `it stands after record ${last}`;
  const missing = next - last === 2 ? `record ${last + 1} is` : `records ${last + 1} to ${next - 1} are`;
  return `${missing} missing, and retention did not remove what is missing here`;
}
