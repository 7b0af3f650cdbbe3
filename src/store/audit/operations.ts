/** The operations of a run as rows, and their digests. */
import { createHash } from 'node:crypto';
import type { Operation } from '../../domain/operation.ts';
import type { Database } from '../database.ts';
import { paged } from '../paging.ts';

/** What became of an operation; null where the row has nothing. */
export interface Recorded {
  readonly state: string;
  readonly code: string | null;
  readonly message: string | null;
  readonly requestId: string | null;
  readonly intendedAt: number | null;
  readonly finishedAt: number | null;
}

export interface OperationRow extends Recorded {
  readonly seq: number;
  readonly id: string;
  readonly externalId: string;
  readonly kind: string;
  /** JSON text. */
  readonly operation: string;
  readonly checkedBy: string | null;
}

const columns = `seq, id, external_id AS externalId, kind, operation_json AS operation, state, code, message,
  request_id AS requestId, intended_at AS intendedAt, finished_at AS finishedAt, checked_by AS checkedBy`;

/** In the order of the plan. `run`: the number of its row. */
export function* operationRows(database: Database, run: number): Generator<OperationRow, void, undefined> {
  const range = database
    .statement<{ readonly first: number | null; readonly last: number | null }>(
      'SELECT min(seq) AS first, max(seq) AS last FROM operations WHERE run = ?',
    )
    .get(run);
  if (range?.first == null || range.last === null) return;
  const { first, last } = range;
  yield* paged<OperationRow, [number, number, number]>(
    database,
    'read the operations of a run',
    // The plus keeps SQLite from sorting the whole run anew for each page.
    `SELECT ${columns} FROM operations WHERE +run = ? AND seq <= ? AND seq > ? ORDER BY seq LIMIT ?`,
    [run, last, first - 1],
    ({ seq }) => [run, last, seq],
  );
}

export interface OperationsDigest {
  readonly count: number;
  /** SHA-256, hex, over the JSON text of each operation in the plan's order, each ended by a line feed. */
  readonly digest: string;
}

export interface Digesting {
  readonly count: number;
  add(text: string): void;
  result(): OperationsDigest;
}

const batch = 65_536;

export function digesting(): Digesting {
  const hash = createHash('sha256');
  let pending = '';
  let count = 0;
  return {
    add(text) {
      count += 1;
      pending += `${text}\n`;
      if (pending.length < batch) return;
      hash.update(pending);
      pending = '';
    },
    get count() {
      return count;
    },
    result: () => ({ count, digest: hash.update(pending).digest('hex') }),
  };
}

/** Calls back with each operation and its JSON text. */
export function digestOf(
  operations: Iterable<Operation>,
  onOperation?: (operation: Operation, json: string) => void,
): OperationsDigest {
  const digest = digesting();
  for (const operation of operations) {
    const json = JSON.stringify(operation);
    digest.add(json);
    onOperation?.(operation, json);
  }
  return digest.result();
}

/** What the digest of an inherited run takes in of each operation: the operation and what had become of it. */
export function inheritedText(operation: string, recorded: Recorded): string {
  const { state, code, message, requestId, intendedAt, finishedAt } = recorded;
  return `${operation}\n${JSON.stringify([state, code, message, requestId, intendedAt, finishedAt])}`;
}
