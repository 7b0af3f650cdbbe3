import type { CachedGroups, CachedRecord, CacheRefill, SourceCache, SourceCacheState } from '../domain/source-cache.ts';
import { InternalError } from '../errors.ts';
import type { Database } from './database.ts';
import { paged } from './paging.ts';

interface StateRow extends SourceCacheState {
  readonly generation: number;
}

interface RecordRow {
  readonly uuid: string;
  readonly dn: string;
  readonly values: string;
  readonly unreadable: string;
  readonly groups: string;
  readonly missing: number;
}

const columns = 'uuid, dn, values_json AS "values", unreadable_json AS unreadable, groups_json AS "groups", missing';
const insert = `INSERT OR REPLACE INTO source_entries (generation, uuid, dn, values_json, unreadable_json, groups_json, missing)
  VALUES (?, ?, ?, ?, ?, ?, ?)`;
/** Records per transaction of a refill. */
const bufferSize = 1_000;

/** The cache of the source's entries. What is read once is the state at that time: a run has the snapshot to itself. */
export function openSourceCache(database: Database, mode: 'write' | 'read'): SourceCache {
  const generation = () => stateRow(database)?.generation ?? 0;

  function refuse(): never {
    throw new InternalError(`snapshot ${database.path} was opened for reading and cannot be changed`);
  }

  return {
    writable: mode === 'write',
    state() {
      const row = database.read('read the state of the source cache', () => stateRow(database));
      if (row === undefined) return undefined;
      const { generation: _generation, ...state } = row;
      return state;
    },
    count: () =>
      database.read(
        'count the source cache',
        () =>
          database
            .statement<{ readonly n: number }>('SELECT count(*) AS n FROM source_entries WHERE generation = ?')
            .get(generation())?.n ?? 0,
      ),
    *records() {
      const current = generation();
      const rows = paged<RecordRow, [number, string]>(
        database,
        'read the source cache',
        `SELECT ${columns} FROM source_entries WHERE generation = ? AND uuid > ? ORDER BY uuid LIMIT ?`,
        [current, ''],
        (last) => [current, last.uuid],
      );
      const toRecord = recordReader();
      for (const row of rows) yield toRecord(row);
    },
    *keys() {
      const current = generation();
      yield* paged<Pick<CachedRecord, 'uuid' | 'missing'>, [number, string]>(
        database,
        'read the source cache',
        'SELECT uuid, missing FROM source_entries WHERE generation = ? AND uuid > ? ORDER BY uuid LIMIT ?',
        [current, ''],
        (last) => [current, last.uuid],
      );
    },
    find: (uuid) =>
      database.read('read the source cache', () => {
        const row = database
          .statement<RecordRow>(`SELECT ${columns} FROM source_entries WHERE generation = ? AND uuid = ?`)
          .get(generation(), uuid);
        return row && recordReader()(row);
      }),
    refill: mode === 'write' ? () => refill(database) : refuse,
    update:
      mode === 'write'
        ? (put, remove, state) =>
            database.write('update the source cache', () => {
              const current = generation();
              const gone = database.statement('DELETE FROM source_entries WHERE generation = ? AND uuid = ?');
              for (const uuid of remove) gone.run(current, uuid);
              for (const record of put) putRecord(database, current, record);
              putState(database, current, state);
            })
        : refuse,
    clear: mode === 'write' ? () => clear(database) : refuse,
  };
}

/** Written in pieces beside the current generation; what an abandoned one left behind goes first. */
function refill(database: Database): CacheRefill {
  const action = 'fill the source cache';
  const next = database.write(action, () => {
    const current = stateRow(database)?.generation ?? 0;
    database.statement('DELETE FROM source_entries WHERE generation <> ?').run(current);
    return current + 1;
  });
  let buffer: CachedRecord[] = [];
  const flush = () => {
    for (const record of buffer) putRecord(database, next, record);
  };
  return {
    add(record) {
      buffer.push(record);
      if (buffer.length < bufferSize) return;
      database.write(action, flush);
      buffer = [];
    },
    finish(state) {
      database.write(action, () => {
        flush();
        putState(database, next, state);
        database.statement('DELETE FROM source_entries WHERE generation <> ?').run(next);
      });
    },
  };
}

/** The cache holds people's attributes: nothing of it stays when it is not used any more. */
function clear(database: Database): void {
  const anything = database.read('look into the source cache', () =>
    database
      .statement('SELECT 1 WHERE EXISTS (SELECT 1 FROM source_cache) OR EXISTS (SELECT 1 FROM source_entries)')
      .get(),
  );
  if (anything === undefined) return;
  database.write('clear the source cache', () => {
    database.statement('DELETE FROM source_cache').run();
    database.statement('DELETE FROM source_entries').run();
  });
}

function stateRow(database: Database): StateRow | undefined {
  return database
    .statement<StateRow>(
      `SELECT generation, method, digest, server, context, cookie, full_read_at AS fullReadAt, records FROM source_cache`,
    )
    .get();
}

function putState(database: Database, generation: number, state: SourceCacheState): void {
  const { method, digest, server, context, cookie, fullReadAt, records } = state;
  database
    .statement('INSERT OR REPLACE INTO source_cache VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?)')
    .run(generation, method, digest, server, context, cookie, fullReadAt, records);
}

function putRecord(database: Database, generation: number, record: CachedRecord): void {
  const { uuid, dn, values, unreadable, groups, missing } = record;
  database
    .statement(insert)
    .run(generation, uuid, dn, ...[values, unreadable, groups].map((each) => JSON.stringify(each)), missing);
}

/** There are few combinations of groups: people who share one share its list. */
function recordReader(): (row: RecordRow) => CachedRecord {
  const known = new Map<string, CachedGroups>();
  const groupsOf = (json: string) => {
    const groups = known.get(json) ?? (JSON.parse(json) as CachedGroups);
    known.set(json, groups);
    return groups;
  };
  return ({ uuid, dn, values, unreadable, groups, missing }) => ({
    uuid,
    dn,
    values: JSON.parse(values),
    unreadable: JSON.parse(unreadable),
    groups: groupsOf(groups),
    missing,
  });
}
