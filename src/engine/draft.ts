/** What one person needs, before other people's needs are looked at. */
import type { ExternalId, UserSid } from '../domain/identity.ts';
import type { AttributeChange, NamedGrant, Operation, Reason, WriteOperation } from '../domain/operation.ts';
import type { Finding } from '../domain/plan.ts';
import type { Policy } from '../domain/rules.ts';
import { type DesiredUser, type Grant, grantKey, type TwilioUser, textAttributes } from '../domain/user.ts';
import type { LeaverReason, Situation } from './correlate.ts';
import { type AttributeDiff, diffAttributes } from './diff.ts';
import type { Knowledge } from './people.ts';

/** Operations of one person, in the order in which they must happen, and what there is to say. */
export interface Draft {
  readonly externalId: ExternalId;
  readonly userName: string;
  readonly user: UserSid | undefined;
  readonly operations: readonly Operation[];
  readonly findings: readonly Finding[];
}

export interface DraftContext {
  readonly policy: Policy;
  readonly knowledge: Knowledge;
  nameOf(grant: Grant): NamedGrant;
}

/** Up to so many roles per user, counted over all scopes (Twilio: RBAC in the Console). */
export const roleCeiling = 50;

export function draft(situation: Exclude<Situation, { is: 'finding' }>, context: DraftContext): Draft {
  switch (situation.is) {
    case 'linked':
      return draftLinked(situation.desired, situation.user, context);
    case 'adoptable':
      return draftAdoption(situation.desired, situation.user, situation.reason, context);
    case 'joiner':
      return draftCreation(situation.desired, 'new', context);
    case 'gone':
      return draftGone(situation.desired, situation.user, context);
    case 'leaver':
      return draftLeaver(situation.externalId, situation.user, situation.reason, context);
  }
}

function draftLinked(desired: DesiredUser, user: TwilioUser, context: DraftContext): Draft {
  const { policy, knowledge } = context;
  const { externalId } = desired;
  const last = knowledge.lastApplied(externalId);
  const drift: Policy['drift'] = user.active ? policy.drift : 'overwrite';
  const diff = diffAttributes(desired.attributes, user.attributes, last, drift);
  const findings: Finding[] = diff.drifted.length > 0 ? [driftFinding(desired, user, diff.drifted)] : [];
  const stopped = !user.active && last?.active === true && policy.drift === 'report';
  if (stopped) {
    const message = `${desired.attributes.userName} was deactivated in Twilio, not by us; policy.drift leaves it so`;
    const finding: Finding = {
      code: 'drift',
      externalId,
      user: user.sid,
      userName: desired.attributes.userName,
      message,
    };
    return { ...whoIs(desired, user), operations: [], findings: [finding] };
  }

  const write = user.active ? update(desired, user, diff) : reactivate(desired, user, diff, last?.active === true);
  return withGrants(desired, user, write ? [write] : [], findings, context);
}

function update(desired: DesiredUser, user: TwilioUser, diff: AttributeDiff): WriteOperation | undefined {
  const { changes, origin } = diff;
  if (changes.length === 0 || origin === undefined) return undefined;
  const renamed = origin === 'changed-upstream' && changes.some(({ attribute }) => attribute === 'userName');
  return writeOperation('update', desired, user, renamed ? 'renamed' : origin, changes);
}

function reactivate(desired: DesiredUser, user: TwilioUser, diff: AttributeDiff, byHand: boolean): WriteOperation {
  return writeOperation('reactivate', desired, user, byHand ? 'changed-in-twilio' : 'returned', diff.changes);
}

function draftAdoption(desired: DesiredUser, user: TwilioUser, reason: Reason, context: DraftContext): Draft {
  const { changes } = diffAttributes(desired.attributes, user.attributes, undefined, 'overwrite');
  const adopt = { ...writeOperation('adopt', desired, user, reason, changes), attributes: desired.attributes };
  const drafted = withGrants(desired, user, [adopt], [], context);
  // Nobody who is not linked may lose anything: what adoption takes away waits for the link.
  const operations = drafted.operations.map((operation) =>
    operation.kind === 'revoke' ? { ...operation, after: adopt.id } : operation,
  );
  return { ...drafted, operations };
}

function writeOperation(
  kind: WriteOperation['kind'],
  desired: DesiredUser,
  user: TwilioUser,
  reason: Reason,
  changes: readonly AttributeChange[],
): WriteOperation {
  const { externalId } = desired;
  const { userName } = desired.attributes;
  return {
    kind,
    id: `${kind} ${externalId}`,
    externalId,
    userName,
    reason,
    user: user.sid,
    changes,
    activate: !user.active,
  };
}

