import { createHash } from 'node:crypto';
import { normalizeEmail } from '../domain/identity.ts';
import type { Operation, WriteOperation } from '../domain/operation.ts';

/** A change of address in two steps: out of the way, and later to where it should be. */
export interface Detour {
  readonly first: WriteOperation;
  readonly last: WriteOperation;
}

/**
 * An update makes way by a step of its own, which changes nothing but the address. An adoption cannot be preceded by another
 * change, so it is done under the intermediate address. Undefined for a creation, which holds no address yet.
 */
export function detourOf(operation: Extract<Operation, { changes: unknown }>): Detour | undefined {
  if (operation.kind === 'create') return undefined;
  const { externalId, userName, user, changes } = operation;
  const change = changes.find(({ attribute }) => attribute === 'userName');
  if (change === undefined) return undefined;
  const way = { ...change, after: intermediate(change.before ?? '', externalId) };
  if (operation.kind !== 'adopt') {
    const id = `makes-way ${externalId}`;
    const first: WriteOperation = {
      kind: 'update',
      id,
      externalId,
      userName,
      reason: 'makes-way',
      user,
      changes: [way],
      activate: false,
    };
    const rest = changes.map((each) => (each === change ? { ...change, before: way.after } : each));
    return { first, last: { ...operation, changes: rest } };
  }
  const first: WriteOperation = {
    ...operation,
    changes: changes.map((each) => (each === change ? way : each)),
    attributes: { ...operation.attributes, userName: way.after },
  };
  const last: WriteOperation = {
    kind: 'update',
    id: `update ${externalId}`,
    externalId,
    userName,
    reason: 'renamed',
    user,
    changes: [{ ...change, before: way.after }],
    activate: false,
  };
  return { first, last };
}

/** Whether we ourselves put this person there on the way to another address: nobody else has the tag. */
export function isIntermediate(address: string, externalId: string): boolean {
  return normalizeEmail(address.slice(0, address.lastIndexOf('@'))).endsWith(tagOf(externalId));
}

function tagOf(externalId: string): string {
  return `+tdsync-${createHash('sha256').update(externalId).digest('hex').slice(0, 8)}`;
}

/** An address of the same mailbox (RFC 5233 subaddressing), within the 64 characters of RFC 5321 section 4.5.3.1.1 and Twilio's 160. */
function intermediate(address: string, externalId: string): string {
  const at = address.lastIndexOf('@');
  const tag = tagOf(externalId);
  const domain = address.slice(at);
  return `${address.slice(0, Math.min(at, 64 - tag.length, 160 - tag.length - domain.length))}${tag}${domain}`;
}
