import { PresenceFilter } from 'ldapts';
import type { Logger } from '../../ports.ts';
import type { LdapConnection } from './connection.ts';
import { createEntryDecoder } from './entry-decoder.ts';
import type { GroupReader, Place } from './group-reader.ts';
import type { LdapResult } from './ldap-result.ts';
import type { NestedGroups } from './nested-groups.ts';
import { searchAll } from './paged-search.ts';

/**
 * Looks at members of groups that could be groups and do not count as such, and warns of them: groups that `groups.filter` does not
 * match, and members in places for groups that cannot be seen at all. A few searches, whatever the number of members.
 * Throws SourceIncompleteError when the server refuses to say whether one exists.
 */
export async function diagnoseMembers(
  connection: LdapConnection,
  reader: GroupReader,
  places: readonly Place[],
  isMember: (key: string) => boolean,
  strangers: NestedGroups['strangers'],
  logger: Logger,
): Promise<void> {
  const hidden: string[] = [];
  for (const place of places) {
    await reader.search({ ...place, hidden: true, namesOnly: true, mayBeMissing: true }, ({ dn, key }) => {
      if (isMember(key)) hidden.push(dn);
    });
  }
  if (hidden.length > 0) {
    logger.warn(
      { groups: hidden.slice(0, 10), count: hidden.length },
      'groups that are members of groups do not match groups.filter, so their members do not count',
    );
  }
  const invisible: string[] = [];
  for (const dn of strangers.first) {
    if (!hidden.includes(dn) && !(await exists(connection, dn))) invisible.push(dn);
  }
  if (invisible.length > 0) {
    logger.warn(
      { members: invisible.slice(0, 10), looked: strangers.first.length, of: strangers.count },
      'groups have members in places of groups that cannot be seen: they were deleted, or the bind account may not see them, and then their members do not count',
    );
  }
}

async function exists(connection: LdapConnection, dn: string): Promise<boolean> {
  const filter = new PresenceFilter({ attribute: 'objectClass' });
  const search = {
    what: 'a member of a group',
    base: dn,
    scope: 'base',
    filter,
    filterText: '(objectClass=*)',
  } as const;
  const nothing = { attributes: ['1.1'], decoder: createEntryDecoder([]), pageSize: 1 };
  const acceptsRefusal = ({ code }: LdapResult) => code === 32;
  return (await searchAll(connection, { ...search, ...nothing, acceptsRefusal }, () => {})) > 0;
}
