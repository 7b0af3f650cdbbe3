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
import { SourceIncompleteError } from '../../errors.ts';
import { normalizeDn, withoutUniqueIdentifier } from './dn.ts';
import { listOf } from './entry-decoder.ts';
import { createGroupSets } from './group-sets.ts';
import type { MembershipKind } from './options.ts';

export interface Membership {
  /** What must be asked for with each user, besides the DN. */
  readonly userAttribute: string | undefined;
  /** Adds a group whose members will carry `names`; `members` are the values of its membership attribute. */
  addGroup(dnKey: string, names: readonly string[], members: readonly string[]): void;
  /** Names of the person's groups; `value` is that of `userAttribute`. The list is shared: do not change it. */
  groupsOf(dn: string, value: AttributeValue | undefined): readonly string[];
  /** Member values that are not DNs although they should be. */
  unreadable(): number;
}

export function createMembership(kind: MembershipKind, uid: string): Membership {
  if (kind === 'memberOf') return membershipInUser();
  if (kind === 'memberUid') return membershipByName(uid);
  return membershipByDn(kind);
}

function membershipByDn(kind: 'member' | 'uniqueMember'): Membership {
  const sets = createGroupSets();
  let unreadable = 0;
  return {
    userAttribute: undefined,
    addGroup(_dnKey, names, members) {
      const group = sets.declare(names);
      for (const member of members) {
        const key = normalizeDn(kind === 'uniqueMember' ? withoutUniqueIdentifier(member) : member);
        if (key === undefined) unreadable += 1;
        else sets.add(key, group);
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
    addGroup(_dnKey, names, members) {
      const group = sets.declare(names);
      for (const member of members) sets.add(nameKey(member), group);
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
