/** Everything a run needs, in memory: a list of entries as source, Twilio, the snapshot, and a clock that stands still. */
import type { Entry } from '../../src/domain/entry.ts';
import type { Rules } from '../../src/domain/rules.ts';
import { type CompiledRules, compileRules } from '../../src/engine/compile.ts';
import type { Context } from '../../src/reconcile/context.ts';
import { type Reconciled, reconcileOnce } from '../../src/reconcile/reconcile.ts';
import { rules as someRules } from './builders.ts';
import { createMemorySnapshot, type MemorySnapshot, type SnapshotState } from './memory-snapshot.ts';
import { createMemoryTwilio, type MemoryTwilio, type TwilioState } from './memory-twilio.ts';

export interface World {
  readonly context: Context;
  readonly twilio: MemoryTwilio;
  readonly snapshot: MemorySnapshot;
  /** What the source holds; may be replaced between runs. */
  entries: readonly Entry[];
  /** Milliseconds since the epoch. */
  now: number;
}

export interface WorldState {
  readonly rules?: Rules;
  readonly compiled?: CompiledRules;
  readonly entries?: readonly Entry[];
  readonly twilio?: TwilioState;
  readonly snapshot?: SnapshotState;
  readonly maxConcurrent?: number;
}

export function createWorld(state: WorldState = {}): World {
  const rules = state.rules ?? someRules();
  const compiled = state.compiled ?? compileRules(rules).compiled;
  const twilio = createMemoryTwilio(state.twilio ?? { users: [] });
  const snapshot = createMemorySnapshot(state.snapshot);
  const silent = () => {};
  const world: World = {
    twilio,
    snapshot,
    entries: state.entries ?? [],
    now: 0,
    context: {
      rules,
      compiled,
      configuration: 'configuration',
      source: {
        description: 'a list',
        async read(_demand, onEntry) {
          for (const each of world.entries) onEntry(each);
          return { entries: world.entries.length, description: 'a list' };
        },
      },
      target: twilio,
      store: snapshot.store,
      journal: snapshot.journal,
      clock: { now: () => world.now, sleep: () => Promise.resolve() },
      logger: { debug: silent, info: silent, warn: silent, error: silent },
      progress: { update: silent, clear: silent },
      refreshUsersMs: 0,
      refreshAssignmentsMs: 0,
      requestsPerSecond: 5,
      maxConcurrent: state.maxConcurrent ?? 1,
      breaker: { inARow: 10, percent: 50, sample: 20, unanswered: 3 },
    },
  };
  return world;
}

/** One run, with the writes that it asked Twilio for. */
export async function runIn(
  world: World,
  signal = new AbortController().signal,
): Promise<Reconciled & { readonly asked: readonly string[] }> {
  const before = world.twilio.writes.length;
  const reconciled = await reconcileOnce(world.context, { allowances: new Map(), start: memoryStart }, signal);
  return { ...reconciled, asked: world.twilio.writes.slice(before) };
}

/** Who runs it. */
export const memoryStart = { command: 'reconcile', host: 'here', pid: 1, user: 'operator', version: '0.1.0' };
