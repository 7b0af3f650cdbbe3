import { describe, expect, it } from 'vitest';
import { createCsvFolder, readCsv, refusalOf } from '../support/csv-files.ts';

const incomplete = 'source-incomplete';
const chunkSizes = [1, 5, 100_000];

describe('a file put together from several', () => {
  it.each([
    ['a byte order mark before the second part', 'id,mail\n1,a\n\ufeff2,b\n'],
    ['a byte order mark and the header once more', '\ufeffid,mail\n1,a\n\ufeffid,mail\n2,b\n'],
    ['the header once more', 'id,mail\n1,a\nid,mail\n2,b\n'],
    ['a quoted header, and quotes around', '\ufeff"id","mail"\r\n"1","a"\r\n\ufeff"id","mail"\r\n"2","b"\r\n'],
    ['a mark in front of quotes', 'id,mail\n1,a\n\ufeff"2","b"\n'],
    ['an empty second part', 'id,mail\n1,a\n2,b\n\ufeffid,mail\n'],
    ['two marks at the start', '\ufeff\ufeffid,mail\n1,a\n2,b\n'],
  ])('has the people of all, and no row for a header (%s)', async (_, text) => {
    await using folder = await createCsvFolder();
    const users = await folder.write('people.csv', text);

    for (const chunkSize of chunkSizes) {
      const { entries, complete } = await readCsv({ users, id: 'id', chunkSize }, { attributes: ['mail'] });

      expect(entries.map(({ id, attributes }) => [id, attributes])).toEqual([
        ['1', { mail: 'a' }],
        ['2', { mail: 'b' }],
      ]);
      expect(complete.entries).toBe(2);
    }
  });

  it('locates people by the lines of the whole', async () => {
    await using folder = await createCsvFolder();
    const text = 'id,mail\n1,"a\nb"\n\ufeffid,mail\n2,c\n\ufeff3,d\n4,"e"\n';
    const users = await folder.write('people.csv', text);

    const { entries } = await readCsv({ users, id: 'id' }, { attributes: ['mail'] });

    expect(entries.map(({ location }) => location)).toEqual([2, 5, 6, 7].map((line) => `people.csv:${line}`));
  });

  it('can be in UTF-16, with a mark for each part', async () => {
    await using folder = await createCsvFolder();
    const part = (id: string) => Buffer.from(`\ufeffid,sn\n${id},Müller\n`, 'utf16le');
    const users = await folder.write('people.csv', Buffer.concat([part('1'), part('2')]));

    const { entries } = await readCsv({ users, id: 'id' }, { attributes: ['sn'] });

    expect(entries.map(({ id, attributes }) => `${id} ${attributes.sn}`)).toEqual(['1 Müller', '2 Müller']);
  });

  it('keeps a mark inside a quoted value', async () => {
    await using folder = await createCsvFolder();
    const users = await folder.write('people.csv', 'id,note\n1,"a\n\ufeffid,note\nb"\n');

    const { entries } = await readCsv({ users, id: 'id' }, { attributes: ['note'] });

    expect(entries[0]?.attributes).toEqual({ note: 'a\n\ufeffid,note\nb' });
  });

  it.each([
    ['columns in another order', 'id,mail,x\n1,a,0\nmail,id,x\nb,2,0\n', 3],
    ['columns in another order behind a mark', 'id,mail,x\n1,a,0\n\ufeffx,id,mail\n0,2,b\n', 3],
    ['a column that the first has not', 'id,mail,x\n1,a,0\n\ufeffid,y,mail\n2,0,b\n', 3],
  ])('is refused where another header begins (%s)', async (_, text, line) => {
    await using folder = await createCsvFolder();
    const users = await folder.write('people.csv', text);

    for (const chunkSize of chunkSizes) {
      const refusal = await refusalOf({ users, id: 'id', chunkSize }, { attributes: ['mail'] });

      expect(refusal).toMatchObject({
        code: incomplete,
        message: `${users}:${line}: another header begins here, with other columns or in another order`,
        hint: expect.stringContaining('source.users'),
      });
    }
  });

  it('is refused where the first part does not end with a line end', async () => {
    await using folder = await createCsvFolder();
    const users = await folder.write('people.csv', 'id,mail\n1,a\ufeffid,mail\n2,b\n');

    const refusal = await refusalOf({ users, id: 'id' }, { attributes: ['mail'] });

    expect(refusal).toMatchObject({
      code: incomplete,
      message: `${users}:2: 3 fields, where the header has 2`,
    });
  });

  it('is told from a person who is called like one column', async () => {
    await using folder = await createCsvFolder();
    const users = await folder.write('people.csv', 'id,sn,mail\nid,Mail,a\nmail,sn,b\n');

    const { entries } = await readCsv({ users, id: 'id' }, { attributes: ['mail', 'sn'] });

    expect(entries.map(({ id }) => id)).toEqual(['id', 'mail']);
  });
});

