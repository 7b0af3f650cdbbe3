/**
 * The journal of runs and their operations: intent before each call, outcome after it.
 *
 * An operation's state: `pending` (planned) → `intended` (about to be called) → `done`, `already` or `failed`; or
 * `pending` → `skipped`. In a run that has ended, `pending` was never tried, and `intended` may or may not have taken effect: the
 * process died, or Twilio never answered. `unfinished` lists those to every later run until one carries out a plan. That
 * plan was computed after looking at Twilio, so what the operation came to is in it, and the operation is marked as
 * checked by that run.
 *
 * Every step also adds its record to the audit trail, in the same transaction; see audit/record.ts.
 */
import type { Operation } from '../domain/operation.ts';
import type { Plan, Verdict } from '../domain/plan.ts';
import type { Outcome } from '../domain/run.ts';
import { InternalError } from '../errors.ts';
import type { RunEnd, RunJournal, RunStart } from '../ports.ts';
import { useApproval } from './approvals.ts';
import { append } from './audit/chain.ts';
import { digestOf } from './audit/operations.ts';
import { appendRunRecord, refusedPlanHash } from './audit/run-state.ts';
import type { Database } from './database.ts';
import { applyEffect } from './effects.ts';
import { addFindings } from './finding-sets.ts';
import { deleteGrantRecord, putGrantRecord } from './grant-records.ts';
import { putLastCompleteRead, replaceAbsences } from './links.ts';
import { keepRefusedPlan } from './refused-plans.ts';
import { keepSeen } from './seen-entries.ts';
import { storeTally, tallyPlan } from './tally.ts';
import { addToTotals } from './totals.ts';

/** The run that this process has started and not yet ended. */
export interface RunningRun {
  id: string | undefined;
}

export function openRunJournal(database: Database, running: RunningRun): RunJournal {
  return {
    start(run) {
      const id = database.write('record the start of the run', () => start(database, run));
      running.id = id;
      return id;
    },
    saw: (run, seen, at) => {
      if (seen.entries.length + seen.missing.length > 0)
        database.write(`keep what run ${run} saw`, () => keepSeen(database, run, seen, at));
    },
    planned: (run, plan, verdict, carriedOut, at, settled = []) =>
      database.write(`record the plan of run ${run}`, () => {
        planned(database, run, plan, verdict, carriedOut, at);
        if (verdict.allowed || carriedOut !== undefined)
          for (const effect of settled) applyEffect(database, effect, at, run);
      }),
    intend: (run, operation, at) =>
      database.write(`record the intent to ${operation.id}`, () => intend(database, run, operation, at)),
    complete: (run, operation, outcome, effects, at) =>
      database.write(`record the outcome of ${operation.id}`, () => {
        complete(database, run, operation, outcome, at);
        for (const effect of effects) applyEffect(database, effect, at, run);
      }),
    end(run, end) {
      database.write(`record the end of run ${run}`, () => endRun(database, run, end));
      if (running.id === run) running.id = undefined;
    },
  };
}

function start(database: Database, run: RunStart): string {
  interruptUnended(database, run.at);
  const id = newRunId(database, run.at);
  database
    .statement(
      `INSERT INTO runs (id, command, host, pid, user, allowances_json, started_at) VALUES (?, ?, ?, ?, ?, ?, ?)`,
    )
    .run(id, run.command, run.host, run.pid, run.user, JSON.stringify(run.allowances), run.at);
  const { version, configuration } = run;
  appendRunRecord(database, 'run-started', id, run.at, { version, configuration });
  return id;
}

/** Whoever starts a run holds the lease: a run without an end is dead. When it died is not known. */
function interruptUnended(database: Database, at: number): void {
  const unended = database
    .statement<{ readonly seq: number; readonly id: string }>('SELECT seq, id FROM runs WHERE status IS NULL')
    .all();
  for (const { seq, id } of unended) {
    database.statement(`UPDATE runs SET status = 'interrupted' WHERE seq = ?`).run(seq);
    storeTally(database, seq);
    addToTotals(database, seq);
    appendRunRecord(database, 'run-lost', id, at);
  }
}

/** `20261124T091500Z-001`: the second in UTC, and a counter within it. Sorts by time; short enough to be typed. */
function newRunId(database: Database, at: number): string {
  const second = `${new Date(at).toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}Z`;
  const last = database
    .statement<{ readonly id: string | null }>('SELECT max(id) AS id FROM runs WHERE id GLOB ?')
    .get(`${second}-*`);
  const counter = Number(last?.id?.slice(second.length + 1) ?? 0) + 1;
  return `${second}-${String(counter).padStart(3, '0')}`;
}

