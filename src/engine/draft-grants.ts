/** The grants of one person: what is missing, what is too much, and the ceiling. */
import { compareStrings, type ExternalId, type UserSid } from '../domain/identity.ts';
import type { Operation, Reason } from '../domain/operation.ts';
import type { Finding } from '../domain/plan.ts';
import { type DesiredGrant, type DesiredUser, grantKey, type RoleAssignment, type TwilioUser } from '../domain/user.ts';
import type { Draft, DraftContext } from './draft.ts';

/** Up to so many roles per user, counted over all scopes (Twilio: RBAC in the Console). */
export const roleCeiling = 50;

/** A person's writes together with what makes the managed grants exact: what goes stands before, what comes after. */
export function withGrants(
  desired: DesiredUser,
  user: TwilioUser,
  writes: readonly Operation[],
  findings: readonly Finding[],
  context: DraftContext,
): Draft {
  const wanted = new Set(desired.grants.map(grantKey));
  const held = context.knowledge.assignmentsOf(user.sid);
  const has = new Set(held.map(grantKey));
  const surplus = managedAssignments(user, context).filter((assignment) => !wanted.has(grantKey(assignment)));
  const missing = desired.grants.filter((grant) => !has.has(grantKey(grant)));
  const after = writes[0]?.kind === 'update' ? undefined : writes[0]?.id;
  const revocations = surplus.map((assignment) =>
    revokeOperation(desired.externalId, user, assignment, 'not-entitled', context),
  );
  const leaving = context.policy.mode === 'sync' ? surplus.length : 0;
  const total = held.length - leaving + missing.length;
  if (total > roleCeiling && missing.length > 0) {
    const ceiling = ceilingFinding(desired, user.sid, total);
    return { ...whoIs(desired, user), operations: [...revocations, ...writes], findings: [...findings, ceiling] };
  }
  const grants = missing.map((grant) => grantOperation(desired, user.sid, grant, context, after));
  return { ...whoIs(desired, user), operations: [...revocations, ...writes, ...grants], findings };
}

/** In an order of their own: Twilio and the snapshot list them in different ones. */
export function managedAssignments(user: TwilioUser, { knowledge }: DraftContext): readonly RoleAssignment[] {
  return knowledge
    .assignmentsOf(user.sid)
    .filter((each) => knowledge.isManaged(user.sid, grantKey(each)))
    .sort((a, b) => compareStrings(grantKey(a), grantKey(b)) || compareStrings(a.sid, b.sid));
}

export function revokeOperation(
  externalId: ExternalId,
  user: TwilioUser,
  assignment: RoleAssignment,
  reason: Reason,
  context: DraftContext,
): Operation {
  return {
    kind: 'revoke',
    id: `revoke ${externalId} ${grantKey(assignment)} ${assignment.sid}`,
    externalId,
    userName: user.attributes.userName,
    reason,
    user: user.sid,
    assignment: assignment.sid,
    grant: context.nameOf(assignment),
  };
}

export function grantOperation(
  desired: DesiredUser,
  user: UserSid | null,
  { because, via, ...grant }: DesiredGrant,
  context: DraftContext,
  after: string | undefined,
): Operation {
  return {
    kind: 'grant',
    id: `grant ${desired.externalId} ${grantKey(grant)}`,
    externalId: desired.externalId,
    userName: desired.attributes.userName,
    reason: 'entitled',
    user,
    grant: context.nameOf(grant),
    because,
    ...(via !== undefined && { via }),
    ...(after !== undefined && { after }),
  };
}

export function whoIs(desired: DesiredUser, user: TwilioUser) {
  return { externalId: desired.externalId, userName: desired.attributes.userName, user: user.sid };
}

export function ceilingFinding(desired: DesiredUser, user: UserSid | undefined, total: number): Finding {
  const { userName } = desired.attributes;
  const message = `${userName} would hold ${total} roles and Twilio lets a user hold ${roleCeiling}; no role is added until the rules give fewer`;
  return {
    code: 'role-ceiling',
    externalId: desired.externalId,
    ...(user !== undefined && { user }),
    userName,
    message,
  };
}
