import type { Demand } from '../../domain/entry.ts';
import type { GroupOptions } from '../../domain/ldap-options.ts';
import { SourceIncompleteError } from '../../errors.ts';
import type { Logger } from '../../ports.ts';
import type { LdapConnection } from './connection.ts';
import { membersHidden } from './group-diagnosis.ts';
import { createMemberCheck } from './hidden-attributes.ts';
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

/** Beyond these, groups within groups that show no members are only warned of: each costs a search or two. */
const nestedChecked = 50;

/**
 * Groups that show no members, of which rules name some, while others are within these. Throws SourceIncompleteError when one hides them,
 * as far as the server lets it be known.
 */
export async function checkWithoutMembers(
  connection: LdapConnection,
  groups: GroupOptions,
  demand: Demand,
  withoutMembers: readonly string[],
  wanted: WantedGroups,
  logger: Logger,
): Promise<void> {
  const named = withoutMembers.filter((dn) => wanted.isNamed(dn));
  const nested = demand.allGroups ? [] : withoutMembers.filter((dn) => !wanted.isNamed(dn));
  const kinds = groups.membership.filter((kind) => kind !== 'memberOf');
  const check = createMemberCheck(connection, kinds);
  for (const dn of [...named, ...nested.slice(0, nestedChecked)]) {
    const reason = await check.whyHidden(dn);
    if (reason !== undefined) throw membersHidden(connection.url, groups, dn, reason);
  }
  const warn = (dns: readonly string[], which: string) => {
    if (dns.length === 0) return;
    const fields = { groups: dns.slice(0, 10), count: dns.length, attribute: groups.membership };
    logger.warn(fields, `${which} show no members: they are empty, or the bind account may not read the attribute`);
  };
  warn(named, 'groups that rules name');
  warn(nested, 'groups within groups that rules name');
}
