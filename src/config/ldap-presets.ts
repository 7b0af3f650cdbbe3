import type { DisabledRule, GroupOptions, MembershipKind } from '../domain/ldap-options.ts';

export const presetNames = ['active-directory', 'openldap', '389ds'] as const;
export type PresetName = (typeof presetNames)[number];

/** What is right for a kind of directory when the file does not say otherwise. */
export interface LdapPreset {
  readonly users: { readonly filter: string; readonly id: string; readonly disabled: DisabledRule };
  readonly groups: Omit<GroupOptions, 'baseDn' | 'scope'>;
  readonly pageSize: number;
}

const inGroup: readonly MembershipKind[] = ['member', 'uniqueMember', 'memberUid'];
const anyGroup = '(|(objectClass=groupOfNames)(objectClass=groupOfUniqueNames)(objectClass=posixGroup))';

/** Without a preset nothing is taken for granted that a standard does not say. */
const plain: LdapPreset = {
  users: { filter: '(objectClass=inetOrgPerson)', id: 'entryUUID', disabled: 'none' },
  groups: { filter: anyGroup, name: 'cn', membership: ['member'], uid: 'uid', nested: 'none', primaryGroup: false },
  pageSize: 1000,
};

const presets: Readonly<Record<PresetName, LdapPreset>> = {
  // objectCategory is indexed and keeps computers out, whose class is a kind of user. No answer holds more than 1,000 entries.
  'active-directory': {
    users: {
      filter: '(&(objectCategory=person)(objectClass=user))',
      id: 'objectGUID',
      disabled: 'userAccountControl',
    },
    groups: {
      filter: '(objectClass=group)',
      name: 'cn',
      membership: ['member'],
      uid: 'sAMAccountName',
      nested: 'resolve',
      primaryGroup: true,
    },
    pageSize: 1000,
  },
  openldap: {
    users: { filter: '(objectClass=inetOrgPerson)', id: 'entryUUID', disabled: 'pwdAccountLockedTime' },
    groups: { ...plain.groups, membership: inGroup },
    pageSize: 1000,
  },
  // nsUniqueId is on every entry; entryUUID only on those that were added after its plug-in. FreeIPA is built on this server.
  // Its own tool (dsidm) makes people of the class nsPerson, everybody else's make inetOrgPerson.
  '389ds': {
    users: {
      filter: '(|(objectClass=inetOrgPerson)(objectClass=nsPerson))',
      id: 'nsUniqueId',
      disabled: 'nsAccountLock',
    },
    groups: { ...plain.groups, membership: inGroup, nested: 'resolve' },
    pageSize: 1000,
  },
};

export function ldapPreset(name: PresetName | undefined): LdapPreset {
  return name === undefined ? plain : presets[name];
}
