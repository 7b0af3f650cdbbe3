/**
 * A daemon's month, on real parts: an OpenLDAP server in which people come, change and go, a simulated Twilio that throttles,
 * fails and is changed by hand, and the daemon in a process of its own, which is killed and started again. A run every quarter
 * of an hour; the hours between cost nothing. Everything that is by chance comes from one seed.
 *
 * | part of the month | the daemon                                         | what is looked at                            |
 * |-------------------|----------------------------------------------------|----------------------------------------------|
 * | first 40 %        | is killed or stopped, in a run or between two      | the snapshot after each kill                 |
 * | the rest          | lives without a restart, through the same troubles | memory and files by quarter, snapshot's size |
 * | now and then      | is left in peace for some runs                     | Twilio is what the directory says            |
 */
import { statSync } from 'node:fs';
import { historyProblem } from '../support/in-process.ts';
import { createLdapWorld, type LdapWorld } from '../support/ldap-world.ts';
import { type Slapd, startSlapd } from '../support/slapd.ts';
import { damage, differences } from './checks.ts';
import { startSoakDaemon } from './daemon.ts';
import { createSoakDirectory } from './directory.ts';
import type { Sample } from './figures.ts';
import { createChance } from './random.ts';
import { createTroubles } from './troubles.ts';

const minute = 60_000;
const hour = 60 * minute;
const everyMs = 15 * minute;

export interface MonthOptions {
  readonly seed: number;
  /** 2,880 are a month. */
  readonly runs: number;
  readonly people: number;
  /** Restarts per run in the first part of the month. */
  readonly restartChance: number;
  /** `snapshot.keepRuns`. */
  readonly keepRuns: string;
  /** Runs between two measurements. */
  readonly sampleEvery: number;
  /** Runs between two times of peace. */
  readonly peaceEvery: number;
  readonly onProgress?: (run: number) => void;
}

export interface Month {
  /** What was not as it must be; empty when all was well. */
  readonly problems: readonly string[];
  /** What happened, by kind. */
  readonly counts: Readonly<Record<string, number>>;
  /** Of the long life in the second part of the month, the oldest first. */
  readonly samples: readonly Sample[];
}

const members = { developers: [0, 1, 2, 3], operators: [3, 4, 5] } as const;

export async function liveAMonth(options: MonthOptions): Promise<Month> {
  const slapd = await startSlapd({
    people: options.people,
    groups: Object.entries(members).map(([name, indexes]) => ({ name, kind: 'groupOfNames', members: indexes })),
    log: false,
  });
  const time = { now: Date.UTC(2026, 5, 1) };
  const world = await createLdapWorld(slapd, { timeouts: { connect: '2s' } }, sections(options), {
    now: () => time.now,
  });
  try {
    return await live(options, slapd, world, time);
  } finally {
    await world[Symbol.asyncDispose]();
    await slapd.stop();
  }
}

function sections({ keepRuns }: MonthOptions) {
  return {
    schedule: { cron: '*/15 * * * *' },
    server: { listen: '127.0.0.1:0' },
    snapshot: { path: 'tdsync.db', keepRuns },
  };
}

async function live(options: MonthOptions, slapd: Slapd, world: LdapWorld, time: { now: number }): Promise<Month> {
  const { runs, sampleEvery, peaceEvery, restartChance } = options;
  const chance = createChance(options.seed);
  const directory = createSoakDirectory(options.people, members, chance);
  const untouched = new Set(world.twilio.snapshot().users?.map(({ userName }) => userName));
  const troubles = createTroubles(slapd, world, directory, untouched, chance);
  const { counts, count } = troubles;
  const problems: string[] = [];
  const samples: Sample[] = [];
  let daemon = await startSoakDaemon(world.folder);
  let counted = 0;

  async function run(): Promise<void> {
    count('runs');
    time.now = (await daemon.run(time.now)) ?? time.now;
  }

  /** In the middle of a run, at any of its first requests, or between two runs. */
  async function restart(): Promise<void> {
    const signal = chance.happens(0.7) ? 'SIGKILL' : 'SIGTERM';
    if (chance.happens(0.7)) {
      world.twilio.requests.clear();
      count('runs');
      const ran = daemon.run(time.now);
      await Promise.race([ran, world.twilio.requests.waitFor({}, 1 + chance.whole(8))]);
    }
    await daemon.end(signal);
    count(`restarts by ${signal}`);
    problems.push(...damage(world));
    daemon = await startSoakDaemon(world.folder);
  }

  /** Nothing new goes wrong, and nobody is left waiting: then Twilio must be what the directory says. */
  async function makePeace(number: number): Promise<void> {
    await troubles.end();
    for (const wait of [25 * hour, 25 * hour, 25 * hour, everyMs, everyMs]) {
      time.now += wait;
      await run();
    }
    problems.push(...differences(world, directory.expected(), untouched).map((each) => `after run ${number}: ${each}`));
    directory.settle();
  }

  for (let number = 1; number <= runs; number += 1) {
    time.now += everyMs;
    await troubles.happen();
    const isLongLife = number > runs * 0.4;
    if (!isLongLife && chance.happens(restartChance)) await restart();
    else await run();
    if (isLongLife && number % sampleEvery === 0) {
      samples.push({ run: number, ...(await daemon.measure()), snapshotBytes: sizeOf(world) });
      const before = counted;
      counted = await daemon.countedRuns();
      if (counted < before) problems.push(`run ${number}: the count of runs went back from ${before} to ${counted}`);
    }
    if (number % peaceEvery === 0) await makePeace(number);
    if (problems.length > 0) break;
    options.onProgress?.(number);
  }
  await makePeace(runs);
  await daemon.end('SIGTERM');
  problems.push(...damage(world));
  const proof = historyProblem(world);
  if (proof !== undefined) problems.push(`the history: ${proof}`);
  return { problems, counts, samples };
}

function sizeOf(world: LdapWorld): number {
  const sizes = ['tdsync.db', 'tdsync.db-wal'].map(
    (name) => statSync(world.path(name), { throwIfNoEntry: false })?.size,
  );
  return sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0);
}
