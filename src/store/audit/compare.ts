import { hash } from 'node:crypto';
import { canonicalJson } from '../../domain/canonical-json.ts';
import type { Database } from '../database.ts';
import { refusedPlanHash, stateFields } from './run-state.ts';

/** Every field of a run's row. */
export function checkState(
  run: string,
  expected: Readonly<Record<string, unknown>>,
  row: Readonly<Record<string, unknown>>,
): string | undefined {
  for (const field of stateFields) {
    const [wanted, found] = [expected[field] ?? null, row[field] ?? null].map(canonicalJson);
    if (wanted !== found) return `run ${run}: ${field} is ${found} in the history, and ${wanted} by its records`;
  }
  return undefined;
}

/** A set of findings is kept under its own digest. `known`: those that were looked at before. */
export function checkFindings(database: Database, digest: unknown, known: Set<string>): string | undefined {
  if (typeof digest !== 'string' || known.has(digest)) return undefined;
  known.add(digest);
  const row = database
    .statement<{ readonly json: string }>('SELECT findings_json AS json FROM finding_sets WHERE digest = ?')
    .get(digest);
  if (row === undefined) return `the findings ${digest.slice(0, 12)} are missing`;
  return hash('sha256', row.json) === digest ? undefined : `the findings ${digest.slice(0, 12)} were changed`;
}

export function checkRunsWithoutRecord(database: Database, runs: ReadonlySet<string>): string | undefined {
  const rows = database.statement<{ readonly id: string }>('SELECT id FROM runs ORDER BY seq').all();
  const stray = rows.find(({ id }) => !runs.has(id));
  return stray && `run ${stray.id} stands in the history, and no record tells of it`;
}

/** Refused plans are kept for a while: each must be the one of the last run that made it, and the latest must be there. */
export function checkRefusedPlans(database: Database, expected: ReadonlyMap<string, string>): string | undefined {
  const rows = database.statement<{ readonly digest: string }>('SELECT digest FROM refused_plans').all();
  for (const { digest } of rows) {
    if (!expected.has(digest)) return `the refused plan ${digest.slice(0, 12)} is kept, and no record tells of it`;
    if (refusedPlanHash(database, digest) !== expected.get(digest)) {
      return `the refused plan ${digest.slice(0, 12)} was changed`;
    }
  }
  const latest = [...expected.keys()].at(-1);
  const missing = latest !== undefined && !rows.some(({ digest }) => digest === latest);
  return missing ? `the refused plan ${latest.slice(0, 12)} is missing` : undefined;
}
