import type { ExternalId } from '../domain/identity.ts';
import type { Operation, OperationKind, Reason } from '../domain/operation.ts';

/** One person's part of a plan. */
export interface Person {
  readonly externalId: ExternalId;
  /** The address people know the person by. */
  readonly userName: string;
  readonly operations: readonly Operation[];
}

export interface People {
  readonly joiners: readonly Person[];
  readonly movers: readonly Person[];
  readonly leavers: readonly Person[];
}

const joining: ReadonlySet<OperationKind> = new Set(['create', 'adopt', 'reactivate']);
const leaving: ReadonlySet<Reason> = new Set(['absent', 'out-of-scope', 'disabled']);

/** Groups a plan's operations by person, and people by what happens to them; each in the plan's order. */
export function groupByPerson(operations: readonly Operation[]): People {
  const byPerson = new Map<ExternalId, Operation[]>();
  for (const operation of operations) {
    const own = byPerson.get(operation.externalId);
    if (own === undefined) byPerson.set(operation.externalId, [operation]);
    else own.push(operation);
  }
  const groups = { joiners: [] as Person[], movers: [] as Person[], leavers: [] as Person[] };
  for (const [externalId, own] of byPerson) {
    const [first] = own;
    if (first === undefined) continue;
    const person = { externalId, userName: first.userName, operations: own };
    if (own.some(({ kind }) => joining.has(kind))) groups.joiners.push(person);
    else if (own.some(isLeaving)) groups.leavers.push(person);
    else groups.movers.push(person);
  }
  return groups;
}

/** A leaver whom somebody made active again is still a leaver; whose creation is undone is none. */
function isLeaving({ kind, reason }: Operation): boolean {
  return leaving.has(reason) || (kind === 'deactivate' && reason === 'changed-in-twilio');
}
