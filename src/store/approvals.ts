import type { Approval } from '../domain/plan.ts';
import { appendAct } from './audit/acts.ts';
import { append } from './audit/chain.ts';
import type { Database } from './database.ts';

export interface RecordedApproval extends Approval {
  /** The run that it let through; undefined while it waits, or when it expired unused. */
  readonly usedBy: string | undefined;
}

interface Row {
  readonly digest: string;
  readonly user: string;
  readonly host: string;
  readonly at: number;
  readonly expiresAt: number;
  readonly reason: string | null;
  readonly usedBy: string | null;
}

const columns = 'digest, user, host, at, expires_at AS expiresAt, reason, used_by AS usedBy';

/** An approval holds for a day. One with more than two left was given while the clock was wrong. */
const longestMs = 2 * 24 * 3_600_000;

/** The approval that would let this plan through at this time; the latest, when several would. */
export function openApproval(database: Database, digest: string, now: number): Approval | undefined {
  const row = database
    .statement<Row>(
      `SELECT ${columns} FROM approvals WHERE digest = ? AND used_by IS NULL AND expires_at > ? AND expires_at <= ?
       ORDER BY seq DESC LIMIT 1`,
    )
    .get(digest, now, now + longestMs);
  return row && toApproval(row);
}

/** Part of a transaction of the caller's. An approval serves once, also when the same plan was approved twice. */
export function useApproval(database: Database, digest: string, run: string, at: number): void {
  database.statement('UPDATE approvals SET used_by = ? WHERE digest = ? AND used_by IS NULL').run(run, digest);
  append(database, { at, run: null, kind: 'approval-used', content: { digest, usedBy: run } });
}

export function addApproval(database: Database, { digest, user, host, at, expiresAt, reason }: Approval): void {
  database.write(`record the approval of plan ${digest}`, () => {
    database
      .statement('INSERT INTO approvals (digest, user, host, at, expires_at, reason) VALUES (?, ?, ?, ?, ?, ?)')
      .run(digest, user, host, at, expiresAt, reason ?? null);
    appendAct(database, 'approval');
  });
}

/** The newest first. */
export function listApprovals(database: Database, limit: number): readonly RecordedApproval[] {
  return database
    .statement<Row>(`SELECT ${columns} FROM approvals ORDER BY seq DESC LIMIT ?`)
    .all(limit)
    .map((row) => ({ ...toApproval(row), usedBy: row.usedBy ?? undefined }));
}

function toApproval({ usedBy: _usedBy, reason, ...approval }: Row): Approval {
  return { ...approval, ...(reason !== null && { reason }) };
}
