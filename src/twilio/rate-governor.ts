/**
 * Every request to the API passes here, each retry anew. Bottleneck keeps order, urgency and the configured concurrency; when
 * the next may start is ours (pacer.ts), because Bottleneck counts its spacing from whenever a job happens to register and
 * knows neither sliding windows nor a pause for everybody.
 */
import Bottleneck from 'bottleneck';
import type { Clock } from '../ports.ts';
import { createPacer, type RateLimits, type Ticket } from './pacer.ts';

/**
 * `write`: what an operation under way needs, its look-ups included. `read`: what the next plan needs. Whatever waits for a
 * place, a write gets it before a read does, so that reading never starves an operation that was begun.
 */
export type Urgency = 'write' | 'read';

/** One attempt's passage. */
export interface Passage {
  /**
   * Resolves when the request may be sent. To be awaited directly before that, so that preparations (a fresh token) never
   * bunch requests together.
   */
  start(): Promise<void>;
  /** The server took the request, whatever it answered. */
  accepted(): void;
  /** 429: nobody starts for `holdMs`, and the pace slows down. */
  refused(refusal: Refusal): void;
}

export interface Refusal {
  readonly holdMs: number;
  /** 20429: the server says that too many were under way. */
  readonly tooManyAtOnce: boolean;
}

export interface RateGovernor {
  /** Runs `task` when there is room for it. Aborting the signal ends a wait with the signal's reason. */
  schedule<T>(task: (passage: Passage) => Promise<T>, urgency: Urgency, signal?: AbortSignal): Promise<T>;
  /** Nobody starts for `ms` after `since`, or from now on, where the clock was set back; a longer hold already under way stays. */
  hold(since: number, ms: number): void;
  /** Starts per second at present; undefined as long as nothing was refused. */
  readonly pace: number | undefined;
}

/** Bottleneck's: 0 comes first. */
const priorities: Readonly<Record<Urgency, number>> = { write: 2, read: 7 };

export function createRateGovernor(limits: RateLimits, clock: Clock): RateGovernor {
  const bottleneck = new Bottleneck({ maxConcurrent: limits.maxConcurrent });
  const pacer = createPacer(limits);
  let queue: Promise<unknown> = Promise.resolve();
  let ended = Promise.withResolvers<void>();

  /** One at a time and in order: two that looked at the pacer together would start together. */
  function inTurn(signal: AbortSignal | undefined): Promise<Ticket> {
    const mine = queue.then(() => turn(signal));
    queue = mine.catch(() => undefined);
    return mine;
  }

  async function turn(signal: AbortSignal | undefined): Promise<Ticket> {
    for (;;) {
      signal?.throwIfAborted();
      const now = clock.now();
      const at = pacer.earliest(now);
      if (at <= now) return pacer.start(now);
      if (at === Number.POSITIVE_INFINITY) await ended.promise;
      else await clock.sleep(Math.ceil(at - now), signal);
    }
  }

  function leave(ticket: Ticket): void {
    pacer.ended(ticket);
    ended.resolve();
    ended = Promise.withResolvers();
  }

  async function pass<T>(task: (passage: Passage) => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    let ticket: Ticket | undefined;
    try {
      return await task({
        async start() {
          // A token that ended while the request waited: the turn is taken again.
          if (ticket !== undefined) leave(ticket);
          ticket = undefined;
          ticket = await inTurn(signal);
        },
        accepted() {
          if (ticket !== undefined) pacer.accepted(ticket);
        },
        refused(refusal) {
          if (ticket !== undefined) pacer.refused(ticket, { ...refusal, now: clock.now() });
        },
      });
    } finally {
      if (ticket !== undefined) leave(ticket);
    }
  }

  return {
    schedule: (task, urgency, signal) =>
      bottleneck.schedule({ priority: priorities[urgency] }, () => pass(task, signal)),
    hold: (since, ms) => pacer.hold(clock.now(), since, ms),
    get pace() {
      return pacer.rate;
    },
  };
}
