import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { describe, expect, test } from 'vitest';
import type { ScopeSid } from '../../src/domain/identity.ts';
import { SchemaTooNewError, SnapshotCorruptError, SnapshotUnusableError } from '../../src/errors.ts';
import { checkSnapshot } from '../../src/store/check.ts';
import { initial } from '../../src/store/migrations/0001-initial.ts';
import { migrations, schemaVersion } from '../../src/store/migrations/index.ts';
import { openForWriting } from '../../src/store/open-for-writing.ts';
import { openForReading } from '../../src/store/read-only.ts';
import { openSnapshot } from '../../src/store/snapshot.ts';
import { organization, twilioUser } from '../support/builders.ts';
import { act, open, snapshotPath, temporaryFolder } from '../support/snapshots.ts';

function modeOf(path: string): string {
  return (statSync(path).mode & 0o777).toString(8);
}

function withUsers(path: string, count: number): void {
  using snapshot = openSnapshot(path, 'write', organization);
  const refresh = snapshot.store.refreshUsers();
  for (let i = 1; i <= count; i += 1) refresh.add(twilioUser(i, `emp-${i}`), JSON.stringify({ id: i }));
  refresh.finish(1);
}

function thrown(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

describe('a new snapshot', () => {
  test('is made with its folder, and nobody but the owner can reach either', () => {
    const folder = join(temporaryFolder(), 'state', 'data');
    const path = join(folder, 'tdsync.db');

    const snapshot = open(path);
    snapshot.store.refreshRoles([], undefined, 1);

    expect(modeOf(folder)).toBe('700');
    expect([path, `${path}-wal`, `${path}-shm`].map(modeOf)).toEqual(['600', '600', '600']);
    expect(snapshot.notices).toEqual([]);
  });

  test('is what an empty file becomes', () => {
    const path = snapshotPath();
    writeFileSync(path, '', { mode: 0o600 });

    const snapshot = open(path);

    expect(snapshot.history.managed()).toBe(0);
  });

  test('is made once by processes that open it together', async () => {
    const path = snapshotPath();

    const lines = await Promise.all([1, 2, 3, 4].map(() => act('open', path).line()));

    expect(lines).toEqual(Array(4).fill('managed 0'));
    expect(checkSnapshot(path)).toMatchObject({ schema: schemaVersion, organization, problems: [] });
  });

  test('leaves one file when it is closed, and may be closed again', () => {
    const path = snapshotPath();
    const snapshot = open(path);

    snapshot.close();
    snapshot.close();

    expect([existsSync(path), existsSync(`${path}-wal`), existsSync(`${path}-shm`)]).toEqual([true, false, false]);
  });
});

test('a file that others can reach is tightened, and the operator is told', () => {
  const path = snapshotPath();
  openSnapshot(path, 'write', organization).close();
  chmodSync(path, 0o644);

  const snapshot = open(path);

  expect(modeOf(path)).toBe('600');
  expect(snapshot.notices).toEqual([`${path} had mode 0644, so others than its owner could reach it: changed to 0600`]);
});

describe('a snapshot belongs to one organization', () => {
  const other = 'OR00000000000000000000000000000002' as ScopeSid;

  test.each(['write', 'read'] as const)('and is refused to another, opened to %s', (mode) => {
    const path = snapshotPath();
    openSnapshot(path, 'write', organization).close();

    const error = thrown(() => openSnapshot(path, mode, other));

    expect(error).toBeInstanceOf(SnapshotUnusableError);
    expect((error as Error).message).toBe(
      `snapshot ${path} belongs to the Twilio organization ${organization}, not to ${other}`,
    );
  });

  test('which is the first that a run names', () => {
    const path = snapshotPath();
    openSnapshot(path, 'write', undefined).close();

    openSnapshot(path, 'write', other).close();

    expect(checkSnapshot(path).organization).toBe(other);
  });
});

describe('migrations', () => {
  const later = [...migrations, { version: migrations.length + 1, sql: 'CREATE TABLE later (id INTEGER) STRICT' }];

  test('are numbered without a gap', () => {
    expect(migrations.map(({ version }) => version)).toEqual(migrations.map((_, index) => index + 1));
    expect(migrations[0]).toBe(initial);
  });

  test('bring an older file up to date and keep what is in it', () => {
    const path = snapshotPath();
    withUsers(path, 2);

    const { database } = openForWriting(path, organization, later);
    const users = database.connection.prepare('SELECT count(*) AS n FROM users').get();
    const version = database.connection.pragma('user_version', { simple: true });
    database.connection.close();

    expect(users).toEqual({ n: 2 });
    expect(version).toBe(later.length);
  });

  test('are made in memory when an older file is read', () => {
    const path = snapshotPath();
    withUsers(path, 2);
    const before = readFileSync(path);

    const { database, close } = openForReading(path, organization, later);
    const rows = database.connection
      .prepare('SELECT (SELECT count(*) FROM users) AS users, count(*) AS later FROM later')
      .get();
    close();

    expect(rows).toEqual({ users: 2, later: 0 });
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  test.each(['write', 'read'] as const)('refuse a newer file, opened to %s', (mode) => {
    const path = snapshotPath();
    openForWriting(path, organization, later).database.connection.close();

    const error = thrown(() => openSnapshot(path, mode, organization));

    expect(error).toBeInstanceOf(SchemaTooNewError);
    expect(error).toMatchObject({
      message: `snapshot ${path} has schema version ${schemaVersion + 1}; this version of tdsync knows versions up to ${schemaVersion}`,
      hint: 'Upgrade tdsync, or set snapshot.path to another file.',
    });
  });

  test('that fail leave the file as it was', () => {
    const path = snapshotPath();
    withUsers(path, 2);
    const failing = [
      ...migrations,
      { version: schemaVersion + 1, sql: 'CREATE TABLE later (id); INSERT INTO nowhere VALUES (1)' },
    ];

    expect(() => openForWriting(path, organization, failing)).toThrow('no such table: nowhere');

    expect(checkSnapshot(path)).toMatchObject({ schema: schemaVersion, problems: [] });
  });
});

describe.each(['write', 'read'] as const)('opened to %s, damage is told', (mode) => {
  function expectCorrupt(path: string, reason: string): void {
    const before = readFileSync(path);
    const error = thrown(() => {
      using snapshot = openSnapshot(path, mode, organization);
      snapshot.store.users(() => {});
    });
    expect(error).toBeInstanceOf(SnapshotCorruptError);
    expect((error as Error).message).toContain(`snapshot ${path}: `);
    expect((error as Error).message).toContain(reason);
    expect((error as SnapshotCorruptError).hint).toContain('away and run again');
    expect(readFileSync(path).equals(before)).toBe(true);
  }

  test('when the file is not a database', () => {
    const path = snapshotPath();
    writeFileSync(path, 'employeeId,mail\n'.repeat(1_000), { mode: 0o600 });

    expectCorrupt(path, 'the file is not an SQLite database');
  });

  test('when it is the database of another program, which stays as it is', () => {
    const path = snapshotPath();
    const foreign = new Sqlite(path);
    foreign.exec('CREATE TABLE songs (title TEXT)');
    foreign.close();
    chmodSync(path, 0o600);

    expectCorrupt(path, 'database of another program');
    expect(existsSync(`${path}-wal`)).toBe(false);
  });

  test('when the file was cut off', () => {
    const path = snapshotPath();
    withUsers(path, 5_000);
    truncateSync(path, Math.floor(statSync(path).size / 2));

    expectCorrupt(path, 'the file is damaged (database disk image is malformed)');
  });

  test('when pages in its midst were overwritten', () => {
    const path = snapshotPath();
    withUsers(path, 5_000);
    const bytes = readFileSync(path);
    bytes.fill(0xa5, 4_096 * 4, bytes.length - 4_096);
    writeFileSync(path, bytes);

    expectCorrupt(path, 'the file is damaged (database disk image is malformed)');
  });
});

describe('a path that cannot be used is told', () => {
  test('when it is a folder', () => {
    const path = snapshotPath();
    mkdirSync(path);

    for (const mode of ['write', 'read'] as const) {
      const error = thrown(() => openSnapshot(path, mode, organization));
      expect(error).toBeInstanceOf(SnapshotUnusableError);
      expect((error as Error).message).toContain(`${path}: it is a folder, not a file`);
    }
  });

  test('when its folder is a file', () => {
    const folder = join(temporaryFolder(), 'data');
    writeFileSync(folder, '');

    const error = thrown(() => openSnapshot(join(folder, 'tdsync.db'), 'write', organization));

    expect(error).toBeInstanceOf(SnapshotUnusableError);
    expect((error as Error).message).toContain('a part of its path is a file, not a folder');
  });
});

describe('a check', () => {
  test('finds a sound snapshot sound and says what it is', () => {
    const path = snapshotPath();
    chmodSync(join(path, '..'), 0o700);
    withUsers(path, 3);

    const check = checkSnapshot(path);

    expect(check).toEqual({
      path,
      exists: true,
      mode: '0600',
      size: statSync(path).size,
      schema: schemaVersion,
      supportedSchema: schemaVersion,
      organization,
      problems: [],
    });
  });

  test('of a snapshot that is not there yet finds nothing wrong', () => {
    const path = snapshotPath();

    expect(checkSnapshot(path)).toMatchObject({ exists: false, mode: undefined, size: 0, problems: [] });
    expect(existsSync(path)).toBe(false);
  });

  test('finds damage, and modes that let others in', () => {
    const path = snapshotPath();
    withUsers(path, 5_000);
    const bytes = readFileSync(path);
    bytes.fill(0xa5, bytes.length - 3 * 4_096, bytes.length - 4_096);
    writeFileSync(path, bytes);
    chmodSync(path, 0o640);
    chmodSync(join(path, '..'), 0o777);

    const { problems } = checkSnapshot(path);

    expect(problems[0]).toBe(`${path} has mode 0640: others than its owner can reach it. Run chmod 600 ${path}`);
    expect(problems[1]).toContain('others than its owner can replace the snapshot');
    expect(problems[2]).toContain('is damaged');
  });
});
