import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { csvRow } from '../../src/report/csv.ts';

describe('a row of CSV', () => {
  test.each(['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1', '\n=1', '=HYPERLINK("http://x")'])(
    'never begins a cell as a formula: %j',
    (text) => {
      const [cells] = parse(csvRow(['first', text])) as string[][];

      expect(cells).toEqual(['first', `'${text}`]);
    },
  );

  test('leaves other cells as they are, and empties for what is not there', () => {
    expect(csvRow(['a b', 7, undefined, null, "it's", 'a=b', 'ünï'])).toBe("a b,7,,,it's,a=b,ünï\r\n");
  });

  test('is read back as it was written, whatever is in it', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme' }), { minLength: 2, maxLength: 5 }), (cells) => {
        const [read] = parse(csvRow(cells), { record_delimiter: '\r\n' }) as string[][];

        expect(read).toEqual(cells.map((cell) => (/^[=+\-@\t\r\n]/.test(cell) ? `'${cell}` : cell)));
      }),
    );
  });
});
