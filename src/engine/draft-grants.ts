/** The grants of one person: what is missing, what is too much, and the ceiling. */
import type { ExternalId, UserSid } from '../domain/identity.ts';
import type { HeldGrant, Operation, Reason } from '../domain/operation.ts';
import type { Finding } from '../domain/plan.ts';
import { type DesiredGrant, type DesiredUser, grantKey, type RoleAssignment, type TwilioUser } from '../domain/user.ts';
import { byGrant, type GrantDiff } from './diff-grants.ts';
import type { Draft, DraftContext } from './draft.ts';

/** Up to so many roles per user, counted over all scopes (Twilio: RBAC in the Console). */
export const roleCeiling = 50;

/** A person's writes together with what brings the grants in step: what goes stands before, what comes after. */
export function withGrants(
  desired: DesiredUser,
  user: TwilioUser,
  { missing, surplus }: Pick<GrantDiff, 'missing' | 'surplus'>,
  writes: readonly Operation[],
  findings: readonly Finding[],
  context: DraftContext,
): Draft {
  const held = context.knowledge.assignmentsOf(user.sid);
  const after = writes[0]?.kind === 'update' ? undefined : writes[0]?.id;
  const revocations = surplus.map(({ assignment, reason }) =>
    revokeOperation(desired.externalId, user, assignment, reason, context),
  );
  const leaving = context.policy.mode === 'sync' ? surplus.length : 0;
  const total = held.length - leaving + missing.length;
  if (total > roleCeiling && missing.length > 0) {
    const ceiling = ceilingFinding(desired, user.sid, total);
    return { ...whoIs(desired, user), operations: [...revocations, ...writes], findings: [...findings, ceiling] };
  }
  const grants = missing.map(({ grant, reason }) => grantOperation(desired, user.sid, grant, reason, context, after));
  return { ...whoIs(desired, user), operations: [...revocations, ...writes, ...grants], findings };
}

/** Everything that a person holds before adoption, in an order of its own. */
export function heldGrants(
  desired: DesiredUser,
  user: TwilioUser,
  { knowledge, nameOf }: DraftContext,
): readonly HeldGrant[] {
  const because = new Map(desired.grants.map((grant) => [grantKey(grant), grant.because]));
  return [...knowledge.assignmentsOf(user.sid)].sort(byGrant).map((assignment) => {
    const rule = because.get(grantKey(assignment));
    return { assignment: assignment.sid, grant: nameOf(assignment), ...(rule !== undefined && { because: rule }) };
  });
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
  reason: Extract<Reason, 'entitled' | 'changed-in-twilio'>,
  context: DraftContext,
  after: string | undefined,
): Operation {
  return {
    kind: 'grant',
    id: `grant ${desired.externalId} ${grantKey(grant)}`,
    externalId: desired.externalId,
    userName: desired.attributes.userName,
    reason,
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
