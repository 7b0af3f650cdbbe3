import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CsvEncoding } from '../../src/sources/csv/encoding.ts';
import { eachRow, parseRecords } from '../../src/sources/csv/rows.ts';
import { createCsvFolder, readCsv } from '../support/csv-files.ts';
import { holds, holdsAsync } from '../support/properties.ts';

const numRuns = 300;

interface Dialect {
  readonly delimiter: string;
  readonly lineEnd: string;
  readonly lastLineEnd: boolean;
  readonly quoteAll: boolean;
}

interface Row {
  readonly values: readonly string[];
  /** The fields that are quoted though they need not be. */
  readonly quoted: readonly boolean[];
}

interface Coding {
  readonly encoding: CsvEncoding | undefined;
  encode(text: string): Buffer;
  /** Characters that it can write. */
  readonly characters: fc.Arbitrary<string>;
}

const unicode = fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }).filter((character) => character !== '\0');
const latin1 = fc.constantFrom(...Array.from({ length: 96 }, (_, index) => String.fromCharCode(0xa0 + index)));
const troublesome = fc.constantFrom('"', '""', ',', ';', '\t', '|', ':', '§', '\n', '\r', '\r\n', ' ', 'a', 'é', '0');
const bigEndian = (text: string) => Buffer.from(text, 'utf16le').swap16();

const codings: readonly Coding[] = [
  { encoding: undefined, encode: (text) => Buffer.from(text), characters: unicode },
  { encoding: undefined, encode: (text) => Buffer.from(`\ufeff${text}`), characters: unicode },
  { encoding: 'utf-8', encode: (text) => Buffer.from(`\ufeff${text}`), characters: unicode },
  { encoding: 'utf-16le', encode: (text) => Buffer.from(text, 'utf16le'), characters: unicode },
  { encoding: 'utf-16be', encode: bigEndian, characters: unicode },
  { encoding: undefined, encode: (text) => Buffer.from(`\ufeff${text}`, 'utf16le'), characters: unicode },
  { encoding: 'utf-16', encode: (text) => bigEndian(`\ufeff${text}`), characters: unicode },
  { encoding: 'iso-8859-1', encode: (text) => Buffer.from(text, 'latin1'), characters: latin1 },
  { encoding: 'windows-1252', encode: (text) => Buffer.from(text, 'latin1'), characters: latin1 },
];

/** RFC 4180 section 2, with any delimiter. */
function writeField(value: string, quoted: boolean, { delimiter, quoteAll }: Dialect): string {
  const needsQuotes = /["\r\n]/.test(value) || [...delimiter].some((character) => value.includes(character));
  return quoteAll || quoted || needsQuotes ? `"${value.replaceAll('"', '""')}"` : value;
}

function writeTable(rows: readonly Row[], dialect: Dialect): { text: string; lines: number[] } {
  let text = '';
  const lines: number[] = [];
  rows.forEach(({ values, quoted }, index) => {
    lines.push(text.split('\n').length);
    text += values.map((value, column) => writeField(value, quoted[column] ?? false, dialect)).join(dialect.delimiter);
    if (index < rows.length - 1 || dialect.lastLineEnd) text += dialect.lineEnd;
  });
  return { text, lines };
}

const dialects: fc.Arbitrary<Dialect> = fc.record({
  delimiter: fc.constantFrom(',', ';', '\t', '|', ' ', 'é', '::', '§|§'),
  lineEnd: fc.constantFrom('\n', '\r\n'),
  lastLineEnd: fc.boolean(),
  quoteAll: fc.boolean(),
});

const scenarios = fc.constantFrom(...codings).chain((coding) => {
  const value = fc.string({ unit: fc.oneof(coding.characters, troublesome), maxLength: 12 });
  return fc.integer({ min: 2, max: 5 }).chain((columns) => {
    const row = fc.record({
      values: fc.array(value, { minLength: columns, maxLength: columns }),
      quoted: fc.array(fc.boolean(), { minLength: columns, maxLength: columns }),
    });
    return fc.record({
      coding: fc.constant(coding),
      columns: fc.constant(columns),
      rows: fc.array(row, { minLength: 1, maxLength: 12 }),
      dialect: dialects,
      chunkSize: fc.integer({ min: 1, max: 80 }),
    });
  });
});

describe('a table of any values', () => {
  it('is read back from any encoding, delimiter, quoting and chunking, with the line of each row', async () => {
    await using folder = await createCsvFolder();
    await holdsAsync(
      fc.asyncProperty(scenarios, async ({ coding, columns, rows, dialect, chunkSize }) => {
        const names = Array.from({ length: columns }, (_, index) => `c${index}`);
        const header = { values: names, quoted: names.map(() => false) };
        const { text, lines } = writeTable([header, ...rows], dialect);
        const users = await folder.write('people.csv', coding.encode(text));

        const { entries, complete } = await readCsv(
          {
            users,
            id: 'c0',
            delimiter: dialect.delimiter,
            chunkSize,
            ...(coding.encoding === undefined ? {} : { encoding: coding.encoding }),
          },
          { attributes: 'all' },
        );

        const expected = rows.map(({ values }, index) => {
          const trimmed = values.map((value) => value.replace(/^="([^"]*)"$/, '$1').trim());
          return {
            id: trimmed[0],
            attributes: Object.fromEntries(
              trimmed.map((value, column) => [`c${column}`, value]).filter(([, value]) => value),
            ),
            groups: [],
            location: `people.csv:${lines[index + 1]}`,
          };
        });
        expect(entries).toEqual(expected);
        expect(complete.entries).toBe(rows.length);
      }),
      numRuns,
    );
  });

  it('is read alike with and without the parser for quotes, as long as it holds none', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'é', '€', ',', '\n', '\r\n', '\r', ' ', '0'), maxLength: 60 });
    holds(
      fc.property(text, (content) => {
        const block = Buffer.from(content);
        const rows: string[][] = [];

        eachRow(block, { delimiter: ',', slots: [0, 1, 2] }, 1, (values, fields) => {
          rows.push(fields === 0 ? [''] : values.slice(0, fields));
        });

        const parsed = parseRecords(block, ',', 1).map((row) => row.slice(0, 3).map((value) => value.trim()));
        expect(rows).toEqual(parsed);
      }),
      2000,
    );
  });

  it('is read alike however far apart the rows with quotes stand', () => {
    const plain = fc.constantFrom('a,b', 'é,', ',', `${'x'.repeat(900)},y`, `z,${'é'.repeat(2000)}`);
    const quoted = fc.constantFrom('"a","b"', 'a,"b\nc"', '"",""', '"a""b",c', '"\r\n""\n",d', 'e,"f"');
    const row = fc.oneof({ weight: 5, arbitrary: plain }, { weight: 1, arbitrary: quoted });
    const rows = fc.array(row, { minLength: 1, maxLength: 30 });
    holds(
      fc.property(rows, fc.constantFrom('\n', '\r\n'), fc.boolean(), (records, lineEnd, lastLineEnd) => {
        const block = Buffer.from(records.join(lineEnd) + (lastLineEnd ? lineEnd : ''));
        const read: { values: string[]; line: number }[] = [];

        eachRow(block, { delimiter: ',', slots: [0, 1] }, 1, (values, _, line) =>
          read.push({ values: [...values], line }),
        );

        let next = 1;
        const expected = records.map((record) => {
          const line = next;
          next += record.split('\n').length;
          return { values: parseRecords(Buffer.from(record), ',', 1)[0]?.map((value) => value.trim()), line };
        });
        expect(read).toEqual(expected);
      }),
      1000,
    );
  });
});
