import type { Operation } from '../../domain/operation.ts';
import type { Outcome } from '../../domain/run.ts';
import type { Database } from '../database.ts';
import {
  digesting,
  inheritedText,
  type OperationRow,
  type OperationsDigest,
  operationRows,
  type Recorded,
} from './operations.ts';

interface Step {
  readonly intendedAt?: number;
  readonly outcome?: Outcome;
  readonly finishedAt?: number;
}

/** A run as its records tell it so far. */
export interface Expected {
  readonly state: Record<string, unknown>;
  /** Of the operations that have rows; undefined when there must be none. */
  operations: OperationsDigest | undefined;
  readonly inherited: boolean;
  /** By operation id. */
  readonly steps: Map<string, Step>;
}

/** `seq`: the run's row. `checked` takes the operations that a later run has looked at, and which run. */
export function compareOperations(
  database: Database,
  run: string,
  seq: number,
  { operations, inherited, steps }: Expected,
  checked: Map<string, string>,
): string | undefined {
  const digest = digesting();
  let tried = 0;
  for (const row of operationRows(database, seq)) {
    const strange = checkColumns(row);
    if (strange !== undefined) return `run ${run}: ${strange}`;
    digest.add(inherited ? inheritedText(row.operation, row) : row.operation);
    const step = steps.get(row.id);
    if (step !== undefined) tried += 1;
    if (!inherited) {
      const problem = checkOutcome(row, recordedBy(step));
      if (problem !== undefined) return `run ${run}: ${problem}`;
    }
    if (row.checkedBy !== null) checked.set(`${run}\n${row.id}`, row.checkedBy);
  }
  const found = digest.result();
  const wanted = operations ?? digesting().result();
  if (found.count !== wanted.count) {
    return `run ${run}: ${found.count} operations in the history, and ${wanted.count} by its records`;
  }
  if (found.digest !== wanted.digest) return `run ${run}: its operations were changed, or their order`;
  return tried === steps.size ? undefined : `run ${run}: a record tells of an operation that is not in the history`;
}

/** The columns that repeat what the operation says. */
function checkColumns({ id, externalId, kind, operation }: OperationRow): string | undefined {
  let said: Operation;
  try {
    said = JSON.parse(operation) as Operation;
  } catch {
    return `operation "${id}" is not JSON`;
  }
  const same = said.id === id && said.externalId === externalId && said.kind === kind;
  return same ? undefined : `operation "${id}" does not say what its row says`;
}

const fields = ['state', 'code', 'message', 'requestId', 'intendedAt', 'finishedAt'] as const;

function checkOutcome(row: OperationRow, wanted: Recorded): string | undefined {
  const field = fields.find((each) => row[each] !== wanted[each]);
  return (
    field &&
    `operation "${row.id}": ${field} is ${JSON.stringify(row[field])} in the history, and ${JSON.stringify(wanted[field])} by its records`
  );
}

function recordedBy(step: Step | undefined): Recorded {
  const outcome: Partial<Extract<Outcome, { state: 'failed' }>> = (step?.outcome ?? {}) as never;
  return {
    state: step?.outcome?.state ?? (step === undefined ? 'pending' : 'intended'),
    code: outcome.code ?? null,
    message: outcome.message ?? null,
    requestId: outcome.requestId ?? null,
    intendedAt: step?.intendedAt ?? null,
    finishedAt: step?.finishedAt ?? null,
  };
}
