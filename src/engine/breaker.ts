/** What a breaker that has tripped has to say. */
import { causesText, type OpenBreaker } from '../domain/breaker.ts';
import type { Operation } from '../domain/operation.ts';
import type { Finding } from '../domain/plan.ts';

/** Said while something is wanted of the kinds that failed. */
export function breakerFindings(
  breaker: OpenBreaker | undefined,
  operations: readonly Operation[],
): readonly Finding[] {
  if (breaker === undefined || !operations.some(({ kind }) => breaker.kinds.includes(kind))) return [];
  return [{ code: 'breaker-open', externalId: '', message: breakerText(breaker) }];
}

/** A sentence for people; nobody is named. */
export function breakerText({ kinds, causes, run, at }: Pick<OpenBreaker, 'kinds' | 'causes' | 'run' | 'at'>): string {
  const when = new Date(at).toISOString();
  return `the circuit breaker is open since run ${run} ended at ${when} (${causesText(causes)}): of ${kinds.join(', ')}, one is tried before the others; \`tdsync retry --breaker\` closes it`;
}
