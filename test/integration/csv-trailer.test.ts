import { describe, expect, it } from 'vitest';
import { createCsvFolder, readCsv, refusalOf } from '../support/csv-files.ts';

const incomplete = 'source-incomplete';
const trailer = { match: 'TRAILER', field: 2 };
const chunkSizes = [1, 7, 100_000];

describe('a trailer with the number of rows', () => {
  it.each([
    ['fewer fields than the header', 'id,mail,sn\n1,a,b\n2,c,d\nTRAILER,2\n'],
    ['as many fields', 'id,mail,sn\n1,a,b\n2,c,d\nTRAILER,2,\n'],
    ['more fields', 'id,mail,sn\n1,a,b\n2,c,d\nTRAILER,2,,,\n'],
    ['quotes and zeros', 'id,mail,sn\r\n1,a,b\r\n2,c,d\r\n"TRAILER","0002"\r\n'],
    ["Excel's text", 'id,mail,sn\n1,a,b\n2,c,d\nTRAILER,="2"\n'],
    ['no line end', 'id,mail,sn\n1,a,b\n2,c,d\nTRAILER,2'],
    ['blank lines behind it', 'id,mail,sn\n1,a,b\n2,c,d\nTRAILER,2\n\n \r\n\n'],
    ['quoted line breaks before it', 'id,mail,sn\n1,"a\nTRAILER,9\n",b\n2,c,d\nTRAILER,2\n'],
    ['the header once more before it', 'id,mail,sn\n1,a,b\n\ufeffid,mail,sn\n2,c,d\n\ufeffTRAILER,2\n'],
    ['another column first', 'sn,id,mail\nb,1,a\nd,2,c\nTRAILER,2\n'],
  ])('proves that the file came to its end, and is no person (%s)', async (_, text) => {
    await using folder = await createCsvFolder();
    const users = await folder.write('people.csv', text);

    for (const chunkSize of chunkSizes) {
      const { entries, complete } = await readCsv({ users, id: 'id', trailer, chunkSize }, { attributes: ['mail'] });

      expect(entries.map(({ id }) => id)).toEqual(['1', '2']);
      expect(complete.entries).toBe(2);
    }
  });

  it('may hold the count in another field', async () => {
    await using folder = await createCsvFolder();
    const users = await folder.write('people.csv', 'id\n1\nTRAILER,2026-11-26,1\n');

    const { complete } = await readCsv({ users, id: 'id', trailer: { match: 'TRAILER', field: 3 } });

    expect(complete.entries).toBe(1);
  });

  const noTrailer = 'the last row is no trailer: it does not begin with "TRAILER"';
  it.each([
    ['is missing', 'id,mail\n1,a\n2,b\n', `:3: ${noTrailer}`],
    ['is missing, with blank lines instead', 'id,mail\n1,a\n2,b\n\n\n', `:3: ${noTrailer}`],
    ['is missing, and so are the rows', 'id,mail\n', ': has no header and trailer'],
    ['is all there is', 'TRAILER,0\n', ': has no header and trailer'],
    ['is cut off', 'id,mail\n1,a\nTRAI', `:3: ${noTrailer}`],
    ['is spelled otherwise', 'id,mail\n1,a\nTrailer,1\n', `:3: ${noTrailer}`],
    ['lacks its count', 'id,mail\n1,a\nTRAILER\n', ':3: field 2 of the trailer is no number of rows'],
    ['has a word for a count', 'id,mail\n1,a\nTRAILER,one\n', ':3: field 2 of the trailer is no number of rows'],
    ['counts one row more', 'id,mail\n1,a\nTRAILER,2\n', ':3: the trailer counts 2 rows, where the file has 1'],
    [
      'counts itself and the header',
      'id,mail\n1,a\nTRAILER,3\n',
      ':3: the trailer counts 3 rows, where the file has 1',
    ],
    [
      'counts one row fewer',
      'id,mail\n1,"a\n"\n2,b\nTRAILER,1\n',
      ':5: the trailer counts 1 rows, where the file has 2',
    ],
    ['stands in the middle', 'id,mail\n1,a\nTRAILER,1\n2,b\nTRAILER,1\n', ':3: a trailer stands before the last row'],
    ['stands in the middle alone', 'mail,id\na,1\nTRAILER,1\nb,2\n', ':3: a trailer stands before the last row'],
    ['stands twice', 'id,mail\n1,a\nTRAILER,1\nTRAILER,1\n', ':3: a trailer stands before the last row'],
    ['has an open quote', 'id,mail\n1,a\nTRAILER,"1\n', ':3: column "mail": the quote that opens the field'],
    ['follows a blank line', 'id,mail\n1,a\n\n2,b\nTRAILER,2\n', ':3: blank line between rows'],
    ['follows a short row', 'id,mail\n1\nTRAILER,1\n', ':2: 1 fields, where the header has 2'],
    ['follows wrong bytes', Buffer.from('id,mail\n1,a\n2,\xfc\nTRAILER,2\n', 'latin1'), ':3: byte 0xFC does not fit'],
  ])('proves nothing when it %s', async (_, text, problem) => {
    await using folder = await createCsvFolder();
    const users = await folder.write('people.csv', text);

    for (const chunkSize of chunkSizes) {
      const refusal = await refusalOf({ users, id: 'id', trailer, chunkSize }, { attributes: ['mail'] });

      expect(refusal).toMatchObject({
        code: incomplete,
        message: expect.stringContaining(users + problem),
        hint: expect.any(String),
      });
    }
  });

  it('is looked for behind any length of blank lines, and not behind a megabyte of them', async () => {
    await using folder = await createCsvFolder();
    const few = await folder.write('few.csv', `id\n1\nTRAILER,1\n${'\n'.repeat(200_000)}`);
    const many = await folder.write('many.csv', `id\n1\nTRAILER,1\n${'\n'.repeat(1_500_000)}`);

    const { complete } = await readCsv({ users: few, id: 'id', trailer });
    const refusal = await refusalOf({ users: many, id: 'id', trailer });

    expect(complete.entries).toBe(1);
    expect(refusal).toMatchObject({ code: incomplete, message: `${many}:3: a trailer stands before the last row` });
  });

  it('is refused before a record without end fills the memory', async () => {
    await using folder = await createCsvFolder();
    const users = await folder.write('people.csv', `id\n1\n2\n${'x'.repeat(3_000_000)}`);

    const refusal = await refusalOf({ users, id: 'id', trailer });

    expect(refusal.message).toBe(`${users}:4: the record is longer than 1 MiB`);
  });

  it('ends every part and the memberships, each with its own count', async () => {
    await using folder = await createCsvFolder();
    const users = [
      await folder.write('a.csv', 'id\n1\nTRAILER,1\n'),
      await folder.write('b.csv', 'id\n2\n3\nTRAILER,2\n'),
    ];
    const memberships = await folder.write('memberships.csv', 'id,group\n1,g\n2,g\nTRAILER,2\n');

    const { entries } = await readCsv({ users, memberships, id: 'id', trailer }, { groups: ['g'] });
    await folder.write('memberships.csv', 'id,group\n1,g\n2,g\n');
    const refusal = await refusalOf({ users, memberships, id: 'id', trailer }, { groups: ['g'] });

    expect(entries.map(({ id, groups }) => id + groups.join())).toEqual(['1g', '2g', '3']);
    expect(refusal.message).toBe(`${memberships}:3: ${noTrailer}`);
  });
});
