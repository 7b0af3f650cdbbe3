/**
 * Covering arrays of strength two: few rows in which every pair of values of two different switches occurs together. Most
 * faults of combinations need no more than two of them, and all pairs of 200 values fit into some 50 rows.
 *
 * Greedy, after AETG (Cohen, Dalal, Fredman, Patton 1997): each row starts with a pair that is not covered yet, then gives
 * the other switches, in random order, the value that covers most new pairs with those that have one already; the best of
 * a few such rows is kept. The same seed gives the same rows.
 */
/** Number of values of each switch; a row has the index of one value for each. */
export type Row = readonly number[];

const candidates = 8;

export function coverPairs(sizes: readonly number[], seed = 1): readonly Row[] {
  if (sizes.some((size) => size < 1)) throw new Error('a switch has at least one value');
  const random = createRandom(seed);
  const open = openPairs(sizes);
  const rows: Row[] = [];
  for (let start = open.first(); start !== undefined; start = open.first()) {
    let best: Row = [];
    let most = -1;
    for (let tried = 0; tried < candidates; tried++) {
      const row = candidate(sizes, start, open, random);
      const gain = open.gainOf(row);
      if (gain > most) [best, most] = [row, gain];
    }
    open.close(best);
    rows.push(best);
  }
  // One switch, or none, has no pairs, yet values.
  if (sizes.length === 1) return Array.from({ length: sizes[0] ?? 0 }, (_, value) => [value]);
  return rows;
}

/** A value of a switch, counted through over all switches. */
type Pair = readonly [a: number, b: number];

function openPairs(sizes: readonly number[]) {
  const offsets: number[] = [];
  let total = 0;
  for (const size of sizes) {
    offsets.push(total);
    total += size;
  }
  const owner = sizes.flatMap((size, index) => Array<number>(size).fill(index));
  const isOpen = new Uint8Array(total * total);
  for (let a = 0; a < total; a++) {
    for (let b = 0; b < total; b++) isOpen[a * total + b] = owner[a] === owner[b] ? 0 : 1;
  }
  let from = 0;
  const id = (factor: number, value: number) => (offsets[factor] ?? 0) + value;
  const has = (a: number, b: number) => isOpen[a * total + b] === 1;
  return {
    id,
    has,
    ownerOf: (value: number) => owner[value] ?? 0,
    offsetOf: (factor: number) => offsets[factor] ?? 0,
    first(): Pair | undefined {
      while (from < isOpen.length && isOpen[from] === 0) from++;
      return from < isOpen.length ? [Math.floor(from / total), from % total] : undefined;
    },
    gainOf(row: Row): number {
      let gain = 0;
      row.forEach((value, factor) => {
        for (let other = factor + 1; other < row.length; other++) {
          if (has(id(factor, value), id(other, row[other] ?? 0))) gain++;
        }
      });
      return gain;
    },
    close(row: Row): void {
      const ids = row.map((value, factor) => id(factor, value));
      for (const a of ids) for (const b of ids) isOpen[a * total + b] = 0;
    },
  };
}

function candidate(
  sizes: readonly number[],
  start: Pair,
  open: ReturnType<typeof openPairs>,
  random: () => number,
): Row {
  const row = Array<number>(sizes.length).fill(-1);
  const chosen: number[] = [];
  const choose = (id: number) => {
    const factor = open.ownerOf(id);
    row[factor] = id - open.offsetOf(factor);
    chosen.push(id);
  };
  for (const id of start) choose(id);
  const rest = shuffled(
    row.flatMap((value, factor) => (value < 0 ? [factor] : [])),
    random,
  );
  for (const factor of rest) {
    let best: number[] = [];
    let most = -1;
    for (let value = 0; value < (sizes[factor] ?? 0); value++) {
      const id = open.id(factor, value);
      const gain = chosen.reduce((sum, other) => sum + (open.has(id, other) ? 1 : 0), 0);
      if (gain > most) [best, most] = [[id], gain];
      else if (gain === most) best.push(id);
    }
    choose(best[Math.floor(random() * best.length)] ?? 0);
  }
  return row;
}

/** Mulberry32: the same numbers for the same seed, on every machine. */
export function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function shuffled<Item>(items: readonly Item[], random: () => number): readonly Item[] {
  const result = [...items];
  for (let last = result.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [result[last], result[other]] = [result[other] as Item, result[last] as Item];
  }
  return result;
}

/** Rows in which every value of every switch occurs: as many as the switch with most values has. */
export function coverEach(sizes: readonly number[], seed = 1): readonly Row[] {
  const random = createRandom(seed);
  const shifts = sizes.map((size) => Math.floor(random() * size));
  return Array.from({ length: Math.max(0, ...sizes) }, (_, row) =>
    sizes.map((size, factor) => (row + (shifts[factor] ?? 0)) % size),
  );
}