function draftCreation(desired: DesiredUser, reason: Reason, context: DraftContext): Draft {
  const { externalId, attributes } = desired;
  const { userName } = attributes;
  const changes = textAttributes.flatMap((attribute) => {
    const after = attributes[attribute];
    return after === undefined ? [] : [{ attribute, before: undefined, after }];
  });
  const id = `create ${externalId}`;
  const create: Operation = { kind: 'create', id, externalId, userName, reason, changes };
  const grants = desired.grants.map((grant) => grantOperation(desired, null, grant, grant.because, context, id));
  return { externalId, userName, user: undefined, operations: [create, ...grants], findings: [] };
}

function draftGone(desired: DesiredUser, user: UserSid, context: DraftContext): Draft {
  if (context.policy.recreateGone) return draftCreation(desired, 'gone', context);
  const { externalId } = desired;
  const { userName } = desired.attributes;
  const message = `Twilio no longer shows ${user}, which is linked to ${externalId}; set policy.recreateGone to create it anew, or look for it in the Console`;
  return {
    externalId,
    userName,
    user,
    operations: [],
    findings: [{ code: 'gone', externalId, user, userName, message }],
  };
}

function draftLeaver(externalId: ExternalId, user: TwilioUser, reason: LeaverReason, context: DraftContext): Draft {
  const { policy } = context;
  const { userName } = user.attributes;
  const revocations = managedAssignments(user, context).map((assignment) =>
    revokeOperation(externalId, user, assignment, reason, context),
  );
  const deactivate: Operation = {
    kind: 'deactivate',
    id: `deactivate ${externalId}`,
    externalId,
    userName,
    reason,
    user: user.sid,
  };
  const deactivates = user.active && policy.leavers !== 'revoke-only';
  const operations: Operation[] = [...revocations, ...(deactivates ? [deactivate] : [])];
  if (policy.leavers !== 'report' || operations.length === 0) {
    return { externalId, userName, user: user.sid, operations, findings: [] };
  }
  const message = `${userName} is ${reason} and keeps access, because policy.leavers only reports`;
  const finding: Finding = { code: 'leaver-reported', externalId, user: user.sid, userName, message };
  return { externalId, userName, user: user.sid, operations: [], findings: [finding] };
}

function withGrants(
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
  const total = held.length - surplus.length + missing.length;
  if (total > roleCeiling && missing.length > 0) {
    const ceiling = ceilingFinding(desired, user, total);
    return { ...whoIs(desired, user), operations: [...revocations, ...writes], findings: [...findings, ceiling] };
  }
  const grants = missing.map((grant) => grantOperation(desired, user.sid, grant, grant.because, context, after));
  return { ...whoIs(desired, user), operations: [...revocations, ...writes, ...grants], findings };
}

function managedAssignments(user: TwilioUser, { knowledge }: DraftContext) {
  return knowledge.assignmentsOf(user.sid).filter((each) => knowledge.isManaged(user.sid, grantKey(each)));
}

function revokeOperation(
  externalId: ExternalId,
  user: TwilioUser,
  assignment: ReturnType<Knowledge['assignmentsOf']>[number],
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

function grantOperation(
  desired: DesiredUser,
  user: UserSid | null,
  grant: Grant,
  because: string,
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
    ...(after !== undefined && { after }),
  };
}

function whoIs(desired: DesiredUser, user: TwilioUser) {
  return { externalId: desired.externalId, userName: desired.attributes.userName, user: user.sid };
}

function driftFinding(desired: DesiredUser, user: TwilioUser, drifted: readonly AttributeChange[]): Finding {
  const what = drifted.map(
    ({ attribute, before, after }) => `${attribute} is ${quote(before)}, we want ${quote(after)}`,
  );
  const { userName } = desired.attributes;
  const message = `changed in Twilio and left so by policy.drift: ${what.join('; ')}`;
  return { code: 'drift', externalId: desired.externalId, user: user.sid, userName, message };
}

function ceilingFinding(desired: DesiredUser, user: TwilioUser, total: number): Finding {
  const { userName } = desired.attributes;
  const message = `${userName} would hold ${total} roles and Twilio lets a user hold ${roleCeiling}; no role is added until the rules give fewer`;
  return { code: 'role-ceiling', externalId: desired.externalId, user: user.sid, userName, message };
}

function quote(value: string | undefined): string {
  return value === undefined ? 'empty' : JSON.stringify(value);
}
