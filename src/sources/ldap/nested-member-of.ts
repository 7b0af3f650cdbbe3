/**
 * Groups within groups, where members name their groups: each group's own memberOf leads upwards.
 *
 * | memberOf names                                   | then |
 * |--------------------------------------------------|------|
 * | a group that was read                            | its members carry that one's names too |
 * | of a group: one elsewhere                        | the place is looked through (group-places.ts), and so on upwards |
 * | of a person: one elsewhere                       | looked up after the users; the read is incomplete when it leads to a group that rules name |
 * | one that no search shows                         | counted: deleted meanwhile, hidden from the bind account, or not matched by `groups.filter` |
 */
import { SourceIncompleteError } from '../../errors.ts';
import { normalizeDn, parentDn } from './dn.ts';
import type { GroupGraph } from './group-graph.ts';
import type { GroupPlaces } from './group-places.ts';
import type { FoundGroup, GroupReader } from './group-reader.ts';

export interface GroupsAbove {
  /** A group that was declared in the graph. */
  onGroup(group: FoundGroup): void;
  /** A group that a person's memberOf names and the graph does not know. */
  onUnknown(key: string, spelling: string, userDn: string): void;
  /** Reads the groups above those that were read, wherever they stand. */
  ascend(): Promise<void>;
  /** Follows what `onUnknown` was told. Throws SourceIncompleteError when somebody would lose a group by it. */
  checkUnknown(): Promise<void>;
  /** Groups in memberOf that nobody has seen. */
  readonly unseen: { count: number; readonly first: string[] };
}

interface Unknown {
  readonly spelling: string;
  readonly userDn: string;
}

const unseenKept = 20;

/** `onGroup` declares a group in the graph and hands it to `onGroup` of the result. */
export function createGroupsAbove(
  reader: GroupReader,
  places: GroupPlaces,
  graph: GroupGraph,
  onGroup: (group: FoundGroup) => void,
): GroupsAbove {
  /** Edges whose upper end is not declared yet. */
  let open: { readonly child: string; readonly parent: string; readonly spelling: string }[] = [];
  const unknown = new Map<string, Unknown>();
  const unseen = { count: 0, first: [] as string[] };

  function note(spelling: string): void {
    unseen.count += 1;
    if (unseen.first.length < unseenKept) unseen.first.push(spelling);
  }

  async function lookThrough(key: string, spelling: string): Promise<void> {
    const container = parentDn(key) ?? '';
    if (places.stateOf(container) !== 'unknown') return;
    const place = places.coverWith(container, parentDn(spelling) ?? container);
    await reader.search({ ...place, what: 'groups above groups' }, (group) => {
      if (graph.numberOf(group.key) === undefined) onGroup(group);
    });
  }

  async function ascend(): Promise<void> {
    while (open.length > 0) {
      const edges = open;
      open = [];
      for (const { child, parent, spelling } of edges) {
        if (graph.numberOf(parent) === undefined) await lookThrough(parent, spelling);
        const number = graph.numberOf(parent);
        if (number !== undefined) graph.nest(child, number);
        else note(spelling);
      }
    }
  }

  return {
    onGroup({ key, valuesOf }) {
      for (const spelling of valuesOf('memberOf')) {
        const parent = normalizeDn(spelling);
        if (parent !== undefined) open.push({ child: key, parent, spelling });
      }
    },
    onUnknown(key, spelling, userDn) {
      unknown.set(key, { spelling, userDn });
    },
    ascend,
    async checkUnknown() {
      for (const [key, { spelling }] of unknown) await lookThrough(key, spelling);
      await ascend();
      for (const [key, { spelling, userDn }] of unknown) {
        const number = graph.numberOf(key);
        if (number === undefined) note(spelling);
        const names = number === undefined ? [] : graph.namesOf(number);
        if (names.length === 0) continue;
        throw new SourceIncompleteError(
          `${reader.url}: ${userDn} is a member of ${spelling}, which stands outside groups.baseDn and makes its members belong to ${names.slice(0, 5).join(', ')}`,
          { hint: `add ${parentDn(spelling) ?? spelling} to groups.baseDn` },
        );
      }
    },
    unseen,
  };
}
