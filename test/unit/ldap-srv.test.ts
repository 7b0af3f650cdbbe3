import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { inOrder, type SrvRecord } from '../../src/sources/ldap/srv.ts';

function record(name: string, priority: number, weight: number): SrvRecord {
  return { name, port: 389, priority, weight };
}

function names(records: readonly SrvRecord[]): string {
  return records.map(({ name }) => name).join('');
}

describe('servers from DNS', () => {
  test('come by priority, whatever their weights', () => {
    const records = [record('c', 20, 65_535), record('a', 0, 1), record('b', 10, 0)];

    expect(names(inOrder(records, () => 0.999))).toBe('abc');
  });

  test('of one priority come by chance in proportion to their weights', () => {
    const records = [record('a', 0, 60), record('b', 0, 20), record('c', 0, 20)];
    const first = { a: 0, b: 0, c: 0 };
    const draws = 1_000;

    for (let draw = 0; draw < draws; draw += 1) {
      const [winner] = inOrder(records, () => draw / draws);
      first[winner?.name as 'a' | 'b' | 'c'] += 1;
    }

    expect(first.a).toBeGreaterThan(0.57 * draws);
    expect(first.a).toBeLessThan(0.63 * draws);
    expect(Math.abs(first.b - first.c)).toBeLessThan(0.02 * draws);
  });

  test('of weight 0 come first only by the smallest chance', () => {
    const records = [record('a', 0, 10), record('z', 0, 0)];

    expect(names(inOrder(records, () => 0))).toBe('za');
    expect(names(inOrder(records, () => 0.1))).toBe('az');
  });

  test('are all there, each once, for every chance', () => {
    const records = fc.array(fc.tuple(fc.nat(3), fc.nat(65_535)), { maxLength: 8 });
    const chance = fc.array(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), {
      minLength: 8,
      maxLength: 8,
    });
    fc.assert(
      fc.property(records, chance, (parts, chances) => {
        const given = parts.map(([priority, weight], index) => record(String(index), priority, weight));
        let draw = 0;

        const ordered = inOrder(given, () => chances[draw++] ?? 0);

        expect([...ordered].sort((a, b) => Number(a.name) - Number(b.name))).toEqual(given);
        const priorities = ordered.map(({ priority }) => priority);
        expect(priorities).toEqual([...priorities].sort((a, b) => a - b));
      }),
    );
  });
});
