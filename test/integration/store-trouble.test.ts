import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { describe, expect, onTestFinished, test } from 'vitest';
import { InternalError, SnapshotCorruptError, SnapshotUnusableError } from '../../src/errors.ts';
import { checkSnapshot } from '../../src/store/check.ts';
import { wrapConnection } from '../../src/store/database.ts';
import type { Snapshot } from '../../src/store/snapshot.ts';
import { translateStorageError } from '../../src/store/sqlite-errors.ts';
import { twilioUser } from '../support/builders.ts';
import {
  allowed,
  endOf,
  morning,
  open,
  planOf,
  snapshotPath,
  startOf,
  temporaryFolder,
  update,
} from '../support/snapshots.ts';

/** A disk of its own of one megabyte. Undefined where nothing can be mounted. */
function smallDisk(): string | undefined {
  const folder = temporaryFolder();
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder]).status !== 0) return undefined;
  onTestFinished(() => {
    spawnSync('umount', ['-l', folder]);
  });
  return folder;
}

function fill({ store }: Snapshot): void {
  const refresh = store.refreshUsers();
  for (let i = 0; i < 20_000; i += 1) refresh.add(twilioUser(i, `emp-${i}`), 'x'.repeat(500));
  refresh.finish(1);
}

describe('a full disk', () => {
  test('is told, and the snapshot holds what was recorded before', ({ skip }) => {
    const folder = smallDisk() ?? skip('mounting is not permitted here');
    const path = join(folder, 'tdsync.db');
    const snapshot = open(path);
    const run = snapshot.journal.start(startOf());
    const operation = update('emp-1', 1);
    snapshot.journal.planned(run, planOf([operation]), allowed, planOf([operation]), morning);

    expect(() => fill(snapshot)).toThrow(SnapshotUnusableError);
    expect(() => fill(snapshot)).toThrow(`cannot store the users read from Twilio: ${path}: the disk is full`);

    expect(snapshot.store.ages().users).toBeUndefined();
    expect(snapshot.history.run(run)?.operations.map(({ state }) => state)).toEqual(['pending']);
    snapshot.close();
    expect(checkSnapshot(path).problems.filter((problem) => problem.includes('damaged'))).toEqual([]);
  });

  test('keeps outcome and effects together: neither is stored', ({ skip }) => {
    const folder = smallDisk() ?? skip('mounting is not permitted here');
    const snapshot = open(join(folder, 'tdsync.db'));
    const run = snapshot.journal.start(startOf());
    const operation = update('emp-1', 1);
    snapshot.journal.planned(run, planOf([operation]), allowed, planOf([operation]), morning);
    snapshot.journal.intend(run, operation, morning);

    const complete = () =>
      snapshot.journal.complete(
        run,
        operation,
        { state: 'done' },
        [{ effect: 'user', user: twilioUser(1, 'emp-1'), resource: 'x'.repeat(2_000_000) }],
        morning,
      );

    expect(complete).toThrow('cannot record the outcome of update emp-1');
    expect(complete).toThrow(SnapshotUnusableError);
    expect(snapshot.history.run(run)?.operations.map(({ state }) => state)).toEqual(['intended']);
    snapshot.journal.end(run, endOf({ status: 'failed' }));
    expect(snapshot.store.unfinished()).toEqual([operation]);
  });
});

test('a lock that another process does not let go of is told', () => {
  const path = snapshotPath();
  open(path).close();
  const other = new Sqlite(path);
  onTestFinished(() => {
    other.close();
  });
  other.exec('BEGIN IMMEDIATE');
  const connection = new Sqlite(path, { timeout: 0 });
  onTestFinished(() => {
    connection.close();
  });

  const write = () => wrapConnection(connection, path).write('store something', () => {});

  expect(write).toThrow(SnapshotUnusableError);
  expect(write).toThrow(`cannot store something: ${path}: another process keeps it locked`);
});

describe('an error of SQLite', () => {
  const cases: readonly [code: string, type: unknown, reason: string][] = [
    ['SQLITE_FULL', SnapshotUnusableError, 'the disk is full'],
    ['SQLITE_BUSY_SNAPSHOT', SnapshotUnusableError, 'another process keeps it locked'],
    ['SQLITE_IOERR_FSYNC', SnapshotUnusableError, 'reading or writing failed (SQLITE_IOERR_FSYNC)'],
    ['SQLITE_READONLY_DBMOVED', SnapshotUnusableError, 'its folder does not let SQLite'],
    ['SQLITE_CORRUPT_INDEX', SnapshotCorruptError, 'the file is damaged'],
    ['SQLITE_NOTADB', SnapshotCorruptError, 'the file is not an SQLite database'],
    ['SQLITE_CONSTRAINT_UNIQUE', InternalError, 'SQLITE_CONSTRAINT_UNIQUE'],
  ];

  test.each(cases)('%s becomes an error that says what to do', (code, type, reason) => {
    const path = snapshotPath();
    open(path).close();

    const error = translateStorageError(new Sqlite.SqliteError('detail', code), path, 'do this');

    expect(error).toBeInstanceOf(type);
    expect((error as Error).message).toContain('cannot do this');
    expect((error as Error).message).toContain(reason);
    expect((error as Error).cause).toBeInstanceOf(Sqlite.SqliteError);
  });

  test('of another kind passes through unchanged', () => {
    const bug = new TypeError('not a function');

    expect(translateStorageError(bug, '/x', 'do this')).toBe(bug);
  });
});
