import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { chmod, copyFile, mkdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { describe, expect, test } from 'vitest';
import { expectConverged, idsOf, reconcile, settle, wideGuards } from '../support/convergence.ts';
import { createWorld, type ErrorDocument, type Person, unprivileged, type World } from '../support/world.ts';

const anna: Person = { id: 'anna', groups: ['developers'] };
const ben: Person = { id: 'ben' };
const carl: Person = { id: 'carl', groups: ['developers'] };
const nobody = unprivileged();

/** Anna and Ben are in step, and Carl is about to join. */
async function worldInMotion(): Promise<World> {
  const world = await createWorld({ sections: { guards: wideGuards } });
  await world.people([anna, ben]);
  await settle(world);
  await world.people([anna, ben, carl]);
  world.twilio.requests.clear();
  return world;
}

/** The run ends with `code`, nothing was written to Twilio, and the error names the file and what to do. */
async function expectFailure(world: World, code: number): Promise<ErrorDocument['error']> {
  const run = await world.tdsync('reconcile', '--json');

  const { error } = run.json<ErrorDocument>();
  expect([run.code, world.twilio.requests.writes], run.stderr).toEqual([code, 0]);
  expect(error).toMatchObject({ message: expect.stringContaining('tdsync.db'), hint: expect.any(String) });
  return error;
}

/** Changes the file as only a program of another version, or an accident, would. */
function withDatabase(world: World, change: (database: Sqlite.Database) => void): void {
  const database = new Sqlite(world.path('tdsync.db'));
  change(database);
  database.close();
}

describe.concurrent('a snapshot that is in use', () => {
  test('ends a second run with 75, which names the first; looking is still possible', async () => {
    await using world = await worldInMotion();
    world.twilio.faults.add({ match: { method: 'POST', path: '/scim/v2/Users' }, times: 1, fault: 'hang' });
    const first = world.start(['reconcile'], { environment: { TDSYNC_TWILIO_TIMEOUT: '120s' } });
    await world.twilio.requests.waitFor({ method: 'POST', path: '/scim/v2/Users' });
    const writes = world.twilio.requests.writes;

    const second = await world.tdsync('reconcile', '--json');
    const [status, runs] = await Promise.all([world.tdsync('status'), world.tdsync('runs')]);
    first.kill('SIGKILL');
    await first.ended;
    const third = await reconcile(world);

    expect(second.code).toBe(75);
    expect(second.json<ErrorDocument>().error).toMatchObject({
      code: 'lease-held',
      message: expect.stringMatching(new RegExp(`tdsync\\.db: reconcile, process ${first.pid} on `)),
    });
    expect(world.twilio.requests.count({ method: 'POST', path: '/scim/v2/Users' })).toBe(writes + 1);
    expect([status.code, status.stdout]).toEqual([0, expect.stringContaining('running')]);
    expect([runs.code, runs.stdout]).toEqual([0, expect.stringContaining('running')]);
    expect(idsOf(third.plan.operations)).toEqual(['create carl', 'grant carl']);
    await expectConverged(world);
  });
});

describe.concurrent('a snapshot that cannot be trusted ends the run before Twilio is changed', () => {
  test('when it is no database', async () => {
    await using world = await worldInMotion();
    await writeFile(world.path('tdsync.db'), 'employeeId,mail\n'.repeat(500));

    expect(await expectFailure(world, 1)).toMatchObject({ code: 'snapshot-corrupt' });
    expect(await readFile(world.path('tdsync.db'), 'utf8')).toContain('employeeId,mail');
  });

  test('when a part of it was overwritten, or it was cut off', async () => {
    await using world = await worldInMotion();
    const good = await readFile(world.path('tdsync.db'));
    await writeFile(
      world.path('tdsync.db'),
      Buffer.concat([good.subarray(0, 4_096), Buffer.alloc(good.length - 4_096, 0x5a)]),
    );
    const overwritten = await expectFailure(world, 1);
    await writeFile(world.path('tdsync.db'), good);
    await truncate(world.path('tdsync.db'), 8_192);
    const cut = await expectFailure(world, 1);

    expect([overwritten.code, cut.code]).toEqual(['snapshot-corrupt', 'snapshot-corrupt']);
  });

  test('when a newer version wrote it', async () => {
    await using world = await worldInMotion();
    withDatabase(world, (database) => database.pragma('user_version = 9999'));

    expect(await expectFailure(world, 1)).toMatchObject({
      code: 'schema-too-new',
      message: expect.stringContaining('9999'),
    });
  });

  test('when it belongs to another organization', async () => {
    await using world = await worldInMotion();
    const text = await readFile(world.path('tdsync.yaml'), 'utf8');
    await world.write('tdsync.yaml', text.replace(/OR0+1/, `OR${'7'.repeat(32)}`));

    const error = await expectFailure(world, 1);

    expect(error.message).toMatch(/OR0+1.*OR7+|OR7+.*OR0+1/);
    expect(world.twilio.requests.total).toBe(0);
  });

  test('when another program made it', async () => {
    await using world = await worldInMotion();
    await rm(world.path('tdsync.db'));
    withDatabase(world, (database) => database.exec('CREATE TABLE customers (name TEXT)'));

    await expectFailure(world, 1);
  });

  test('when it is a folder', async () => {
    await using world = await createWorld();
    await world.people([anna]);
    await mkdir(world.path('tdsync.db'));

    expect((await expectFailure(world, 1)).message).toContain('it is a folder');
  });

  test.skipIf(nobody === undefined)('when it cannot be made or written', async () => {
    await using world = await createWorld();
    await world.people([anna]);
    await chmod(world.folder, 0o555);

    const run = await world.start(['reconcile', '--json'], nobody).ended;
    await chmod(world.folder, 0o755);

    expect([run.code, world.twilio.requests.total]).toEqual([1, 0]);
    expect(run.json<ErrorDocument>().error).toMatchObject({
      code: 'snapshot-unusable',
      message: expect.stringContaining('permission denied'),
    });
  });
});

describe.concurrent('a snapshot that was lost', () => {
  test('is made again: people are found by their externalId, and nobody is created or mailed twice', async () => {
    await using world = await worldInMotion();
    for (const name of Object.keys(await world.files())) if (name.startsWith('tdsync.db')) await rm(world.path(name));

    const run = await reconcile(world);

    expect(idsOf(run.plan.operations)).toEqual(['adopt anna', 'adopt ben', 'create carl', 'grant carl']);
    expect(world.twilio.requests.counts).not.toHaveProperty('PUT /scim/v2/Users/{id}');
    expect(world.twilio.state.mails.map(({ to }) => to)).toEqual([
      'anna@corp.example',
      'ben@corp.example',
      'carl@corp.example',
    ]);
    await expectConverged(world);
  });

  test('and is an old backup now: what was done since is found, not done again', async () => {
    await using world = await worldInMotion();
    await copyFile(world.path('tdsync.db'), world.path('backup'));
    await settle(world);
    await copyFile(world.path('backup'), world.path('tdsync.db'));

    const run = await reconcile(world);

    expect(idsOf(run.plan.operations)).not.toContain('create carl');
    expect(world.twilio.state.mails).toHaveLength(3);
    expect(world.twilio.state.assignments.size).toBe(2);
    await expectConverged(world);
  });
});

describe.skipIf(!canMount())('a disk that is full', () => {
  /** A folder of its own for the snapshot, on a disk of 8 MiB. */
  async function worldOnSmallDisk(): Promise<World> {
    const world = await createWorld({
      sections: { snapshot: { path: 'disk/tdsync.db' }, guards: { creations: { count: 999 } } },
    });
    await mkdir(world.path('disk'));
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', world.path('disk')]);
    const dispose = world[Symbol.asyncDispose];
    return {
      ...world,
      async [Symbol.asyncDispose]() {
        execFileSync('umount', [world.path('disk')]);
        await dispose();
      },
    };
  }

  test('from the start: the run ends before Twilio is asked anything', async () => {
    await using world = await worldOnSmallDisk();
    await world.people([anna]);
    await writeFile(world.path('disk/ballast'), Buffer.alloc(8_388_608 - 4_096));

    const run = await world.tdsync('reconcile', '--json');
    const dry = await world.tdsync('reconcile', '--dry-run');

    expect([run.code, run.json<ErrorDocument>().error.code]).toEqual([1, 'snapshot-unusable']);
    expect(run.stderr).toContain('the disk is full');
    expect(world.twilio.requests.writes).toBe(0);
    expect(dry.code).toBe(0);
  });

  test('in the middle: what was begun is looked at by the next run, and nobody is created twice', async () => {
    await using world = await worldOnSmallDisk();
    const people = Array.from({ length: 60 }, (_, index): Person => ({ id: `p${index}`, groups: ['developers'] }));
    await world.people(people.slice(0, 1));
    await settle(world);
    await world.people(people);
    world.twilio.requests.clear();

    const run = world.start(['reconcile']);
    await world.twilio.requests.waitFor({ method: 'POST', path: '/scim/v2/Users' }, 5);
    const filled = fill(world.path('disk/ballast'));
    const ended = await run.ended;
    await rm(filled);
    const next = await reconcile(world);

    expect([ended.code, ended.stderr]).toEqual([1, expect.stringContaining('the disk is full')]);
    expect(next.status).toBe('applied');
    const mailed = world.twilio.state.mails.map(({ to }) => to);
    expect(mailed.toSorted()).toEqual(people.map(({ id }) => `${id}@corp.example`).toSorted());
    expect(world.twilio.state.assignments.size).toBe(people.length);
    await expectConverged(world);
  });
});

/** Small disks are made by root alone, and not in every container. */
function canMount(): boolean {
  const folder = mkdtempSync(join(tmpdir(), 'tdsync-mount-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder], { stdio: 'ignore' });
    execFileSync('umount', [folder]);
    return true;
  } catch {
    return false;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Takes all the space that is left; returns the file that holds it. */
function fill(file: string): string {
  try {
    execFileSync('dd', ['if=/dev/zero', `of=${file}`, 'bs=4096'], { stdio: 'ignore' });
  } catch {
    // It ends with an error when the disk is full, as it should.
  }
  return file;
}
