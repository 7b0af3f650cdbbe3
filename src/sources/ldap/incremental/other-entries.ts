/**
 * What a change means that is no person's, and what else it means when a person has a new name.
 *
 * | the server reported | an ordinary look finds              | conclusion |
 * |---------------------|-------------------------------------|------------|
 * | deleted             | (not looked for)                    | perhaps a group: groups are read again. A deleted container was empty, so nobody went with it |
 * | moved               | nothing                             | doubt: a container that we may not see may have moved, and people with it |
 * | changed             | nothing                             | perhaps a group |
 * | moved               | something that holds entries        | doubt: what stands below it moved with it, and is not reported |
 * | anything            | a person or computer without entries below | nothing: it is not in scope and holds nobody |
 * | anything            | anything else                       | perhaps a group |
 */

import { describeResult } from '../bind.ts';
import type { LdapConnection } from '../connection.ts';
import { createEntryDecoder, listOf } from '../entry-decoder.ts';
import type { Frame } from '../framing.ts';
import { canonicalId } from '../values.ts';
import type { ChangeFeed, Doubt, Touch } from './change-feed.ts';
import { searchFeed } from './feed-search.ts';
import { anyOfUuids, batchesOf } from './uuid-filter.ts';

/** Of these classes nobody makes a container: nobody stands below them, and they are no groups. */
const people: ReadonlySet<string> = new Set(['person', 'computer', 'contact']);
/** Leaves in Active Directory, which does not say whether an entry holds others. */
const leaves: ReadonlySet<string> = new Set([...people, 'group']);

export interface Suspects {
  readonly others: ReadonlyMap<string, Touch>;
  /** People in scope: no groups, but something may stand below them. */
  readonly people: ReadonlyMap<string, Touch>;
}

export async function judgeOthers(
  connection: LdapConnection,
  feed: ChangeFeed,
  context: string,
  suspects: Suspects,
): Promise<{ readonly groupsChanged: boolean } | Doubt> {
  const { others } = suspects;
  const alive = new Map([...others, ...suspects.people].filter(([, touch]) => touch !== 'deleted'));
  const seen = new Set<string>();
  let groupsChanged = [...others.values()].includes('deleted');
  let doubt: string | undefined;
  const decoder = createEntryDecoder([feed.uuidAttribute, 'objectClass', 'hasSubordinates']);
  const attributes = decoder.fields.map(({ name }) => name);

  function judge(frame: Frame): void {
    const dn = decoder.decode(frame);
    const [uuid, classes, subordinates] = decoder.values;
    const key = canonicalId(feed.uuidAttribute, String(uuid ?? ''));
    seen.add(key);
    const names = listOf(classes).map((name) => name.toLowerCase());
    const isA = (kinds: ReadonlySet<string>) => names.some((name) => kinds.has(name));
    const holdsEntries = subordinates === undefined ? !isA(leaves) : subordinates === 'TRUE';
    if (alive.get(key) === 'moved' && holdsEntries) {
      doubt ??= `${dn} changed, perhaps its name, and the server does not report what stands below it`;
    }
    if (others.has(key) && !isA(people)) groupsChanged = true;
  }

  for (const uuids of batchesOf(alive.keys())) {
    const { filter } = anyOfUuids(feed.uuidAttribute, uuids);
    const result = await searchFeed(connection, { context, scope: 'sub', filter, attributes }, { onEntry: judge });
    if (result.code !== 0) return { doubt: `the entries that changed cannot be looked at: ${describeResult(result)}` };
  }
  for (const [uuid, touch] of alive) {
    if (seen.has(uuid)) continue;
    groupsChanged = true;
    if (touch === 'moved')
      doubt ??= `an entry changed that the bind account may not see (${feed.uuidAttribute} ${uuid})`;
  }
  return doubt === undefined ? { groupsChanged } : { doubt };
}
