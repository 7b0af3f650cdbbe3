import type { ScopeSid } from './identity.ts';
import type { TextAttribute } from './user.ts';

/** The part of the configuration that decides what a plan says. Expressions are CEL text, not yet compiled. */
export interface Rules {
  readonly organization: ScopeSid;
  /** CEL; undefined means every entry is in scope. */
  readonly filter: string | undefined;
  readonly attributes: AttributeMappings;
  readonly roles: readonly RoleRule[];
  readonly policy: Policy;
  readonly guards: GuardLimits;
  readonly onRefusal: OnRefusal;
}

/** What a refused plan means: nothing is done, or the part of it is done that takes nothing away. */
export type OnRefusal = 'stop' | 'additive';

/** A source attribute's name, or a CEL expression when `expression` is set. */
export type ValueRule = { readonly attribute: string } | { readonly expression: string };

export type AttributeMappings = Readonly<Partial<Record<TextAttribute | 'active', ValueRule>>>;

/** Who gets which grants: members of `group` (name or DN), or entries for which the CEL expression `when` is true. */
export interface RoleRule {
  readonly group?: string;
  readonly when?: string;
  /** Role name or `IX…`; scope `AC…`, an account's name, or `organization`. */
  readonly grants: readonly { readonly role: string; readonly scope: string }[];
}

export interface Policy {
  readonly mode: 'sync' | 'upsert-only' | 'create-only';
  /** Link an unmanaged Twilio user that has the same address. */
  readonly adoptExisting: boolean;
  readonly leavers: 'deactivate' | 'revoke-only' | 'report';
  /** Complete reads in a row that an entry must be missing from. At least 1. */
  readonly confirmAbsence: number;
  readonly drift: 'overwrite' | 'report';
  /** Addresses, externalIds or user SIDs that are never changed. */
  readonly protect: readonly string[];
  /** The person whose approval the program's own access rests on, by address or user SID: never changed either. */
  readonly approver?: string;
  /** Create a linked person anew when Twilio no longer knows the user. */
  readonly recreateGone: boolean;
}

/** An absolute number, a percentage of managed people, or both; the smaller wins. */
export interface GuardLimit {
  readonly count?: number;
  readonly percent?: number;
}

export const guardNames = [
  'deactivations',
  'revocations',
  'roleRevocations',
  'creations',
  'renames',
  'adoptions',
  'sourceShrink',
  'gone',
  'keepAtLeastOne',
] as const;
export type GuardName = (typeof guardNames)[number];

/** Limits by guard; `keepAtLeastOne` names roles (name or `IX…`) instead. */
export type GuardLimits = Readonly<Record<Exclude<GuardName, 'keepAtLeastOne'>, GuardLimit>> & {
  readonly keepAtLeastOne: readonly string[];
};
