import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { readBounded } from '../config/bounded-file.ts';
import type { Plan, Verdict } from '../domain/plan.ts';
import type { Policy } from '../domain/rules.ts';
import type { Bill } from '../domain/run.ts';
import { planDigest } from '../engine/plan-digest.ts';
import { UsageError } from './usage-error.ts';

/** A plan saved for review, with what it takes to make the same plan again. */
export interface PlanFile {
  readonly version: 1;
  /** ISO 8601. */
  readonly madeAt: string;
  readonly options: { readonly only?: readonly string[]; readonly mode?: Policy['mode']; readonly undo?: string };
  readonly plan: Plan;
  readonly verdict: Verdict;
  readonly bill: Bill;
}

/** In one step and readable by its owner alone: it names people. Throws UsageError when the file cannot be written. */
export function writePlanFile(file: string, content: PlanFile): void {
  const draft = `${file}.${process.pid}.new`;
  try {
    writeFileSync(draft, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 });
    renameSync(draft, file);
  } catch (error) {
    rmSync(draft, { force: true });
    throw new UsageError(`--out: the plan cannot be written to ${file}: ${(error as Error).message}`, { cause: error });
  }
}

const largest = 512 * 1024 * 1024;

/** Throws UsageError when the file is missing, is not a plan, or was changed after it was made. */
export function readPlanFile(file: string): PlanFile {
  const { content, digest } = parse(file);
  if (digest !== content.plan.digest) {
    throw new UsageError(`apply: ${file} was changed after it was made: its digest does not fit its operations`, {
      hint: 'make a new plan with `tdsync reconcile --dry-run --out`; what should not be applied belongs in the rules',
    });
  }
  return content;
}

function parse(file: string): { readonly content: PlanFile; readonly digest: string } {
  try {
    const content: unknown = JSON.parse(readBounded(file, largest).toString('utf8'));
    // What is nested beyond measure, or has other members than operations and findings, ends here.
    if (isPlanFile(content)) return { content, digest: planDigest(content.plan) };
    throw new Error('it is not a plan file of version 1');
  } catch (error) {
    throw new UsageError(`apply: ${file} cannot be read: ${(error as Error).message}`, {
      cause: error,
      hint: 'make one with `tdsync reconcile --dry-run --out plan.json`',
    });
  }
}

function isPlanFile(value: unknown): value is PlanFile {
  if (typeof value !== 'object' || value === null || !('plan' in value)) return false;
  const { version, plan, options } = value as { version?: unknown; plan: unknown; options?: unknown };
  if (version !== 1 || typeof plan !== 'object' || plan === null) return false;
  if (typeof options !== 'object' || options === null) return false;
  const { operations, findings, counts } = plan as { operations?: unknown; findings?: unknown; counts?: unknown };
  if (typeof counts !== 'object' || counts === null) return false;
  return Array.isArray(operations) && Array.isArray(findings) && 'basis' in plan && 'digest' in plan;
}
