/** Short ways to say what a test needs; everything that a test does not care about has a plain default. */
import type { AttributeValue, Entry } from '../../src/domain/entry.ts';
import type { AssignmentSid, ExternalId, RoleSid, ScopeSid, UserSid } from '../../src/domain/identity.ts';
import type { GuardLimits, Policy, Rules } from '../../src/domain/rules.ts';
import type {
  Account,
  Grant,
  LastApplied,
  Link,
  Role,
  RoleAssignment,
  TextAttributes,
  TwilioUser,
} from '../../src/domain/user.ts';

function sid(prefix: string, number: number): string {
  return prefix + number.toString(16).padStart(32, '0');
}

export function userSid(number: number): UserSid {
  return sid('US', number) as UserSid;
}

export function assignmentSid(number: number): AssignmentSid {
  return sid('IY', number) as AssignmentSid;
}

export function externalId(id: string): ExternalId {
  return id as ExternalId;
}

export const organization = sid('OR', 1) as ScopeSid;
export const mainAccount = sid('AC', 1) as ScopeSid;
export const otherAccount = sid('AC', 2) as ScopeSid;
export const developer = sid('IX', 1) as RoleSid;
export const administrator = sid('IX', 2) as RoleSid;
export const support = sid('IX', 3) as RoleSid;

export const roles: readonly Role[] = [
  { sid: developer, name: 'Developer', lowestLevel: 'ACCOUNT' },
  { sid: administrator, name: 'Administrator', lowestLevel: 'ACCOUNT' },
  { sid: support, name: 'Support', lowestLevel: 'SUB_ACCOUNT' },
  { sid: sid('IX', 4) as RoleSid, name: 'Standard User', lowestLevel: 'ORGANIZATION' },
];

export const accounts: readonly Account[] = [
  { sid: mainAccount, name: 'Main', status: 'active', owner: undefined },
  { sid: otherAccount, name: 'Other', status: 'active', owner: undefined },
];

export const noLimits: GuardLimits = {
  deactivations: {},
  revocations: {},
  roleRevocations: {},
  creations: {},
  renames: {},
  adoptions: {},
  sourceShrink: {},
  gone: {},
  keepAtLeastOne: [],
};

export const policy: Policy = {
  mode: 'sync',
  adoptExisting: true,
  leavers: 'deactivate',
  confirmAbsence: 1,
  drift: 'overwrite',
  protect: [],
  recreateGone: false,
};

/** Maps `mail`, `givenName` and `sn`; `disabled` set to `yes` disables; two groups give two roles. */
export function rules(over: Partial<Omit<Rules, 'policy'>> & { readonly policy?: Partial<Policy> } = {}): Rules {
  return {
    organization,
    filter: undefined,
    attributes: {
      userName: { attribute: 'mail' },
      'name.givenName': { attribute: 'givenName' },
      'name.familyName': { attribute: 'sn' },
      active: { expression: 'entry.disabled != "yes"' },
    },
    roles: [
      { group: 'developers', grants: [{ role: 'Developer', scope: mainAccount }] },
      { group: 'admins', grants: [{ role: 'Administrator', scope: mainAccount }] },
    ],
    guards: noLimits,
    onRefusal: 'stop',
    ...over,
    policy: { ...policy, ...over.policy },
  };
}

/** An entry of `people.csv`; its address is `<id>@corp.example` unless the attributes say otherwise. */
export function entry(
  id: string,
  attributes: Readonly<Record<string, AttributeValue>> = {},
  groups: readonly string[] = [],
): Entry {
  return {
    id: id as ExternalId,
    attributes: { mail: `${id}@corp.example`, ...attributes },
    groups,
    location: `people.csv (${id})`,
  };
}

/** A Twilio user number `n` whose address and externalId are those of `entry(id)`. */
export function twilioUser(
  number: number,
  id: string,
  over: { readonly externalId?: string | undefined; readonly active?: boolean } & TextAttributes = {},
): TwilioUser {
  const { externalId: key = undefined, active = true, ...attributes } = over;
  return {
    sid: userSid(number),
    externalId: ('externalId' in over ? key : id) as ExternalId | undefined,
    attributes: { userName: `${id}@corp.example`, ...attributes },
    active,
    version: 'W/1',
  };
}

export function link(id: string, number: number): Link {
  return { externalId: externalId(id), user: userSid(number) };
}

/** What we last applied, when Twilio returned it as sent. */
export function lastApplied(sent: TextAttributes, over: Partial<LastApplied> = {}): LastApplied {
  return { sent, returned: sent, active: true, ...over };
}

export function assignment(
  number: number,
  user: number,
  grant: Grant = { role: developer, scope: mainAccount },
): RoleAssignment {
  return { sid: assignmentSid(number), user: userSid(user), ...grant };
}
