import type { ExternalId } from '../domain/identity.ts';
import type { Operation } from '../domain/operation.ts';
import type { Finding, Plan, PlanCounts, Verdict } from '../domain/plan.ts';
import type { Outcome, RunStatus } from '../domain/run.ts';
import type { ReadManner } from '../domain/source-read.ts';
import { listApprovals, type RecordedApproval } from './approvals.ts';
import type { Database } from './database.ts';
import { findingsOf } from './finding-sets.ts';
import {
  type OperationRow,
  operationColumns,
  type RunRow,
  runColumns,
  toOperation,
  toSummary,
} from './history-rows.ts';
import { readRefusedPlan } from './refused-plans.ts';
import type { OperationState, Tally } from './tally.ts';

/** One line of the list of runs. Times are milliseconds since the epoch. */
export interface RunSummary {
  readonly id: string;
  /** `running` also for a run whose process died, until the next one starts. */
  readonly status: RunStatus | 'running';
  readonly command: string;
  readonly host: string;
  readonly pid: number;
  readonly user: string;
  /** Guards let through by name, as given. */
  readonly allowances: readonly string[];
  readonly startedAt: number;
  /** Undefined while running and for a run that died: when is not known. */
  readonly endedAt: number | undefined;
  /** The plan's; undefined when the run ended before there was one. */
  readonly digest: string | undefined;
  readonly counts: PlanCounts | undefined;
  readonly operations: Tally;
  /** Number of findings. */
  readonly findings: number;
  readonly error: { readonly code: string; readonly message: string } | undefined;
  /** How the source was read; absent where there is only one way, or no plan was made. */
  readonly source?: ReadManner;
}

/** One operation of a run, with its before and after inside. */
export interface RecordedOperation {
  readonly operation: Operation;
  readonly state: OperationState;
  /** Undefined while `state` is pending or intended: in a run that has ended, not tried, and not known. */
  readonly outcome: Outcome | undefined;
  readonly intendedAt: number | undefined;
  readonly finishedAt: number | undefined;
  /** The later run that looked at what this one had come to, because its outcome was never recorded. */
  readonly checkedBy: string | undefined;
}

export interface RunDetails {
  readonly summary: RunSummary;
  readonly verdict: Verdict | undefined;
  /**
   * In the order of the plan. Of a refused run those of its plan, all pending; empty when that plan is no longer kept,
   * while `summary.operations` still counts them.
   */
  readonly operations: readonly RecordedOperation[];
  readonly findings: readonly Finding[];
  /** Calls by endpoint; undefined until the run has ended. */
  readonly calls: Readonly<Record<string, number>> | undefined;
}

/** A plan that guards refused and that no later run has superseded. */
export interface RefusedPlan {
  readonly digest: string;
  readonly plan: Plan;
  readonly verdict: Verdict;
  /** The last run that made this plan. */
  readonly run: string;
  /** When that run started. */
  readonly at: number;
}

/** Questions to the history. Nothing here changes it. */
export interface RunHistory {
  /** The newest first; `before` is the id of the last run of the page before. */
  runs(limit: number, before?: string): readonly RunSummary[];
  /** Undefined when there is no such run, or it was pruned. */
  run(id: string): RunDetails | undefined;
  lastRun(): RunSummary | undefined;
  /** The last run that converged or was applied. */
  lastGoodRun(): RunSummary | undefined;
  /** Superseded by any later run whose plan the guards let through; a run that ended before its plan leaves it standing. */
  refusedPlan(): RefusedPlan | undefined;
  /** Findings of the last run that ended with a plan. */
  openFindings(): readonly Finding[];
  /** The last operations on one person, the newest first. */
  operationsOf(
    externalId: ExternalId,
    limit: number,
  ): readonly (RecordedOperation & { readonly run: string; readonly startedAt: number })[];
  /** Approvals of refused plans, the newest first. */
  approvals(limit: number): readonly RecordedApproval[];
  /** Number of linked people. */
  managed(): number;
  /** Number of linked people who were missing from the last complete read and are not yet leavers by it. */
  pendingAbsences(): number;
}

const ended = 'ended_at IS NOT NULL';

