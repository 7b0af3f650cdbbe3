import type { ExternalId } from '../domain/identity.ts';
import { type GrantRecord, grantKey } from '../domain/user.ts';
import type { Links } from './correlate.ts';
import type { DesiredState } from './desired-state.ts';
import type { GrantKnowledge } from './grant-records.ts';

interface ForgetInput {
  readonly desired: DesiredState;
  readonly links: Links;
  readonly knowledge: Pick<GrantKnowledge, 'lost'>;
}

/**
 * Records of grants that Twilio no longer shows and that nobody wants: kept, they would make a grant that becomes wanted again
 * look like one that was taken away by hand.
 */
export function forgettable(
  { desired, links, knowledge }: ForgetInput,
  /** People of whom this read does not say what they should hold. */
  undecided: ReadonlySet<ExternalId>,
): readonly GrantRecord[] {
  return [...knowledge.lost.values()].filter((record) => {
    const externalId = links.byUser.get(record.user);
    if (externalId === undefined) return true;
    if (desired.held.has(externalId) || undecided.has(externalId)) return false;
    const person = desired.users.get(externalId);
    return person?.active !== true || !person.grants.some((grant) => grantKey(grant) === grantKey(record));
  });
}