function planned(
  database: Database,
  run: string,
  plan: Plan,
  verdict: Verdict,
  carriedOut: Plan | undefined,
  at: number,
): void {
  const seq = sequenceOf(database, run);
  // A refused plan may hold the very operation that was begun: nothing has come of it yet.
  const checked = !verdict.allowed && carriedOut === undefined ? [] : markChecked(database, run, seq);
  database
    .statement('UPDATE runs SET digest = ?, counts_json = ?, verdict_json = ?, tally_json = ? WHERE seq = ?')
    .run(plan.digest, JSON.stringify(plan.counts), JSON.stringify(verdict), JSON.stringify(tallyPlan(plan)), seq);
  addFindings(database, seq, plan.findings);
  if (!verdict.allowed) keepRefusedPlan(database, plan);
  if (verdict.approval !== undefined) useApproval(database, plan.digest, run, at);
  const insert = database.statement(
    `INSERT INTO operations (run, id, external_id, kind, operation_json, state) VALUES (?, ?, ?, ?, ?, 'pending')`,
  );
  const rows = digestOf(carriedOut?.operations ?? [], (operation, json) => {
    insert.run(seq, operation.id, operation.externalId, operation.kind, json);
  });
  appendRunRecord(database, 'plan-made', run, at, {
    basis: plan.basis,
    operations: carriedOut === plan ? rows : digestOf(plan.operations),
    carriedOut: rows,
    ...(checked.length > 0 && { checked }),
    ...(!verdict.allowed && { refusedPlan: refusedPlanHash(database, plan.digest) }),
  });
}

/** Operations of earlier runs that this run's reading of Twilio shows the end of, as run, operation, and this run. */
function markChecked(database: Database, run: string, seq: number): [run: string, operation: string, by: string][] {
  const rows = database
    .statement<{ readonly run: number; readonly id: string }>(
      `UPDATE operations INDEXED BY operations_unfinished SET checked_by = ?
       WHERE state = 'intended' AND checked_by IS NULL AND run <> ? RETURNING run, id`,
    )
    .all(run, seq);
  const name = database.statement<{ readonly id: string }>('SELECT id FROM runs WHERE seq = ?');
  return rows.map((row) => [name.get(row.run)?.id ?? '', row.id, run]);
}

function intend(database: Database, run: string, operation: Operation, at: number): void {
  const { changes } = database
    .statement(
      `UPDATE operations SET state = 'intended', intended_at = ?
       WHERE run = (SELECT seq FROM runs WHERE id = ?) AND id = ? AND state = 'pending'`,
    )
    .run(at, run, operation.id);
  if (changes !== 1) throw outOfTurn('intend', run, operation);
  append(database, { at, run, kind: 'operation-intended', content: { operation: operation.id } });
}

function complete(database: Database, run: string, operation: Operation, outcome: Outcome, at: number): void {
  const { changes } = database
    .statement(
      `UPDATE operations SET state = ?, code = ?, message = ?, request_id = ?, finished_at = ?
       WHERE run = (SELECT seq FROM runs WHERE id = ?) AND id = ? AND state IN ('pending', 'intended')`,
    )
    .run(
      outcome.state,
      outcome.state === 'failed' ? outcome.code : null,
      outcome.state === 'failed' || outcome.state === 'skipped' ? outcome.message : null,
      outcome.state === 'skipped' ? null : (outcome.requestId ?? null),
      at,
      run,
      operation.id,
    );
  if (changes !== 1) throw outOfTurn('complete', run, operation);
  append(database, { at, run, kind: 'operation-completed', content: { operation: operation.id, outcome } });
}

/** What happened is never written over. */
function outOfTurn(step: string, run: string, operation: Operation): InternalError {
  return new InternalError(`cannot ${step} ${operation.id}: it is not open in run ${run}`);
}

function endRun(database: Database, run: string, end: RunEnd): void {
  const seq = sequenceOf(database, run);
  addFindings(database, seq, end.findings);
  database
    .statement(
      `UPDATE runs SET status = ?, ended_at = ?, calls_json = ?, error_code = ?, error_message = ?, manner_json = ? WHERE seq = ?`,
    )
    .run(
      end.status,
      end.at,
      JSON.stringify(end.calls),
      end.error?.code ?? null,
      end.error?.message ?? null,
      end.manner === undefined ? null : JSON.stringify(end.manner),
      seq,
    );
  storeTally(database, seq);
  addToTotals(database, seq, end.answers);
  appendRunRecord(database, 'run-ended', run, end.at);
  for (const externalId of end.unparked ?? [])
    database.statement('DELETE FROM parked WHERE external_id = ?').run(externalId);
  if (end.absences !== undefined) replaceAbsences(database, end.absences);
  for (const record of end.grants?.forgotten ?? []) deleteGrantRecord(database, record.user, record, record.sid);
  for (const record of end.grants?.kept ?? []) putGrantRecord(database, record, end.at, run);
  if (end.read !== undefined && (end.status === 'converged' || end.status === 'applied')) {
    putLastCompleteRead(database, end.read, end.readMs);
  }
}

function sequenceOf(database: Database, run: string): number {
  const row = database.statement<{ readonly seq: number }>('SELECT seq FROM runs WHERE id = ?').get(run);
  if (row === undefined) throw new InternalError(`run ${run} is not in ${database.path}`);
  return row.seq;
}

/** Operations that may or may not have taken effect, oldest first; what the running run itself is about to call is not among them. */
export function unfinishedOperations(database: Database, running: RunningRun): Operation[] {
  return database
    .statement<{ readonly operation: string }>(
      // Without the hint SQLite would walk the whole history in the order of seq.
      `SELECT operation_json AS operation FROM operations INDEXED BY operations_unfinished
       JOIN runs ON runs.seq = operations.run
       WHERE state = 'intended' AND checked_by IS NULL AND runs.id IS NOT ? ORDER BY operations.seq`,
    )
    .all(running.id ?? null)
    .map((row) => JSON.parse(row.operation) as Operation);
}
