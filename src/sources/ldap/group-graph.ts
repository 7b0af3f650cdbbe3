/**
 * Groups within groups: who belongs to a group belongs to those that hold it. Edges lead from a group up to those groups; they may go
 * round in circles and meet again, so every walk remembers where it was.
 *
 * | asked of a group     | answer |
 * |----------------------|--------|
 * | `namesOf`            | its own names and those of every group above, each once, sorted |
 * | `pathTo` a name      | the shortest way up to a group with that name; among equally short ones the first by DN, so that every read gives the same |
 *
 * Both are worked out when first asked for, and kept.
 */
import { compareStrings } from '../../domain/identity.ts';

export interface GroupGraph {
  /** Declares a group by its canonical DN, with the names that its members carry; returns its number. Numbers count up from 0. */
  add(key: string, dn: string, names: readonly string[]): number;
  numberOf(key: string): number | undefined;
  /** The groups so far, by their numbers. */
  groups(): readonly { readonly dn: string }[];
  /** Notes that the members of one group, which may be declared later, belong to another. */
  nest(childKey: string, parent: number): void;
  /** The list is shared: do not change it. Ask when every group has been added. */
  namesOf(group: number): readonly string[];
  /** DNs from the group up to the nearest with that name; undefined when there is none. */
  pathTo(group: number, name: string): readonly string[] | undefined;
}

interface Node {
  readonly key: string;
  readonly dn: string;
  readonly names: readonly string[];
  allNames: readonly string[] | undefined;
  /** By name; undefined where no way leads to it. */
  paths: Map<string, readonly string[] | undefined> | undefined;
}

export function createGroupGraph(): GroupGraph {
  const nodes: Node[] = [];
  const numbers = new Map<string, number>();
  const parents = new Map<string, number[]>();
  const nothing: readonly number[] = [];
  const parentsOf = (node: Node): readonly number[] => parents.get(node.key) ?? nothing;

  /** Calls `onGroup` with the group and every group above it, nearest first, until it returns true. */
  function climb(from: number, onGroup: (node: Node, way: Way) => boolean): void {
    const seen = new Set([from]);
    let level: Way[] = [{ group: from, below: undefined }];
    while (level.length > 0) {
      const next: Way[] = [];
      for (const way of level) {
        const node = nodes[way.group];
        if (node === undefined) continue;
        if (onGroup(node, way)) return;
        for (const group of parentsOf(node)) {
          if (seen.has(group)) continue;
          seen.add(group);
          next.push({ group, below: way });
        }
      }
      level = next.sort((a, b) => compareStrings(nodes[a.group]?.key ?? '', nodes[b.group]?.key ?? ''));
    }
  }

  function dnsOf(way: Way): readonly string[] {
    const dns: string[] = [];
    for (let at: Way | undefined = way; at !== undefined; at = at.below) dns.unshift(nodes[at.group]?.dn ?? '');
    return dns;
  }

  return {
    add(key, dn, names) {
      const known = numbers.get(key);
      if (known !== undefined) return known;
      numbers.set(key, nodes.length);
      return nodes.push({ key, dn, names, allNames: undefined, paths: undefined }) - 1;
    },
    numberOf: (key) => numbers.get(key),
    groups: () => [...nodes],
    nest(childKey, parent) {
      const known = parents.get(childKey);
      if (known === undefined) parents.set(childKey, [parent]);
      else if (!known.includes(parent)) known.push(parent);
    },
    namesOf(group) {
      const node = nodes[group];
      if (node === undefined) return [];
      if (node.allNames === undefined) {
        const names = new Set<string>();
        climb(group, (above) => {
          for (const name of above.names) names.add(name);
          return false;
        });
        node.allNames = [...names].sort(compareStrings);
      }
      return node.allNames;
    },
    pathTo(group, name) {
      const node = nodes[group];
      if (node === undefined || node.paths?.has(name)) return node?.paths?.get(name);
      let path: readonly string[] | undefined;
      climb(group, (above, way) => {
        if (above.names.includes(name)) path = dnsOf(way);
        return path !== undefined;
      });
      node.paths ??= new Map();
      node.paths.set(name, path);
      return path;
    },
  };
}

interface Way {
  readonly group: number;
  readonly below: Way | undefined;
}
