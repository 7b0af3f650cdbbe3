/**
 * Reads the groups that rules name, each of which must exist exactly once, and every other group when all are wanted; and the
 * groups within groups, or above them, that decide who belongs.
 *
 * | `nested`, membership     | searches besides those for the groups that rules name |
 * |--------------------------|--------|
 * | none                     | none |
 * | resolve, in the group    | downwards: nested-groups.ts |
 * | resolve, memberOf        | all groups, and upwards: nested-member-of.ts |
 * | matching-rule            | the users of each group: in-chain.ts |
 */
import type { Demand } from '../../domain/entry.ts';
import type { LdapOptions } from '../../domain/ldap-options.ts';
import { SourceIncompleteError } from '../../errors.ts';
import type { Logger } from '../../ports.ts';
import { baseHidden, baseIsThere } from './base-proof.ts';
import type { LdapConnection } from './connection.ts';
import { checkUserAttributes, checkWithoutMembers } from './group-checks.ts';
import { ambiguousGroups, missingGroups } from './group-diagnosis.ts';
import { createGroupGraph } from './group-graph.ts';
import { createGroupPlaces } from './group-places.ts';
import { anyOf, chunks, createGroupReader, equals, type FoundGroup } from './group-reader.ts';
import { isBelow, readUsersInChain, requireMatchingRule } from './in-chain.ts';
import { diagnoseMembers } from './member-diagnosis.ts';
import { createMembership, type Membership } from './membership.ts';
import { createNestedGroups } from './nested-groups.ts';
import { createGroupsAbove } from './nested-member-of.ts';
import { isUsuallyPrimary } from './primary-group.ts';
import type { UsersRead } from './users.ts';
import { createWantedGroups } from './wanted-groups.ts';

/** Keeps a filter well below what servers and their logs take. */
const namesPerSearch = 50;

export interface GroupsRead {
  readonly membership: Membership;
  /** What only shows when the users have been read. Throws SourceIncompleteError. */
  check(users: UsersRead): Promise<void>;
}

/** Undefined when no rule looks at groups. Throws SourceIncompleteError, SourceUnavailableError. */
export async function readGroups(
  connection: LdapConnection,
  options: Pick<LdapOptions, 'groups' | 'users' | 'pageSize'>,
  demand: Demand,
  logger: Logger,
): Promise<GroupsRead | undefined> {
  if (demand.groups.length === 0 && !demand.allGroups) return undefined;
  const { groups, users, pageSize } = options;
  if (groups === undefined) {
    throw new SourceIncompleteError(`${connection.url}: rules look at groups, but source.groups is not configured`, {
      hint: 'set source.groups.baseDn and filter to where the groups are',
    });
  }
  const graph = createGroupGraph();
  const wanted = createWantedGroups(demand);
  const places = createGroupPlaces(connection.url, groups, users);
  const inUser = groups.membership.includes('memberOf');
  const inChain = groups.nested === 'matching-rule';
  const kinds = groups.membership.filter((kind) => kind !== 'memberOf' && (!inChain || kind === 'memberUid'));
  const resolve = groups.nested === 'resolve';
  const attributes = [kinds, inUser && resolve ? 'memberOf' : [], groups.primaryGroup ? 'objectSid' : []].flat(2);
  const reader = createGroupReader(connection, groups, pageSize, attributes);
  const below = resolve && !inUser ? createNestedGroups(reader, places, graph, addNested) : undefined;
  const above = resolve && inUser ? createGroupsAbove(reader, places, graph, addNested) : undefined;
  const membership = createMembership(groups, graph, above?.onUnknown ?? (() => {}));
  const withoutMembers: string[] = [];
  const sids: string[] = [];

  function add(group: FoundGroup, names: readonly string[]): number {
    const number = graph.add(group.key, group.dn, names);
    const [sid] = group.valuesOf('objectSid');
    if (sid !== undefined) sids.push(sid);
    const isEmpty = kinds.every((kind) => group.valuesOf(kind).length === 0);
    if (kinds.length > 0 && !inChain && isEmpty && !isUsuallyPrimary(sid ?? '')) withoutMembers.push(group.dn);
    membership.addGroup(number, group.valuesOf, below && ((key, spelling) => below.onMember(number, key, spelling)));
    above?.onGroup(group);
    return number;
  }
  function addNested(group: FoundGroup): void {
    add(group, wanted.takeNested(group.key, group.names));
  }
  function addWanted(group: FoundGroup): void {
    if (wanted.hasSeen(group.key)) return;
    const names = wanted.take(group.dn, group.key, group.names);
    if (names.length > 0 || above !== undefined) add(group, names);
  }

  await below?.begin();
  for (const place of places.configured) {
    let found = 0;
    if (demand.allGroups || above !== undefined) found = await reader.search(place, addWanted);
    else {
      for (const names of chunks(wanted.names, namesPerSearch)) {
        const only = anyOf(names.map((name) => equals(groups.name, name)));
        found += await reader.search({ ...place, only }, addWanted);
      }
    }
    if (found === 0 && !(await baseIsThere(connection, 'groups', place.base))) {
      throw baseHidden(connection.url, 'groups', [place.base], groups.filter);
    }
  }
  for (const { spelling, key } of wanted.dns) {
    if (!wanted.hasSeen(key))
      await reader.search({ base: spelling, scope: 'base', what: 'the group that a rule names' }, addWanted);
  }
  const missing = wanted.missing();
  if (missing.length > 0) throw await missingGroups(connection, groups, pageSize, missing);
  const ambiguous = wanted.ambiguous();
  if (ambiguous.length > 0) throw ambiguousGroups(connection.url, ambiguous);
  if (inChain) await readChains();
  await below?.descend();
  if (above !== undefined) {
    for (const place of places.coverUsers()) await reader.search(place, addNested);
    await above.ascend();
  }
  await checkWithoutMembers(connection, groups, demand, withoutMembers, wanted, logger);
  if (below !== undefined) {
    await diagnoseMembers(connection, reader, places.all, membership.isMember, below.strangers, logger);
  }

  async function readChains(): Promise<void> {
    await requireMatchingRule(connection);
    for (const [number, { dn }] of graph.groups().entries()) {
      await readUsersInChain(connection, options, dn, (key) => membership.addMember(number, key));
    }
    if (!groups?.primaryGroup) return;
    // The rule does not know primary groups, so it is asked for the groups below, whose members by primary group are then ours to find.
    for (const [number, { dn }] of graph.groups().entries()) {
      for (const place of places.configured) {
        await reader.search({ ...place, only: isBelow(dn) }, (group) => {
          if (graph.numberOf(group.key) === undefined) addNested(group);
          graph.nest(group.key, number);
        });
      }
    }
  }

  return {
    membership,
    async check(read) {
      await checkUserAttributes(connection, groups, demand, pageSize, sids, read, logger);
      await above?.checkUnknown();
      if (above !== undefined && above.unseen.count > 0) {
        logger.warn(
          { groups: above.unseen.first.slice(0, 10), count: above.unseen.count },
          'memberOf names groups that are not seen: groups.filter does not match them, or the bind account may not see them',
        );
      }
      if (membership.unreadable() > 0) {
        logger.warn(
          { count: membership.unreadable(), attribute: groups.membership },
          'group members that are not DNs were left out',
        );
      }
    },
  };
}
