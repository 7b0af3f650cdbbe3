import { AndFilter, OrFilter, PresenceFilter } from 'ldapts';
import type { Demand } from '../../domain/entry.ts';
import type { GroupOptions } from '../../domain/ldap-options.ts';
import { SourceIncompleteError } from '../../errors.ts';
import type { Logger } from '../../ports.ts';
import type { LdapConnection } from './connection.ts';
import { normalizeDn } from './dn.ts';
import { createEntryDecoder } from './entry-decoder.ts';
import { parseFilter } from './filter.ts';
import { foldGroupName } from './group-diagnosis.ts';
import { distinctBases } from './options.ts';
import { searchAll } from './paged-search.ts';

/**
 * For the case that not one user shows memberOf. Either every group is empty, or the server does not maintain the attribute, or
 * the bind account may not read it: then everybody would seem to have left every group. The groups' own members tell.
 * Throws SourceIncompleteError when a group has members.
 */
export async function checkMemberOf(
  connection: LdapConnection,
  groups: GroupOptions,
  demand: Demand,
  pageSize: number,
  logger: Logger,
): Promise<void> {
  const present = ['member', 'uniqueMember'].map((attribute) => new PresenceFilter({ attribute }));
  const filter = new AndFilter({ filters: [parseFilter(groups.filter), new OrFilter({ filters: present })] });
  const filterText = `(&${groups.filter}(|(member=*)(uniqueMember=*)))`;
  const decoder = createEntryDecoder([groups.name]);
  const asked = new Set(demand.groups.flatMap((group) => [foldGroupName(group), normalizeDn(group) ?? group]));
  let occupied: string | undefined;
  for (const base of distinctBases(groups.baseDn, groups.scope)) {
    const search = {
      what: 'groups',
      base,
      scope: groups.scope,
      filter,
      filterText,
      attributes: [groups.name],
      decoder,
      pageSize,
    };
    await searchAll(connection, search, (dn) => {
      const name = decoder.values[0];
      const isAsked =
        demand.allGroups ||
        asked.has(normalizeDn(dn) ?? dn) ||
        (typeof name === 'string' && asked.has(foldGroupName(name)));
      if (isAsked) occupied ??= dn;
    });
  }
  if (occupied === undefined) {
    logger.warn(
      { groups: demand.groups },
      'no user shows memberOf, and no group shows members: they are all empty, or hidden from the bind account',
    );
    return;
  }
  throw new SourceIncompleteError(`${connection.url}: no user shows memberOf, although ${occupied} has members`, {
    hint: 'set groups.membership to member or uniqueMember, or let the server maintain memberOf (OpenLDAP: memberof overlay) and the bind account read it',
  });
}
