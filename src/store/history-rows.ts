import type { Operation } from '../domain/operation.ts';
import type { Outcome, RunStatus } from '../domain/run.ts';
import type { Database } from './database.ts';
import type { RecordedOperation, RunSummary } from './run-history.ts';
import { type OperationState, tallyOf } from './tally.ts';

/** A row of `runs`; what ends in JSON in the table is JSON text here. */
export interface RunRow {
  readonly seq: number;
  readonly id: string;
  readonly command: string;
  readonly host: string;
  readonly pid: number;
  readonly user: string;
  readonly allowances: string;
  readonly startedAt: number;
  readonly endedAt: number | null;
  readonly status: RunStatus | null;
  readonly digest: string | null;
  readonly counts: string | null;
  readonly verdict: string | null;
  readonly tally: string | null;
  readonly findings: number;
  readonly calls: string | null;
  readonly errorCode: string | null;
  readonly errorMessage: string | null;
  readonly manner: string | null;
}

export const runColumns = `seq, id, command, host, pid, user, allowances_json AS allowances, started_at AS startedAt,
  ended_at AS endedAt, status, digest, counts_json AS counts, verdict_json AS verdict, tally_json AS tally,
  finding_count AS findings, calls_json AS calls, error_code AS errorCode, error_message AS errorMessage,
  manner_json AS manner`;

export function toSummary(database: Database, row: RunRow): RunSummary {
  // A running run's stored tally is that of its plan: counts anew to show how far it has come.
  const counted = row.status === null && row.digest !== null ? tallyOf(database, row.seq) : undefined;
  return {
    id: row.id,
    status: row.status ?? 'running',
    command: row.command,
    host: row.host,
    pid: row.pid,
    user: row.user,
    allowances: JSON.parse(row.allowances),
    startedAt: row.startedAt,
    endedAt: row.endedAt ?? undefined,
    digest: row.digest ?? undefined,
    counts: row.counts === null ? undefined : JSON.parse(row.counts),
    operations: counted ?? (row.tally === null ? {} : JSON.parse(row.tally)),
    findings: row.findings,
    error:
      row.errorCode === null || row.errorMessage === null
        ? undefined
        : { code: row.errorCode, message: row.errorMessage },
    ...(row.manner !== null && { source: JSON.parse(row.manner) }),
  };
}

export interface OperationRow {
  readonly operation: string;
  readonly state: OperationState;
  readonly code: string | null;
  readonly message: string | null;
  readonly requestId: string | null;
  readonly intendedAt: number | null;
  readonly finishedAt: number | null;
  readonly checkedBy: string | null;
}

export const operationColumns = `operation_json AS operation, state, code, message, request_id AS requestId,
  intended_at AS intendedAt, finished_at AS finishedAt, checked_by AS checkedBy`;

export function toOperation(row: OperationRow): RecordedOperation {
  return {
    operation: JSON.parse(row.operation) as Operation,
    state: row.state,
    outcome: toOutcome(row),
    intendedAt: row.intendedAt ?? undefined,
    finishedAt: row.finishedAt ?? undefined,
    checkedBy: row.checkedBy ?? undefined,
  };
}

function toOutcome({ state, code, message, requestId }: OperationRow): Outcome | undefined {
  const request = requestId === null ? {} : { requestId };
  switch (state) {
    case 'done':
    case 'already':
      return { state, ...request };
    case 'failed':
      return { state, code: code ?? '', message: message ?? '', ...request };
    case 'skipped':
      return { state, message: message ?? '' };
    default:
      return undefined;
  }
}
