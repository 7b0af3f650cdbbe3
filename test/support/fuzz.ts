/**
 * Mutated input for everything that reads what others wrote. Each target has a folder of seeds in `test/fuzz/corpus`, which also
 * keeps every input that once went wrong; these are tried as they are, then changed at random, for as many cases as are asked for
 * with a fixed seed, or, with FUZZ_SECONDS, for as long with a seed of chance (FUZZ_SEED repeats one).
 *
 * What may come of an input: nothing, or an error that the target calls its own. Anything else (another error, a message without
 * bound, an input that takes seconds) fails, and the input is kept in the system's folder for temporary files.
 */
import { hash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface FuzzTarget {
  /** Folder of the seeds. */
  readonly name: string;
  /** Reads one input to its end. */
  run(input: Buffer): unknown;
  /** Whether an error is one that bad input may end in. */
  expects(error: unknown): boolean;
  /** What is worth putting in. */
  readonly words?: readonly string[];
}

const corpus = join(import.meta.dirname, '..', 'fuzz', 'corpus');
const seconds = Number(process.env.FUZZ_SECONDS ?? 0);
const largestInput = 64 * 1024;
const longestMessage = 200_000;
/** In the long form; an input of 64 KiB that takes this long costs more than its size explains. */
const longestMs = 10_000;

/** Resolves with the number of inputs tried. */
export async function fuzz(target: FuzzTarget, cases: number): Promise<number> {
  const folder = join(corpus, target.name);
  const seeds = readdirSync(folder)
    .sort()
    .map((name) => readFileSync(join(folder, name)));
  const seed = Number(process.env.FUZZ_SEED ?? (seconds > 0 ? Math.floor(Math.random() * 2 ** 32) : 1));
  const until = performance.now() + 1_000 * seconds;
  const random = randomNumbers(seed);
  let tried = 0;
  for (const input of seeds) await attempt(target, input, `${tried++} of the corpus`);
  while (seconds > 0 ? performance.now() < until : tried < seeds.length + cases) {
    await attempt(target, mutated(seeds, target.words ?? [], random), `${tried++} of seed ${seed}`);
  }
  if (seconds > 0) console.log(`fuzz ${target.name}: ${tried} inputs, seed ${seed}`);
  return tried;
}

async function attempt(target: FuzzTarget, input: Buffer, which: string): Promise<void> {
  const underWay = seconds > 0 ? keep(target, input, 'under-way') : undefined;
  const start = performance.now();
  const error = await outcome(target, input);
  const tookMs = performance.now() - start;
  const problem = problemOf(target, error) ?? (seconds > 0 && tookMs > longestMs ? `took ${tookMs} ms` : undefined);
  if (underWay !== undefined) rmSync(underWay, { force: true });
  if (problem === undefined) return;
  const file = keep(target, input, hash('sha256', input).slice(0, 12));
  throw new Error(`${target.name}, input ${which}, kept in ${file}: ${problem}`, { cause: error });
}

async function outcome(target: FuzzTarget, input: Buffer): Promise<unknown> {
  try {
    await target.run(input);
    return undefined;
  } catch (error) {
    return error ?? new Error('nothing was thrown');
  }
}

function problemOf(target: FuzzTarget, error: unknown): string | undefined {
  if (error === undefined) return undefined;
  if (!target.expects(error)) return `ended in ${String(error)}`;
  const { length } = (error as Error).message;
  return length > longestMessage ? `the message has ${length} characters` : undefined;
}

function keep(target: FuzzTarget, input: Buffer, name: string): string {
  const folder = join(tmpdir(), 'tdsync-fuzz');
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${target.name}-${name}`);
  writeFileSync(file, input);
  return file;
}

type RandomNumbers = (below: number) => number;

/** Numerical Recipes' linear congruential generator: the same inputs for the same seed. */
function randomNumbers(seed: number): RandomNumbers {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const oddBytes = [0x00, 0x0a, 0x0d, 0x1b, 0x20, 0x22, 0x2c, 0x30, 0x5c, 0x7f, 0x80, 0x84, 0xa0, 0xff];

function mutated(seeds: readonly Buffer[], words: readonly string[], random: RandomNumbers): Buffer {
  let input = seeds[random(seeds.length)] ?? Buffer.alloc(0);
  for (let left = 1 + random(6); left > 0; left--) input = changed(input, seeds, words, random);
  return input.subarray(0, largestInput);
}

function changed(input: Buffer, seeds: readonly Buffer[], words: readonly string[], random: RandomNumbers): Buffer {
  const at = random(input.length + 1);
  const length = random(Math.min(64, input.length - at + 1));
  const [before, piece, after] = [input.subarray(0, at), input.subarray(at, at + length), input.subarray(at + length)];
  switch (random(8)) {
    case 0:
      return Buffer.concat([before, after]);
    case 1:
      return Buffer.concat([before, piece, piece, after]);
    case 2:
      return Buffer.concat([before, ...Array.from({ length: random(200) }, () => piece), after]);
    case 3:
      return Buffer.concat([before, Buffer.from(words[random(words.length)] ?? '\u202e'), after]);
    case 4: {
      const other = seeds[random(seeds.length)] ?? input;
      return Buffer.concat([before, other.subarray(random(other.length + 1))]);
    }
    case 5:
      return before;
    case 6:
      return Buffer.concat([before, Buffer.of(oddBytes[random(oddBytes.length)] ?? 0), input.subarray(at + 1)]);
    default: {
      const copy = Buffer.from(input);
      if (at < copy.length) copy.writeUInt8((copy[at] ?? 0) ^ (1 << random(8)), at);
      return copy;
    }
  }
}
