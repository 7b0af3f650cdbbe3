import type { Demand } from '../../domain/entry.ts';
import { likeness } from './near-names.ts';

/**
 * The groups that rules want, and which of them the source turned out to hold.
 *
 * A file cannot tell a group without members from one that was renamed or left out of the export, and the latter would
 * take the group's roles from everybody; so a group that a rule names must have a member somewhere.
 */
export interface GroupCensus {
  /** True when anything about groups is wanted at all. */
  readonly needed: boolean;
  /** Takes note of a group; false when no rule wants it. */
  meet(name: string): boolean;
  /** Groups that rules name and that were not met, with the spelling in the source that comes near. */
  missing(): readonly { readonly name: string; readonly near: string | undefined }[];
}

export function createGroupCensus(demand: Demand): GroupCensus {
  const named = new Set(demand.groups);
  const unmet = new Set(demand.groups);
  const likenesses = new Set(demand.groups.map(likeness));
  const alike = new Map<string, string>();
  return {
    needed: demand.allGroups || named.size > 0,
    meet(name) {
      if (named.has(name)) {
        unmet.delete(name);
        return true;
      }
      if (unmet.size > 0 && likenesses.has(likeness(name))) alike.set(likeness(name), name);
      return demand.allGroups;
    },
    missing() {
      return [...unmet].map((name) => ({ name, near: alike.get(likeness(name)) }));
    },
  };
}

const NONE: readonly string[] = Object.freeze([]);
const MAX_REMEMBERED = 10_000;

/**
 * Splits a groups column: names trimmed, empty ones and repetitions dropped. People with the same text share one array,
 * for there are far fewer combinations of groups than people.
 */
export function createGroupSplitter(separator: string, census: GroupCensus): (text: string) => readonly string[] {
  const remembered = new Map<string, readonly string[]>();
  return (text) => {
    if (text === '') return NONE;
    const known = remembered.get(text);
    if (known !== undefined) return known;
    const names = new Set<string>();
    for (const part of text.split(separator)) {
      const name = part.trim();
      if (name !== '' && census.meet(name)) names.add(name);
    }
    const groups = names.size === 0 ? NONE : [...names];
    if (remembered.size >= MAX_REMEMBERED) remembered.clear();
    remembered.set(text, groups);
    return groups;
  };
}

/** Groups of one person by way of a shared path of groups: each step is a group, and people with the same path share its array. */
interface Path {
  readonly group: string;
  readonly before: Path | undefined;
  readonly next: Map<string, Path>;
  groups: readonly string[] | undefined;
}

/** Collects memberships row by row. */
export interface Memberships {
  add(id: string, group: string): void;
  groupsOf(id: string): readonly string[];
}

export function createMemberships(census: GroupCensus): Memberships {
  const people = new Map<string, Path>();
  const first = new Map<string, Path>();
  return {
    add(id, group) {
      if (!census.meet(group)) return;
      const before = people.get(id);
      for (let path = before; path !== undefined; path = path.before) if (path.group === group) return;
      const next = before?.next ?? first;
      let path = next.get(group);
      if (path === undefined) {
        path = { group, before, next: new Map(), groups: undefined };
        next.set(group, path);
      }
      people.set(id, path);
    },
    groupsOf(id) {
      const path = people.get(id);
      if (path === undefined) return NONE;
      path.groups ??= groupsAlong(path);
      return path.groups;
    },
  };
}

function groupsAlong(end: Path): readonly string[] {
  const groups: string[] = [];
  for (let path: Path | undefined = end; path !== undefined; path = path.before) groups.push(path.group);
  return groups.reverse();
}
