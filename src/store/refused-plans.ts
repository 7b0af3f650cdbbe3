import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type { Plan } from '../domain/plan.ts';
import type { Database } from './database.ts';

/** A daemon may refuse a new plan every few minutes, each as large as the directory: only the last ones are kept. */
const refusedPlansKept = 10;

/** Part of a transaction of the caller's. The same plan refused again is stored once, and counts as the latest. */
export function keepRefusedPlan(database: Database, plan: Plan): void {
  const known = database.statement<object>('SELECT 1 FROM refused_plans WHERE digest = ?').get(plan.digest);
  if (known === undefined) {
    const deflated = deflateRawSync(Buffer.from(JSON.stringify(plan)), { level: 1 });
    database.statement('INSERT INTO refused_plans (digest, plan) VALUES (?, ?)').run(plan.digest, deflated);
  }
  database
    .statement(
      `DELETE FROM refused_plans WHERE digest NOT IN
       (SELECT digest FROM runs WHERE digest IS NOT NULL AND NOT verdict_json ->> 'allowed'
        GROUP BY digest ORDER BY max(seq) DESC LIMIT ?)`,
    )
    .run(refusedPlansKept);
}

/** Undefined when no plan with that digest was refused, or when it was too long ago. */
export function readRefusedPlan(database: Database, digest: string): Plan | undefined {
  const row = database
    .statement<{ readonly plan: Buffer }>('SELECT plan FROM refused_plans WHERE digest = ?')
    .get(digest);
  return row === undefined ? undefined : (JSON.parse(inflateRawSync(row.plan).toString()) as Plan);
}
