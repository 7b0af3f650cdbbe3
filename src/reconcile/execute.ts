/** One operation against Twilio: the call, and what the snapshot must remember of it. */
import type { AssignmentSid, ExternalId, UserSid } from '../domain/identity.ts';
import type { Operation, WriteOperation } from '../domain/operation.ts';
import {
  type Grant,
  type LastApplied,
  type RoleAssignment,
  type TextAttributes,
  type TwilioUser,
  textAttributes,
} from '../domain/user.ts';
import { writesNothing } from '../engine/bill.ts';
import { isSame } from '../engine/diff.ts';
import { InternalError, TargetAuthError, TargetRejectedError } from '../errors.ts';
import type { Effect, SnapshotStore, TargetDirectory } from '../ports.ts';

export interface Executed {
  readonly state: 'done' | 'already';
  readonly requestId: string | undefined;
  readonly effects: readonly Effect[];
}

export interface Hands {
  readonly target: TargetDirectory;
  readonly store: SnapshotStore;
  /** Users created by this run, by externalId, for the grants that follow. */
  readonly created: Map<ExternalId, UserSid>;
  /** People made active by this run, or found when they were to be created, with their roles once looked at: Twilio may have kept, dropped or brought them back. */
  readonly returned: Map<UserSid, readonly RoleAssignment[] | undefined>;
}

/** A look-up is part of its operation, and what was begun is finished. */
const untilDone = new AbortController().signal;

/** Throws TargetError as the target does. */
export async function execute(operation: Operation, hands: Hands): Promise<Executed> {
  switch (operation.kind) {
    case 'create':
      return create(operation, hands);
    case 'update':
    case 'adopt':
    case 'reactivate':
      return write(operation, hands);
    case 'deactivate':
      return deactivate(operation, hands);
    case 'revoke':
      return revoke(operation, hands);
    case 'grant':
      return grant(operation, hands);
  }
}

async function create(operation: Extract<Operation, { kind: 'create' }>, hands: Hands): Promise<Executed> {
  const { externalId, userName } = operation;
  const attributes = { ...changed(operation), userName };
  const { user, resource, state, requestId } = await hands.target.createUser(externalId, attributes);
  hands.created.set(externalId, user.sid);
  if (state === 'already') hands.returned.set(user.sid, undefined);
  const sent = state === 'already' ? arrived(attributes, user) : attributes;
  return {
    state,
    requestId,
    effects: [
      { effect: 'user', user, resource },
      { effect: 'linked', link: { externalId, user: user.sid }, origin: 'created' },
      { effect: 'applied', externalId, applied: record(undefined, sent, user) },
    ],
  };
}

async function write(operation: WriteOperation, { target, store, returned }: Hands): Promise<Executed> {
  const { externalId, kind, activate } = operation;
  const attributes = changed(operation);
  const linked: Effect[] = kind === 'adopt' ? adopted(operation) : [];
  const owned = { ...attributes, ...operation.attributes };
  if (writesNothing(operation)) {
    const applied: LastApplied = { sent: owned, returned: owned, active: true };
    return { state: 'done', requestId: undefined, effects: [...linked, { effect: 'applied', externalId, applied }] };
  }

  const change = { attributes, ...(activate && { active: true }), ...(kind === 'adopt' && { externalId }) };
  const { user, resource, state, requestId } = await target.updateUser(
    operation.user,
    change,
    store.resource(operation.user),
  );
  if (activate) returned.set(operation.user, undefined);
  const applied = record(store.lastApplied(externalId), owned, user);
  return {
    state,
    requestId,
    effects: [{ effect: 'user', user, resource }, ...linked, { effect: 'applied', externalId, applied }],
  };
}

/** The link, and the roles that a rule gives too: from now on they are managed like those that we give. */
function adopted({ externalId, user, holds = [] }: WriteOperation): Effect[] {
  const found = holds.filter(({ because }) => because !== undefined);
  return [
    { effect: 'linked', link: { externalId, user }, origin: 'adopted' },
    ...found.map(({ assignment: sid, grant: { role, scope } }): Effect => {
      return { effect: 'assigned', assignment: { sid, user, role, scope }, origin: 'found' };
    }),
  ];
}

async function deactivate(operation: Extract<Operation, { kind: 'deactivate' }>, hands: Hands): Promise<Executed> {
  const { externalId, user } = operation;
  const { state, requestId } = await hands.target.deactivateUser(user);
  const last = hands.store.lastApplied(externalId) ?? { sent: {}, returned: {} };
  return {
    state,
    requestId,
    effects: [
      { effect: 'user-deactivated', user },
      { effect: 'applied', externalId, applied: { ...last, active: false } },
    ],
  };
}

