/**
 * The snapshot can no longer be written, from each of its transactions on: the disk is full, or somebody keeps it locked.
 * Whoever cannot write down what he is about to do does not do it, and whoever cannot write down what he did stops.
 * `CRASHES=all` tries all transactions, otherwise a few.
 */
import { spawnSync } from 'node:child_process';
import { copyFile, mkdir, rm, symlink } from 'node:fs/promises';
import Sqlite from 'better-sqlite3';
import { afterAll, describe, expect, test } from 'vitest';
import { endOf, prepareStages } from '../support/deaths.ts';
import { type Harmed, harmed, hooked, momentsToTry } from '../support/harm.ts';
import { historyOf, historyProblem } from '../support/in-process.ts';
import type { World } from '../support/world.ts';

const everything = process.env.CRASHES === 'all';
const stages = await prepareStages();
afterAll(() => stages[Symbol.asyncDispose]());
const scenario = 'reconcile, one call at a time';

async function transactions(): Promise<number> {
  await using stage = await stages.open(scenario);
  const { moments } = await harmed(stage.world, stage.args, 'list');
  return moments.filter((each) => each === 'begin').length;
}

/** Puts the snapshot on a disk of its own, of four megabytes; false where nothing can be mounted. */
async function onSmallDisk(world: World): Promise<AsyncDisposable | undefined> {
  const disk = world.path('disk');
  await mkdir(disk);
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', disk]).status !== 0) return undefined;
  await copyFile(world.path('tdsync.db'), `${disk}/tdsync.db`);
  await rm(world.path('tdsync.db'));
  await symlink(`${disk}/tdsync.db`, world.path('tdsync.db'));
  return {
    async [Symbol.asyncDispose]() {
      spawnSync('umount', ['-l', disk]);
    },
  };
}

/**
 * Ended with a message and a hint, and without another call since the first transaction that failed. Where a log that was
 * emptied is written over, a few more fit although no file can grow; the last of all may be among them.
 */
function expectStopped({ code, stderr, after }: Harmed, reason: RegExp): void {
  const messages = stderr.split('\n').filter((line) => !line.startsWith('@ ') && !line.startsWith('{'));
  // The harm comes with a begin.
  const since = ['begin', ...after];
  const failed = since.findIndex((each, index) => each === 'begin' && since[index + 1] !== 'commit');
  if (failed < 0) {
    expect(code, stderr).toBe(0);
    return;
  }
  expect(code, stderr).toBe(1);
  expect(messages.join('\n')).toMatch(reason);
  expect(messages.join('\n')).toMatch(/^ {2}→ \S/m);
  expect(since.slice(failed).filter((each) => each.startsWith('sent'))).toEqual([]);
}

/** The next run ends where an undisturbed one ends. */
async function expectMended(stage: { readonly world: World; readonly goOn: () => Promise<{ readonly code: number }> }) {
  const { world } = stage;
  const database = new Sqlite(world.path('tdsync.db'));
  const integrity = database.pragma('integrity_check', { simple: true });
  database.close();

  const next = await stage.goOn();
  const end = endOf(world);
  const last = await stage.goOn();

  expect([integrity, next.code, last.code]).toEqual(['ok', 0, 0]);
  expect(end).toEqual(await stages.undisturbed(scenario));
  expect(historyOf(world)[0]?.summary.status).toBe('converged');
  expect(historyProblem(world)).toBeUndefined();
}

const total = await transactions();
const cases = (some: number) => momentsToTry(total, everything, some).map((number) => ({ number, total }));

describe.concurrent('a snapshot that cannot be written', () => {
  test.for(cases(3))('from transaction $number of $total on stops the run', async ({ number }, { task }) => {
    task.meta.cell = { matrix: 'Failed writes', row: 'no room in any file', column: 'transaction' };
    await using stage = await stages.open(scenario);

    const stopped = await harmed(stage.world, stage.args, `full@${number}`);

    expectStopped(stopped, /cannot .*: reading or writing failed \(SQLITE_/);
    await expectMended(stage);
  });

  test.for(cases(1))('because the disk is full, from transaction $number of $total on', async ({ number }, context) => {
    context.task.meta.cell = { matrix: 'Failed writes', row: 'disk full', column: 'transaction' };
    await using stage = await stages.open(scenario);
    await using disk = await onSmallDisk(stage.world);
    if (disk === undefined) return context.skip('mounting is not permitted here');

    const stopped = await harmed(stage.world, stage.args, `full@${number}`, { TEST_DISK: stage.world.path('disk') });
    await rm(stage.world.path('disk/ballast'));

    // The first file to grow is the one that connections share.
    expectStopped(stopped, /the disk is full|SQLITE_IOERR_SHMSIZE/);
    await expectMended(stage);
  });

  test.for(cases(2))('because it is locked, from transaction $number of $total on', async ({ number }, { task }) => {
    task.meta.cell = { matrix: 'Failed writes', row: 'locked', column: 'transaction' };
    await using stage = await stages.open(scenario);

    const stopped = await harmed(stage.world, stage.args, `lock@${number}`);

    expectStopped(stopped, /another process keeps it locked/);
    await expectMended(stage);
  });
});

describe.concurrent('another process', () => {
  test('that writes for a while is waited for', async () => {
    await using stage = await stages.open(scenario);
    const { world } = stage;
    const writer = new Sqlite(world.path('tdsync.db'));
    writer.exec('BEGIN EXCLUSIVE');

    const run = world.start(stage.args, { environment: hooked('list') });
    // Somebody who looks at the schema is not kept waiting; who begins the run is.
    await run.line('@ commit');
    writer.exec('ROLLBACK');
    writer.close();

    expect((await run.ended).code).toBe(0);
  });

  test('that reads all the while is in nobody’s way, and sees what was when it began', async () => {
    await using stage = await stages.open(scenario);
    const reader = new Sqlite(stage.world.path('tdsync.db'), { readonly: true });
    reader.exec('BEGIN');
    const count = () => reader.prepare('SELECT count(*) FROM links').pluck().get();
    const before = count();

    const { code } = await stage.world.tdsync(...stage.args);
    const during = count();
    reader.exec('COMMIT');

    expect([code, during]).toEqual([0, before]);
    expect(count()).not.toBe(before);
    reader.close();
  });
});
