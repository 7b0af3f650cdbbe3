import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { InternalError } from '../../src/errors.ts';
import { checkSnapshot } from '../../src/store/check.ts';
import { schemaVersion } from '../../src/store/migrations/index.ts';
import { openCopy } from '../../src/store/read-only.ts';
import { openSnapshot, type Snapshot } from '../../src/store/snapshot.ts';
import { organization, twilioUser } from '../support/builders.ts';
import {
  act,
  endOf,
  morning,
  open,
  planOf,
  refused,
  snapshotPath,
  startOf,
  temporaryFolder,
  update,
} from '../support/snapshots.ts';

const nobody = 65_534;

function names(snapshot: Snapshot): string[] {
  const found: string[] = [];
  snapshot.store.users((user) => found.push(user.attributes.userName));
  return found;
}

function withOneUser(path: string): void {
  using snapshot = openSnapshot(path, 'write', organization);
  const refresh = snapshot.store.refreshUsers();
  refresh.add(twilioUser(1, 'emp-1'), '{"id":1}');
  refresh.finish(1);
}

/** The folder at a second place, where nothing can be written, not even by root. Undefined where nothing can be mounted. */
function mountReadOnly(folder: string): string | undefined {
  const place = temporaryFolder();
  const mount = (...options: string[]) => spawnSync('mount', options).status === 0;
  if (!mount('--bind', folder, place)) return undefined;
  onTestFinished(() => {
    spawnSync('umount', ['-l', place]);
  });
  return mount('-o', 'remount,ro,bind', place) ? place : undefined;
}

/** Leaves the write-ahead log with what was written in it, as a killed process does. */
async function killAfterWriting(path: string): Promise<void> {
  const writer = act('write', path);
  await writer.line();
  writer.process.kill('SIGKILL');
  await writer.ended;
}

describe('a snapshot opened for reading', () => {
  test('is empty when there is no file, and none is made', () => {
    const path = join(temporaryFolder(), 'missing', 'tdsync.db');

    const snapshot = open(path, 'read');

    expect(names(snapshot)).toEqual([]);
    expect(snapshot.history.lastRun()).toBeUndefined();
    expect(snapshot.store.ages().users).toBeUndefined();
    expect(existsSync(dirname(path))).toBe(false);
  });

  test('shows what is in the file and leaves every byte of it', () => {
    const path = snapshotPath();
    withOneUser(path);
    const before = readFileSync(path);

    const snapshot = open(path, 'read');

    expect(names(snapshot)).toEqual(['emp-1@corp.example']);
    snapshot.close();
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  test('refuses whatever would change it', () => {
    const path = snapshotPath();
    withOneUser(path);
    const { store, journal, prune } = open(path, 'read');

    const changes = [
      () => store.refreshUsers(),
      () => store.refreshRoles([], [], 1),
      () => store.refreshAssignments(organization, [], 1),
      () => journal.start(startOf()),
      () => journal.end('1', endOf()),
      () => prune(1, 2),
    ];

    for (const change of changes) expect(change).toThrow(InternalError);
  });

  test('reads while another process holds it open for writing, and sees what that has written', async () => {
    const path = snapshotPath();
    await act('write', path).line();

    const snapshot = open(path, 'read');

    expect(names(snapshot)).toEqual(['emp-1@corp.example']);
  });

  test('does not keep a writer from writing, and sees it at its next question', () => {
    const path = snapshotPath();
    withOneUser(path);
    const reader = open(path, 'read');
    const writer = open(path);

    const run = writer.journal.start(startOf());
    writer.journal.planned(run, planOf([update('emp-1', 1)]), refused, undefined, morning);

    expect(reader.history.run(run)?.operations.map(({ operation }) => operation.id)).toEqual(['update emp-1']);
  });
});

describe('in a folder where nothing can be written', () => {
  test('a closed snapshot is read', ({ skip }) => {
    const path = snapshotPath();
    withOneUser(path);
    const folder = mountReadOnly(dirname(path)) ?? skip('mounting is not permitted here');

    const snapshot = open(join(folder, 'tdsync.db'), 'read');

    expect(names(snapshot)).toEqual(['emp-1@corp.example']);
    expect(checkSnapshot(join(folder, 'tdsync.db'))).toMatchObject({ schema: schemaVersion, organization });
    expect(readdirSync(folder)).toEqual(['tdsync.db']);
  });

  test('a snapshot is read that another process is writing', async ({ skip }) => {
    const path = snapshotPath();
    await act('write', path).line();
    const folder = mountReadOnly(dirname(path)) ?? skip('mounting is not permitted here');

    const snapshot = open(join(folder, 'tdsync.db'), 'read');

    expect(names(snapshot)).toEqual(['emp-1@corp.example']);
  });

  test('a snapshot is read whose writer was killed, with what was still in the log', async ({ skip }) => {
    const path = snapshotPath();
    await killAfterWriting(path);
    rmSync(`${path}-shm`);
    const folder = mountReadOnly(dirname(path)) ?? skip('mounting is not permitted here');

    const snapshot = open(join(folder, 'tdsync.db'), 'read');

    expect(names(snapshot)).toEqual(['emp-1@corp.example']);
  });

  test('opening for writing says that the disk is read-only', ({ skip }) => {
    const path = snapshotPath();
    withOneUser(path);
    const folder = mountReadOnly(dirname(path)) ?? skip('mounting is not permitted here');

    expect(() => openSnapshot(join(folder, 'tdsync.db'), 'write', organization)).toThrow('the disk is read-only');
    expect(() => openSnapshot(join(folder, 'new.db'), 'write', organization)).toThrow('the disk is read-only');
  });

  test('a user without write access reads it all the same', async ({ skip }) => {
    if (process.getuid?.() !== 0) skip('only root can become another user');
    const path = snapshotPath();
    withOneUser(path);
    chmodSync(path, 0o444);
    chmodSync(dirname(path), 0o555);

    const line = await act('read', path, { uid: nobody }).line();

    expect(line).toBe('read emp-1@corp.example');
  });

  test('a user without read access is told so', async ({ skip }) => {
    if (process.getuid?.() !== 0) skip('only root can become another user');
    const path = snapshotPath();
    withOneUser(path);
    chmodSync(dirname(path), 0o755);

    const line = await act('read', path, { uid: nobody }).line();

    expect(line).toBe(`SnapshotUnusableError: cannot read the snapshot: ${path}: permission denied`);
  });
});

describe('the copy for a folder where SQLite can make no file', () => {
  test('is of the file alone when the log is empty', () => {
    const path = snapshotPath();
    withOneUser(path);

    const { connection, dispose } = openCopy(path);
    const rows = connection.prepare('SELECT user_name FROM users').all();
    connection.close();
    dispose();

    expect(rows).toEqual([{ user_name: 'emp-1@corp.example' }]);
    expect(readdirSync(dirname(path))).toEqual(['tdsync.db']);
  });

  test('holds what is in the log, and leaves nothing behind', async () => {
    const path = snapshotPath();
    await killAfterWriting(path);

    const { connection, dispose } = openCopy(path);
    const rows = connection.prepare('SELECT user_name FROM users').all();
    const copy = dirname(connection.name);
    connection.close();
    dispose();

    expect(rows).toEqual([{ user_name: 'emp-1@corp.example' }]);
    expect(existsSync(copy)).toBe(false);
  });
});
