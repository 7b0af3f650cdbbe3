/** How the tests read their Active Directory. */
import { domainDn, servicePassword, staffDn, syncName, teamsDn } from './active-directory-ldif.ts';
import { ldapOptions, type OptionChanges, secret } from './ldap-reading.ts';
import type { Samba } from './samba.ts';

/** What the preset `active-directory` implies, for people in OU=Staff and groups in OU=Teams. */
export function adOptions(samba: Samba, changes: OptionChanges = {}) {
  return ldapOptions(samba.ldapsUrl, {
    bindDn: `${syncName}@example.com`,
    bindPassword: secret(servicePassword),
    ...changes,
    tls: { caFile: samba.caFile, ...changes.tls },
    users: {
      baseDn: [staffDn],
      filter: '(&(objectCategory=person)(objectClass=user))',
      id: 'objectGUID',
      disabled: 'userAccountControl',
      ...changes.users,
    },
    groups: { baseDn: [teamsDn], filter: '(objectClass=group)', uid: 'sAMAccountName', ...changes.groups },
  });
}

export const deletedDn = `CN=Deleted Objects,${domainDn}`;
