/**
 * What Twilio refused is not sent again until it changes or its time has come. A person has one record of this; it names
 * each refused operation by its digest, so that two bad roles do not push each other out and everything else goes on.
 */
import type { Operation } from '../domain/operation.ts';
import type { Finding } from '../domain/plan.ts';
import type { Parked } from '../ports.ts';
import { digest } from './digest.ts';
import type { Draft } from './draft.ts';

/** Tells whether an operation is the very one that Twilio refused: by what it sends, not by why, when or instead of what. */
export function recordDigest(operation: Operation): string {
  const { after: _after, reason: _reason, ...record } = operation;
  // A joiner's grant names no user in the run that creates the user, and names one from then on.
  if (record.kind === 'grant') return digest({ ...record, user: null, via: undefined });
  if (!('changes' in record)) return digest(record);
  const { holds: _holds, ...sent } = { holds: undefined, ...record };
  return digest({ ...sent, changes: record.changes.map(({ attribute, after }) => ({ attribute, after })) });
}

/** The digests of everything that was refused. */
export function recordsOf({ record }: Pick<Parked, 'record'>): readonly string[] {
  return record.split(' ');
}

export function isDue({ retryAt }: Parked, now: number): boolean {
  return retryAt !== undefined && retryAt <= now;
}

/** The operation was refused and its time has not come. */
export function waits(operation: Operation, park: Parked | undefined, now: number): park is Parked {
  return park !== undefined && !isDue(park, now) && recordsOf(park).includes(recordDigest(operation));
}

export function parkedFinding({ kind, externalId, userName, ...rest }: Operation, park: Parked): Finding {
  const user = 'user' in rest && rest.user !== null ? { user: rest.user } : {};
  const retry =
    park.retryAt === undefined ? 'until the record changes' : `until ${new Date(park.retryAt).toISOString()}`;
  const message = `${kind} was refused by Twilio (${park.message}); not tried again ${retry}`;
  return { code: park.code, externalId, userName, ...user, message };
}

/** Leaves out what waits, and what waits for that. */
export function unpark(drafted: Draft, park: Parked | undefined, now: number): Draft {
  if (park === undefined) return drafted;
  const refused = drafted.operations.filter((operation) => waits(operation, park, now));
  if (refused.length === 0) return drafted;
  const left = new Set(refused.map(({ id }) => id));
  return {
    ...drafted,
    operations: drafted.operations.filter(
      ({ id, after }) => !left.has(id) && (after === undefined || !left.has(after)),
    ),
    findings: [...drafted.findings, ...refused.map((operation) => parkedFinding(operation, park))],
  };
}
