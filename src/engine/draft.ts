/** What one person needs, before other people's needs are looked at. */
import type { ExternalId, UserSid } from '../domain/identity.ts';
import type { AttributeChange, NamedGrant, Operation, Reason, WriteOperation } from '../domain/operation.ts';
import type { Finding } from '../domain/plan.ts';
import type { Policy } from '../domain/rules.ts';
import {
  type DesiredUser,
  type Grant,
  type GrantRecord,
  type LastApplied,
  type TwilioUser,
  textAttributes,
} from '../domain/user.ts';
import type { LeaverReason, Situation } from './correlate.ts';
import { isIntermediate } from './detour.ts';
import { type AttributeDiff, diffAttributes } from './diff.ts';
import { diffGrants, managedAssignments, splitDrift } from './diff-grants.ts';
import {
  ceilingFinding,
  grantOperation,
  heldGrants,
  revokeOperation,
  roleCeiling,
  whoIs,
  withGrants,
} from './draft-grants.ts';
import { driftFinding, stoppedByHandFinding } from './drift-finding.ts';
import type { Knowledge } from './people.ts';

/** Operations of one person, in the order in which they must happen, and what there is to say. */
export interface Draft {
  readonly externalId: ExternalId;
  readonly userName: string;
  readonly user: UserSid | undefined;
  readonly operations: readonly Operation[];
  readonly findings: readonly Finding[];
  /** Grants to be remembered when this person may be managed; nothing has to be done about them. */
  readonly records?: readonly GrantRecord[];
}

export interface DraftContext {
  readonly policy: Policy;
  readonly knowledge: Knowledge;
  nameOf(grant: Grant): NamedGrant;
}

export function draft(situation: Exclude<Situation, { is: 'finding' }>, context: DraftContext): Draft {
  switch (situation.is) {
    case 'linked':
      return draftLinked(situation.desired, situation.user, context);
    case 'adoptable':
      return draftAdoption(situation.desired, situation.user, situation.reason, context);
    case 'joiner':
      return draftCreation(situation.desired, situation.reason, context);
    case 'gone':
      return draftGone(situation.desired, situation.user);
    case 'leaver':
      return draftLeaver(situation.externalId, situation.user, situation.reason, context);
  }
}

function draftLinked(desired: DesiredUser, user: TwilioUser, context: DraftContext): Draft {
  const { policy, knowledge } = context;
  const { externalId } = desired;
  const lastApplied = () => withIntermediate(knowledge.lastApplied(externalId), user, externalId);
  const stoppedByHand = !user.active && lastApplied()?.active === true;
  if (stoppedByHand && policy.drift === 'report') {
    return { ...whoIs(desired, user), operations: [], findings: [stoppedByHandFinding(desired, user)] };
  }

  const drift: Policy['drift'] = user.active ? policy.drift : 'overwrite';
  const diff = diffAttributes(desired.attributes, user.attributes, lastApplied, drift);
  const grants = diffGrants(desired, user, knowledge);
  const { changes, drifted } = splitDrift(grants, policy.drift);
  const finding = driftFinding(desired, user, diff.drifted, drifted, context.nameOf);
  const write = user.active ? update(desired, user, diff) : reactivate(desired, user, diff, stoppedByHand);
  const drafted = withGrants(desired, user, changes, write ? [write] : [], finding ? [finding] : [], context);
  return { ...drafted, records: grants.unrecorded };
}

/** When the answer to the first step of a swap was lost, nothing was recorded; all the same nobody else has changed the address. */
function withIntermediate(
  last: LastApplied | undefined,
  { attributes: { userName } }: TwilioUser,
  externalId: ExternalId,
): LastApplied | undefined {
  if (last === undefined || !isIntermediate(userName, externalId)) return last;
  return { ...last, sent: { ...last.sent, userName }, returned: { ...last.returned, userName } };
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
  const { changes } = diffAttributes(desired.attributes, user.attributes, () => undefined, 'overwrite');
  const adopt = {
    ...writeOperation('adopt', desired, user, reason, changes),
    attributes: desired.attributes,
    holds: heldGrants(desired, user, context),
  };
  // What an earlier link remembers of grants that are gone ended with that link.
  const knowledge = { ...context.knowledge, lost: new Map<never, never>() };
  const grants = splitDrift(diffGrants(desired, user, knowledge), context.policy.drift);
  const finding = driftFinding(desired, user, [], grants.drifted, context.nameOf);
  const drafted = withGrants(desired, user, grants.changes, [adopt], finding ? [finding] : [], context);
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
  if (desired.grants.length > roleCeiling) {
    const findings = [ceilingFinding(desired, undefined, desired.grants.length)];
    return { externalId, userName, user: undefined, operations: [create], findings };
  }
  const grants = desired.grants.map((grant) => grantOperation(desired, null, grant, 'entitled', context, id));
  return { externalId, userName, user: undefined, operations: [create, ...grants], findings: [] };
}

function draftGone(desired: DesiredUser, user: UserSid): Draft {
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
  const revocations = managedAssignments(user, context.knowledge).map((assignment) =>
    revokeOperation(externalId, user, assignment, reason, context),
  );
  const isBack = user.active && context.knowledge.lastApplied(externalId)?.active === false;
  const deactivate: Operation = {
    kind: 'deactivate',
    id: `deactivate ${externalId}`,
    externalId,
    userName,
    reason: isBack ? 'changed-in-twilio' : reason,
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
