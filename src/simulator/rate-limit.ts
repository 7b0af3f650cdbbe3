/** A true sliding window over arrival times: no window of one second, wherever it starts, lets more than the limit through. */
export class SlidingWindow {
  /** Arrivals let through within the last second, oldest first, from `#head` on. */
  #arrivals: number[] = [];
  #head = 0;

  /**
   * Takes an arrival at `at` (milliseconds of a monotonic clock). Undefined when it is let through, else the
   * milliseconds until one would be. Refused requests were not processed and do not count.
   */
  arrive(at: number, limit: number | null): number | undefined {
    while (this.#head < this.#arrivals.length && (this.#arrivals[this.#head] ?? 0) <= at - 1000) this.#head++;
    if (this.#head > 1024) {
      this.#arrivals = this.#arrivals.slice(this.#head);
      this.#head = 0;
    }
    const inWindow = this.#arrivals.length - this.#head;
    if (limit !== null && inWindow >= limit) {
      const blocking = this.#arrivals[this.#arrivals.length - Math.max(limit, 1)] ?? at;
      return blocking + 1000 - at;
    }
    this.#arrivals.push(at);
    return undefined;
  }

  clear(): void {
    this.#arrivals = [];
    this.#head = 0;
  }
}
