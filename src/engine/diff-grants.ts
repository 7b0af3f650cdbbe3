/**
 * Three versions of each grant of a linked person: wanted (W: a rule gives it), actual (A: Twilio shows an assignment), and
 * recorded (R: that very assignment is the one that we made, or took over).
 *
 * | W   | A   | R   | meaning                                  | `drift: overwrite`                 | `drift: report` |
 * |-----|-----|-----|------------------------------------------|------------------------------------|-----------------|
 * | yes | yes | yes | in step                                  | nothing                            | nothing         |
 * | yes | yes | no  | made in Twilio, and a rule gives it too  | recorded, finding `taken-over` once | the same        |
 * | yes | no  | no  | changed upstream                         | grant, `entitled`                  | the same        |
 * | yes | no  | yes | taken away in Twilio                     | grant, `changed-in-twilio`         | finding `drift` |
 * | no  | yes | yes | changed upstream                         | revoke, `not-entitled`             | the same        |
 * | no  | yes | no  | made in Twilio                           | revoke, `changed-in-twilio`        | finding `drift` |
 * | no  | no  | yes | changed on both sides, which agree       | the record goes                    | the same        |
 *
 * A grant is there or not, so when both sides have changed they agree: no operation on a grant is ever "changed in both".
 * The last three rows hold for managed grants only: where no rule names the pair any more, what we made goes, and what we
 * took over or never touched stays. Leavers lose every managed grant, whoever made it: that they left is a change upstream.
 */
import { compareStrings } from '../domain/identity.ts';
import type { Reason } from '../domain/operation.ts';
import type { Policy } from '../domain/rules.ts';
import {
  type DesiredGrant,
  type DesiredUser,
  type GrantRecord,
  grantKey,
  type RoleAssignment,
  type TwilioUser,
} from '../domain/user.ts';
import { type GrantKnowledge, holderKey } from './grant-records.ts';
import type { Knowledge } from './people.ts';

/** A grant that is missing, and why. */
export interface MissingGrant {
  readonly grant: DesiredGrant;
  readonly reason: Extract<Reason, 'entitled' | 'changed-in-twilio'>;
}

/** A managed assignment that no rule gives, and why it is there. */
export interface SurplusGrant {
  readonly assignment: RoleAssignment;
  readonly reason: Extract<Reason, 'not-entitled' | 'changed-in-twilio'>;
}

export interface GrantDiff {
  readonly missing: readonly MissingGrant[];
  readonly surplus: readonly SurplusGrant[];
  /** Wanted, there, and not recorded yet. */
  readonly unrecorded: readonly GrantRecord[];
}

export function diffGrants(desired: DesiredUser, user: TwilioUser, knowledge: Knowledge): GrantDiff {
  const wanted = new Set(desired.grants.map(grantKey));
  const held = new Map<string, RoleAssignment[]>();
  for (const assignment of knowledge.assignmentsOf(user.sid)) {
    const key = grantKey(assignment);
    held.set(key, [...(held.get(key) ?? []), assignment]);
  }
  const missing: MissingGrant[] = [];
  const unrecorded: GrantRecord[] = [];
  for (const grant of desired.grants) {
    const there = held.get(grantKey(grant));
    if (there === undefined) {
      const isLost = knowledge.lost.has(holderKey(user.sid, grant));
      missing.push({ grant, reason: isLost ? 'changed-in-twilio' : 'entitled' });
    } else if (!there.some(({ sid }) => knowledge.recordOf(sid))) {
      unrecorded.push(recordFor(there, knowledge));
    }
  }
  const surplus = managedAssignments(user, knowledge)
    .filter((assignment) => !wanted.has(grantKey(assignment)))
    .map((assignment): SurplusGrant => {
      const isOurs = knowledge.recordOf(assignment.sid) !== undefined;
      return { assignment, reason: isOurs ? 'not-entitled' : 'changed-in-twilio' };
    });
  return { missing, surplus, unrecorded };
}

/** The part that the drift policy lets be changed, and the part that it only reports. */
export function splitDrift(
  { missing, surplus }: GrantDiff,
  drift: Policy['drift'],
): {
  readonly changes: Pick<GrantDiff, 'missing' | 'surplus'>;
  readonly drifted: Pick<GrantDiff, 'missing' | 'surplus'>;
} {
  if (drift === 'overwrite') return { changes: { missing, surplus }, drifted: { missing: [], surplus: [] } };
  const inTwilio = ({ reason }: { readonly reason: Reason }) => reason === 'changed-in-twilio';
  const upstream = (each: { readonly reason: Reason }) => !inTwilio(each);
  return {
    changes: { missing: missing.filter(upstream), surplus: surplus.filter(upstream) },
    drifted: { missing: missing.filter(inTwilio), surplus: surplus.filter(inTwilio) },
  };
}

/** Managed assignments in an order of their own: Twilio and the snapshot list them in different ones. */
export function managedAssignments(
  user: TwilioUser,
  knowledge: Pick<Knowledge, 'assignmentsOf' | 'isManaged'>,
): readonly RoleAssignment[] {
  return knowledge
    .assignmentsOf(user.sid)
    .filter((assignment) => knowledge.isManaged(assignment))
    .sort(byGrant);
}

function recordFor(there: readonly RoleAssignment[], { begunGrants }: GrantKnowledge): GrantRecord {
  const [first] = [...there].sort(byGrant) as [RoleAssignment];
  const { sid, user, role, scope } = first;
  const origin = begunGrants.has(holderKey(user, first)) ? 'granted' : 'found';
  return { sid, user, role, scope, origin };
}

/** By role and scope, then by SID. */
export function byGrant(a: RoleAssignment, b: RoleAssignment): number {
  return compareStrings(grantKey(a), grantKey(b)) || compareStrings(a.sid, b.sid);
}
