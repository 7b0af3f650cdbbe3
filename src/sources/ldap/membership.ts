/**
 * Connects people to groups in one of five ways.
 *
 * | kind           | stored in | value                        | compared with |
 * |----------------|-----------|------------------------------|---------------|
 * | member         | group     | DN of a person               | the entry's DN |
 * | uniqueMember   | group     | DN, perhaps with a bit string | the entry's DN |
 * | memberUid      | group     | user name                    | the entry's `uid`, whatever the case |
 * | memberOf       | person    | DN of a group                | the group's DN |
 * | primaryGroupID | person    | last part of a group's SID   | the group's `objectSid` |
 *
 * A member that is neither user entry nor group (a service account, somebody outside the base) is no one's membership.
 */

import type { AttributeValue } from '../../domain/entry.ts';
import type { GroupOptions, MembershipKind } from '../../domain/ldap-options.ts';
import { SourceIncompleteError } from '../../errors.ts';
import { normalizeDn, withoutUniqueIdentifier } from './dn.ts';
import { listOf } from './entry-decoder.ts';
import type { GroupGraph } from './group-graph.ts';
import { createGroupSets, type GroupSet, type GroupSets } from './group-sets.ts';
import { createPrimaryGroups } from './primary-group.ts';

export interface Membership {
  /** What must be asked for with each user, besides the DN. */
  readonly userAttributes: readonly string[];
  /** The person's groups; `values` are those of `userAttributes`, in their order. */
  groupsOf(dn: string, values: readonly (AttributeValue | undefined)[]): GroupSet;
  /** Whether the way to a group is known, not only its end. */
  readonly hasPaths: boolean;
}

/** A membership while groups are read. They must come in the order of their numbers. */
export interface MembershipBuilder extends Membership {
  /** `valuesOf` has the group's values of each attribute; calls `onMember` with every member that is a DN. */
  addGroup(
    group: number,
    valuesOf: (attribute: string) => readonly string[],
    onMember?: (key: string, spelling: string) => void,
  ): void;
  /** A member found in another way than in the group's attributes. */
  addMember(group: number, key: string): void;
  /** Whether a group that was added has this canonical DN for a member. */
  isMember(key: string): boolean;
  /** Member values that are not DNs although they should be. */
  unreadable(): number;
}

/** One way of connecting; the list of attributes is its part of `userAttributes`. */
interface Way {
  readonly userAttributes: readonly string[];
  groupsOf(dn: string, values: readonly (AttributeValue | undefined)[]): GroupSet;
  addGroup?: MembershipBuilder['addGroup'];
  readonly addMember?: MembershipBuilder['addMember'];
  readonly isMember?: MembershipBuilder['isMember'];
  readonly unreadable?: () => number;
}

/**
 * `memberOf` stands alone among the kinds; the others may be combined, as a directory may hold groups of several classes. With the
 * matching rule the server says who the members are, whatever holds them. `onUnknown` is told of groups in memberOf that are not in the graph.
 */
export function createMembership(
  options: Pick<GroupOptions, 'membership' | 'uid' | 'nested' | 'primaryGroup'>,
  graph: GroupGraph,
  onUnknown: (key: string, spelling: string, userDn: string) => void,
): MembershipBuilder {
  const sets = createGroupSets(graph);
  const { membership: kinds, uid, nested, primaryGroup } = options;
  const inChain = nested === 'matching-rule';
  const ways: Way[] = [];
  if (kinds.includes('memberOf') && !inChain) ways.push(membershipInUser(sets, graph, onUnknown));
  if (inChain || kinds.some((kind) => kind === 'member' || kind === 'uniqueMember'))
    ways.push(membershipByDn(sets, inChain ? [] : kinds));
  if (kinds.includes('memberUid')) ways.push(membershipByName(sets, uid));
  if (primaryGroup) ways.push(membershipByPrimaryGroup(sets));
  const offsets = ways.map((_, index) => ways.slice(0, index).flatMap((way) => way.userAttributes).length);
  const [only] = ways;

  return {
    userAttributes: ways.flatMap((way) => way.userAttributes),
    hasPaths: nested === 'resolve',
    groupsOf(dn, values) {
      if (ways.length === 1 && only !== undefined) return only.groupsOf(dn, values);
      return sets.join(ways.map((way, index) => way.groupsOf(dn, values.slice(offsets[index]))));
    },
    addGroup(group, valuesOf, onMember) {
      for (const way of ways) way.addGroup?.(group, valuesOf, onMember);
    },
    addMember(group, key) {
      for (const way of ways) way.addMember?.(group, key);
    },
    isMember: (key) => ways.some((way) => way.isMember?.(key)),
    unreadable: () => ways.reduce((sum, way) => sum + (way.unreadable?.() ?? 0), 0),
  };
}

