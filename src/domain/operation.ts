import type { AssignmentSid, ExternalId, UserSid } from './identity.ts';
import type { Grant, TextAttribute, TextAttributes } from './user.ts';

/**
 * Operations in the order of their phases: access is taken away first, given last.
 * Operations of one phase are ordered by externalId, except address chains, which `after` orders.
 */
export const operationKinds = ['revoke', 'deactivate', 'update', 'adopt', 'reactivate', 'create', 'grant'] as const;
export type OperationKind = (typeof operationKinds)[number];

export const phases: Readonly<Record<OperationKind, number>> = {
  revoke: 0,
  deactivate: 1,
  update: 2,
  adopt: 2,
  reactivate: 2,
  create: 3,
  grant: 4,
};

/** Why an operation is in the plan; shown to people, never decided upon. */
export type Reason =
  | 'new' // in scope, nobody in Twilio
  | 'same-external-id' // adopted: Twilio already holds our externalId
  | 'same-address' // adopted: an unmanaged user has the address
  | 'changed-upstream' // the source changed since we last applied
  | 'changed-in-twilio' // drift
  | 'changed-in-both'
  | 'renamed' // the address changed on the same externalId
  | 'makes-way' // intermediate address of a swap
  | 'returned' // in scope again
  | 'absent'
  | 'out-of-scope'
  | 'disabled'
  | 'entitled' // a rule gives the grant: changed upstream
  | 'not-entitled' // no rule gives the grant any more: changed upstream
  | 'undone' // takes back what an earlier run did
  | 'gone'; // recreated, Twilio lost the user

export interface AttributeChange {
  readonly attribute: TextAttribute;
  /** Undefined: Twilio has no value. */
  readonly before: string | undefined;
  readonly after: string;
}

interface OperationBase {
  /** Stable within a plan, e.g. `revoke emp-17 IX… AC…`. */
  readonly id: string;
  readonly externalId: ExternalId;
  /** The address by which a person reads the plan. */
  readonly userName: string;
  readonly reason: Reason;
  /** Id of the operation that must have succeeded first; it stands earlier in the plan. */
  readonly after?: string;
}

export interface CreateOperation extends OperationBase {
  readonly kind: 'create';
  readonly changes: readonly AttributeChange[];
}

/** Writes attributes of an existing user. `adopt` also makes the link and sends the externalId; `reactivate` also sets active. */
export interface WriteOperation extends OperationBase {
  readonly kind: 'update' | 'adopt' | 'reactivate';
  readonly user: UserSid;
  readonly changes: readonly AttributeChange[];
  /** True when the user is inactive and must become active. */
  readonly activate: boolean;
  /** On adopt: everything the mapping wants of this person, the record that later drift is told by. */
  readonly attributes?: TextAttributes;
  /** On adopt: every role that the person holds. What the plan does not revoke is kept. */
  readonly holds?: readonly HeldGrant[];
}

/** A role that somebody holds before adoption. */
export interface HeldGrant {
  readonly assignment: AssignmentSid;
  readonly grant: NamedGrant;
  /** The rule's group or condition, when a rule gives the role too. */
  readonly because?: string;
}

export interface DeactivateOperation extends OperationBase {
  readonly kind: 'deactivate';
  readonly user: UserSid;
}

export interface RevokeOperation extends OperationBase {
  readonly kind: 'revoke';
  readonly user: UserSid;
  readonly assignment: AssignmentSid;
  readonly grant: NamedGrant;
}

export interface GrantOperation extends OperationBase {
  readonly kind: 'grant';
  /** Null when an earlier operation of this plan creates the user. */
  readonly user: UserSid | null;
  readonly grant: NamedGrant;
  /** The rule's group or condition. */
  readonly because: string;
  /** How the person belongs to that group when not directly: the groups on the way, that one last. For reading only. */
  readonly via?: readonly string[];
}

/** A grant with the names people know. */
export interface NamedGrant extends Grant {
  readonly roleName: string;
  readonly scopeName: string;
}

export type Operation = CreateOperation | WriteOperation | DeactivateOperation | RevokeOperation | GrantOperation;
