/**
 * When the next request may start: the configured ceilings (start-log.ts), the pace found out (pace.ts), how many may be under
 * way (concurrency.ts), and the hold after a refusal, put together. Pure: time comes in as an argument, milliseconds since
 * the epoch, so that thousands of seconds can be tried in a moment.
 *
 *   a refusal (429) of a request that         does
 *   started after the last decrease, and      slows down, begins a new epoch, holds everybody
 *     something was accepted since
 *   started after it, nothing was accepted    holds everybody: the server has not let go yet, which says nothing
 *     since                                     about the new pace
 *   started before it                         holds everybody: it belongs to the same burst
 *
 * A probe (a pace or a number under way beyond what is known to work) is likely to end in a refusal. So it waits until it
 * is paid for: by 200 accepted requests for each refusal, and by twenty times the last hold. This keeps refusals near half
 * a percent of all requests, and the time lost in holds near five percent, whatever the server's limit is.
 */
import { createConcurrency } from './concurrency.ts';
import { createPace } from './pace.ts';
import { createStartLog } from './start-log.ts';

/** Ceilings: never exceeded, whatever the server would let through. */
export interface RateLimits {
  /** Fractions are allowed: 0.5 is one request every two seconds. */
  readonly requestsPerSecond: number;
  readonly maxConcurrent: number;
}

/** A request under way. */
export interface Ticket {
  readonly startedAt: number;
  /** How many were under way with it when it started. */
  readonly nth: number;
  /** Decreases before it started. */
  readonly epoch: number;
  /** It had waited for the pace, or for a place: only then does its success tell anything about more of that. */
  readonly boundByPace: boolean;
  readonly boundByPlaces: boolean;
}

export interface Pacer {
  /** When the next request may start; Infinity: when one that is under way has ended. */
  earliest(now: number): number;
  start(now: number): Ticket;
  /** The server took the request, whatever it answered. */
  accepted(ticket: Ticket): void;
  /** `tooManyAtOnce`: the server says so (20429). True when it slowed everybody down. */
  refused(
    ticket: Ticket,
    refusal: { readonly now: number; readonly holdMs: number; readonly tooManyAtOnce: boolean },
  ): boolean;
  /** Nobody starts for `ms` after `since`; a longer hold already under way stays. */
  hold(now: number, since: number, ms: number): void;
  /** Its place is free again. */
  ended(ticket: Ticket): void;
  /** Starts per second at present; undefined as long as nothing was refused. */
  readonly rate: number | undefined;
  /** Requests under way at once, at present. */
  readonly allowed: number;
}

/** A server that counts by the second has forgotten by then what it let through. */
const leastHoldMs = 1000;
const creditPerRequest = 1 / 200;
const mostCredit = 1;
/** What a first burst at the configured rate cost is not paid off for hours. */
const leastCredit = -1.5;
const holdsBetweenProbes = 20;

export function createPacer(limits: RateLimits): Pacer {
  const log = createStartLog(limits.requestsPerSecond);
  const pace = createPace(limits.requestsPerSecond);
  const concurrency = createConcurrency(limits.maxConcurrent);
  let underWay = 0;
  let waitedForPlace = false;
  let waitedForPace = false;
  let epoch = 0;
  let acceptedInEpoch = 0;
  let heldFrom = Number.NEGATIVE_INFINITY;
  let heldUntil = Number.NEGATIVE_INFINITY;
  let seen = Number.NEGATIVE_INFINITY;
  let credit = 0;
  /** Whether the last refusal was to be expected, because the pace was beyond what was known to work. */
  let foundByProbe = true;

  function mayProbe(now: number): boolean {
    return credit >= 0 && (epoch === 0 || now - heldUntil >= holdsBetweenProbes * (heldUntil - heldFrom));
  }

  /** Where the clock was set back, what is left of the hold counts from now. */
  function see(now: number): void {
    if (now < seen) {
      heldFrom -= seen - now;
      heldUntil -= seen - now;
    }
    seen = now;
  }

  return {
    earliest(now) {
      if (underWay >= concurrency.allowed) {
        waitedForPlace = true;
        return Number.POSITIVE_INFINITY;
      }
      see(now);
      const paced = log.earliest(now, pace.rate);
      if (paced > now) waitedForPace = true;
      return Math.max(paced, heldUntil);
    },
    start(now) {
      const boundByPace = log.record(now, pace.rate) && waitedForPace;
      const ticket = { startedAt: now, nth: ++underWay, epoch, boundByPace, boundByPlaces: waitedForPlace };
      waitedForPlace = false;
      waitedForPace = false;
      return ticket;
    },
    accepted({ startedAt, nth, epoch: of, boundByPace, boundByPlaces }) {
      credit = Math.min(mostCredit, credit + creditPerRequest);
      const current = of === epoch;
      pace.accepted(startedAt, current && boundByPace, mayProbe(startedAt));
      if (!current) return;
      acceptedInEpoch++;
      concurrency.accepted(nth, boundByPlaces, mayProbe(startedAt));
    },
    refused({ startedAt, nth, epoch: of }, { now, holdMs, tooManyAtOnce }) {
      see(now);
      credit = Math.max(leastCredit, credit - 1);
      const current = of === epoch;
      const crowded = current && concurrency.refused(nth, tooManyAtOnce || !foundByProbe);
      const slows = current && (epoch === 0 || acceptedInEpoch > 0);
      if (slows) {
        foundByProbe = pace.refused(startedAt, now, crowded);
        epoch++;
        acceptedInEpoch = 0;
        heldFrom = now;
        heldUntil = now;
      }
      heldUntil = Math.max(heldUntil, now + Math.max(holdMs, leastHoldMs));
      return slows;
    },
    hold(now, since, ms) {
      see(now);
      heldUntil = Math.max(heldUntil, Math.min(since, now) + ms);
    },
    ended() {
      underWay--;
    },
    get rate() {
      return pace.rate;
    },
    get allowed() {
      return concurrency.allowed;
    },
  };
}
