import { compareStrings } from '../domain/identity.ts';
import { type Operation, phases } from '../domain/operation.ts';

/** Phase, then externalId, then the person's own order; a step stands after the one it waits for. */
export function sortOperations(operations: readonly Operation[]): readonly Operation[] {
  const ids = new Map(operations.map((operation) => [operation.id, operation]));
  const phaseOf = (operation: Operation): number => {
    const before = operation.after === undefined ? undefined : ids.get(operation.after);
    return Math.max(phases[operation.kind], before ? phases[before.kind] : 0);
  };
  const sorted = operations
    .map((operation, index) => ({ operation, index, phase: phaseOf(operation) }))
    .sort(
      (a, b) =>
        a.phase - b.phase || compareStrings(a.operation.externalId, b.operation.externalId) || a.index - b.index,
    );
  const placed = new Set<string>();
  const result: Operation[] = [];
  for (const { operation } of sorted) {
    const chain: Operation[] = [];
    let next: Operation | undefined = operation;
    while (next !== undefined && !placed.has(next.id)) {
      placed.add(next.id);
      chain.push(next);
      next = next.after === undefined ? undefined : ids.get(next.after);
    }
    result.push(...chain.reverse());
  }
  return result;
}
