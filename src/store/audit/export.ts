/**
 * The history as lines: the records of the chain as they are, and, where a record only names something or gives its
 * digest, the thing itself. A chosen part is always one piece of the chain, so that a missing line shows.
 */
import type { Operation } from '../../domain/operation.ts';
import type { Database } from '../database.ts';
import { readRefusedPlan } from '../refused-plans.ts';
import { recordsOf, removedStretches } from './chain.ts';
import { digestOf, type OperationsDigest, operationRows, type Recorded } from './operations.ts';
import { type Anchor, type AuditRecord, anchorBefore, genesis, type Stretch } from './record.ts';
import { runState } from './run-state.ts';

/** Times are milliseconds since the epoch. */
export type ExportLine = RecordLine | OperationLine;

export interface RecordLine {
  readonly seq: number;
  readonly at: number;
  readonly run: string | null;
  readonly kind: AuditRecord['kind'];
  readonly content: Readonly<Record<string, unknown>>;
  readonly previous: string;
  readonly hash: string;
  /** What an operation's record names, with its before and after. */
  readonly operation?: Operation;
}

/**
 * One operation, after the record of the plan, which holds the digest of all of them: `operation` for what was carried out,
 * `refused-operation` for what a refused plan wanted, which is known as long as the plan is kept.
 */
export interface OperationLine {
  readonly at: number;
  readonly run: string;
  readonly kind: 'operation' | 'refused-operation';
  readonly operation: Operation;
  /** Of an inherited run: what had become of it. */
  readonly recorded?: Recorded;
}

export interface ExportChoice {
  /** From the first record of this run to its last. */
  readonly run?: string | undefined;
  /** From the first run that started at this time or later. */
  readonly since?: number | undefined;
}

/** False when the run has no record. */
export function exportRecords(
  database: Database,
  { run, since }: ExportChoice,
  onLine: (line: ExportLine) => void,
): boolean {
  const range = run === undefined ? rangeSince(database, since) : rangeOf(database, run);
  if (range === undefined) return run === undefined;
  const removed = removedStretches(database);
  let last = placeBefore(database, range.first, removed);
  for (const record of recordsOf(database, range.first, range.last)) {
    onLine(lineOf(database, record, anchorBefore(record.seq, last, removed) ?? ''));
    last = record;
    if (record.run !== null && (record.kind === 'plan-made' || record.kind === 'run-inherited')) {
      for (const each of operationsOf(database, record.run, record.kind === 'run-inherited')) {
        onLine({ at: record.at, run: record.run, ...each });
      }
    }
  }
  return true;
}

interface Range {
  readonly first: number;
  readonly last: number;
}

function rangeOf(database: Database, run: string): Range | undefined {
  const row = database
    .statement<Partial<Range>>('SELECT min(seq) AS first, max(seq) AS last FROM audit WHERE run = ?')
    .get(run);
  return row?.first && row.last ? { first: row.first, last: row.last } : undefined;
}

function rangeSince(database: Database, since: number | undefined): Range | undefined {
  const last = Number.MAX_SAFE_INTEGER;
  if (since === undefined) return { first: 1, last };
  const row = database
    .statement<{ readonly first: number | null }>(
      `SELECT min(seq) AS first FROM audit WHERE kind IN ('run-started', 'run-inherited') AND at >= ?`,
    )
    .get(since);
  return row?.first == null ? undefined : { first: row.first, last };
}

/** The record before the first one, or what retention kept of it. */
function placeBefore(database: Database, first: number, removed: readonly Stretch[]): Anchor {
  const before = database
    .statement<Anchor>('SELECT seq, hash FROM audit WHERE seq < ? ORDER BY seq DESC LIMIT 1')
    .get(first);
  const gap = removed.find((stretch) => stretch.last === first - 1);
  return before ?? (gap === undefined ? genesis : { seq: gap.last, hash: gap.hash });
}

function lineOf(database: Database, record: AuditRecord, previous: string): RecordLine {
  const { seq, at, run, kind, hash } = record;
  const content = parsed(record.content);
  const operation = typeof content.operation === 'string' ? operationOf(database, run, content.operation) : undefined;
  return { seq, at, run, kind, content, previous, hash, ...(operation && { operation }) };
}

/** A record that was tampered with is exported too: verification says what is wrong with it. */
function parsed(content: string): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(content);
  } catch {
    return { unreadable: content };
  }
}

function operationOf(database: Database, run: string | null, id: string): Operation | undefined {
  const row = database
    .statement<{ readonly operation: string }>(
      `SELECT operation_json AS operation FROM operations WHERE run = (SELECT seq FROM runs WHERE id = ?) AND id = ?`,
    )
    .get(run, id);
  return row && JSON.parse(row.operation);
}

/** What was carried out, then what a refused plan wanted. */
function* operationsOf(
  database: Database,
  run: string,
  inherited: boolean,
): Generator<Pick<OperationLine, 'kind' | 'operation' | 'recorded'>> {
  const state = runState(database, run);
  if (state === undefined) return;
  for (const row of operationRows(database, state.seq)) {
    const { state: became, code, message, requestId, intendedAt, finishedAt } = row;
    const recorded: Recorded = { state: became, code, message, requestId, intendedAt, finishedAt };
    yield { kind: 'operation', operation: JSON.parse(row.operation), ...(inherited && { recorded }) };
  }
  // Inherited refused runs have no digest of their plan's operations.
  const refused = inherited ? [] : refusedOperations(database, run, state.digest);
  for (const operation of refused) yield { kind: 'refused-operation', operation };
}

/** While the refused plan is kept, and is word for word the one that the run made. */
function refusedOperations(database: Database, run: string, plan: unknown): readonly Operation[] {
  const row = database
    .statement<{ readonly content: string }>(`SELECT content FROM audit WHERE run = ? AND kind = 'plan-made'`)
    .get(run);
  const made = parsed(row?.content ?? '{}') as { refusedPlan?: unknown; operations?: OperationsDigest };
  if (made.refusedPlan === undefined || typeof plan !== 'string') return [];
  const kept = readRefusedPlan(database, plan)?.operations ?? [];
  return digestOf(kept).digest === made.operations?.digest ? kept : [];
}
