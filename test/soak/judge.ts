import { byQuarter, growth, type Sample } from './figures.ts';

const mebibyte = 2 ** 20;

/**
 * What grows in a life that should be flat. The first quarter warms up: code is compiled, caches fill, retention has not begun to
 * remove. From then on the heap may differ by noise, resident memory by what the allocator keeps, files not at all.
 */
export function judgeLife(samples: readonly Sample[]): readonly string[] {
  const warm = samples.slice(Math.floor(samples.length / 4));
  const last = (quantity: Parameters<typeof byQuarter>[1]) => byQuarter(warm, quantity).at(-1) ?? 0;
  const first = (quantity: Parameters<typeof byQuarter>[1]) => byQuarter(warm, quantity)[0] ?? 0;
  const problems: string[] = [];
  const heapGrowth = growth(warm, 'heapBytes');
  if (heapGrowth > 2 * mebibyte) problems.push(`the heap grew by ${Math.round(heapGrowth / 1_024)} KiB`);
  if (last('rssBytes') > first('rssBytes') * 1.1 + 8 * mebibyte) {
    problems.push(`resident memory grew from ${first('rssBytes')} to ${last('rssBytes')} bytes`);
  }
  if (last('files') > first('files')) problems.push(`open files grew from ${first('files')} to ${last('files')}`);
  if (last('snapshotBytes') > first('snapshotBytes') * 1.25) {
    problems.push(`the snapshot grew from ${first('snapshotBytes')} to ${last('snapshotBytes')} bytes`);
  }
  return problems;
}
