/** What was asked of the simulator, kept in memory for assertions and for the curious. */

export interface RecordedRequest {
  /** Counts from 1 over the whole life of the simulator, in order of arrival. */
  readonly number: number;
  readonly method: string;
  /** With `{id}` for variable parts: `/scim/v2/Users/{id}`. */
  readonly path: string;
  /** As sent. */
  readonly rawPath: string;
  readonly query: Readonly<Record<string, string>>;
  /** Parsed JSON or form; secrets masked; undefined without a body or when it could not be parsed. */
  readonly body: unknown;
  /** Zero when no answer was sent. */
  readonly status: number;
  /** Arrival and end, milliseconds of the monotonic clock. */
  readonly at: number;
  readonly endedAt: number;
  /** Any method but GET, the token endpoint apart. */
  readonly write: boolean;
  /** `Twilio-Request-Id` of the answer. */
  readonly requestId: string;
  /** The fault that was played, for people. */
  readonly fault: string | undefined;
}

export interface RequestMatch {
  readonly method?: string | undefined;
  /** A template, as in RecordedRequest.path. */
  readonly path?: string | undefined;
}

interface Waiter {
  readonly match: RequestMatch;
  readonly count: number;
  readonly resolve: (request: RecordedRequest) => void;
}

/** Settled requests in the order in which they ended: answered, cut off, or left hanging. */
export class Recorder implements Iterable<RecordedRequest> {
  readonly #limit: number;
  #kept: RecordedRequest[] = [];
  #counts = new Map<string, number>();
  #statuses = new Map<number, number>();
  #writes = 0;
  #total = 0;
  #waiters: Waiter[] = [];

  /** Keeps the last `limit` requests; counts go on for ever. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  add(request: RecordedRequest): void {
    const endpoint = `${request.method} ${request.path}`;
    this.#counts.set(endpoint, (this.#counts.get(endpoint) ?? 0) + 1);
    this.#statuses.set(request.status, (this.#statuses.get(request.status) ?? 0) + 1);
    this.#total++;
    if (request.write) this.#writes++;
    if (this.#limit > 0) this.#kept.push(request);
    // Twice the limit before cutting, so that each request costs a constant.
    if (this.#kept.length >= this.#limit * 2) this.#kept = this.#lastOnes();
    if (this.#waiters.length > 0) this.#wake(request);
  }

  all(): readonly RecordedRequest[] {
    return this.#lastOnes();
  }

  [Symbol.iterator](): Iterator<RecordedRequest> {
    return this.#lastOnes()[Symbol.iterator]();
  }

  matching(match: RequestMatch): readonly RecordedRequest[] {
    return this.#lastOnes().filter((request) => matches(match, request));
  }

  /** Requests since the last `clear`, also those no longer kept. */
  get total(): number {
    return this.#total;
  }

  get writes(): number {
    return this.#writes;
  }

  /** By endpoint: `PUT /scim/v2/Users/{id}`. */
  get counts(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#counts);
  }

  /** By status; 0 for requests without an answer. */
  get statuses(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#statuses);
  }

  count(match: RequestMatch): number {
    let count = 0;
    for (const [endpoint, each] of this.#counts) {
      const space = endpoint.indexOf(' ');
      if (matches(match, { method: endpoint.slice(0, space), path: endpoint.slice(space + 1) })) count += each;
    }
    return count;
  }

  /** Resolves with the request that brings the matching ones since the last `clear` to `count`; never rejects. */
  waitFor(match: RequestMatch, count = 1): Promise<RecordedRequest> {
    const last = this.matching(match).at(-1);
    if (last !== undefined && this.count(match) >= count) return Promise.resolve(last);
    return new Promise((resolve) => this.#waiters.push({ match, count, resolve }));
  }

  /** The most requests, the token endpoint apart, that arrived in any window of `ms` milliseconds among those kept. */
  busiest(ms = 1000): number {
    const times = this.#lastOnes()
      .filter((request) => !request.path.endsWith('/token'))
      .map((request) => request.at)
      .sort((a, b) => a - b);
    let first = 0;
    let most = 0;
    times.forEach((time, index) => {
      while ((times[first] ?? time) <= time - ms) first++;
      most = Math.max(most, index - first + 1);
    });
    return most;
  }

  clear(): void {
    this.#kept = [];
    this.#counts = new Map();
    this.#statuses = new Map();
    this.#writes = 0;
    this.#total = 0;
  }

  #lastOnes(): RecordedRequest[] {
    return this.#kept.length > this.#limit ? this.#kept.slice(this.#kept.length - this.#limit) : this.#kept.slice();
  }

  #wake(request: RecordedRequest): void {
    this.#waiters = this.#waiters.filter((waiter) => {
      if (!matches(waiter.match, request) || this.count(waiter.match) < waiter.count) return true;
      waiter.resolve(request);
      return false;
    });
  }
}

export function matches(match: RequestMatch, request: { readonly method: string; readonly path: string }): boolean {
  return (
    (match.method === undefined || match.method === request.method) &&
    (match.path === undefined || match.path === request.path)
  );
}

/** Members of a form or body that must not be kept. */
export function maskSecrets(form: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const secret = /secret|token|^code$|code_verifier|password/i;
  return Object.fromEntries(Object.entries(form).map(([name, value]) => [name, secret.test(name) ? '***' : value]));
}
