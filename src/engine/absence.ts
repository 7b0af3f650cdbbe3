import { type ExternalId, normalizeEmail } from '../domain/identity.ts';
import type { Finding } from '../domain/plan.ts';
import type { Policy } from '../domain/rules.ts';
import type { Situation } from './correlate.ts';
import type { DesiredState } from './desired-state.ts';

interface AbsenceInput {
  readonly policy: Policy;
  readonly desired: DesiredState;
  readonly absences: ReadonlyMap<ExternalId, number>;
}

/** A finding while the person has not been missing often enough; counts the present absence either way. */
export function awaitAbsence(
  { externalId, user, reason }: Extract<Situation, { is: 'leaver' }>,
  { absences, policy, desired }: AbsenceInput,
  next: Map<ExternalId, number>,
): Finding | undefined {
  if (reason !== 'absent') return undefined;
  const { userName } = user.attributes;
  const who = { externalId, user: user.sid, userName };
  if (desired.heldAddresses.has(normalizeEmail(userName))) {
    const message = `${userName} is missing by key, but an entry without a key has the address; not treated as absent`;
    return { ...who, code: 'unidentified', message };
  }
  const count = (absences.get(externalId) ?? 0) + 1;
  next.set(externalId, count);
  if (count >= policy.confirmAbsence) return undefined;
  const message = `${userName} is missing from the source for the ${ordinal(count)} complete read; ${policy.confirmAbsence} in a row make a leaver`;
  return { ...who, code: 'absence-pending', message };
}

function ordinal(count: number): string {
  return count === 1 ? 'first' : count === 2 ? 'second' : count === 3 ? 'third' : `${count}th`;
}
