/** Role assignments (www.twilio.com/docs/iam/access-control/role-assignment-resource). */

import type { StoredAssignment } from './assignment-store.ts';
import { type Failure, refuse } from './errors.ts';
import { pageReply } from './paging.ts';
import type { Quirks } from './quirks.ts';
import { type Answer, type Call, deleted, json, type World } from './reply.ts';
import { findScope, mayBeGiven } from './scopes.ts';
import { anySid, sidPatterns } from './sids.ts';
import { isFailure, isObject } from './user-validation.ts';

export function listAssignments(world: World, call: Call): Answer {
  const { quirks } = world;
  const identity = call.query.get('Identity');
  const scope = call.query.get('Scope');
  if (identity !== null && !anySid.test(identity)) return refuse(20001, 'Identity must be a SID');
  if (scope !== null && !anySid.test(scope)) return refuse(20001, 'Scope must be a SID');
  if (identity === null && scope === null && quirks.listWithoutFilter === 'refused') return refuse(25203);
  const rows = selectRows(world, call.query, identity, scope);
  const older = call.path.startsWith('/Organizations/');
  const rules = { key: 'content', maxSize: 100, defaultSize: older ? 100 : quirks.defaultPageSize };
  return pageReply(world, call, rows, rules, (row) => render(row, quirks));
}

function selectRows(
  world: World,
  query: URLSearchParams,
  identity: string | null,
  scope: string | null,
): readonly StoredAssignment[] {
  const { state, quirks } = world;
  const everyScope = scope === null || (scope === state.organizationSid && quirks.organizationScopeList === 'all');
  let rows =
    identity !== null
      ? state.assignments.ofIdentity(identity)
      : everyScope
        ? state.assignments.all()
        : rowsOfScope(world, scope);
  if (identity !== null && !everyScope) rows = rows.filter((row) => row.scope === scope);
  const resourceType = query.get('ResourceType');
  const resourceId = query.get('ResourceId');
  if (resourceType !== null) rows = rows.filter((row) => row.resourceType === resourceType);
  if (resourceId !== null) rows = rows.filter((row) => row.resourceId === resourceId);
  if (state.hiddenAssignments.size > 0) {
    // A list of several pages is one list.
    const first = !query.has('PageToken');
    rows = rows.filter((row) => (first ? state.assignmentBecomesVisible(row) : !state.hiddenAssignments.has(row.sid)));
  }
  if (quirks.assignmentsOnDeactivation !== 'hidden') return rows;
  return rows.filter((row) => state.users.get(row.identity)?.status !== 'inactive');
}

/** What is given in the organization reaches its accounts too, and a list may say so. */
function rowsOfScope({ state, quirks }: World, scope: string): readonly StoredAssignment[] {
  const own = state.assignments.ofScope(scope);
  if (quirks.accountScopeList === 'own' || scope === state.organizationSid) return own;
  return [...own, ...state.assignments.ofScope(state.organizationSid)].sort((a, b) => a.order - b.order);
}

type Wanted = Omit<StoredAssignment, 'sid' | 'order' | 'permanent'>;

export function postAssignment(world: World, call: Call): Answer {
  const { state, quirks } = world;
  const wanted = readAssignment(call);
  if (isFailure(wanted)) return wanted;
  const refusal = judgeRole(world, wanted) ?? judgeIdentity(world, wanted);
  if (refusal !== undefined) return refusal;

  const held = state.assignments.ofIdentity(wanted.identity);
  const existing = held.find((row) => isSame(row, wanted));
  if (existing !== undefined) {
    if (quirks.existingAssignment === '400') return refuse(20001, 'the role assignment exists already');
    if (quirks.existingAssignment === '409') return refuse(20001, 'the role assignment exists already', 409);
    if (quirks.existingAssignment === '201-old') return written(existing, quirks);
  }
  if (held.length >= quirks.roleCeiling) {
    const failure = refuse(20001, `a user can hold at most ${quirks.roleCeiling} roles`);
    return { ...failure, code: quirks.roleCeilingCode ?? failure.code };
  }
  const stored = state.assignments.add({ ...wanted, sid: state.nextAssignmentSid(), permanent: false });
  if (quirks.newAssignmentHiddenReads > 0) state.hiddenAssignments.set(stored.sid, quirks.newAssignmentHiddenReads);
  state.touch();
  return written(stored, quirks);
}

