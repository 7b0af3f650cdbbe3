/** What the row of a run says, and which of it each kind of record holds. */
import { hash } from 'node:crypto';
import type { Database } from '../database.ts';
import { append } from './chain.ts';
import type { RunKind } from './record.ts';

/** The row of a run as data: what is JSON text in the table is parsed. Null stands for null. */
export type RunState = Readonly<Record<StateField, unknown>>;

const started = ['command', 'host', 'pid', 'user', 'allowances'] as const;
const planned = ['digest', 'counts', 'verdict', 'tally', 'findings', 'findingCount'] as const;
const ended = ['status', 'tally', 'findings', 'findingCount', 'calls', 'errorCode', 'errorMessage', 'manner'] as const;
/** Known from the time of a record, but for inherited runs. */
const times = ['startedAt', 'endedAt'] as const;

export const stateFields = [...new Set([...started, ...times, ...planned, ...ended])] as const;
type StateField = (typeof stateFields)[number];

/** The fields that a record of the kind decides. */
export const fieldsOf: Readonly<Partial<Record<RunKind, readonly StateField[]>>> = {
  'run-started': started,
  'plan-made': planned,
  'run-ended': ended,
  'run-lost': ['status', 'tally'],
  'run-inherited': [...started, 'endedAt', ...planned, ...ended],
};

interface StateRow extends Record<StateField, unknown> {
  readonly seq: number;
  readonly id: string;
}

const jsonFields: readonly StateField[] = ['allowances', 'counts', 'verdict', 'tally', 'calls', 'manner'];

/** `findings` is the digest of the set of findings. Undefined when there is no such run. */
export function runState(database: Database, id: string): (RunState & { readonly seq: number }) | undefined {
  const row = database
    .statement<StateRow>(
      `SELECT seq, id, command, host, pid, user, allowances_json AS allowances, started_at AS startedAt, ended_at AS endedAt,
         status, digest, counts_json AS counts, verdict_json AS verdict, tally_json AS tally, findings,
         finding_count AS findingCount, calls_json AS calls, error_code AS errorCode, error_message AS errorMessage,
         manner_json AS manner
       FROM runs WHERE id = ?`,
    )
    .get(id);
  if (row === undefined) return undefined;
  return { ...row, ...Object.fromEntries(jsonFields.map((field) => [field, parsed(row[field])])) };
}

/** Text that is not JSON stands for itself: it fits nothing that was ever recorded. */
function parsed(text: unknown): unknown {
  if (typeof text !== 'string') return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Records what the row of the run says by now, and `more`, which stands nowhere else. Part of the transaction that wrote the row. */
export function appendRunRecord(database: Database, kind: RunKind, run: string, at: number, more: object = {}): void {
  const state = runState(database, run);
  if (state === undefined) return;
  const fields = fieldsOf[kind] ?? [];
  append(database, { at, run, kind, content: { ...pick(state, fields), ...more } });
}

export function pick(state: Readonly<Record<string, unknown>>, fields: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(fields.map((field) => [field, state[field] ?? null]));
}

/** SHA-256, hex, of the kept plan as it is stored; undefined when no refused plan with that digest is kept. */
export function refusedPlanHash(database: Database, digest: string): string | undefined {
  const row = database
    .statement<{ readonly plan: Buffer }>('SELECT plan FROM refused_plans WHERE digest = ?')
    .get(digest);
  return row && hash('sha256', row.plan);
}
