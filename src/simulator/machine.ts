import { Authorizations } from './authorizations.ts';
import { buildState } from './build-state.ts';
import { Faults } from './faults.ts';
import { createQuirks, type Quirks } from './quirks.ts';
import { SlidingWindow } from './rate-limit.ts';
import { Recorder } from './recorder.ts';
import type { Limits, World } from './reply.ts';
import type { Seed } from './seed.ts';
import type { SimulatorState } from './state.ts';
import { Tokens } from './tokens.ts';
import { renderedPages } from './user-list.ts';

/** What a simulator starts with and returns to when it is reset. */
export interface Beginning {
  readonly seed: Seed;
  readonly quirks: Partial<Quirks>;
  readonly limits: Limits;
}

/** All moving parts of one simulator. `quirks` and `limits` keep their identity for life, so that callers may hold them. */
export class Machine implements World {
  readonly quirks: Quirks;
  readonly limits: Limits;
  readonly now: () => number;
  /** Milliseconds of a clock that only goes forward. */
  readonly monotonic: () => number;
  readonly tokens = new Tokens();
  readonly authorizations = new Authorizations();
  readonly faults = new Faults();
  readonly window = new SlidingWindow();
  readonly requests: Recorder;
  /** Requests being worked on, refused ones and the token endpoint apart. */
  inFlight = 0;

  readonly #beginning: Beginning;
  #state: SimulatorState;
  #requestCount = 0;

  constructor(beginning: Beginning, recordLimit: number, now: () => number, monotonic: () => number) {
    this.#beginning = beginning;
    this.now = now;
    this.monotonic = monotonic;
    this.quirks = createQuirks(beginning.quirks);
    this.limits = { ...beginning.limits };
    this.requests = new Recorder(recordLimit);
    this.#state = buildState(beginning.seed, now);
    renderedPages(this);
  }

  get state(): SimulatorState {
    return this.#state;
  }

  /** Counts requests; the number makes the request id. */
  nextRequest(): number {
    return ++this.#requestCount;
  }

  /** Back to the beginning, or to another seed: state, quirks, limits, faults, tokens and records. Throws ConfigError. */
  reset(seed: Seed = this.#beginning.seed): void {
    this.#state = buildState(seed, this.now);
    Object.assign(this.quirks, createQuirks(this.#beginning.quirks));
    Object.assign(this.limits, this.#beginning.limits);
    this.faults.clear();
    this.tokens.revokeAll();
    this.authorizations.revokeAll();
    this.requests.clear();
    this.window.clear();
    renderedPages(this);
  }
}
