import type { ExternalId, UserSid } from '../domain/identity.ts';
import { normalizeEmail } from '../domain/identity.ts';
import type { FindingCode } from '../domain/plan.ts';
import type { Policy } from '../domain/rules.ts';
import type { LastApplied, RoleAssignment } from '../domain/user.ts';
import type { GrantKnowledge } from './grant-records.ts';

/** What is known about people beyond their attributes. */
export interface Knowledge extends GrantKnowledge {
  assignmentsOf(user: UserSid): readonly RoleAssignment[];
  lastApplied(externalId: ExternalId): LastApplied | undefined;
  /** Organization owner and owners of accounts: Twilio refuses or forbids to change them. */
  readonly owners: ReadonlySet<UserSid>;
  /** Created by us a moment ago: Twilio may not list the user yet. */
  justCreated(externalId: ExternalId): boolean;
  /** Given back to manual care. */
  readonly released: ReadonlyMap<UserSid, ExternalId>;
}

export interface Untouchable {
  readonly code: Extract<FindingCode, 'protected' | 'released' | 'owner'>;
  readonly because: string;
}

/** Why a person must never be changed, link or not; undefined for everybody else. Every address of a person counts. */
export function untouchable(
  policy: Policy,
  knowledge: Knowledge,
): (externalId: ExternalId, userNames: readonly string[], user: UserSid | undefined) => Untouchable | undefined {
  const listed = namesOf(policy.protect);
  const approver = namesOf(policy.approver === undefined ? [] : [policy.approver]);
  return (externalId, userNames, user) => {
    if (listed.has(externalId) || isNamed(listed, userNames, user)) {
      return { code: 'protected', because: 'policy.protect names this person' };
    }
    // Without this person's account the program has no access, and could not even take back what it did.
    if (approver.size > 0 && isNamed(approver, userNames, user)) {
      return { code: 'protected', because: "this person approved tdsync's own access (twilio.oauth.approvedBy)" };
    }
    if (user !== undefined && knowledge.released.has(user)) {
      return { code: 'released', because: 'this person was released; `tdsync release --undo` manages it again' };
    }
    if (user !== undefined && knowledge.owners.has(user)) {
      return { code: 'owner', because: 'this person owns the organization or an account' };
    }
    return undefined;
  };
}

function namesOf(given: readonly string[]): ReadonlySet<string> {
  return new Set(given.flatMap((each) => [each, normalizeEmail(each) as string]));
}

function isNamed(names: ReadonlySet<string>, userNames: readonly string[], user: UserSid | undefined): boolean {
  return (user !== undefined && names.has(user)) || userNames.some((userName) => names.has(normalizeEmail(userName)));
}
