/**
 * What the tables of the history must say, worked out from the records, and compared with what they do say. A run is
 * compared when its last record has come; of a run under way, and of one that died, at the end.
 */
import type { Outcome } from '../../domain/run.ts';
import type { Database } from '../database.ts';
import { replayActs } from './acts.ts';
import { checkFindings, checkRefusedPlans, checkRunsWithoutRecord, checkState } from './compare.ts';
import { compareOperations, type Expected } from './compare-operations.ts';
import type { OperationsDigest } from './operations.ts';
import type { AuditRecord } from './record.ts';
import { fieldsOf, pick, runState, stateFields } from './run-state.ts';

export interface Replay {
  /** A sentence on what does not fit, or undefined. */
  take(record: AuditRecord): string | undefined;
  /** After the last record: the run concerned, and what does not fit. */
  finish(): { readonly run: string | undefined; readonly message: string } | undefined;
  readonly counts: { readonly runs: number; readonly inherited: number };
}

/** What the contents of records of runs may hold besides fields of the row. */
interface Content extends Record<string, unknown> {
  readonly carriedOut?: OperationsDigest;
  readonly operation?: string;
  readonly outcome?: Outcome;
  readonly checked?: readonly (readonly [run: string, operation: string, by: string])[];
  readonly refusedPlan?: string;
}

export function replayRecords(database: Database): Replay {
  const runs = new Set<string>();
  const open = new Map<string, Expected>();
  const checked = { expected: new Map<string, string>(), found: new Map<string, string>() };
  const refusedPlans = new Map<string, string>();
  const knownFindings = new Set<string>();
  const acts = replayActs(database);
  let inherited = 0;
  let lastRow = 0;

  function begin(record: AuditRecord, run: string): string | undefined {
    if (runs.has(run)) return `run ${run} has begun before`;
    const row = runState(database, run);
    if (row === undefined) return `run ${run} is missing from the history`;
    if (row.seq <= lastRow) return `run ${run} stands at another place of the history`;
    lastRow = row.seq;
    runs.add(run);
    if (record.kind === 'run-inherited') inherited += 1;
    const nothing = Object.fromEntries(stateFields.map((field) => [field, null]));
    const state = { ...nothing, findingCount: 0, startedAt: record.at };
    open.set(run, { state, operations: undefined, inherited: record.kind === 'run-inherited', steps: new Map() });
    return undefined;
  }

  function take(record: AuditRecord): string | undefined {
    const { kind, run, at } = record;
    if (kind === 'records-removed') return undefined;
    const content = contentOf(record);
    if (content === undefined) return 'its content is not JSON';
    if (kind === 'approval' || kind === 'approval-used' || kind === 'ledger') {
      acts.take(kind, content);
      return undefined;
    }
    const fields = fieldsOf[kind];
    if (run === null) return 'it belongs to no run';
    const begins = kind === 'run-started' || kind === 'run-inherited';
    const problem = begins ? begin(record, run) : undefined;
    if (problem !== undefined) return problem;
    const expected = open.get(run);
    if (expected === undefined) return `run ${run} has not begun, or has ended before`;

    if (fields !== undefined) Object.assign(expected.state, pick(content, fields));
    for (const [ofRun, operation, by] of content.checked ?? []) checked.expected.set(`${ofRun}\n${operation}`, by);
    if (content.refusedPlan !== undefined) refusedPlans.set(String(content.digest), content.refusedPlan);
    if (content.carriedOut !== undefined) expected.operations = content.carriedOut;
    if (kind === 'operation-intended') expected.steps.set(String(content.operation), { intendedAt: at });
    if (kind === 'operation-completed' && content.outcome !== undefined) {
      const step = expected.steps.get(String(content.operation));
      expected.steps.set(String(content.operation), { ...step, outcome: content.outcome, finishedAt: at });
    }
    if (kind === 'run-ended') expected.state.endedAt = at;
    const over = kind === 'run-ended' || kind === 'run-lost' || (kind === 'run-inherited' && content.status !== null);
    return over ? close(run, expected) : undefined;
  }

  function close(run: string, expected: Expected): string | undefined {
    open.delete(run);
    const row = runState(database, run);
    if (row === undefined) return `run ${run} is missing from the history`;
    return (
      checkState(run, expected.state, row) ??
      checkFindings(database, row.findings, knownFindings) ??
      compareOperations(database, run, row.seq, expected, checked.found)
    );
  }

  function checkLooks(): string | undefined {
    for (const [key, by] of checked.found) {
      if (checked.expected.get(key) !== by) return `operation ${shown(key)} was not looked at by run ${by}`;
    }
    for (const [key, by] of checked.expected) {
      const known = runs.has(key.split('\n', 1)[0] ?? '');
      if (known && !checked.found.has(key)) return `operation ${shown(key)} was looked at by run ${by}`;
    }
    return undefined;
  }

  return {
    take,
    finish() {
      for (const [run, expected] of open) {
        const message = close(run, expected);
        if (message !== undefined) return { run, message };
      }
      const message =
        checkRunsWithoutRecord(database, runs) ??
        checkLooks() ??
        checkRefusedPlans(database, refusedPlans) ??
        acts.finish();
      return message === undefined ? undefined : { run: undefined, message };
    },
    get counts() {
      return { runs: runs.size, inherited };
    },
  };
}

function contentOf({ content }: AuditRecord): Content | undefined {
  try {
    return JSON.parse(content) as Content;
  } catch {
    return undefined;
  }
}

function shown(key: string): string {
  const [run, operation] = key.split('\n');
  return `"${operation}" of run ${run}`;
}
