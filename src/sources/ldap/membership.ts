/**
 * Connects people to groups in one of four ways.
 *
 * | kind         | stored in | value                        | compared with |
 * |--------------|-----------|------------------------------|---------------|
 * | member       | group     | DN of a person               | the entry's DN |
 * | uniqueMember | group     | DN, perhaps with a bit string | the entry's DN |
 * | memberUid    | group     | user name                    | the entry's `uid`, whatever the case |
 * | memberOf     | person    | DN of a group                | the group's DN |
 *
 * A member that is no user entry (a nested group, a service account, somebody outside the base) is no one's membership.
 */

import type { AttributeValue } from '../../domain/entry.ts';
import { compareStrings } from '../../domain/identity.ts';
import type { MembershipKind } from '../../domain/ldap-options.ts';
import { SourceIncompleteError } from '../../errors.ts';
import { normalizeDn, withoutUniqueIdentifier } from './dn.ts';
import { listOf } from './entry-decoder.ts';
import { createGroupSets } from './group-sets.ts';

export interface Membership {
  /** What must be asked for with each user, besides the DN. */
  readonly userAttribute: string | undefined;
  /** Adds a group whose members will carry `names`; `valuesOf` has the values of each attribute that holds members. */
  addGroup(dnKey: string, names: readonly string[], valuesOf: (kind: MembershipKind) => readonly string[]): void;
  /** Names of the person's groups; `value` is that of `userAttribute`. The list is shared: do not change it. */
  groupsOf(dn: string, value: AttributeValue | undefined): readonly string[];
  /** Member values that are not DNs although they should be. */
  unreadable(): number;
}

/** `memberOf` stands alone; the others may be combined, as a directory may hold groups of several classes. */
export function createMembership(kinds: readonly MembershipKind[], uid: string): Membership {
  if (kinds.includes('memberOf')) return membershipInUser();
  const byDn = kinds.some((kind) => kind !== 'memberUid') ? membershipByDn(kinds) : undefined;
  const byName = kinds.includes('memberUid') ? membershipByName(uid) : undefined;
  if (byDn === undefined || byName === undefined) return byDn ?? byName ?? membershipByDn([]);
  return {
    userAttribute: byName.userAttribute,
    addGroup(dnKey, names, valuesOf) {
      byDn.addGroup(dnKey, names, valuesOf);
      byName.addGroup(dnKey, names, valuesOf);
    },
    groupsOf(dn, value) {
      const [one, other] = [byDn.groupsOf(dn, value), byName.groupsOf(dn, value)];
      if (one.length === 0 || other.length === 0) return one.length === 0 ? other : one;
      return [...new Set([...one, ...other])].sort(compareStrings);
    },
    unreadable: () => byDn.unreadable(),
  };
}

function membershipByDn(kinds: readonly MembershipKind[]): Membership {
  const sets = createGroupSets();
  let unreadable = 0;
  return {
    userAttribute: undefined,
    addGroup(_dnKey, names, valuesOf) {
      const group = sets.declare(names);
      for (const kind of kinds) {
        if (kind === 'memberUid') continue;
        for (const member of valuesOf(kind)) {
          const key = normalizeDn(kind === 'uniqueMember' ? withoutUniqueIdentifier(member) : member);
          if (key === undefined) unreadable += 1;
          else sets.add(key, group);
        }
      }
    },
    groupsOf: (dn) => sets.of(normalizeDn(dn) ?? dn),
    unreadable: () => unreadable,
  };
}

function membershipByName(uid: string): Membership {
  const sets = createGroupSets();
  const holders = new Map<string, string>();
  return {
    userAttribute: uid,
    addGroup(_dnKey, names, valuesOf) {
      const group = sets.declare(names);
      for (const member of valuesOf('memberUid')) sets.add(nameKey(member), group);
    },
    groupsOf(dn, value) {
      let groups: readonly string[] = [];
      for (const name of listOf(value)) {
        const named = sets.of(nameKey(name));
        if (named.length === 0) continue;
        const holder = holders.get(nameKey(name));
        if (holder !== undefined && holder !== dn) {
          throw new SourceIncompleteError(
            `memberUid "${name}" of group ${named.join(', ')} could mean ${holder} or ${dn}: both have it as ${uid}`,
            {
              hint: `make ${uid} unique among the users, or narrow users.baseDn or users.filter to one of them`,
            },
          );
        }
        holders.set(nameKey(name), dn);
        groups = groups.length === 0 ? named : [...new Set([...groups, ...named])];
      }
      return groups;
    },
    unreadable: () => 0,
  };
}

function membershipInUser(): Membership {
  const sets = createGroupSets();
  const numbers = new Map<string, number>();
  /** By the server's spelling; -1 for groups that nobody asked for. As large as the directory has groups. */
  const bySpelling = new Map<string, number>();
  let unreadable = 0;
  function numberOf(groupDn: string): number {
    const known = bySpelling.get(groupDn);
    if (known !== undefined) return known;
    const key = normalizeDn(groupDn);
    if (key === undefined) unreadable += 1;
    const number = numbers.get(key ?? '') ?? -1;
    bySpelling.set(groupDn, number);
    return number;
  }
  return {
    userAttribute: 'memberOf',
    addGroup(dnKey, names) {
      numbers.set(dnKey, sets.declare(names));
    },
    groupsOf(_dn, value) {
      const found = listOf(value)
        .map(numberOf)
        .filter((number) => number >= 0);
      return sets.ofGroups(found.sort((a, b) => a - b));
    },
    unreadable: () => unreadable,
  };
}

/** User names are compared like the `uid` attribute (RFC 4519 section 2.39: caseIgnoreMatch). */
function nameKey(name: string): string {
  return name.trim().normalize('NFKC').toLowerCase();
}
