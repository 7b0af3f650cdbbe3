/**
 * What Twilio refused is not sent again until it changes or its time has come. A person has one record of this; it names
 * each refused operation by its digest, so that two bad roles do not push each other out and everything else goes on.
 */
import type { UserSid } from '../domain/identity.ts';
import type { Operation } from '../domain/operation.ts';
import type { Finding, FindingCode } from '../domain/plan.ts';
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
  return retryAt !== undefined && hasCome(retryAt, now);
}

/** Nothing is put off for longer than a day. */
const farthestMs = 25 * 3_600_000;

/** Whether a time to try again has come. One that is too far off was noted while the clock was wrong. */
export function hasCome(retryAt: number, now: number): boolean {
  return retryAt <= now || retryAt - now > farthestMs;
}

/** The operation was refused and its time has not come. */
export function waits(operation: Operation, park: Parked | undefined, now: number): park is Parked {
  return park !== undefined && !isDue(park, now) && recordsOf(park).includes(recordDigest(operation));
}

export function parkedFinding({ kind, externalId, userName, ...rest }: Operation, park: Parked): Finding {
  return findingOf({ externalId, userName, ...rest }, `${kind} was refused by Twilio (${park.message})`, park);
}

function findingOf(
  { externalId, userName, ...rest }: Omit<Operation, 'kind'>,
  what: string,
  { code, retryAt }: Parked,
): Finding {
  const user = 'user' in rest && typeof rest.user === 'string' ? { user: rest.user as UserSid } : {};
  const retry = retryAt === undefined ? 'until the record changes' : `until ${new Date(retryAt).toISOString()}`;
  return { code, externalId, userName, ...user, message: `${what}; not tried again ${retry}` };
}

/** Leaves out what waits, and what waits for that. */
export function unpark(drafted: Draft, park: Parked | undefined, now: number): Draft {
  if (park === undefined) return drafted;
  const refused = drafted.operations.filter((operation) => isHeld(operation, park, drafted, now));
  if (refused.length === 0) return drafted;
  const left = new Set(refused.map(({ id }) => id));
  return {
    ...drafted,
    operations: drafted.operations.filter(
      ({ id, after }) => !left.has(id) && (after === undefined || !left.has(after)),
    ),
    findings: [...drafted.findings, ...findingsOf(refused, park)],
  };
}

function isHeld(operation: Operation, park: Parked, { operations }: Draft, now: number): boolean {
  if (concerns(park.code) === 'everything') return !isDue(park, now);
  // Who loses a role has room for another.
  if (park.code === 'role-ceiling' && operations.some(({ kind }) => kind === 'revoke')) return false;
  return waits(operation, park, now);
}

/** What is refused for the person's sake is told once, whatever was wanted. */
function findingsOf(refused: readonly Operation[], park: Parked): readonly Finding[] {
  const [first] = refused;
  if (first === undefined || refused.length === 1 || concerns(park.code) === 'record') {
    return refused.map((operation) => parkedFinding(operation, park));
  }
  const kinds = [...new Set(refused.map(({ kind }) => kind))].join(', ');
  const what = `${first.userName} is left alone (${kinds} wanted), because Twilio refused it (${park.message})`;
  return [findingOf(first, what, park)];
}

/**
 * How much of a person a refusal is about: the refused record alone, every grant, or whatever is wanted of the person. What
 * it is about is asked once in a run, and not again before its time has come.
 */
export function concerns(code: FindingCode): 'record' | 'grants' | 'everything' {
  switch (code) {
    case 'suspended':
    case 'owner':
      return 'everything';
    case 'role-ceiling':
    case 'not-managed':
      return 'grants';
    default:
      return 'record';
  }
}
