import type { Operation } from '../domain/operation.ts';
import type { Bill } from '../domain/run.ts';

/** What applying costs: calls by endpoint, and seconds at so many requests per second. */
export function billOf(operations: readonly Operation[], requestsPerSecond: number): Bill {
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
    if (operation.kind === 'grant' && reactivated.delete(operation.externalId))
      bill('GET /v2/Organizations/RoleAssignments');
    const endpoint = endpointOf(operation);
    if (endpoint !== undefined) bill(endpoint);
  }
  return { calls, seconds: total / requestsPerSecond };
}

/** Undefined for an adoption that only makes the link. */
function endpointOf(operation: Operation): string | undefined {
  switch (operation.kind) {
    case 'revoke':
      return 'DELETE /v2/Organizations/RoleAssignments/{id}';
    case 'deactivate':
      return 'DELETE /scim/v2/Users/{id}';
    case 'create':
      return 'POST /scim/v2/Users';
    case 'grant':
      return 'POST /v2/Organizations/RoleAssignments';
    default:
      return writesNothing(operation) ? undefined : 'PUT /scim/v2/Users/{id}';
  }
}

/** True when adopting takes no call: Twilio already holds our externalId and nothing differs. */
export function writesNothing(operation: Extract<Operation, { activate: boolean }>): boolean {
  return operation.changes.length === 0 && !operation.activate && operation.reason === 'same-external-id';
}
