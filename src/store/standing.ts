/** How things stand, asked often and by machines: a few rows, and nothing that grows with people but counts. */
import { statSync } from 'node:fs';
import type { FindingCode } from '../domain/plan.ts';
import type { RunStatus } from '../domain/run.ts';
import type { Standing } from '../domain/standing.ts';
import type { Database } from './database.ts';
import { readTotals } from './totals.ts';

export function standing(database: Database): Standing {
  return database.read('read how things stand', () => ({
    lastRun: lastRun(database),
    lastGoodRunAt: database
      .statement<{ readonly at: number }>(
        `SELECT ended_at AS at FROM runs WHERE status IN ('converged', 'applied') AND ended_at IS NOT NULL ORDER BY seq DESC LIMIT 1`,
      )
      .get()?.at,
    planRefused: planRefused(database),
    managed: count(database, 'links'),
    missing: count(database, 'absences'),
    quarantined: count(database, 'parked'),
    blocks: count(database, 'blocks'),
    breakerOpen: count(database, 'breaker') > 0,
    findings: findings(database),
    lastRead: lastRead(database),
    totals: readTotals(database),
    snapshotBytes: [database.path, `${database.path}-wal`]
      .map((file) => statSync(file, { throwIfNoEntry: false })?.size ?? 0)
      .reduce((sum, size) => sum + size, 0),
  }));
}

function lastRun(database: Database): Standing['lastRun'] {
  const row = database
    .statement<{
      readonly status: RunStatus | null;
      readonly startedAt: number;
      readonly endedAt: number | null;
      readonly error: string | null;
    }>(
      'SELECT status, started_at AS startedAt, ended_at AS endedAt, error_code AS error FROM runs ORDER BY seq DESC LIMIT 1',
    )
    .get();
  return (
    row && {
      status: row.status ?? 'running',
      startedAt: row.startedAt,
      endedAt: row.endedAt ?? undefined,
      error: row.error ?? undefined,
    }
  );
}

/** As `RunHistory.refusedPlan`, without the plan. */
function planRefused(database: Database): boolean {
  const row = database
    .statement<{ readonly refused: number }>(
      `SELECT NOT verdict_json ->> 'allowed' AS refused FROM runs WHERE digest IS NOT NULL ORDER BY seq DESC LIMIT 1`,
    )
    .get();
  return row?.refused === 1;
}

function count(database: Database, table: 'links' | 'absences' | 'parked' | 'blocks' | 'breaker'): number {
  return database.statement<{ readonly n: number }>(`SELECT count(*) AS n FROM ${table}`).get()?.n ?? 0;
}

/** The set counted last, by its SHA-256: a daemon finds the same things for days, and a large set takes a while to count. */
let counted: { readonly digest: string; readonly findings: Standing['findings'] } | undefined;

function findings(database: Database): Standing['findings'] {
  const digest = database
    .statement<{ readonly findings: string | null }>(
      'SELECT findings FROM runs WHERE ended_at IS NOT NULL AND digest IS NOT NULL ORDER BY seq DESC LIMIT 1',
    )
    .get()?.findings;
  if (digest == null) return {};
  if (counted?.digest !== digest) counted = { digest, findings: countFindings(database, digest) };
  return counted.findings;
}

function countFindings(database: Database, digest: string): Standing['findings'] {
  const rows = database
    .statement<{ readonly code: FindingCode; readonly n: number }>(
      `SELECT value ->> 'code' AS code, count(*) AS n FROM finding_sets, json_each(findings_json)
       WHERE digest = ? GROUP BY 1 ORDER BY 1`,
    )
    .all(digest);
  return Object.fromEntries(rows.map(({ code, n }) => [code, n]));
}

function lastRead(database: Database): Standing['lastRead'] {
  const row = database
    .statement<{ readonly entries: number; readonly inScope: number; readonly durationMs: number | null }>(
      'SELECT entries, in_scope AS inScope, duration_ms AS durationMs FROM last_complete_read',
    )
    .get();
  return row && { ...row, durationMs: row.durationMs ?? undefined };
}
