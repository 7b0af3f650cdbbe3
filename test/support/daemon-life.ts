/**
 * The life of a daemon in this process: its runs one after another with hours between them that cost nothing, seen as
 * machines see it. As in a process, the configuration is read once, and secrets and certificates whenever they are needed.
 */
import { runOfDaemon } from '../../src/cli/daemon.ts';
import { startWatching } from '../../src/cli/watching.ts';
import type { RunSummary } from '../../src/store/run-history.ts';
import { openSnapshot } from '../../src/store/snapshot.ts';
import { type SkippingClock, sessionOf } from './in-process.ts';
import type { World } from './world.ts';

const minute = 60_000;

export interface DaemonLife extends AsyncDisposable {
  /** Runs so many times, 45 minutes apart, and returns these runs, the oldest first. */
  live(runs: number): Promise<readonly RunSummary[]>;
  /** What `/health/ready` answers. */
  ready(): Promise<number>;
  /** What `/metrics` shows: `name{labels}` → value. */
  metrics(): Promise<ReadonlyMap<string, number>>;
}

/** The configuration must have a section `server` that listens on a port of the system's choice. */
export async function startDaemonLife(
  world: World,
  clock: SkippingClock,
  environment: Readonly<Record<string, string>> = {},
): Promise<DaemonLife> {
  const session = sessionOf(world, { clock, environment });
  const watching = await startWatching(session);
  if (watching === undefined) throw new Error('the configuration has no section `server`');
  const { signal } = new AbortController();

  return {
    async live(runs) {
      for (let run = 0; run < runs; run += 1) {
        clock.advance(45 * minute);
        await runOfDaemon(session, signal);
      }
      using snapshot = openSnapshot(session.configuration.snapshot.path, 'read', undefined);
      return snapshot.history.runs(runs).toReversed();
    },
    ready: async () => (await fetch(`${watching.url}/health/ready`)).status,
    async metrics() {
      const text = await (await fetch(`${watching.url}/metrics`)).text();
      const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
      return new Map(
        lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]),
      );
    },
    [Symbol.asyncDispose]: () => watching[Symbol.asyncDispose](),
  };
}
