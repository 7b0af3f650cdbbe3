/**
 * A true sliding window over arrival times: no window of one second, wherever it starts, lets more than the limit through.
 * A limit below one lets one through in a window that is longer by as much; of other limits the fraction does not count.
 */
export class SlidingWindow {
  /** Arrivals let through within the last window, oldest first, from `#head` on. */
  #arrivals: number[] = [];
  #head = 0;

  /**
   * Takes an arrival at `at` (milliseconds of a monotonic clock). Undefined when it is let through, else the
   * milliseconds until one would be. Refused requests were not processed and do not count.
   */
  arrive(at: number, limit: number | null): number | undefined {
    const window = 1000 / Math.min(1, limit ?? 1);
    while (this.#head < this.#arrivals.length && (this.#arrivals[this.#head] ?? 0) <= at - window) this.#head++;
    if (this.#head > 1024) {
      this.#arrivals = this.#arrivals.slice(this.#head);
      this.#head = 0;
    }
    const inWindow = this.#arrivals.length - this.#head;
    const most = Math.max(1, Math.floor(limit ?? 1));
    if (limit !== null && inWindow >= most) {
      const blocking = this.#arrivals[this.#arrivals.length - most] ?? at;
      return blocking + window - at;
    }
    this.#arrivals.push(at);
    return undefined;
  }

  clear(): void {
    this.#arrivals = [];
    this.#head = 0;
  }
}
