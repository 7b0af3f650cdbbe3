import type { Operation } from '../domain/operation.ts';
import type { Bill } from '../domain/run.ts';
import type { CallNames } from '../ports.ts';

/** What applying costs: calls by endpoint, and seconds at so many requests per second. */
export function billOf(operations: readonly Operation[], requestsPerSecond: number, names: CallNames): Bill {
  const calls: Record<string, number> = {};
  let total = 0;
  const reactivated = new Set<string>();
  const bill = (endpoint: string) => {
    calls[endpoint] = (calls[endpoint] ?? 0) + 1;
    total++;
  };
  for (const operation of operations) {
    if ('activate' in operation && operation.activate) reactivated.add(operation.externalId);
    // Roles of a returning person are looked up once before any is given.
    if (operation.kind === 'grant' && reactivated.delete(operation.externalId)) bill(names.listAssignments);
    const endpoint = endpointOf(operation, names);
    if (endpoint !== undefined) bill(endpoint);
  }
  return { calls, seconds: total / requestsPerSecond };
}

/** Undefined for an adoption that only makes the link. */
function endpointOf(operation: Operation, names: CallNames): string | undefined {
  switch (operation.kind) {
    case 'revoke':
      return names.deleteAssignment;
    case 'deactivate':
      return names.deactivateUser;
    case 'create':
      return names.createUser;
    case 'grant':
      return names.createAssignment;
    default:
      return writesNothing(operation) ? undefined : names.replaceUser;
  }
}

/** True when adopting takes no call: Twilio already holds our externalId and nothing differs. */
export function writesNothing(operation: Extract<Operation, { activate: boolean }>): boolean {
  return operation.changes.length === 0 && !operation.activate && operation.reason === 'same-external-id';
}
