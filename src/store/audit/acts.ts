/** What people did, not runs: approvals and the ledger. Few and small, so their records hold all of it and are never removed. */
import { canonicalJson } from '../../domain/canonical-json.ts';
import type { Database } from '../database.ts';
import { append } from './chain.ts';

type Act = Readonly<Record<string, unknown>> & { readonly at: number };

const approvals = 'digest, user, host, at, expires_at AS expiresAt, reason, used_by AS usedBy';
const ledger =
  'at, action, external_id AS externalId, new_external_id AS newExternalId, user, done_by AS doneBy, host, reason';
const queries = {
  approval: `SELECT ${approvals} FROM approvals ORDER BY seq`,
  ledger: `SELECT ${ledger} FROM ledger ORDER BY seq`,
};
export type ActKind = keyof typeof queries;
const actKinds = Object.keys(queries) as ActKind[];

/** Records the row that was written last. Part of the transaction that wrote it. */
export function appendAct(database: Database, kind: ActKind): void {
  const row = database.statement<Act>(`${queries[kind]} DESC LIMIT 1`).get();
  if (row !== undefined) append(database, { at: row.at, run: null, kind, content: row });
}

/** At the beginning of the chain: all that is there. */
export function inheritActs(database: Database): void {
  for (const kind of actKinds) {
    const rows = database.statement<Act>(queries[kind]).all();
    for (const row of rows) append(database, { at: row.at, run: null, kind, content: row });
  }
}

export interface Acts {
  take(kind: ActKind | 'approval-used', content: Readonly<Record<string, unknown>>): void;
  /** After the last record: what does not fit. */
  finish(): string | undefined;
}

/** Works out from the records which rows there must be. */
export function replayActs(database: Database): Acts {
  const expected: Record<ActKind, Record<string, unknown>[]> = { approval: [], ledger: [] };
  return {
    take(kind, content) {
      if (kind !== 'approval-used') expected[kind].push({ ...content });
      else {
        for (const approval of expected.approval) {
          if (approval.digest === content.digest) approval.usedBy ??= content.usedBy;
        }
      }
    },
    finish() {
      for (const kind of actKinds) {
        const rows = database.statement<Act>(queries[kind]).all();
        const length = Math.max(rows.length, expected[kind].length);
        for (let index = 0; index < length; index += 1) {
          const [found, wanted] = [rows[index], expected[kind][index]].map((act) => act && canonicalJson(act));
          if (found !== wanted) {
            return `${kind} ${index + 1} is ${found ?? 'missing'} in the history, and ${wanted ?? 'missing'} by its records`;
          }
        }
      }
      return undefined;
    },
  };
}
