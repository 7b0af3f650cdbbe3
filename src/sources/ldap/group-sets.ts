import { compareStrings } from '../../domain/identity.ts';

/**
 * Who is in which groups, for many people and few distinct combinations of groups: every combination exists once, and so does its list
 * of names. A combination is a path of group numbers in a tree, in the order in which the groups were added.
 */
export interface GroupSets {
  /** Declares a group and the names that its members carry; returns its number. */
  declare(names: readonly string[]): number;
  /** Groups must be added one after the other, in the order of their numbers; the same key twice is once. */
  add(key: string, group: number): void;
  /** Sorted names of the groups that the key was added to. The list is shared: do not change it. */
  of(key: string): readonly string[];
  /** The same for numbers in ascending order. */
  ofGroups(groups: readonly number[]): readonly string[];
}

interface Combination {
  readonly group: number;
  readonly parent: Combination | undefined;
  /** Made when a second group follows; until then one successor is enough. */
  successors: Map<number, Combination> | undefined;
  successor: Combination | undefined;
  names: readonly string[] | undefined;
}

export function createGroupSets(): GroupSets {
  const namesOfGroup: (readonly string[])[] = [];
  const combinations = new Map<string, Combination>();
  const none = combine(undefined, -1);
  none.names = [];

  function follow(from: Combination, group: number): Combination {
    if (from.successor?.group === group) return from.successor;
    const known = from.successors?.get(group);
    if (known !== undefined) return known;
    const made = combine(from, group);
    if (from.successor === undefined) from.successor = made;
    else {
      from.successors ??= new Map();
      from.successors.set(group, made);
    }
    return made;
  }

  function namesOf(combination: Combination): readonly string[] {
    if (combination.names === undefined) {
      const names = new Set<string>();
      for (let at: Combination | undefined = combination; at !== undefined; at = at.parent) {
        for (const name of namesOfGroup[at.group] ?? []) names.add(name);
      }
      combination.names = [...names].sort(compareStrings);
    }
    return combination.names;
  }

  return {
    declare: (names) => namesOfGroup.push(names) - 1,
    add(key, group) {
      const present = combinations.get(key) ?? none;
      if (present.group !== group) combinations.set(key, follow(present, group));
    },
    of: (key) => namesOf(combinations.get(key) ?? none),
    ofGroups: (groups) =>
      namesOf(groups.reduce((from, group) => (from.group === group ? from : follow(from, group)), none)),
  };
}

function combine(parent: Combination | undefined, group: number): Combination {
  return { group, parent, successors: undefined, successor: undefined, names: undefined };
}
