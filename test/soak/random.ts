/** Chance that can be had again: the same seed, the same month. */
export interface Chance {
  /** From 0 to below 1. */
  next(): number;
  /** From 0 to below `below`. */
  whole(below: number): number;
  /** True so many times out of one. */
  happens(probability: number): boolean;
  /** Undefined of an empty list. */
  pick<T>(list: readonly T[]): T | undefined;
}

/** mulberry32: 32 bits of state, good enough to shuffle a month. */
export function createChance(seed: number): Chance {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const whole = (below: number) => Math.floor(next() * below);
  return { next, whole, happens: (probability) => next() < probability, pick: (list) => list[whole(list.length)] };
}
