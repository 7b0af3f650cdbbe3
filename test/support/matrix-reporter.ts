import type { Reporter, TestModule } from 'vitest/node';

declare module 'vitest' {
  interface TaskMeta {
    /** The cell of a matrix that a test fills. */
    cell?: { readonly matrix: string; readonly row: string; readonly column: string };
  }
}

interface Count {
  tried: number;
  passed: number;
}

/** At the end of each matrix a line with how many cases passed, and with `MATRIX=1` the whole of it, in Markdown. */
export class MatrixReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const matrices = new Map<string, Map<string, Map<string, Count>>>();
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        const { cell } = test.meta();
        if (cell === undefined) continue;
        const rows = entry(matrices, cell.matrix, () => new Map<string, Map<string, Count>>());
        const row = entry(rows, cell.row, () => new Map<string, Count>());
        const count = entry(row, cell.column, () => ({ tried: 0, passed: 0 }));
        count.tried++;
        if (test.ok()) count.passed++;
      }
    }
    for (const [name, rows] of matrices) process.stdout.write(told(name, rows, process.env.MATRIX === '1'));
  }
}

function told(name: string, rows: ReadonlyMap<string, ReadonlyMap<string, Count>>, whole: boolean): string {
  const all = [...rows.values()].flatMap((row) => [...row.values()]);
  const sum = `${total(all, 'passed')} of ${total(all, 'tried')} cases passed`;
  if (!whole) return ` ${name}: ${sum}\n`;
  const columns = [...new Set([...rows.values()].flatMap((row) => [...row.keys()]))];
  const lines = [...rows].map(([title, row]) => {
    const cells = columns.map((column) => {
      const count = row.get(column);
      if (count === undefined) return '';
      return count.passed === count.tried ? String(count.tried) : `${count.passed}/${count.tried}`;
    });
    return `| ${[title, ...cells].join(' | ')} |`;
  });
  const head = `| ${['', ...columns].join(' | ')} |\n|${'---|'.repeat(columns.length + 1)}`;
  return `\n${name}: ${sum}\n\n${head}\n${lines.join('\n')}\n\n`;
}

function total(counts: readonly Count[], which: keyof Count): number {
  return counts.reduce((sum, count) => sum + count[which], 0);
}

function entry<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  const value = map.get(key) ?? make();
  map.set(key, value);
  return value;
}
