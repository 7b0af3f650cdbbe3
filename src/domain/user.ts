import type { Entry } from './entry.ts';
import type { AssignmentSid, ExternalId, RoleSid, ScopeSid, UserSid } from './identity.ts';

/** SCIM attributes with a text value that a mapping may own (RFC 7643 section 4.1; Twilio SCIM API reference). */
export const textAttributes = [
  'userName',
  'name.givenName',
  'name.familyName',
  'displayName',
  'locale',
  'timezone',
] as const;
export type TextAttribute = (typeof textAttributes)[number];
export type TextAttributes = Readonly<Partial<Record<TextAttribute, string>>>;

/** A (role, scope) pair that somebody should hold. */
export interface Grant {
  readonly role: RoleSid;
  readonly scope: ScopeSid;
}

/** One string per grant, for sets and maps. */
export type GrantKey = string;
export function grantKey(grant: Grant): GrantKey {
  return `${grant.role} ${grant.scope}`;
}

/** What an entry in scope should look like in Twilio. `active` is false for people the mapping calls disabled. */
export interface DesiredUser {
  readonly externalId: ExternalId;
  /**
   * Only mapped attributes; `userName` is normalised, and empty only for people who are not active and have no usable address.
   * The primary e-mail always equals `userName`.
   */
  readonly attributes: TextAttributes & { readonly userName: string };
  readonly active: boolean;
  readonly grants: readonly DesiredGrant[];
  readonly location: Entry['location'];
}

/** A grant and why it is wanted: the group or condition of the rule that gives it. */
export interface DesiredGrant extends Grant {
  readonly because: string;
  /** The groups on the way from the person to the rule's group, that one last; absent when the person is a direct member. */
  readonly via?: readonly string[];
}

/** A user as Twilio shows it. Values are kept as returned; compare addresses through `normalizeEmail`. */
export interface TwilioUser {
  readonly sid: UserSid;
  readonly externalId: ExternalId | undefined;
  readonly attributes: TextAttributes & { readonly userName: string };
  readonly active: boolean;
  /** `meta.version`, opaque, for optimistic locking. */
  readonly version: string | undefined;
}

/** A grant that exists in Twilio. Resource-based assignments are never ours and are not represented. */
export interface RoleAssignment extends Grant {
  readonly sid: AssignmentSid;
  readonly user: UserSid;
}

/**
 * A grant as we made it, or found it and took it over: the third version of a grant, next to wanted and actual. It names the
 * assignment, because who takes a role away and gives it anew makes another one.
 */
export interface GrantRecord extends RoleAssignment {
  /** `granted`: we made it, so it goes when no rule names the pair any more. `found`: somebody made it, and a rule gave it too. */
  readonly origin: 'granted' | 'found';
}

/** What is to be remembered of grants although nothing has to be done about them. */
export interface GrantFindings {
  /** Wanted and there, but not recorded yet. */
  readonly kept: readonly GrantRecord[];
  /** Recorded, no longer wanted, and no longer there. */
  readonly forgotten: readonly GrantRecord[];
}

/** Twilio's word for the narrowest scope where a role may be given. */
export type RoleLevel = 'ORGANIZATION' | 'ACCOUNT' | 'SUB_ACCOUNT';

export interface Role {
  readonly sid: RoleSid;
  readonly name: string;
  /** Undefined when Twilio sends a level that is not known here. */
  readonly lowestLevel: RoleLevel | undefined;
}

export interface Account {
  readonly sid: ScopeSid;
  readonly name: string;
  readonly status: string;
  readonly owner: UserSid | undefined;
}

/** Stored pair externalId ↔ user SID: the proof that we manage this user. */
export interface Link {
  readonly externalId: ExternalId;
  readonly user: UserSid;
}

/** What we last sent and what Twilio answered, per mapped attribute: the third version next to desired and actual. */
export interface LastApplied {
  readonly sent: TextAttributes;
  readonly returned: TextAttributes;
  /** Whether we left the user active. */
  readonly active: boolean;
}
