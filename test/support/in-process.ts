/**
 * `tdsync reconcile` in this process: lease, snapshot, source and sockets are the real ones, only waits are skipped. For
 * tests that need many runs, where a process for each would cost more than the run.
 */
import { readFileSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { exitCodeOf, exitCodeOfRun } from '../../src/cli/exit-codes.ts';
import { dryRun, runOnce } from '../../src/cli/one-run.ts';
import { chosen } from '../../src/cli/reconcile.ts';
import type { Session } from '../../src/cli/session.ts';
import { operationsOf } from '../../src/cli/undo.ts';
import { configurationDigestInput } from '../../src/config/digest-input.ts';
import { loadConfiguration } from '../../src/config/load.ts';
import type { GuardName } from '../../src/domain/rules.ts';
import type { Outcome, RunReport } from '../../src/domain/run.ts';
import { compileRules } from '../../src/engine/compile.ts';
import { digest } from '../../src/engine/digest.ts';
import { TdsyncError } from '../../src/errors.ts';
import type { Clock } from '../../src/ports.ts';
import type { PassOptions } from '../../src/reconcile/propose.ts';
import type { RunDetails } from '../../src/store/run-history.ts';
import { openSnapshot } from '../../src/store/snapshot.ts';
import { plantedSecret, type World } from './world.ts';

export interface SkippingClock extends Clock {
  /** Milliseconds of each wait that was skipped, in order. */
  readonly waits: readonly number[];
  /** Moves the time on, for what is to be tried again later. */
  advance(ms: number): void;
}

/** Real time, or a moment that stands still, plus everything that somebody wanted to wait for. */
export function createSkippingClock(standing?: number): SkippingClock {
  const waits: number[] = [];
  let skipped = 0;
  return {
    waits,
    now: () => (standing ?? Date.now()) + skipped,
    async sleep(ms, signal) {
      signal?.throwIfAborted();
      waits.push(ms);
      skipped += ms;
      await setImmediate();
    },
    advance(ms) {
      skipped += ms;
    },
  };
}

export interface InProcessOptions {
  readonly clock?: Clock;
  readonly refresh?: boolean;
  readonly allow?: readonly GuardName[];
  /** Variables that override the configuration file. */
  readonly environment?: Readonly<Record<string, string>>;
  /** externalIds, addresses or user SIDs. */
  readonly only?: readonly string[];
  /** The run whose operations are taken back. */
  readonly undo?: string;
  /**
   * Digests the configuration file as it is written: for plans that are compared with files. Otherwise the servers' addresses
   * are in it, which the system chooses, and keys that a later version adds.
   */
  readonly asWritten?: boolean;
}

export interface InProcessRun {
  /** What the command would exit with. */
  readonly code: number;
  /** Undefined when the run ended before a plan stood. */
  readonly report: RunReport | undefined;
  readonly error: TdsyncError | undefined;
}

export async function reconcileInProcess(world: World, options: InProcessOptions = {}): Promise<InProcessRun> {
  const signal = new AbortController().signal;
  try {
    const session = sessionOf(world, options);
    const { report, error } = await runOnce(session, 'reconcile', await passOf(session, options), signal);
    const code = error === undefined ? exitCodeOfRun(report.status, false) : exitCodeOf(error);
    return { code, report, error };
  } catch (error) {
    if (!(error instanceof TdsyncError)) throw error;
    return { code: exitCodeOf(error), report: undefined, error };
  }
}

/** `tdsync reconcile --dry-run`, or `tdsync undo --dry-run`, in this process. */
export async function dryRunInProcess(world: World, options: InProcessOptions = {}): Promise<RunReport> {
  const session = sessionOf(world, options);
  return dryRun(session, await passOf(session, options));
}

async function passOf(session: Session, { refresh, allow = [], only, undo }: InProcessOptions): Promise<PassOptions> {
  return {
    refresh,
    allowances: new Map(allow.map((guard) => [guard, Number.POSITIVE_INFINITY] as const)),
    only: chosen(only),
    ...(undo !== undefined && { undo: { run: undo, done: await operationsOf(undo, session) } }),
  };
}

export function sessionOf(world: Pick<World, 'path'>, options: InProcessOptions): Session {
  const { clock = createSkippingClock(), asWritten = false } = options;
  const file = world.path('tdsync.yaml');
  const environment = { TWILIO_CLIENT_SECRET: plantedSecret, ...options.environment };
  const loaded = loadConfiguration(file, environment);
  const { configuration } = loaded;
  const silent = () => {};
  return {
    loaded,
    configuration,
    compiled: compileRules(configuration.rules).compiled,
    digest: digest(asWritten ? readFileSync(file, 'utf8') : configurationDigestInput(configuration)),
    rim: {
      clock,
      logger: { debug: silent, info: silent, warn: silent, error: silent },
      serverFailures: new Map(),
      progress: { update: silent, clear: silent },
      environment: {},
    },
  };
}

/** What is wrong with the proof of the history; undefined when it holds. */
export function historyProblem(world: World): string | undefined {
  using snapshot = openSnapshot(world.path('tdsync.db'), 'read', undefined);
  return snapshot.audit.verify().problem?.message;
}

/** The runs of the snapshot with all they did, the newest first. */
export function historyOf(world: World): readonly RunDetails[] {
  using snapshot = openSnapshot(world.path('tdsync.db'), 'read', undefined);
  const { history } = snapshot;
  return history.runs(100).map(({ id }) => history.run(id) as RunDetails);
}

/** Outcomes by operation, for comparison: `grant emp-1 …: done`. */
export function outcomesOf({ report }: InProcessRun): Readonly<Record<string, Outcome['state']>> {
  return Object.fromEntries((report?.operations ?? []).map(({ operation, outcome }) => [operation.id, outcome.state]));
}
