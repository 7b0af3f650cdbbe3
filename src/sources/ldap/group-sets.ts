import type { GroupPaths } from '../../domain/entry.ts';
import { compareStrings } from '../../domain/identity.ts';
import type { GroupGraph } from './group-graph.ts';

/**
 * Who is in which groups, for many people and few distinct combinations of groups: every combination exists once, and so does its list
 * of names. A combination is a path of group numbers in a tree, in ascending order.
 */
export interface GroupSets {
  readonly none: GroupSet;
  /** A set of keys, DNs or user names, each with its combination. */
  createIndex(): GroupIndex;
  /** The combination of groups, given in ascending order. */
  of(groups: readonly number[]): GroupSet;
  /** What is in any of them. */
  join(sets: readonly GroupSet[]): GroupSet;
}

export interface GroupIndex {
  /** Groups must be added one after the other, in the order of their numbers; the same key twice is once. */
  add(key: string, group: number): void;
  of(key: string): GroupSet;
}

/** The groups that somebody belongs to directly. */
export interface GroupSet extends GroupPaths {
  /** Sorted names of these groups and of those above them. The list is shared: do not change it. Ask when all groups are known. */
  readonly names: readonly string[];
}

export function createGroupSets(graph: GroupGraph): GroupSets {
  const none = new Combination(graph, -1, undefined);

  function createIndex(): GroupIndex {
    const combinations = new Map<string, Combination>();
    return {
      add(key, group) {
        const present = combinations.get(key) ?? none;
        if (present.group !== group) combinations.set(key, present.followedBy(group));
      },
      of: (key) => combinations.get(key) ?? none,
    };
  }
  function of(groups: readonly number[]): Combination {
    return groups.reduce((from, group) => (from.group === group ? from : from.followedBy(group)), none);
  }
  function join(sets: readonly GroupSet[]): GroupSet {
    let joined = none;
    for (const set of sets as readonly Combination[]) {
      if (set !== none) joined = joined === none ? set : joined.joinedBy(set, unite);
    }
    return joined;
  }
  function unite(one: Combination, other: Combination): Combination {
    const groups = new Set([...one.groups(), ...other.groups()]);
    return of([...groups].sort((a, b) => a - b));
  }
  return {
    none,
    createIndex,
    of,
    join,
  };
}

class Combination implements GroupSet {
  readonly group: number;
  readonly #graph: GroupGraph;
  readonly #before: Combination | undefined;
  /** Made when a second group follows; until then one successor is enough. */
  #successors: Map<number, Combination> | undefined;
  #successor: Combination | undefined;
  /** People differ less in pairs of combinations than in number. */
  #joined: Map<Combination, Combination> | undefined;
  #names: readonly string[] | undefined;

  constructor(graph: GroupGraph, group: number, before: Combination | undefined) {
    this.#graph = graph;
    this.group = group;
    this.#before = before;
  }

  followedBy(group: number): Combination {
    if (this.#successor?.group === group) return this.#successor;
    const known = this.#successors?.get(group);
    if (known !== undefined) return known;
    const made = new Combination(this.#graph, group, this);
    if (this.#successor === undefined) this.#successor = made;
    else {
      this.#successors ??= new Map();
      this.#successors.set(group, made);
    }
    return made;
  }

  joinedBy(other: Combination, unite: (one: Combination, other: Combination) => Combination): Combination {
    this.#joined ??= new Map();
    const joined = this.#joined.get(other) ?? unite(this, other);
    this.#joined.set(other, joined);
    return joined;
  }

  groups(): readonly number[] {
    const groups: number[] = [];
    for (let at: Combination | undefined = this; at !== undefined && at.group >= 0; at = at.#before)
      groups.push(at.group);
    return groups;
  }

  get names(): readonly string[] {
    if (this.#names === undefined) {
      const [first, ...others] = this.groups();
      const names = first === undefined ? [] : this.#graph.namesOf(first);
      this.#names =
        others.length === 0
          ? names
          : [...new Set([...names, ...others.flatMap((group) => this.#graph.namesOf(group))])].sort(compareStrings);
    }
    return this.#names;
  }

  /** The shortest path from any of the groups. */
  to(name: string): readonly string[] {
    let shortest: readonly string[] | undefined;
    for (let at: Combination = this; at.#before !== undefined; at = at.#before) {
      const path = this.#graph.pathTo(at.group, name);
      if (path !== undefined && (shortest === undefined || comparePaths(path, shortest) < 0)) shortest = path;
    }
    return shortest ?? [];
  }
}

function comparePaths(a: readonly string[], b: readonly string[]): number {
  const difference = a.findIndex((dn, index) => dn !== b[index]);
  return a.length - b.length || compareStrings(a[difference] ?? '', b[difference] ?? '');
}
