/**
 * Lets the server resolve groups within groups, by Active Directory's matching rule LDAP_MATCHING_RULE_IN_CHAIN (MS-ADTS section
 * 3.1.1.3.4.4.3): one search of the users for each group. Slow on large directories, so only when asked for.
 */
import { ExtensibleFilter, PresenceFilter } from 'ldapts';
import type { LdapOptions } from '../../domain/ldap-options.ts';
import { SourceIncompleteError } from '../../errors.ts';
import type { LdapConnection } from './connection.ts';
import { normalizeDn } from './dn.ts';
import { createEntryDecoder, listOf } from './entry-decoder.ts';
import { escapeFilterValue, parseFilter } from './filter.ts';
import { allOf, type WrittenFilter } from './group-reader.ts';
import { distinctBases } from './options.ts';
import { searchAll } from './paged-search.ts';

const inChain = '1.2.840.113556.1.4.1941';
/** LDAP_CAP_ACTIVE_DIRECTORY_OID, LDAP_CAP_ACTIVE_DIRECTORY_LDS_OID (MS-ADTS section 3.1.1.3.4.3). */
const capabilities = ['1.2.840.113556.1.4.800', '1.2.840.113556.1.4.1851'];

/** Other servers take the rule for one that matches nothing, and everybody would seem to have left. Throws SourceIncompleteError. */
export async function requireMatchingRule(connection: LdapConnection): Promise<void> {
  const attributes = ['supportedCapabilities'];
  const decoder = createEntryDecoder(attributes);
  const filter = new PresenceFilter({ attribute: 'objectClass' });
  const root = {
    what: 'what the server supports',
    base: '',
    scope: 'base',
    filter,
    filterText: '(objectClass=*)',
  } as const;
  let supported: readonly string[] = [];
  await searchAll(connection, { ...root, attributes, decoder, pageSize: 1 }, () => {
    supported = listOf(decoder.values[0]);
  });
  if (supported.some((capability) => capabilities.includes(capability))) return;
  throw new SourceIncompleteError(
    `${connection.url}: the server does not say that it is an Active Directory, so it does not know the matching rule of groups.nested`,
    { hint: 'set groups.nested to true: groups within groups are then resolved without the rule' },
  );
}

/** Hands over the canonical DN of every user who belongs to the group, directly or by way of others. */
export async function readUsersInChain(
  connection: LdapConnection,
  { users, pageSize }: Pick<LdapOptions, 'users' | 'pageSize'>,
  groupDn: string,
  onMember: (key: string) => void,
): Promise<void> {
  const { filter, text } = allOf([{ filter: parseFilter(users.filter), text: users.filter }, isBelow(groupDn)]);
  const decoder = createEntryDecoder([]);
  for (const base of distinctBases(users.baseDn, users.scope)) {
    const search = { what: 'users of a group', base, scope: users.scope, filter, filterText: text, pageSize };
    await searchAll(connection, { ...search, attributes: ['1.1'], decoder }, (dn) => onMember(normalizeDn(dn) ?? dn));
  }
}

/** Matches users and groups that belong to the group, directly or by way of others. */
export function isBelow(groupDn: string): WrittenFilter {
  return {
    filter: new ExtensibleFilter({ matchType: 'memberOf', rule: inChain, value: groupDn }),
    text: `(memberOf:${inChain}:=${escapeFilterValue(groupDn)})`,
  };
}
