import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createIdOf } from '../../src/sources/csv/ids.ts';
import { compareNames } from '../../src/sources/csv/newest.ts';
import { createCsvFolder, createWarnings, readCsv, refusalOf } from '../support/csv-files.ts';
import { holds, holdsAsync } from '../support/properties.ts';

const numRuns = 80;
const quoted = (value: string) => `"${value.replaceAll('"', '""')}"`;
const line = (values: readonly string[]) => `${values.join(',')}\n`;

/** A person's row: an id that is nobody else's, and a value with everything that needs quotes. */
const value = fc.string({ unit: fc.constantFrom('a', '"', ',', '\n', '\r\n', ' ', 'é', '=', '0'), maxLength: 8 });
const people = fc
  .array(value, { minLength: 1, maxLength: 12 })
  .map((values) => values.map((text, index) => ({ id: `00${index}`, text })));
const chunkSize = fc.integer({ min: 1, max: 60 });
const lineEnd = fc.constantFrom('\n', '\r\n');

function attributesOf(text: string): Record<string, string> {
  const trimmed = text.replace(/^="([^"]*)"$/, '$1').trim();
  return trimmed === '' ? {} : { text: trimmed };
}

describe('a file cut into pieces and put together again', () => {
  it('has the same people, with and without marks and repeated headers, packed or not, or as a list of parts', async () => {
    await using folder = await createCsvFolder();
    const joints = fc.array(fc.constantFrom('', '\ufeff', 'id,text\n', '\ufeffid,text\n'), {
      minLength: 12,
      maxLength: 12,
    });
    await holdsAsync(
      fc.asyncProperty(people, joints, fc.boolean(), chunkSize, async (rows, between, packed, size) => {
        const lines = rows.map(({ id, text }) => line([id, quoted(text)]));
        const whole = `id,text\n${lines.map((row, index) => (between[index] ?? '') + row).join('')}`;
        const users = await folder.write('people.csv', packed ? gzipSync(whole) : whole);
        const parts = await Promise.all(
          lines.map((row, index) =>
            folder.write(
              `part-${index}.csv`,
              index % 2 ? `id,text\n${row}` : `text,id\n${quoted(rows[index]?.text ?? '')},${rows[index]?.id}\n`,
            ),
          ),
        );

        const one = await readCsv({ users, id: 'id', chunkSize: size }, { attributes: ['text'] });
        const many = await readCsv({ users: parts, id: 'id', chunkSize: size }, { attributes: ['text'] });

        const expected = rows.map(({ id, text }) => [id, attributesOf(text)]);
        expect(one.entries.map(({ id, attributes }) => [id, attributes])).toEqual(expected);
        expect(many.entries.map(({ id, attributes }) => [id, attributes])).toEqual(expected);
        expect([one.complete.entries, many.complete.entries]).toEqual([rows.length, rows.length]);
      }),
      numRuns,
    );
  });
});

describe('a file with a trailer', () => {
  it('is complete as it is, and incomplete when it is cut off anywhere or counts otherwise', async () => {
    await using folder = await createCsvFolder();
    const trailer = { match: 'END', field: 2 };
    await holdsAsync(
      fc.asyncProperty(
        people,
        lineEnd,
        chunkSize,
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.nat(30),
        async (rows, end, size, share, other) => {
          const body = ['id,text', ...rows.map(({ id, text }) => `${id},${quoted(text)}`)].join(end) + end;
          const whole = `${body}END,${rows.length}`;
          const users = await folder.write('people.csv', `${whole}${end}`);
          const options = { users, id: 'id', trailer, chunkSize: size };

          const { complete } = await readCsv(options, { attributes: ['text'] });
          const bytes = Buffer.from(whole);
          await folder.write('people.csv', bytes.subarray(0, Math.floor(share * (bytes.length - 1))));
          const cut = await refusalOf(options, { attributes: ['text'] });
          await folder.write('people.csv', `${body}END,${other === rows.length ? other + 1 : other}${end}`);
          const miscounted = await refusalOf(options, { attributes: ['text'] });

          expect(complete.entries).toBe(rows.length);
          expect([cut, miscounted]).toMatchObject([{ code: 'source-incomplete' }, { code: 'source-incomplete' }]);
          expect(miscounted.message).toContain('the trailer counts');
        },
      ),
      numRuns,
    );
  });
});

