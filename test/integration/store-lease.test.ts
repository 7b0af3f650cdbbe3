import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { LeaseHeldError, SnapshotUnusableError } from '../../src/errors.ts';
import { acquireLease, type LeaseHolder } from '../../src/store/lease.ts';
import { act, morning, open, snapshotPath } from '../support/snapshots.ts';

const holder: LeaseHolder = { pid: 42, host: 'sync-1', command: 'reconcile', since: morning };

test('one run holds the lease, and the next is told who', () => {
  const path = snapshotPath();
  using _held = acquireLease(path, holder);

  const second = () => acquireLease(path, { ...holder, pid: 43 });

  expect(second).toThrow(LeaseHeldError);
  expect(second).toThrow(
    `another run holds the snapshot ${path}: reconcile, process 42 on sync-1, since 2026-11-24T09:15:00.000Z`,
  );
});

test('a released lease is free at once, and may be released again', () => {
  const path = snapshotPath();
  const first = acquireLease(path, holder);
  first.release();

  const second = acquireLease(path, { ...holder, pid: 43 });
  first.release();

  expect(() => acquireLease(path, holder)).toThrow('process 43');
  second.release();
  expect(existsSync(`${path}.lock.json`)).toBe(false);
});

test('a lease ends with its block', () => {
  const path = snapshotPath();

  {
    using _lease = acquireLease(path, holder);
  }

  expect(() => acquireLease(path, holder).release()).not.toThrow();
});

test('another process is kept out, and a killed one leaves nothing to clear away', async () => {
  const path = snapshotPath();
  const other = act('lease', path);
  await other.line();
  expect(() => acquireLease(path, holder)).toThrow(`daemon, process ${other.process.pid} on sync-1`);

  other.process.kill('SIGKILL');
  await other.ended;

  using _lease = acquireLease(path, holder);
  expect(JSON.parse(readFileSync(`${path}.lock.json`, 'utf8'))).toEqual(holder);
});

test('of processes that ask together one gets it', async () => {
  const path = snapshotPath();

  const outcomes = await Promise.allSettled([1, 2, 3, 4].map(() => act('lease', path).line()));

  expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
});

test('the lease is refused all the same when its holder cannot be read', () => {
  const path = snapshotPath();
  using _held = acquireLease(path, holder);
  writeFileSync(`${path}.lock.json`, '{"pid": "x');

  expect(() => acquireLease(path, holder)).toThrow('another run holds the snapshot');
});

test('the lease keeps nobody from reading or writing the snapshot itself', () => {
  const path = snapshotPath();
  using _lease = acquireLease(path, holder);

  const { store } = open(path);
  store.refreshRoles([], undefined, 1);

  expect(open(path, 'read').store.ages().roles).toBe(1);
});

test('the files of the lease are for the owner only', () => {
  const path = snapshotPath();

  using _lease = acquireLease(path, holder);

  for (const file of [`${path}.lock`, `${path}.lock.json`]) expect(statSync(file).mode & 0o777).toBe(0o600);
});

test('a lock that cannot be made is told with its path', () => {
  const path = snapshotPath();
  writeFileSync(path, '');

  const below = () => acquireLease(`${path}/tdsync.db`, holder);

  expect(below).toThrow(SnapshotUnusableError);
  expect(below).toThrow(`cannot take the lease of the snapshot: ${path}/tdsync.db.lock: a part of its path is a file`);
});
