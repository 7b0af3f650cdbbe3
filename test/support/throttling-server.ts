/** Ways in which servers limit requests. Twilio's own is not documented, so none may be taken for granted. */

export interface Limiter {
  /** Per second; of `concurrency`, at once. May be changed at any time. */
  limit: number;
  /** A request arrives at `at`, milliseconds that only grow. Undefined when it is let in, else how long until one would be. */
  arrive(at: number): number | undefined;
  /** A request that was let in has been answered. */
  left(): void;
}

export const shapes = [
  'sliding window',
  'fixed window',
  'short windows',
  'bucket',
  'small bucket',
  'concurrency',
] as const;
export type Shape = (typeof shapes)[number];

export function createLimiter(shape: Shape, limit: number): Limiter {
  switch (shape) {
    case 'sliding window':
      return slidingWindow(limit);
    case 'fixed window':
      return fixedWindow(limit, 1000);
    case 'short windows':
      return fixedWindow(limit, 200);
    case 'bucket':
      return bucket(limit, 4);
    case 'small bucket':
      return bucket(limit, 0.1);
    case 'concurrency':
      return concurrency(limit);
  }
}

function slidingWindow(limit: number): Limiter {
  let arrivals: number[] = [];
  return {
    limit,
    arrive(at) {
      const most = Math.max(1, Math.floor(this.limit));
      const window = (1000 * most) / this.limit;
      const blocking = arrivals[arrivals.length - most];
      if (blocking !== undefined && blocking > at - window) return blocking + window - at;
      arrivals.push(at);
      if (arrivals.length > 1000) arrivals = arrivals.slice(-500);
      return undefined;
    },
    left() {},
  };
}

/** Windows long enough for a whole number of requests. */
function fixedWindow(limit: number, shortest: number): Limiter {
  let began = 0;
  let count = 0;
  return {
    limit,
    arrive(at) {
      const window = (1000 * Math.max(1, Math.ceil((this.limit * shortest) / 1000))) / this.limit;
      if (at >= began + window) {
        began = at - ((at - began) % window);
        count = 0;
      }
      if (count >= Math.round((this.limit * window) / 1000)) return began + window - at;
      count++;
      return undefined;
    },
    left() {},
  };
}

/** Holds what comes together in so many seconds. */
function bucket(limit: number, seconds: number): Limiter {
  let tokens = limit * seconds;
  let last = 0;
  return {
    limit,
    arrive(at) {
      tokens = Math.min(Math.max(1.2, this.limit * seconds), tokens + ((at - last) * this.limit) / 1000);
      last = at;
      if (tokens < 1) return ((1 - tokens) * 1000) / this.limit;
      tokens--;
      return undefined;
    },
    left() {},
  };
}

function concurrency(limit: number): Limiter {
  let inside = 0;
  return {
    limit,
    arrive() {
      if (inside >= this.limit) return 1000;
      inside++;
      return undefined;
    },
    left() {
      inside--;
    },
  };
}