export function deleteAssignment(world: World, call: Call): Answer {
  const { state, quirks } = world;
  const assignment = state.assignments.get(call.params[0] ?? '');
  if (assignment === undefined) {
    switch (quirks.missingAssignment) {
      case 204:
        return deleted(quirks);
      case 400:
        return refuse(20001, 'no such role assignment');
      case 403:
        return refuse(20003, 'no such role assignment', 403);
      case 404:
        return refuse(20404);
    }
  }
  if (assignment.permanent) return refuse(20003, 'this role assignment cannot be removed', 403);
  state.assignments.remove(assignment);
  state.touch();
  return deleted(quirks);
}

function readAssignment(call: Call): Wanted | Failure {
  const value = call.body.form === 'json' ? call.body.value : undefined;
  if (!isObject(value)) {
    return refuse(20001, call.body.form === 'malformed' ? call.body.reason : 'the body must be a JSON object');
  }
  const { role_sid: role, scope, identity, resource_type: resourceType = null, resource_id: resourceId = null } = value;
  if (typeof role !== 'string' || !sidPatterns.IX.test(role)) return refuse(20001, 'role_sid must be an IX… SID');
  if (typeof scope !== 'string' || !anySid.test(scope)) return refuse(25200, 'not a SID');
  if (typeof identity !== 'string' || !anySid.test(identity)) return refuse(20001, 'identity must be a SID');
  if (!isTextOrNull(resourceType) || !isTextOrNull(resourceId) || (resourceType === null) !== (resourceId === null)) {
    return refuse(20001, 'resource_type and resource_id must be given together');
  }
  return { role, scope, identity, resourceType, resourceId };
}

function judgeRole(world: World, wanted: Wanted): Failure | undefined {
  const { state } = world;
  const role = state.roles.get(wanted.role);
  if (role === undefined) return refuse(25202, wanted.role);
  const scope = findScope(state, wanted.scope);
  if (scope === undefined) return refuse(25200, wanted.scope);
  if (!mayBeGiven(role, scope)) return refuse(25200, `${role.name} cannot be given at ${scope.sid}`);
  const fits =
    role.resourceTypes === undefined
      ? wanted.resourceType === null
      : wanted.resourceType !== null && role.resourceTypes.includes(wanted.resourceType);
  return fits ? undefined : refuse(20001, `${role.name} does not apply to resource_type ${wanted.resourceType}`);
}

/** A managed user, except that resource-based roles may go to people outside the organization. */
function judgeIdentity(world: World, wanted: Wanted): Failure | undefined {
  const user = world.state.users.get(wanted.identity);
  if (user === undefined) return wanted.resourceType === null ? refuse(25201, wanted.identity) : undefined;
  return world.state.becomesAssignable(user) ? undefined : refuse(25201, wanted.identity);
}

function isSame(row: StoredAssignment, wanted: Wanted): boolean {
  return row.role === wanted.role && row.scope === wanted.scope && row.resourceId === wanted.resourceId;
}

function render(row: StoredAssignment, quirks: Quirks): object {
  return {
    sid: row.sid,
    role_sid: row.role,
    scope: row.scope,
    identity: row.identity,
    resource_type: row.resourceType,
    resource_id: row.resourceId,
    ...(quirks.unknownProperties ? { inherited: false } : undefined),
  };
}

function written(row: StoredAssignment, quirks: Quirks): Answer {
  const status = quirks.assignStatus;
  return quirks.writeBody === 'empty' ? { kind: 'reply', status } : json(status, render(row, quirks));
}

function isTextOrNull(value: unknown): value is string | null {
  return value === null || typeof value === 'string';
}
