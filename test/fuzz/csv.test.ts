import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { SourceIncompleteError, SourceUnavailableError } from '../../src/errors.ts';
import { type CsvFolder, createCsvFolder, createWarnings, readCsv } from '../support/csv-files.ts';
import { fuzz } from '../support/fuzz.ts';

let folder: CsvFolder;
beforeAll(async () => {
  folder = await createCsvFolder();
});
afterAll(() => folder[Symbol.asyncDispose]());

const words = [
  'employeeId',
  'groups',
  '""',
  '"',
  ',',
  ';',
  '\r\n',
  '\t',
  '\u0000',
  '\ufeff',
  'sep=;\n',
  '\u001f\u008b',
  '#END,2',
  '1.234',
];

test('a CSV file is read to its end, or refused', async () => {
  const tried = await fuzz(
    {
      name: 'csv',
      words,
      async run(input) {
        const users = await folder.write('people.csv', input);
        // Which options go with it is decided by the input, so that a kept input means the same for ever.
        const [choice = 0] = createHash('sha256').update(input).digest();
        await readCsv(
          {
            users,
            id: 'employeeId',
            minRows: 0,
            ...(choice & 1 && { groups: { column: 'groups', separator: ';' } }),
            ...(choice & 2 && { trailer: { match: '#END', field: 2 } }),
            ...(choice & 4 && { thousandsSeparator: '.' as const }),
          },
          { attributes: ['mail', 'sn'] },
          { logger: createWarnings() },
        );
      },
      expects: (error) => error instanceof SourceIncompleteError || error instanceof SourceUnavailableError,
    },
    300,
  );

  expect(tried).toBeGreaterThan(10);
});
