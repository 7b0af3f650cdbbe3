/**
 * A set of strings that keeps 63 bits of each (a slot of zeros is a free one), so that a million keys cost 16 MiB instead of a hundred.
 * With a million keys the chance that one look-up errs is about one in ten million million.
 */
export interface Fingerprints {
  add(key: string): void;
  has(key: string): boolean;
}

export function createFingerprints(): Fingerprints {
  let capacity = 1 << 10;
  let used = 0;
  let high = new Uint32Array(capacity);
  let low = new Uint32Array(capacity);

  /** Index of the key, or of the free slot where it belongs (open addressing, linear probing). */
  function slot(h: number, l: number): number {
    let index = h & (capacity - 1);
    while ((high[index] !== 0 || low[index] !== 0) && (high[index] !== h || low[index] !== l)) {
      index = (index + 1) & (capacity - 1);
    }
    return index;
  }

  function put(h: number, l: number): void {
    const index = slot(h, l);
    if (high[index] === h && low[index] === l) return;
    high[index] = h;
    low[index] = l;
    used++;
  }

  function grow(): void {
    const [oldHigh, oldLow] = [high, low];
    capacity *= 2;
    used = 0;
    high = new Uint32Array(capacity);
    low = new Uint32Array(capacity);
    oldHigh.forEach((h, index) => {
      const l = oldLow[index] ?? 0;
      if (h !== 0 || l !== 0) put(h, l);
    });
  }

  return {
    add(key) {
      if (used * 2 >= capacity) grow();
      put(mix(key, 0x811c9dc5), (mix(key, 0x9747b28c) | 1) >>> 0);
    },
    has(key) {
      const [h, l] = [mix(key, 0x811c9dc5), (mix(key, 0x9747b28c) | 1) >>> 0];
      const index = slot(h, l);
      return high[index] === h && low[index] === l;
    },
  };
}

/** MurmurHash3's 32-bit rounds and finaliser over UTF-16 code units. */
function mix(key: string, seed: number): number {
  let hash = seed;
  for (let index = 0; index < key.length; index++) {
    let k = Math.imul(key.charCodeAt(index), 0xcc9e2d51);
    k = (k << 15) | (k >>> 17);
    hash ^= Math.imul(k, 0x1b873593);
    hash = (hash << 13) | (hash >>> 19);
    hash = Math.imul(hash, 5) + 0xe6546b64;
  }
  hash ^= key.length;
  hash ^= hash >>> 16;
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
