import { appendFileSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createCsvFolder, readCsv, refusalOf } from '../support/csv-files.ts';

const incomplete = 'source-incomplete';
const unavailable = 'source-unavailable';

describe('a list of people in parts', () => {
  it('is read part by part, each with a header, an order and a delimiter of its own', async () => {
    await using folder = await createCsvFolder();
    const a = await folder.write('a.csv', 'id,mail,x\n1,a,0\n');
    const b = await folder.write('b.csv', '\ufeffmail;id\nb;2\nc;3\n');

    const { entries, complete } = await readCsv({ users: [a, b], id: 'id' }, { attributes: ['mail'] });

    expect(entries.map(({ id, attributes, location }) => [id, attributes.mail, location])).toEqual([
      ['1', 'a', 'a.csv:2'],
      ['2', 'b', 'b.csv:2'],
      ['3', 'c', 'b.csv:3'],
    ]);
    expect(complete).toEqual({ entries: 3, description: `${a}, ${b}` });
  });

  it('locates people by the whole path where two parts are called the same', async () => {
    await using folder = await createCsvFolder();
    mkdirSync(folder.path('pt'));
    mkdirSync(folder.path('es'));
    const users = [await folder.write('pt/people.csv', 'id\n1\n'), await folder.write('es/people.csv', 'id\n2\n')];

    const { entries } = await readCsv({ users, id: 'id' });

    expect(entries.map(({ location }) => location)).toEqual(users.map((path) => `${path}:2`));
  });

  it.each([
    ['lacks a column', 'id\n2\n', ':1: no column "mail"'],
    ['has a header alone', 'id,mail\n', ': 0 rows, at least 1 expected'],
    ['is empty', '', ': is empty'],
    ['is broken', 'id,mail\n2\n', ':2: 1 fields, where the header has 2'],
  ])('proves nothing when a part %s', async (_, content, problem) => {
    await using folder = await createCsvFolder();
    const users = [await folder.write('a.csv', 'id,mail\n1,a\n'), await folder.write('b.csv', content)];

    const refusal = await refusalOf({ users, id: 'id' }, { attributes: ['mail'] });

    expect(refusal).toMatchObject({
      code: incomplete,
      message: expect.stringContaining(folder.path('b.csv') + problem),
    });
  });

  it('counts the rows of all parts together', async () => {
    await using folder = await createCsvFolder();
    const users = [await folder.write('a.csv', 'id\n1\n'), await folder.write('b.csv', 'id\n2\n3\n')];
    const expectRowsFrom = await folder.write('people.count', '3');

    const { complete } = await readCsv({ users, id: 'id', minRows: 3, expectRowsFrom });
    const refusal = await refusalOf({ users, id: 'id', minRows: 4 });

    expect(complete.entries).toBe(3);
    expect(refusal.message).toBe(`${users.join(', ')}: 3 rows, at least 4 expected`);
  });

  it('must have the same columns in every part when rules read attributes by computed names', async () => {
    await using folder = await createCsvFolder();
    const a = await folder.write('a.csv', 'id,mail\n1,a\n');
    const b = await folder.write('b.csv', 'mail,id,title\nb,2,x\n');

    const more = await refusalOf({ users: [a, b], id: 'id' }, { attributes: 'all' });
    const fewer = await refusalOf({ users: [b, a], id: 'id' }, { attributes: 'all' });

    expect(more.message).toBe(`${b}:1: has the column "title", which ${a} lacks`);
    expect(fewer.message).toContain(`${a}:1: no column "title"`);
  });

  it('must not hold a part twice, under one path or two', async () => {
    await using folder = await createCsvFolder();
    const a = await folder.write('a.csv', 'id\n1\n');
    symlinkSync(a, folder.path('b.csv'));

    const twice = await refusalOf({ users: [a, a], id: 'id' });
    const linked = await refusalOf({ users: [a, folder.path('b.csv')], id: 'id' });

    expect(twice).toMatchObject({ code: incomplete, message: `${a}: is named twice` });
    expect(linked.message).toBe(`${folder.path('b.csv')}: is the same file as ${a}`);
  });

  it('proves nothing when a part that was read already changes while another is read', async () => {
    await using folder = await createCsvFolder();
    const a = await folder.write('a.csv', 'id\n1\n');
    const b = await folder.write('b.csv', 'id\n2\n');
    let entries = 0;

    const refusal = await refusalOf(
      { users: [a, b], id: 'id' },
      {},
      {
        onEntry: () => {
          if (++entries === 2) appendFileSync(a, '3\n');
        },
      },
    );

    expect(refusal.message).toContain(`${a}: changed while it was read`);
  });
});

