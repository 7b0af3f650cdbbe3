/**
 * From a report of changes to what became of the people of the cache. The report only says where to look: whether somebody
 * is there, an ordinary search with the configured bases and filter decides. So whoever leaves them is gone like whoever is deleted,
 * and a report that says too much costs a look, no person.
 */
import type { Demand } from '../../../domain/entry.ts';
import type { LdapOptions } from '../../../domain/ldap-options.ts';
import type { SourceCache, SourceCacheState } from '../../../domain/source-cache.ts';
import type { Logger } from '../../../ports.ts';
import type { LdapConnection } from '../connection.ts';
import { normalizeDn } from '../dn.ts';
import type { SavedEntry } from '../entry-decoder.ts';
import { type GroupsRead, readGroups } from '../groups.ts';
import type { UserReading } from '../users.ts';
import { canonicalId } from '../values.ts';
import type { ChangeFeed, Changes, Doubt, Touch } from './change-feed.ts';
import { usesGroups } from './context.ts';
import { judgeOthers } from './other-entries.ts';
import { anyOfUuids, batchesOf } from './uuid-filter.ts';

export interface Collected {
  /** Everybody who was looked for. */
  readonly sought: ReadonlyMap<string, Touch>;
  /** Those who are there. */
  readonly found: ReadonlyMap<string, FoundPerson>;
  /** Given when anybody's groups may have changed: the groups as they are now. */
  readonly groups: GroupsRead | undefined;
}

export interface FoundPerson extends SavedEntry {
  readonly dn: string;
}

export interface CollectInput {
  readonly connection: LdapConnection;
  readonly options: LdapOptions;
  readonly demand: Demand;
  readonly feed: ChangeFeed;
  readonly cache: SourceCache;
  readonly state: SourceCacheState;
  readonly logger: Logger;
  /** The attributes of people that say, with or without the groups' own, who is in which. */
  readonly membershipAttributes: readonly string[];
}

/** Above both, a full read is cheaper. */
const manyEntries = 500;
const largeShare = 0.2;

export async function collectChanges(
  input: CollectInput,
  changes: Changes,
  reading: UserReading,
): Promise<Collected | Doubt> {
  const { connection, options, demand, feed, cache, state, logger } = input;
  const sought = whomToSeek(cache, changes);
  if (sought.size > Math.max(manyEntries, state.records * largeShare)) {
    return { doubt: `${sought.size} entries changed, and reading all is cheaper` };
  }
  const people = await findPeople(input, reading, sought);
  if ('doubt' in people) return people;
  const { found, moved } = people;
  // Whoever is not found is gone only where the bases show.
  if (found.size < sought.size) await reading.proveBases();
  const others = othersOf(cache, changes, found);
  const judged = await judgeOthers(connection, feed, state.context, { others, people: moved });
  if ('doubt' in judged) return judged;
  if (!usesGroups(demand)) return { sought, found, groups: undefined };
  const groupsChanged = judged.groupsChanged || changes.present !== undefined;
  if (groupsChanged && options.groups?.membership.includes('memberOf')) {
    return { doubt: 'a group changed, and what people say of their groups (memberOf) is not reported' };
  }
  const groups = groupsChanged || people.regroup ? await readGroups(connection, options, demand, logger) : undefined;
  return { sought, found, groups };
}

/** Who is reported, who is not on a list of all, and who was missing last time. */
function whomToSeek(cache: SourceCache, { touched, present }: Changes): ReadonlyMap<string, Touch> {
  const sought = new Map(touched);
  for (const { uuid, missing } of cache.keys()) {
    if (sought.has(uuid)) continue;
    if (present !== undefined && !present.has(uuid)) sought.set(uuid, 'deleted');
    else if (missing > 0) sought.set(uuid, 'changed');
  }
  return sought;
}

interface People {
  readonly found: ReadonlyMap<string, FoundPerson>;
  /** Those of them who are new, or have a new name. */
  readonly moved: ReadonlyMap<string, Touch>;
  /** Whether somebody's groups may be others now although no group changed. */
  readonly regroup: boolean;
}

async function findPeople(
  { options, feed, cache, membershipAttributes }: CollectInput,
  { decoder, search }: UserReading,
  sought: ReadonlyMap<string, Touch>,
): Promise<People | Doubt> {
  const found = new Map<string, FoundPerson>();
  const moved = new Map<string, Touch>();
  const fieldOf = (attribute: string) => decoder.field(attribute)?.name ?? attribute;
  const [uuidField, idField] = [fieldOf(feed.uuidAttribute), fieldOf(options.users.id)];
  const membershipFields = membershipAttributes.map(fieldOf);
  let regroup = false;
  let doubt: string | undefined;

  function onPerson(dn: string): void {
    const person = { dn, ...decoder.save() };
    const { values } = person;
    const uuid = canonicalId(feed.uuidAttribute, String(values[uuidField] ?? ''));
    const before = cache.find(uuid);
    const same = (field: string) => JSON.stringify(before?.values[field]) === JSON.stringify(values[field]);
    if (!sought.has(uuid)) doubt ??= `${dn} does not show its ${feed.uuidAttribute}`;
    if (found.has(uuid)) doubt ??= `${dn} was found twice: it moves at this moment`;
    if (before !== undefined && !same(idField)) {
      doubt ??= `${dn} has another ${options.users.id} than before, or does not show it`;
    }
    const sameName = before !== undefined && nameKey(before.dn) === nameKey(dn);
    if (!sameName) moved.set(uuid, sought.get(uuid) ?? 'moved');
    if (!sameName || !membershipFields.every(same)) regroup = true;
    found.set(uuid, person);
  }

  for (const uuids of batchesOf(sought.keys())) await search(onPerson, anyOfUuids(feed.uuidAttribute, uuids));
  return doubt === undefined ? { found, moved, regroup } : { doubt };
}

/** Reported entries that are no people in scope: never were, or are no longer although they exist. */
function othersOf(
  cache: SourceCache,
  { touched }: Changes,
  found: ReadonlyMap<string, FoundPerson>,
): ReadonlyMap<string, Touch> {
  return new Map(
    [...touched].filter(([uuid, touch]) => !found.has(uuid) && (touch !== 'deleted' || cache.find(uuid) === undefined)),
  );
}

function nameKey(dn: string): string {
  return normalizeDn(dn) ?? dn;
}
