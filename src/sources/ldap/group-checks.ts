import type { Demand } from '../../domain/entry.ts';
import type { GroupOptions } from '../../domain/ldap-options.ts';
import { SourceIncompleteError } from '../../errors.ts';
import type { Logger } from '../../ports.ts';
import type { LdapConnection } from './connection.ts';
import { checkMemberOf } from './member-of.ts';
import { isUsuallyPrimary } from './primary-group.ts';
import type { UsersRead } from './users.ts';
import type { WantedGroups } from './wanted-groups.ts';

/** Attributes of the users that membership is found by, and that not one user shows. Throws SourceIncompleteError where that cannot be. */
export async function checkUserAttributes(
  connection: LdapConnection,
  groups: GroupOptions,
  demand: Demand,
  pageSize: number,
  sids: readonly string[],
  users: UsersRead,
  logger: Logger,
): Promise<void> {
  if (
    groups.membership.includes('memberOf') &&
    groups.nested !== 'matching-rule' &&
    users.withAttribute('memberOf') === 0
  ) {
    await checkMemberOf(connection, groups, demand, pageSize, logger);
  }
  if (!groups.primaryGroup) return;
  const hint = 'let the bind account read it, or set groups.primaryGroup to false';
  const withPrimaryGroup = users.withAttribute('primaryGroupID');
  if (withPrimaryGroup > 0 && sids.length === 0) {
    throw new SourceIncompleteError(
      `${connection.url}: ${withPrimaryGroup} users have a primary group, but no group shows its objectSid, by which it is found`,
      { hint },
    );
  }
  if (withPrimaryGroup > 0) return;
  if (sids.some(isUsuallyPrimary)) {
    throw new SourceIncompleteError(
      `${connection.url}: no user shows primaryGroupID, by which members of a group that rules need are found`,
      { hint },
    );
  }
  logger.warn({ hint }, 'no user shows primaryGroupID, so nobody belongs to a group by it');
}

/** Groups that show no members. `withoutMembers` are DNs, of groups that rules name and of groups within them. */
export function warnOfGroups(
  groups: GroupOptions,
  demand: Demand,
  withoutMembers: readonly string[],
  wanted: WantedGroups,
  logger: Logger,
): void {
  const named = withoutMembers.filter((dn) => wanted.isNamed(dn));
  const nested = demand.allGroups ? [] : withoutMembers.filter((dn) => !wanted.isNamed(dn));
  const warn = (dns: readonly string[], message: string) => {
    if (dns.length > 0)
      logger.warn({ groups: dns.slice(0, 10), count: dns.length, attribute: groups.membership }, message);
  };
  warn(named, 'groups that rules name show no members: they are empty, or the bind account may not read the attribute');
  warn(
    nested,
    'groups within groups that rules name show no members: they are empty, or the bind account may not read the attribute',
  );
}
