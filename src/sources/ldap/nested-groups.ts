/**
 * Groups within groups, where groups hold their members: from the groups that rules name downwards, level by level.
 *
 * | step                                        | searches |
 * |---------------------------------------------|----------|
 * | which DNs are groups                        | one per place (group-places.ts), without attributes |
 * | members of the groups of the next level     | one per 50 groups |
 * | a group that its relative name does not find | one by its DN |
 *
 * Members are compared as DNs with the groups that are known to exist, so that no member is ever asked for by itself. A group is read once,
 * on whatever ways and circles it is reached.
 */
import { SourceIncompleteError } from '../../errors.ts';
import { parentDn } from './dn.ts';
import type { GroupGraph } from './group-graph.ts';
import type { GroupPlaces } from './group-places.ts';
import { anyOf, chunks, type FoundGroup, type GroupReader, hasRelativeName, type Place } from './group-reader.ts';

export interface NestedGroups {
  /** Finds out which DNs are groups; comes before the first group is read. */
  begin(): Promise<void>;
  /** A member of a group that was read. */
  onMember(parent: number, key: string, spelling: string): void;
  /** Reads all groups below those that were read. Throws SourceIncompleteError. */
  descend(): Promise<void>;
  /** Members that stand where only groups are expected, and are none that we know. */
  readonly strangers: { readonly count: number; readonly first: readonly string[] };
}

interface KnownGroup {
  readonly dn: string;
  readonly place: Place;
}

interface Suspects {
  readonly spelling: string;
  readonly keys: string[];
  readonly parents: number[];
}

const groupsPerSearch = 50;
const strangersKept = 20;

/** `onGroup` declares a group in the graph and hands its members to `onMember`. */
export function createNestedGroups(
  reader: GroupReader,
  places: GroupPlaces,
  graph: GroupGraph,
  onGroup: (group: FoundGroup) => void,
): NestedGroups {
  const known = new Map<string, KnownGroup>();
  /** Groups that were found as members and are yet to be read. */
  const waiting = new Map<string, KnownGroup>();
  /** Members in containers that nobody has looked through yet. */
  const suspects = new Map<string, Suspects>();
  const strangers = { count: 0, first: [] as string[] };

  async function survey(place: Place & { readonly mayBeMissing?: boolean }): Promise<void> {
    await reader.search({ ...place, namesOnly: true, what: 'groups within groups' }, ({ dn, key }) => {
      if (!known.has(key)) known.set(key, { dn, place });
    });
  }

  function onMember(parent: number, key: string, spelling: string): void {
    if (nest(parent, key)) return;
    const container = parentDn(key) ?? '';
    const state = places.stateOf(container);
    if (state === 'unknown') {
      const others = suspects.get(container);
      if (others === undefined)
        suspects.set(container, { spelling: parentDn(spelling) ?? container, keys: [key], parents: [parent] });
      else {
        others.keys.push(key);
        others.parents.push(parent);
      }
    } else if (state === 'groups') {
      strangers.count += 1;
      if (strangers.first.length < strangersKept && !strangers.first.includes(spelling)) strangers.first.push(spelling);
    }
  }

  /** False when the member is no group that we know. */
  function nest(parent: number, key: string): boolean {
    const group = known.get(key);
    if (group === undefined) return false;
    graph.nest(key, parent);
    if (graph.numberOf(key) === undefined) waiting.set(key, group);
    return true;
  }

  async function lookElsewhere(): Promise<void> {
    for (const [container, { spelling, keys, parents }] of suspects) {
      if (places.stateOf(container) === 'unknown') await survey(places.coverWith(container, spelling));
      keys.forEach((key, index) => {
        nest(parents[index] ?? -1, key);
      });
    }
    suspects.clear();
  }

  async function readLevel(): Promise<void> {
    const level = Map.groupBy(waiting, ([, { place }]) => place);
    waiting.clear();
    for (const [place, groups] of level) {
      for (const some of chunks(groups, groupsPerSearch)) await readSome(place, new Map(some));
    }
  }

  async function readSome(place: Place, groups: ReadonlyMap<string, KnownGroup>): Promise<void> {
    const take = (group: FoundGroup) => {
      if (groups.has(group.key) && graph.numberOf(group.key) === undefined) onGroup(group);
    };
    const filters = [...groups.values()].flatMap(({ dn }) => hasRelativeName(dn) ?? []);
    if (filters.length > 0) await reader.search({ ...place, only: anyOf(filters), what: 'groups within groups' }, take);
    for (const [key, { dn }] of groups) {
      if (graph.numberOf(key) !== undefined) continue;
      await reader.search({ base: dn, scope: 'base', what: 'a group within groups', mayBeMissing: true }, take);
      if (graph.numberOf(key) === undefined) {
        throw new SourceIncompleteError(`${reader.url}: the group ${dn} vanished while groups were read`, {
          hint: 'try again: the directory changed during the read',
        });
      }
    }
  }

  return {
    async begin() {
      for (const place of places.configured) await survey(place);
    },
    onMember,
    async descend() {
      while (suspects.size > 0 || waiting.size > 0) {
        await lookElsewhere();
        await readLevel();
      }
    },
    strangers,
  };
}
