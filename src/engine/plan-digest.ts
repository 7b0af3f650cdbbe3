import type { Plan } from '../domain/plan.ts';
import { digest } from './digest.ts';

/**
 * The digest by which a plan is reviewed and approved. Counts are left out, because people outside the plan change them;
 * so are the words of a finding, which change with a line number or a version of this program, and the way through groups to a grant,
 * which may change without anybody's access changing. What was found stays in.
 *
 * A plan without operations has no digest of source and Twilio in its basis, and can be refused for what was read alone: there
 * the counts that guards compare are part of it, so that who approves a source that shrank does not approve the next cut.
 */
export function planDigest({ version, basis, operations, findings, counts }: Omit<Plan, 'digest'>): string {
  const found = findings.map(({ code, externalId, user, domain }) => ({ code, externalId, user, domain }));
  const decided = operations.map((operation) =>
    operation.kind === 'grant' && operation.via !== undefined ? { ...operation, via: undefined } : operation,
  );
  const { entries, inScope, gone } = counts;
  const read = operations.length === 0 ? { read: { entries, inScope, gone } } : {};
  return digest({ version, basis, operations: decided, findings: found, ...read });
}
