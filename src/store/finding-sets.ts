import { createHash } from 'node:crypto';
import type { Finding } from '../domain/plan.ts';
import type { Database } from './database.ts';

/**
 * Adds findings to a run's, leaving out those that it has. Part of a transaction of the caller's.
 * A daemon finds the same things every few minutes: equal sets share one row.
 */
export function addFindings(database: Database, run: number, findings: readonly Finding[]): void {
  const known = findingsOf(database, run);
  const keys = new Set(known.map(keyOf));
  const merged = [...known];
  for (const finding of findings) {
    const key = keyOf(finding);
    if (keys.has(key)) continue;
    keys.add(key);
    merged.push(finding);
  }
  if (merged.length === known.length) return;
  const json = JSON.stringify(merged);
  const digest = createHash('sha256').update(json).digest('hex');
  database.statement('INSERT OR IGNORE INTO finding_sets VALUES (?, ?)').run(digest, json);
  database.statement('UPDATE runs SET findings = ?, finding_count = ? WHERE seq = ?').run(digest, merged.length, run);
}

export function findingsOf(database: Database, run: number): Finding[] {
  const row = database
    .statement<{ readonly json: string }>(
      'SELECT findings_json AS json FROM runs JOIN finding_sets ON finding_sets.digest = runs.findings WHERE seq = ?',
    )
    .get(run);
  return row === undefined ? [] : (JSON.parse(row.json) as Finding[]);
}

function keyOf(finding: Finding): string {
  return JSON.stringify([finding.code, finding.externalId, finding.user, finding.message]);
}
