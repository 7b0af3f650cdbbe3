/**
 * Refusals that are about a domain or about the whole organization, not about one person. The first of a run blocks what
 * else would meet it, then and in later runs until its time has come, and one finding tells of everybody concerned.
 *
 * | Twilio says | blocks                                                        | key                |
 * |-------------|---------------------------------------------------------------|--------------------|
 * | 25017       | every operation that sets an address in that domain           | `domain corp.example` |
 * | 25007       | every creation                                                | `quota`            |
 */

import { type Blocked, type BlockKey, quota, refusalText } from '../domain/blocked.ts';
import { compareStrings, normalizeEmail } from '../domain/identity.ts';
import type { Operation } from '../domain/operation.ts';
import type { Finding } from '../domain/plan.ts';
import type { Draft } from './draft.ts';
import { hasCome } from './parking.ts';

/** What else a refusal concerns; undefined when it is about this record alone. */
export function blockedBy(operation: Operation, twilioCode: number | undefined): BlockKey | undefined {
  if (twilioCode === 25017) return domainBlock(operation);
  return twilioCode === 25007 && operation.kind === 'create' ? quota : undefined;
}

/** The blocks that an operation would meet, if they stood. */
export function blocksOf(operation: Operation): readonly BlockKey[] {
  const domain = domainBlock(operation);
  return [...(operation.kind === 'create' ? [quota] : []), ...(domain === undefined ? [] : [domain])];
}

function domainBlock(operation: Operation): BlockKey | undefined {
  const address = 'changes' in operation && operation.changes.find(({ attribute }) => attribute === 'userName')?.after;
  if (!address) return undefined;
  const normal = normalizeEmail(address);
  return `domain ${normal.slice(normal.lastIndexOf('@') + 1)}`;
}

/** The block that an operation meets and whose time has not come. */
export function blockOn(
  operation: Operation,
  blocked: ReadonlyMap<BlockKey, Blocked>,
  now: number,
): Blocked | undefined {
  for (const key of blocksOf(operation)) {
    const block = blocked.get(key);
    if (block !== undefined && !hasCome(block.retryAt, now)) return block;
  }
  return undefined;
}

/** Leaves out what is blocked, and what waits for that. */
export function withoutBlocked(
  drafted: Draft,
  blocked: ReadonlyMap<BlockKey, Blocked>,
  now: number,
): { readonly drafted: Draft; readonly block: Blocked | undefined } {
  if (blocked.size === 0) return { drafted, block: undefined };
  let block: Blocked | undefined;
  const left = new Set<string>();
  const operations = drafted.operations.filter((operation) => {
    const met = blockOn(operation, blocked, now);
    block ??= met;
    const isLeft = met !== undefined || (operation.after !== undefined && left.has(operation.after));
    if (isLeft) left.add(operation.id);
    return !isLeft;
  });
  return { drafted: block === undefined ? drafted : { ...drafted, operations }, block };
}

const named = 5;

/** One finding for everybody whom a block concerns. */
export function blockedFinding({ key, retryAt }: Blocked, userNames: readonly string[]): Finding {
  const sorted = [...userNames].sort(compareStrings);
  const rest = sorted.length > named ? ` and ${sorted.length - named} more` : '';
  const who = `${sorted.slice(0, named).join(', ')}${rest}`;
  const next = key === quota ? 'ask Twilio for more' : 'verify the domain in the Console, or correct the addresses';
  const people = sorted.length === 1 ? '1 person waits' : `${sorted.length} people wait`;
  const message = `${refusalText(key)}: ${people} (${who}); ${next}; tried again after ${new Date(retryAt).toISOString()}`;
  if (key === quota) return { code: 'quota-reached', externalId: '', message };
  return { code: 'unverified-domain', externalId: '', domain: key.slice(key.indexOf(' ') + 1), message };
}