export function openRunHistory(database: Database): RunHistory {
  function ask<Result>(question: () => Result): Result {
    return database.read('read the history', question);
  }

  function findRun(condition: string, ...values: readonly unknown[]): RunRow | undefined {
    return database
      .statement<RunRow>(`SELECT ${runColumns} FROM runs WHERE ${condition} ORDER BY seq DESC LIMIT 1`)
      .get(...values);
  }

  function summary(row: RunRow | undefined): RunSummary | undefined {
    return row === undefined ? undefined : toSummary(database, row);
  }

  function count(table: 'links' | 'absences'): number {
    return database.statement<{ readonly n: number }>(`SELECT count(*) AS n FROM ${table}`).get()?.n ?? 0;
  }

  return {
    runs: (limit, before) =>
      ask(() =>
        database
          .statement<RunRow>(
            `SELECT ${runColumns} FROM runs WHERE ? IS NULL OR seq < (SELECT seq FROM runs WHERE id = ?) ORDER BY seq DESC LIMIT ?`,
          )
          .all(before ?? null, before ?? null, limit)
          .map((row) => toSummary(database, row)),
      ),
    run: (id) =>
      ask(() => {
        const row = findRun('id = ?', id);
        return row === undefined ? undefined : details(database, row);
      }),
    lastRun: () => ask(() => summary(findRun('true'))),
    lastGoodRun: () => ask(() => summary(findRun(`status IN ('converged', 'applied') AND ${ended}`))),
    refusedPlan: () =>
      ask(() => {
        const row = findRun('digest IS NOT NULL');
        const plan = row?.digest == null ? undefined : readRefusedPlan(database, row.digest);
        const verdict = verdictOf(row);
        if (row === undefined || plan === undefined || verdict?.allowed !== false) return undefined;
        return { digest: plan.digest, plan, verdict, run: row.id, at: row.startedAt };
      }),
    openFindings: () =>
      ask(() => {
        const row = findRun(`${ended} AND digest IS NOT NULL`);
        return row === undefined ? [] : findingsOf(database, row.seq);
      }),
    operationsOf: (externalId, limit) =>
      ask(() =>
        database
          .statement<OperationRow & { readonly run: string; readonly startedAt: number }>(
            `SELECT ${operationColumns}, runs.id AS run, runs.started_at AS startedAt
             FROM operations JOIN runs ON runs.seq = operations.run
             WHERE external_id = ? ORDER BY operations.seq DESC LIMIT ?`,
          )
          .all(externalId, limit)
          .map((row) => ({ ...toOperation(row), run: row.run, startedAt: row.startedAt })),
      ),
    approvals: (limit) => ask(() => listApprovals(database, limit)),
    managed: () => ask(() => count('links')),
    pendingAbsences: () => ask(() => count('absences')),
  };
}

function details(database: Database, row: RunRow): RunDetails {
  const verdict = verdictOf(row);
  return {
    summary: toSummary(database, row),
    verdict,
    operations: verdict?.allowed === false ? refusedOperations(database, row) : operationsOfRun(database, row),
    findings: findingsOf(database, row.seq),
    calls: row.calls === null ? undefined : JSON.parse(row.calls),
  };
}

function verdictOf(row: RunRow | undefined): Verdict | undefined {
  return row?.verdict == null ? undefined : (JSON.parse(row.verdict) as Verdict);
}

function operationsOfRun(database: Database, row: RunRow): RecordedOperation[] {
  return database
    .statement<OperationRow>(`SELECT ${operationColumns} FROM operations WHERE run = ? ORDER BY seq`)
    .all(row.seq)
    .map(toOperation);
}

/** Everything the refused plan wanted, and of what was carried out all the same what became of it. */
function refusedOperations(database: Database, row: RunRow): RecordedOperation[] {
  const plan = row.digest === null ? undefined : readRefusedPlan(database, row.digest);
  const carriedOut = operationsOfRun(database, row);
  const known = new Set(carriedOut.map(({ operation }) => operation.id));
  const heldBack = (plan?.operations ?? [])
    .filter(({ id }) => !known.has(id))
    .map((operation): RecordedOperation => {
      return {
        operation,
        state: 'pending',
        outcome: undefined,
        intendedAt: undefined,
        finishedAt: undefined,
        checkedBy: undefined,
      };
    });
  return [...carriedOut, ...heldBack];
}
