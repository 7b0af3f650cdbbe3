import Sqlite from 'better-sqlite3';
import { describe, expect, test } from 'vitest';
import type { CachedRecord, SourceCache, SourceCacheState } from '../../src/domain/source-cache.ts';
import { initial } from '../../src/store/migrations/0001-initial.ts';
import { applicationId } from '../../src/store/schema.ts';
import { endOf, morning, open, snapshotPath, startOf } from '../support/snapshots.ts';

function record(name: string, over: Partial<CachedRecord> = {}): CachedRecord {
  return {
    uuid: `uuid-${name}`,
    dn: `uid=${name},ou=people,dc=example,dc=com`,
    values: { mail: `${name}@example.com`, title: ['Ängström', 'line\nbreak'] },
    unreadable: ['jpegPhoto'],
    groups: [['developers', 'cn=team', 'cn=developers'], ['cn=x,dc=y']],
    missing: 0,
    ...over,
  };
}

function stateOf(over: Partial<SourceCacheState> = {}): SourceCacheState {
  return {
    method: 'syncrepl',
    digest: 'd',
    server: 'ldaps://ldap.example',
    context: 'dc=example,dc=com',
    cookie: Buffer.from([0, 255, 1, 128]),
    fullReadAt: morning,
    records: 2,
    ...over,
  };
}

function fill(
  cache: SourceCache,
  records: readonly CachedRecord[],
  state = stateOf({ records: records.length }),
): void {
  const refill = cache.refill();
  for (const each of records) refill.add(each);
  refill.finish(state);
}

describe('the cache of the source', () => {
  test('gives back state and records as they were kept, in the order of their UUIDs', () => {
    const path = snapshotPath();
    const writer = open(path);
    const records = [record('b'), record('a', { missing: 2, groups: [], values: {} })];
    fill(writer.sourceCache, records);
    writer.close();

    const { sourceCache } = open(path, 'read');

    expect(sourceCache.state()).toEqual(stateOf());
    expect([...sourceCache.records()]).toEqual([records[1], records[0]]);
    expect([...sourceCache.keys()]).toEqual([
      { uuid: 'uuid-a', missing: 2 },
      { uuid: 'uuid-b', missing: 0 },
    ]);
    expect(sourceCache.count()).toBe(2);
    expect(sourceCache.find('uuid-b')).toEqual(records[0]);
    expect(sourceCache.find('uuid-c')).toBeUndefined();
  });

  test('stays as it was while a new reading is on its way, and when that is abandoned', () => {
    const { sourceCache } = open(snapshotPath());
    fill(sourceCache, [record('a')]);

    const abandoned = sourceCache.refill();
    for (let i = 0; i < 2_500; i += 1) abandoned.add(record(`new-${i}`));
    const meanwhile = [...sourceCache.keys()].length;
    fill(sourceCache, [record('b'), record('c')]);

    expect(meanwhile).toBe(1);
    expect([...sourceCache.keys()].map(({ uuid }) => uuid)).toEqual(['uuid-b', 'uuid-c']);
    expect(sourceCache.count()).toBe(2);
  });

  test('leaves nothing behind of a reading that was abandoned', () => {
    const path = snapshotPath();
    const snapshot = open(path);
    const abandoned = snapshot.sourceCache.refill();
    for (let i = 0; i < 2_500; i += 1) abandoned.add(record(`new-${i}`));
    fill(snapshot.sourceCache, [record('a')]);
    snapshot.close();

    expect(rowsIn(path)).toBe(1);
  });

  test('takes changes and the new cookie together or not at all', () => {
    const { sourceCache } = open(snapshotPath());
    fill(sourceCache, [record('a'), record('b')]);
    const failing = function* () {
      yield record('c');
      throw new Error('no more');
    };

    expect(() => sourceCache.update(failing(), ['uuid-a'], stateOf({ cookie: Buffer.from('later') }))).toThrow(
      'no more',
    );
    const before = [...sourceCache.keys()].map(({ uuid }) => uuid);
    const cookieBefore = sourceCache.state()?.cookie;
    const changed = record('b', { groups: [] });
    sourceCache.update([changed, record('c')], ['uuid-a'], stateOf({ cookie: Buffer.from('later') }));

    expect(before).toEqual(['uuid-a', 'uuid-b']);
    expect(cookieBefore).toEqual(stateOf().cookie);
    expect([...sourceCache.records()]).toEqual([changed, record('c')]);
    expect(sourceCache.state()?.cookie).toEqual(Buffer.from('later'));
  });

  test('holds more records than a page of its reading', () => {
    const { sourceCache } = open(snapshotPath());
    const names = Array.from({ length: 4_001 }, (_, index) => String(index).padStart(5, '0'));

    fill(
      sourceCache,
      names.map((name) => record(name)),
    );

    expect([...sourceCache.records()].map(({ uuid }) => uuid)).toEqual(names.map((name) => `uuid-${name}`));
  });

  test('opened for reading cannot be changed, and is empty where there is no file', () => {
    const path = snapshotPath();
    open(path).close();
    const { sourceCache } = open(path, 'read');
    const { sourceCache: ofNothing } = open(snapshotPath(), 'read');

    expect(sourceCache.writable).toBe(false);
    expect(() => sourceCache.refill()).toThrow('opened for reading');
    expect(() => sourceCache.update([], [], stateOf())).toThrow('opened for reading');
    expect(() => sourceCache.clear()).toThrow('opened for reading');
    expect([ofNothing.state(), ofNothing.count(), [...ofNothing.records()]]).toEqual([undefined, 0, []]);
  });

  test('keeps nobody when it is cleared, not even of an abandoned reading', () => {
    const path = snapshotPath();
    const snapshot = open(path);
    fill(snapshot.sourceCache, [record('a')]);
    const abandoned = snapshot.sourceCache.refill();
    for (let i = 0; i < 1_000; i += 1) abandoned.add(record(`new-${i}`));

    snapshot.sourceCache.clear();
    const state = snapshot.sourceCache.state();
    snapshot.close();

    expect(state).toBeUndefined();
    expect(rowsIn(path)).toBe(0);
  });
});

test('a snapshot of the first schema gets an empty cache, and its runs know nothing of how the source was read', () => {
  const path = snapshotPath();
  const old = new Sqlite(path);
  old.exec(initial.sql);
  old.pragma(`application_id = ${applicationId}`);
  old.pragma('user_version = 1');
  old
    .prepare(
      `INSERT INTO runs (id, command, host, pid, user, allowances_json, started_at, ended_at, status) VALUES ('r', 'reconcile', 'h', 1, 'u', '[]', 1, 2, 'converged')`,
    )
    .run();
  old.close();

  const { sourceCache, history } = open(path);
  fill(sourceCache, [record('a')]);

  expect(sourceCache.count()).toBe(1);
  expect(history.lastRun()).toMatchObject({ id: 'r', status: 'converged' });
  expect(history.lastRun()).not.toHaveProperty('source');
});

test('the history keeps how the source of a run was read', () => {
  const { journal, history } = open(snapshotPath());
  const manner = { manner: 'incremental', changed: 3, gone: 1, fullReadAt: morning } as const;
  const run = journal.start(startOf());

  journal.end(run, endOf({ status: 'converged', manner }));

  expect(history.lastRun()?.source).toEqual(manner);
});

function rowsIn(path: string): number {
  const database = new Sqlite(path, { readonly: true });
  const { n } = database.prepare<[], { n: number }>('SELECT count(*) AS n FROM source_entries').get() ?? { n: -1 };
  database.close();
  return n;
}