describe('the newest file of a folder', () => {
  const newestBy = (folder: string, newest: 'name' | 'modified', match = 'people-*.csv') => ({ folder, match, newest });

  it('is the one whose name is the greatest, digits compared as numbers', async () => {
    await using folder = await createCsvFolder();
    for (const number of [9, 10, 2]) await folder.write(`people-${number}.csv`, `id\n${number}\n`);
    const users = newestBy(folder.path(''), 'name');

    const { entries, complete } = await readCsv({ users, id: 'id' });

    expect(entries[0]).toMatchObject({ id: '10', location: 'people-10.csv:2' });
    expect(complete.description).toBe(folder.path('people-10.csv'));
  });

  it('is the one that was written last, when that is what counts', async () => {
    await using folder = await createCsvFolder();
    await utimes(await folder.write('people-b.csv', 'id\n1\n'), 1_000, 1_000);
    await utimes(await folder.write('people-a.csv', 'id\n2\n'), 2_000, 2_000);

    const { entries } = await readCsv({ users: newestBy(folder.path(''), 'modified'), id: 'id' });

    expect(entries.map(({ id }) => id)).toEqual(['2']);
  });

  it('is never one of another name, a folder, or a hidden file', async () => {
    await using folder = await createCsvFolder();
    await folder.write('people-1.csv', 'id\n1\n');
    for (const name of ['people-2.csv.part', '.people-3.csv', 'People-4.csv', 'xpeople-5.csv']) {
      await folder.write(name, 'id\n2\n');
    }
    mkdirSync(folder.path('people-9.csv'));

    const { entries } = await readCsv({ users: newestBy(folder.path(''), 'name'), id: 'id' });
    const any = await readCsv({ users: newestBy(folder.path(''), 'name', '?eople-1*'), id: 'id' });

    expect([entries, any.entries].map(([entry]) => entry?.id)).toEqual(['1', '1']);
  });

  it('is named by a pattern in which only * and ? mean anything', async () => {
    await using folder = await createCsvFolder();
    await folder.write('people(1)+.csv', 'id\n1\n');
    await folder.write('people(1)xcsv', 'id\n2\n');

    const { entries } = await readCsv({ users: newestBy(folder.path(''), 'name', 'people(?)+.csv'), id: 'id' });

    expect(entries.map(({ id }) => id)).toEqual(['1']);
  });

  it.each([
    ['name', '"people-01.csv" and "people-1.csv" are equally new by name', ['people-1.csv', 'people-01.csv']],
    ['modified', 'are equally new by time of the last write', ['people-1.csv', 'people-2.csv']],
  ] as const)('must be one: a tie by %s proves nothing', async (newest, problem, names) => {
    await using folder = await createCsvFolder();
    for (const name of names) await utimes(await folder.write(name, 'id\n1\n'), 1_000, 1_000);

    const refusal = await refusalOf({ users: newestBy(folder.path(''), newest), id: 'id' });

    expect(refusal).toMatchObject({ code: incomplete, message: expect.stringContaining(problem) });
  });

  it('must be there, and so must the folder', async () => {
    await using folder = await createCsvFolder();
    await folder.write('people.txt', 'id\n1\n');
    const gone = newestBy(join(folder.path(''), 'gone'), 'name');

    const none = await refusalOf({ users: newestBy(folder.path(''), 'name'), id: 'id' });
    const missing = await refusalOf({ users: gone, id: 'id' });

    expect(none).toMatchObject({
      code: unavailable,
      message: `${folder.path('')}: no file matches "people-*.csv"`,
      hint: expect.stringContaining('1 entries'),
    });
    expect(missing).toMatchObject({ code: unavailable, message: `${gone.folder}: cannot be listed: no such file` });
  });

  it('must be young enough, whatever its name says', async () => {
    await using folder = await createCsvFolder();
    await utimes(await folder.write('people-2.csv', 'id\n1\n'), 1_000, 1_000);
    await folder.write('people-1.csv', 'id\n1\n');

    const refusal = await refusalOf({ users: newestBy(folder.path(''), 'name'), id: 'id', maxAgeMs: 1_000_000 });

    expect(refusal).toMatchObject({ code: incomplete, message: expect.stringContaining('people-2.csv: was last') });
  });

  it('is chosen once: a newer one that arrives during the read is for the next', async () => {
    await using folder = await createCsvFolder();
    await folder.write('people-1.csv', `id\n${'1\n'.repeat(400)}`);

    const { entries, complete } = await readCsv(
      { users: newestBy(folder.path(''), 'name'), id: 'id', chunkSize: 64 },
      {},
      { onEntry: () => writeFileSync(folder.path('people-2.csv'), 'id\n2\n') },
    );

    expect(entries).toHaveLength(400);
    expect(complete.description).toBe(folder.path('people-1.csv'));
  });

  it('proves nothing when it is cleared away during the read', async () => {
    await using folder = await createCsvFolder();
    const path = await folder.write('people-1.csv', 'id\n1\n');

    const refusal = await refusalOf(
      { users: newestBy(folder.path(''), 'name'), id: 'id' },
      {},
      { onEntry: () => rmSync(path) },
    );

    expect(refusal.message).toContain(`${path}: changed while it was read`);
  });

  it('can be a part, a joined file and the memberships', async () => {
    await using folder = await createCsvFolder();
    await folder.write('people-1.csv', 'id\n1\n');
    await folder.write('contracts-1.csv', 'id,title\n1,Agent\n');
    await folder.write('groups-1.csv', 'id,group\n1,g\n');
    const newest = (match: string) => newestBy(folder.path(''), 'name', match);

    const { entries } = await readCsv(
      {
        users: [newest('people-*')],
        id: 'id',
        join: [{ file: newest('contracts-*') }],
        memberships: newest('groups-*'),
      },
      { attributes: ['title'], groups: ['g'] },
    );

    expect(entries).toMatchObject([{ attributes: { title: 'Agent' }, groups: ['g'] }]);
  });
});
