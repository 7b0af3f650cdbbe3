/**
 * Drives the pacer against a limited server in virtual time: somebody who wants to send as much as is let through, with
 * timers that fire late, answers that take their time, and retries as the client makes them.
 */
import { createPacer, type RateLimits, type Ticket } from '../../src/twilio/pacer.ts';
import { backoffMs, defaultRetryLimits } from '../../src/twilio/retry.ts';
import { createLimiter, type Shape } from './throttling-server.ts';

export interface Scene {
  readonly shape: Shape;
  /** Of its refusals. */
  readonly code?: number | undefined;
  readonly ceilings: RateLimits;
  /** The server's limits, one after the other, and how many seconds each holds. */
  readonly limits: readonly (readonly [limit: number, seconds: number])[];
  /** Milliseconds from start to answer, and what chance adds to it on average. */
  readonly latency: number;
  readonly jitter: number;
  /** Whether refusals carry Retry-After, in whole seconds. */
  readonly retryAfter: boolean;
  readonly seed: number;
  readonly trace?: (line: string) => void;
}

export interface Figures {
  /** Requests let through, of those that the server's limit, or the ceiling if that is lower, has room for. */
  readonly efficiency: number;
  readonly refusedShare: number;
  readonly accepted: number;
  readonly refused: number;
}

export function simulate(scene: Scene): Figures {
  const { ceilings, latency } = scene;
  const random = createRandom(scene.seed);
  const limiter = createLimiter(scene.shape, scene.limits[0]?.[0] ?? 1);
  const pacer = createPacer(ceilings);
  const agenda = createAgenda();
  const figures = { accepted: 0, refused: 0 };
  /** How often the calls were refused that are to be tried again. */
  const again: number[] = [];
  let calls = 0;
  let wakeAt = Number.POSITIVE_INFINITY;

  /** A part of a way, with that part of the jitter: exponential, so that a few are very late. */
  const part = (share: number) => share * (latency - Math.log(1 - random()) * scene.jitter);

  function turn(): void {
    while (calls < ceilings.maxConcurrent) {
      const at = pacer.earliest(agenda.now);
      if (at > agenda.now) {
        if (at < Number.POSITIVE_INFINITY) wake(Math.ceil(at) + 2 * random());
        return;
      }
      calls++;
      send(pacer.start(agenda.now), again.shift() ?? 0);
    }
  }

  function wake(at: number): void {
    if (at >= wakeAt) return;
    wakeAt = at;
    agenda.at(at, () => {
      if (wakeAt !== at) return;
      wakeAt = Number.POSITIVE_INFINITY;
      turn();
    });
  }

  function send(ticket: Ticket, failures: number): void {
    agenda.at(agenda.now + part(0.25), () => {
      const retryIn = limiter.arrive(agenda.now);
      const answeredAt = agenda.now + (retryIn === undefined ? part(0.5) : 0);
      if (retryIn === undefined) agenda.at(answeredAt, () => limiter.left());
      agenda.at(answeredAt + part(0.25), () => {
        if (retryIn === undefined) accepted(ticket);
        else refused(ticket, failures + 1, retryIn);
        pacer.ended(ticket);
        calls--;
        turn();
      });
    });
  }

  function accepted(ticket: Ticket): void {
    figures.accepted++;
    pacer.accepted(ticket);
  }

  function refused(ticket: Ticket, failures: number, retryIn: number): void {
    figures.refused++;
    again.push(failures);
    const now = agenda.now;
    const asked = scene.retryAfter ? 1000 * Math.max(1, Math.ceil(retryIn / 1000)) : 0;
    const holdMs = Math.max(asked, backoffMs(failures, defaultRetryLimits, random));
    const before = pacer.rate?.toFixed(2) ?? 'free';
    const slowed = pacer.refused(ticket, { now, holdMs, tooManyAtOnce: scene.code === 20429 });
    if (slowed) {
      scene.trace?.(`${now.toFixed(0)} ms: the ${ticket.nth}th, ${before} -> ${pacer.rate} with ${pacer.allowed}`);
    }
  }

  let seconds = 0;
  let room = 0;
  for (const [limit, forSeconds] of scene.limits) {
    agenda.at(seconds * 1000, () => {
      limiter.limit = limit;
    });
    seconds += forSeconds;
    room += forSeconds * roomOf(scene, limit);
  }
  agenda.at(0, turn);
  agenda.until(seconds * 1000);
  const { accepted: let_, refused: not } = figures;
  return { ...figures, efficiency: let_ / room, refusedShare: not / (let_ + not) };
}

/** Requests per second. */
function roomOf({ shape, latency, jitter, ceilings }: Scene, limit: number): number {
  const { requestsPerSecond, maxConcurrent } = ceilings;
  // A place is of use again when the client knows that it is free.
  const perSecond = shape === 'concurrency' ? (1000 * Math.min(limit, maxConcurrent)) / (latency + jitter) : limit;
  return Math.min(perSecond, requestsPerSecond);
}

/** What happens when. */
function createAgenda() {
  /** The next comes last. */
  const entries: { readonly at: number; readonly run: () => void }[] = [];
  const agenda = {
    now: 0,
    at(at: number, run: () => void) {
      let index = entries.length;
      while (index > 0 && (entries[index - 1]?.at ?? 0) <= at) index--;
      entries.splice(index, 0, { at, run });
    },
    until(end: number) {
      for (;;) {
        const next = entries.pop();
        if (next === undefined || next.at > end) return;
        agenda.now = next.at;
        next.run();
      }
    },
  };
  return agenda;
}

/** From 0 to below 1, the same for the same seed (mulberry32). */
function createRandom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