function membershipByDn(sets: GroupSets, kinds: readonly MembershipKind[]): Way {
  const index = sets.createIndex();
  let unreadable = 0;
  return {
    userAttributes: [],
    groupsOf: (dn) => index.of(normalizeDn(dn) ?? dn),
    addGroup(group, valuesOf, onMember) {
      for (const kind of kinds) {
        if (kind === 'memberUid') continue;
        for (const member of valuesOf(kind)) {
          const spelling = kind === 'uniqueMember' ? withoutUniqueIdentifier(member) : member;
          const key = normalizeDn(spelling);
          if (key === undefined) {
            unreadable += 1;
            continue;
          }
          index.add(key, group);
          onMember?.(key, spelling);
        }
      }
    },
    addMember: (group, key) => index.add(key, group),
    isMember: (key) => index.of(key) !== sets.none,
    unreadable: () => unreadable,
  };
}

function membershipByName(sets: GroupSets, uid: string): Way {
  const index = sets.createIndex();
  const holders = new Map<string, string>();
  return {
    userAttributes: [uid],
    addGroup(group, valuesOf) {
      for (const member of valuesOf('memberUid')) index.add(nameKey(member), group);
    },
    groupsOf(dn, [value]) {
      const found: GroupSet[] = [];
      for (const name of listOf(value)) {
        const named = index.of(nameKey(name));
        if (named === sets.none) continue;
        const holder = holders.get(nameKey(name));
        if (holder !== undefined && holder !== dn) {
          throw new SourceIncompleteError(
            `memberUid "${name}" of group ${named.names.join(', ')} could mean ${holder} or ${dn}: both have it as ${uid}`,
            {
              hint: `make ${uid} unique among the users, or narrow users.baseDn or users.filter to one of them`,
            },
          );
        }
        holders.set(nameKey(name), dn);
        found.push(named);
      }
      return sets.join(found);
    },
  };
}

function membershipInUser(
  sets: GroupSets,
  graph: GroupGraph,
  onUnknown: (key: string, spelling: string, userDn: string) => void,
): Way {
  /** By the server's spelling; -1 for groups that nobody asked for. As large as the directory has groups. */
  const bySpelling = new Map<string, number>();
  let unreadable = 0;
  function numberOf(groupDn: string, userDn: string): number {
    const known = bySpelling.get(groupDn);
    if (known !== undefined) return known;
    const key = normalizeDn(groupDn);
    const number = key === undefined ? undefined : graph.numberOf(key);
    if (key === undefined) unreadable += 1;
    else if (number === undefined) onUnknown(key, groupDn, userDn);
    // A group whose members carry no name is nothing to remember people by.
    const counted = number !== undefined && graph.namesOf(number).length > 0 ? number : -1;
    bySpelling.set(groupDn, counted);
    return counted;
  }
  return {
    userAttributes: ['memberOf'],
    groupsOf(dn, [value]) {
      const found = listOf(value)
        .map((groupDn) => numberOf(groupDn, dn))
        .filter((number) => number >= 0);
      return sets.of(found.sort((a, b) => a - b));
    },
    unreadable: () => unreadable,
  };
}

function membershipByPrimaryGroup(sets: GroupSets): Way {
  const primary = createPrimaryGroups();
  return {
    userAttributes: ['primaryGroupID', 'objectSid'],
    addGroup(group, valuesOf) {
      for (const sid of valuesOf('objectSid')) primary.add(sid, group);
    },
    groupsOf(dn, [id, sid]) {
      const group = primary.find(dn, id, sid);
      return group === undefined ? sets.none : sets.of([group]);
    },
  };
}

/** User names are compared like the `uid` attribute (RFC 4519 section 2.39: caseIgnoreMatch). */
function nameKey(name: string): string {
  return name.trim().normalize('NFKC').toLowerCase();
}
