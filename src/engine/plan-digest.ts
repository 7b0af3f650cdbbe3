import type { Plan } from '../domain/plan.ts';
import { digest } from './digest.ts';

/**
 * The digest by which a plan is reviewed and approved. Counts are left out, because people outside the plan change them;
 * so are the words of a finding, which change with a line number or a version of this program, and the way through groups to a grant,
 * which may change without anybody's access changing. What was found stays in.
 */
export function planDigest({ version, basis, operations, findings }: Omit<Plan, 'counts' | 'digest'>): string {
  const found = findings.map(({ code, externalId, user }) => ({ code, externalId, user }));
  const decided = operations.map((operation) =>
    operation.kind === 'grant' && operation.via !== undefined ? { ...operation, via: undefined } : operation,
  );
  return digest({ version, basis, operations: decided, findings: found });
}