async function revoke(operation: Extract<Operation, { kind: 'revoke' }>, { target, store }: Hands): Promise<Executed> {
  const { assignment: sid, user, grant } = operation;
  const { role, scope } = grant;
  const { state, requestId } = await target.revokeRole({ sid, user, role, scope }).catch((error: unknown) => {
    throw mayBeImplicit(error) && !isOwnGrant(sid, store) ? aboutThisRow(error) : error;
  });
  return { state, requestId, effects: [{ effect: 'revoked', assignment: sid, user, grant: { role, scope } }] };
}

/** "Not permitted" (20003, or no code), which Twilio says of many things; the codes for a missing permission are others. */
function mayBeImplicit(error: unknown): error is TargetAuthError {
  return error instanceof TargetAuthError && error.status === 403 && (error.twilioCode ?? 20003) === 20003;
}

/** What we gave ourselves can be taken again; only what was there already may be a row that nobody can take. */
function isOwnGrant(assignment: AssignmentSid, store: SnapshotStore): boolean {
  for (const { sid, origin } of store.grantRecords()) if (sid === assignment) return origin === 'granted';
  return false;
}

/** It must not end this run and every later one: Twilio's default roles and inherited ones may not be taken from anybody. */
function aboutThisRow({ message, hint, method, path, status, twilioCode, scimType, requestId }: TargetAuthError) {
  const details = { method: method ?? 'DELETE', path: path ?? '', status, twilioCode, scimType, requestId, hint };
  return new TargetRejectedError(`${message}; or Twilio gives everybody this role, and nobody can take it`, details);
}

async function grant(operation: Extract<Operation, { kind: 'grant' }>, hands: Hands): Promise<Executed> {
  const user = operation.user ?? hands.created.get(operation.externalId);
  if (user === undefined) throw new InternalError(`${operation.id}: the user of this grant was never created`);
  const { role, scope } = operation.grant;
  const held = hands.returned.has(user)
    ? (await lookAgain(user, hands)).find((each) => sameGrant(each, operation.grant))
    : undefined;
  if (held !== undefined) {
    return {
      state: 'already',
      requestId: undefined,
      effects: [{ effect: 'assigned', assignment: held, origin: 'found' }],
    };
  }
  const { state, requestId, assignment, found } = await hands.target.assignRole(user, { role, scope });
  return { state, requestId, effects: [{ effect: 'assigned', assignment, origin: found ? 'found' : 'granted' }] };
}

function sameGrant(a: Grant, b: Grant): boolean {
  return a.role === b.role && a.scope === b.scope;
}

/** Whether Twilio keeps the roles of inactive people is not documented, so they are looked at once before any is given. */
async function lookAgain(user: UserSid, { target, store, returned }: Hands): Promise<readonly RoleAssignment[]> {
  const known = returned.get(user);
  if (known !== undefined) return known;
  const rows: RoleAssignment[] = [];
  await target.listAssignments({ user }, (assignment) => rows.push(assignment), untilDone);
  store.refreshAssignmentsOf(user, rows);
  returned.set(user, rows);
  return rows;
}

function changed({ changes }: Extract<Operation, { changes: unknown }>): TextAttributes {
  return Object.fromEntries(changes.map(({ attribute, after }) => [attribute, after]));
}

/** Of a user who was there already, only what is as wanted may count as sent: the rest is not Twilio's normalisation of it. */
function arrived(wanted: TextAttributes, { attributes }: TwilioUser): TextAttributes {
  const equal = textAttributes.filter((attribute) => {
    const value = wanted[attribute];
    return value !== undefined && isSame(attribute, value, attributes[attribute]);
  });
  return Object.fromEntries(equal.map((attribute) => [attribute, wanted[attribute]]));
}

/**
 * What we sent, over what we sent before, with what Twilio answered for it. An attribute that this write did not name keeps
 * its record: taking the present value for Twilio's answer would make a change by somebody else look like ours.
 */
function record(last: LastApplied | undefined, sent: TextAttributes, user: TwilioUser): LastApplied {
  const returned = textAttributes.flatMap((attribute) => {
    const value = (attribute in sent ? user.attributes : last?.returned)?.[attribute];
    return value === undefined ? [] : [[attribute, value] as const];
  });
  return { sent: { ...last?.sent, ...sent }, returned: Object.fromEntries(returned), active: user.active };
}