describe("Excel's text", () => {
  it('is the text itself, whichever fields of whichever rows are written so', async () => {
    await using folder = await createCsvFolder();
    const plain = fc.string({ unit: fc.constantFrom('0', '7', 'é', ' ', '='), maxLength: 6 });
    const field = fc.record({ text: plain, form: fc.constantFrom('plain', 'quoted', 'excel', 'excel, quoted') });
    const row = fc.tuple(field, field, field);
    await holdsAsync(
      fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 8 }), lineEnd, chunkSize, async (rows, end, size) => {
        const written = rows.map((fields) => fields.map(({ text, form }) => forms[form](text)).join(','));
        const users = await folder.write('people.csv', ['a,b,c', ...written].join(end));

        const { entries } = await readCsv({ users, id: 'a', minRows: 0, chunkSize: size }, { attributes: ['b', 'c'] });

        const texts = rows.map((fields) => fields.map(({ text }) => text.trim()));
        expect(entries.map(({ id, attributes }) => [id, attributes.b ?? '', attributes.c ?? ''])).toEqual(texts);
      }),
      numRuns,
    );
  });

  const forms: Readonly<Record<string, (text: string) => string>> &
    Record<'plain' | 'quoted' | 'excel' | 'excel, quoted', (text: string) => string> = {
    plain: (text) => text,
    quoted: (text) => quoted(text),
    excel: (text) => `="${text}"`,
    'excel, quoted': (text) => quoted(`="${text}"`),
  };
});

describe('joined files', () => {
  it('give each person the row of the same id, in any order, and count the others', async () => {
    await using folder = await createCsvFolder();
    const ids = fc.uniqueArray(fc.integer({ min: 0, max: 30 }).map(String), { minLength: 1, maxLength: 20 });
    await holdsAsync(
      fc.asyncProperty(ids, ids, chunkSize, fc.boolean(), async (have, others, size, required) => {
        const named = new Set(others);
        const users = await folder.write('people.csv', `id\n${have.join('\n')}\n`);
        const file = await folder.write('titles.csv', `title,id\n${others.map((id) => `t${id},${id}`).join('\n')}\n`);
        const options = { users, id: 'id', chunkSize: size, join: [{ file, required }] };
        const warnings = createWarnings();
        const lacking = have.filter((id) => !named.has(id)).length;
        const strangers = others.filter((id) => !have.includes(id)).length;

        if (strangers === others.length || (required && lacking > 0)) {
          const refusal = await refusalOf(options, { attributes: ['title'] });

          expect(refusal).toMatchObject({ code: 'source-incomplete', message: expect.stringContaining(file) });
          return;
        }
        const { entries } = await readCsv(options, { attributes: ['title'] }, { logger: warnings });

        expect(entries.map(({ attributes }) => attributes)).toEqual(
          have.map((id) => (named.has(id) ? { title: `t${id}` } : {})),
        );
        expect(warnings.told).toMatchObject(strangers === 0 ? [] : [{ rows: strangers }]);
      }),
      numRuns,
    );
  });
});

describe('names of files', () => {
  it('are in one order, in which later dates and greater numbers come later', () => {
    const name = fc.string({ unit: fc.constantFrom('0', '1', '9', 'a', '-', '.'), maxLength: 8 });
    holds(
      fc.property(name, name, name, (a, b, c) => {
        expect(Math.sign(compareNames(a, b))).toBe(-Math.sign(compareNames(b, a)) + 0);
        if (compareNames(a, b) <= 0 && compareNames(b, c) <= 0) expect(compareNames(a, c)).toBeLessThanOrEqual(0);
      }),
      3000,
    );
    holds(
      fc.property(fc.nat(), fc.nat(), (a, b) => {
        expect(compareNames(`people-${a}.csv`, `people-${b}.csv`)).toBe(Math.sign(a - b));
      }),
    );
  });
});

describe('ids with a thousands separator', () => {
  it('are the number as it was, and everything else is what it was', () => {
    const separator = fc.constantFrom(',', '.', "'", ' ', '_', '\u202f');
    holds(
      fc.property(fc.nat(), separator, (number, between) => {
        const grouped = String(number).replace(/\B(?=(\d{3})+$)/g, between);

        expect(createIdOf(between)(grouped)).toBe(String(number));
        expect(createIdOf(undefined)(grouped)).toBe(grouped);
      }),
    );
    holds(
      fc.property(fc.string(), separator, (id, between) => {
        const result = createIdOf(between)(id);

        expect(createIdOf(between)(result)).toBe(result);
        if (!/^[\d,.' _\u202f]+$/.test(id)) expect(result).toBe(id);
      }),
    );
  });
});
