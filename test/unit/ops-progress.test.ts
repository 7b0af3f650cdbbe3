import { describe, expect, it } from 'vitest';
import { createProgress, type ProgressOptions, type ProgressStream } from '../../src/ops/progress.ts';
import { createVirtualClock } from '../support/virtual-clock.ts';

function createTerminal(changes: Partial<ProgressStream> = {}, options: ProgressOptions = {}) {
  const writes: string[] = [];
  const clock = createVirtualClock();
  const stream = { isTTY: true, columns: 80, write: (text: string) => writes.push(text), ...changes };
  return { writes, clock, progress: createProgress(stream, clock, options) };
}

/** What is to be seen after the last write. */
function shown(writes: readonly string[]): string {
  return (writes.at(-1) ?? '').replace('\r', '').replace('\u001b[K', '');
}

describe('progress', () => {
  it('rewrites one line with count, total, share, rate and remaining time', () => {
    const { writes, clock, progress } = createTerminal();
    progress.update('Applying', 0, 1000);
    clock.advance(10_000);

    progress.update('Applying', 48, 1000);

    expect(writes.every((text) => text.startsWith('\r') && !text.includes('\n'))).toBe(true);
    expect(shown(writes)).toBe('Applying  48/1000  4%  4.8/s  3m 19s left');
  });

  it('shows what it can while the total is unknown', () => {
    const { writes, clock, progress } = createTerminal();
    progress.update('Reading', 0);
    clock.advance(2_000);

    progress.update('Reading', 50_000);

    expect(shown(writes)).toBe('Reading  50000  25000/s');
  });

  it('reckons the rate from where the activity began', () => {
    const { writes, clock, progress } = createTerminal();
    progress.update('Reading', 9, 10);
    clock.advance(5_000);
    progress.update('Applying', 100, 10_000);
    clock.advance(10_000);

    progress.update('Applying', 150, 10_000);

    expect(shown(writes)).toBe('Applying  150/10000  1%  5.0/s  32m 50s left');
  });

  it('says no rate before there is one', () => {
    const { writes, clock, progress } = createTerminal();
    progress.update('Applying', 0, 10);
    clock.advance(500);
    progress.update('Applying', 5, 10);
    const early = shown(writes);
    clock.advance(60_000);

    progress.update('Applying', 0, 10);

    expect([early, shown(writes)]).toEqual(['Applying  5/10  50%', 'Applying  0/10  0%']);
  });

  it('writes at most every 100 ms, however often it is called', () => {
    const { writes, clock, progress } = createTerminal();

    for (let done = 0; done < 1000; done++) {
      progress.update('Reading', done, 1000);
      clock.advance(1);
    }

    expect(writes).toHaveLength(10);
  });

  it('fits the terminal', () => {
    const { writes, progress } = createTerminal({ columns: 10 });

    progress.update('Applying', 1, 1000);

    expect(shown(writes)).toBe('Applying ');
  });

  it('clears its line, once', () => {
    const { writes, progress } = createTerminal();
    progress.update('Applying', 1, 2);

    progress.clear();
    progress.clear();

    expect(writes.slice(1)).toEqual(['\r\u001b[K']);
  });

  it.each([
    ['no terminal is there', { isTTY: false }, {}],
    ['it is switched off', {}, { enabled: false }],
  ])('is silent where %s', (_, stream, options) => {
    const { writes, progress } = createTerminal(stream, options);

    progress.update('Applying', 1, 2);
    progress.clear();

    expect(writes).toEqual([]);
  });
});
