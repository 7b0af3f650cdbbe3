import type { CachedGroups, CachedRecord } from '../../../domain/source-cache.ts';
import type { UserReading } from '../users.ts';
import type { Collected } from './collect-changes.ts';
import type { GroupMemory } from './group-memory.ts';
import type { Memory } from './memory.ts';

/** What the cache has to learn of a read, and its figures. */
export interface HandedOver {
  readonly entries: number;
  readonly put: readonly CachedRecord[];
  readonly remove: readonly string[];
  readonly gone: number;
  /** People of the read whom the cache did not have. */
  readonly joined: number;
}

/** Everybody who is there, as if the server had said so just now: from the cache, and those who were looked for. */
export function handOver(
  { sought, found, groups: reread }: Collected,
  { decoder }: UserReading,
  groupMemory: GroupMemory,
  { cache, confirmAbsence }: Memory,
  onUser: (dn: string) => void,
): HandedOver {
  const put: CachedRecord[] = [];
  const remove: string[] = [];
  let entries = 0;
  let gone = 0;
  let joined = found.size;

  function deliver(record: Pick<CachedRecord, 'dn' | 'values' | 'unreadable' | 'groups'>): CachedGroups {
    groupMemory.recall(record.groups);
    decoder.load(record);
    onUser(record.dn);
    entries += 1;
    return groupMemory.last();
  }

  for (const record of cache.records()) {
    if (found.has(record.uuid)) {
      joined -= 1;
    } else if (sought.has(record.uuid)) {
      const missing = record.missing + 1;
      if (record.missing === 0) gone += 1;
      if (missing >= confirmAbsence) remove.push(record.uuid);
      else put.push({ ...record, missing });
    } else {
      const groups = deliver(record);
      if (reread !== undefined && !same(groups, record.groups)) put.push({ ...record, groups });
    }
  }
  for (const [uuid, person] of found) {
    const groups = deliver({ ...person, groups: cache.find(uuid)?.groups ?? [] });
    put.push({ uuid, ...person, groups, missing: 0 });
  }
  return { entries, put, remove, gone, joined };
}

function same(a: CachedGroups, b: CachedGroups): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}