describe('numbers that Excel was to show as text', () => {
  it.each([
    ['unquoted', '="007",a'],
    ['well quoted', '"=""007""",a'],
    ['in the last field', 'a,="007"', 'mail,id'],
    ['before CRLF', 'a,="007"\r', 'mail,id'],
    ['behind a quoted field', '"x,y",="007"', 'mail,id'],
    ['behind a quoted line break', '"x\ny",="007"', 'mail,id'],
  ])('are unwrapped (%s)', async (_, row, header = 'id,mail') => {
    await using folder = await createCsvFolder();
    const users = await folder.write('people.csv', `${header}\n${row}\n`);

    for (const chunkSize of chunkSizes) {
      const { entries } = await readCsv({ users, id: 'id', chunkSize });

      expect(entries.map(({ id }) => id)).toEqual(['007']);
    }
  });

  it('are unwrapped with any delimiter, in the header, and in memberships too', async () => {
    await using folder = await createCsvFolder();
    const users = await folder.write('people.csv', '="id"§="mail"\n="007"§="a"\n');
    const memberships = await folder.write('memberships.csv', 'id§group\n="007"§="g"\n');

    const { entries } = await readCsv(
      { users, memberships, id: 'id', delimiter: '§' },
      { attributes: ['mail'], groups: ['g'] },
    );

    expect(entries).toMatchObject([{ id: '007', attributes: { mail: 'a' }, groups: ['g'] }]);
  });

  it.each([
    ['another formula', '"=1+1"', '=1+1'],
    ['two texts', '"=""a""&""b"""', '="a"&"b"'],
    ['a blank in front', '" =""007"""', '="007"'],
    ['a quote within', '"=""a""""b"""', '="a""b"'],
    ['a reference', '=A1', '=A1'],
    ['a lone sign', '=', '='],
  ])('are left alone in any other form (%s)', async (_, field, value) => {
    await using folder = await createCsvFolder();
    const users = await folder.write('people.csv', `id,x\n1,${field}\n`);

    const { entries } = await readCsv({ users, id: 'id' }, { attributes: ['x'] });

    expect(entries[0]?.attributes).toEqual({ x: value });
  });

  it.each(['="0,7"', '="a"b', '="a', ' ="a"', 'x="a"'])(
    'are malformed in any other unquoted form (%s)',
    async (field) => {
      await using folder = await createCsvFolder();
      const users = await folder.write('people.csv', `id,x\n0,b\n1,${field}\n`);

      const refusal = await refusalOf({ users, id: 'id' }, { attributes: ['x'] });

      expect(refusal).toMatchObject({ code: incomplete, message: expect.stringContaining(`${users}:3: column "x"`) });
    },
  );
});

describe('ids', () => {
  it('are text: zeros, separators and blanks within stay', async () => {
    await using folder = await createCsvFolder();
    const users = await folder.write('people.csv', 'id\n0007\n"1,234"\n1.0\n1e3\n1 234\n');

    const { entries } = await readCsv({ users, id: 'id', delimiter: ',' });

    expect(entries.map(({ id }) => id)).toEqual(['0007', '1,234', '1.0', '1e3', '1 234']);
  });

  it('lose the thousands separator that is configured, in every file, when they are numbers grouped by it', async () => {
    await using folder = await createCsvFolder();
    const users = await folder.write('people.csv', 'id;mail\n1.234;a\n001.234.567;b\n12.34;c\n1.2345;d\nA.123;e\n');
    const contracts = await folder.write('contracts.csv', 'id;title\n1234;Agent\n1.234.567;x\n001234567;Lead\n');
    const memberships = await folder.write('memberships.csv', 'id;group\n1.234;g\n');
    const warnings: unknown[] = [];

    const { entries } = await readCsv(
      { users, id: 'id', thousandsSeparator: '.', memberships, join: [{ file: contracts }] },
      { attributes: ['mail', 'title'], groups: ['g'] },
      { logger: { warn: (fields) => void warnings.push(fields) } },
    );

    expect(entries.map(({ id, attributes, groups }) => [id, attributes.title, groups.length])).toEqual([
      ['1234', 'Agent', 1],
      ['001234567', 'Lead', 0],
      ['12.34', undefined, 0],
      ['1.2345', undefined, 0],
      ['A.123', undefined, 0],
    ]);
    expect(warnings).toMatchObject([{ rows: 1, examples: ['contracts.csv:3'] }]);
  });

  it('that become one by that are two rows of one person in a joined file', async () => {
    await using folder = await createCsvFolder();
    const users = await folder.write('people.csv', 'id\n1234\n');
    const contracts = await folder.write('contracts.csv', 'id;title\n1234;Agent\n"1,234";Lead\n');

    const refusal = await refusalOf({ users, id: 'id', thousandsSeparator: ',', join: [{ file: contracts }] });

    expect(refusal.message).toBe(`${contracts}:3: column "id": the id "1234" stood in line 2 already`);
  });
});

describe('a header that was changed', () => {
  it('may have its columns in another order', async () => {
    await using folder = await createCsvFolder();
    const one = await folder.write('one.csv', 'id,mail,sn\n1,a,b\n');
    const other = await folder.write('other.csv', 'sn,id,new,mail\nb,1,x,a\n');

    const [first, second] = await Promise.all(
      [one, other].map((users) => readCsv({ users, id: 'id' }, { attributes: ['mail', 'sn'] })),
    );

    expect(second?.entries[0]?.attributes).toEqual(first?.entries[0]?.attributes);
  });

  it.each([
    ['mail', ['id', 'email'], 'has "mail" become "email" in the file?'],
    ['mail', ['id', 'mailAddress', 'e-mail'], 'has "mail" become "e-mail" or "mailAddress" in the file?'],
    ['costCenter', ['id', 'cost_centre'], 'has "costCenter" become "cost_centre" in the file?'],
    ['Straße', ['id', 'STRASSE'], 'has "Straße" become "STRASSE" in the file?'],
    ['sn', ['id', 'snow', 'x'], 'a column must stand in the header exactly once, spelled as in the configuration'],
  ])('is refused by the missing name with near ones (%s of %j)', async (name, header, hint) => {
    await using folder = await createCsvFolder();
    const users = await folder.write('people.csv', `${header.join(',')}\n${header.join(',')}x\n`);

    const refusal = await refusalOf({ users, id: 'id' }, { attributes: [name] });

    expect(refusal).toMatchObject({
      code: incomplete,
      message: expect.stringContaining(`${users}:1: no column "${name}"`),
      hint,
    });
  });
});
