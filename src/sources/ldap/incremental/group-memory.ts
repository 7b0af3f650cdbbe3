import type { CachedGroups } from '../../../domain/source-cache.ts';
import type { GroupSet } from '../group-sets.ts';
import type { Membership } from '../membership.ts';

/** Stands in for a membership: remembers what it says of each person, or says what is remembered. */
export interface GroupMemory {
  /** For whoever asks who is in which groups; undefined when nobody does. */
  readonly membership: Membership | undefined;
  /** From now on this membership decides. */
  use(membership: Membership): void;
  /** What is remembered of the next person asked about. */
  recall(groups: CachedGroups): void;
  /** Groups of the person asked about last. */
  last(): CachedGroups;
}

const nobody: CachedGroups = [];

/** `like`: what must be known of a person; its own opinion is not asked. */
export function createGroupMemory(like: Membership | undefined): GroupMemory {
  let decides: Membership | undefined;
  let recalled = nobody;
  let last = nobody;
  /** People in the same groups share a set, and what is remembered of it. */
  const known = new WeakMap<GroupSet, CachedGroups>();
  const sets = new WeakMap<CachedGroups, GroupSet>();

  function takeDown(set: GroupSet, hasPaths: boolean): CachedGroups {
    const groups = known.get(set) ?? set.names.map((name) => [name, ...(hasPaths ? set.to(name) : [])]);
    known.set(set, groups);
    return groups;
  }

  function bringBack(groups: CachedGroups): GroupSet {
    const set = sets.get(groups) ?? {
      names: groups.map(([name = '']) => name),
      to: (wanted: string) => groups.find(([name]) => name === wanted)?.slice(1) ?? [],
    };
    sets.set(groups, set);
    return set;
  }

  return {
    membership: like && {
      userAttributes: like.userAttributes,
      hasPaths: like.hasPaths,
      groupsOf(dn, values) {
        if (decides === undefined) return bringBack(recalled);
        const set = decides.groupsOf(dn, values);
        last = takeDown(set, like.hasPaths);
        return set;
      },
    },
    use(membership) {
      decides = membership;
    },
    recall(groups) {
      recalled = groups;
      last = groups;
    },
    last: () => last,
  };
}
