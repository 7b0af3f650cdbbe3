import { appendFileSync, renameSync, truncateSync, writeFileSync } from 'node:fs';
import { utimes } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { createCsvFolder, createWarnings, readCsv, refusalOf, systemClock } from '../support/csv-files.ts';

const incomplete = 'source-incomplete';

describe('a joined file', () => {
  it('adds its columns to the people whose id it names, under an id column of any name and any delimiter', async () => {
    await using folder = await createCsvFolder();
    const users = await folder.write('people.csv', 'employeeId,mail\n007,a\n7,b\n8,c\n');
    const contracts = await folder.write(
      'contracts.csv',
      'costs;personnel no;title\n40;8;Agent\n41; 007 ;\n42;7;Lead\n',
    );

    const { entries, complete } = await readCsv(
      { users, id: 'employeeId', join: [{ file: contracts, id: 'personnel no' }] },
      { attributes: ['costs', 'mail', 'title'] },
    );

    expect(entries.map(({ id, attributes }) => ({ id, ...attributes }))).toEqual([
      { id: '007', mail: 'a', costs: '41' },
      { id: '7', mail: 'b', costs: '42', title: 'Lead' },
      { id: '8', mail: 'c', costs: '40', title: 'Agent' },
    ]);
    expect(entries[0]?.location).toBe('people.csv:2');
    expect(complete).toEqual({ entries: 3, description: `${users} joined with ${contracts}` });
  });

  it('can be one of several, and hold the groups column', async () => {
    await using folder = await createCsvFolder();
    const users = await folder.write('people.csv', 'id,mail\n1,a\n2,b\n');
    const contracts = await folder.write('contracts.csv', 'id,title\n1,Agent\n2,Lead\n');
    const access = await folder.write('access.csv', 'id,groups\n2,x;y\n1,y\n');

    const { entries } = await readCsv(
      { users, id: 'id', join: [{ file: contracts }, { file: access }], groups: { column: 'groups', separator: ';' } },
      { attributes: ['mail', 'title'], groups: ['x', 'y'] },
    );

    expect(entries.map(({ attributes, groups }) => ({ ...attributes, groups }))).toEqual([
      { mail: 'a', title: 'Agent', groups: ['y'] },
      { mail: 'b', title: 'Lead', groups: ['x', 'y'] },
    ]);
  });

  it('gives every column but its id when rules read attributes by computed names', async () => {
    await using folder = await createCsvFolder();
    const users = await folder.write('people.csv', 'id,mail\n1,a\n');
    const contracts = await folder.write('contracts.csv', 'no,title,\n1,Agent,unnamed\n');

    const { entries } = await readCsv(
      { users, id: 'id', join: [{ file: contracts, id: 'no' }] },
      { attributes: 'all' },
    );

    expect(entries[0]?.attributes).toEqual({ id: '1', mail: 'a', title: 'Agent' });
  });

  it('leaves the attributes absent for a person whom it does not name', async () => {
    await using folder = await createCsvFolder();
    const users = await folder.write('people.csv', 'id\n1\n2\n');
    const contracts = await folder.write('contracts.csv', 'id,title\n1,Agent\n');

    const { entries } = await readCsv({ users, id: 'id', join: [{ file: contracts }] }, { attributes: ['title'] });

    expect(entries.map(({ attributes }) => attributes)).toEqual([{ title: 'Agent' }, {}]);
  });

  it('proves nothing when it is required and does not name everybody', async () => {
    await using folder = await createCsvFolder();
    const users = await folder.write('people.csv', 'id\n1\n2\n3\n4\n5\n');
    const contracts = await folder.write('contracts.csv', 'id,title\n1,Agent\n');

    const refusal = await refusalOf(
      { users, id: 'id', join: [{ file: contracts, required: true }] },
      { attributes: ['title'] },
    );

    expect(refusal).toMatchObject({
      code: incomplete,
      message: `${contracts}: has no row for 4 people: "2" (people.csv:3), "3" (people.csv:4), "4" (people.csv:5) and 1 more`,
      hint: expect.stringContaining('required'),
    });
  });

  it('is complete when it is required and names everybody but the person without id', async () => {
    await using folder = await createCsvFolder();
    const users = await folder.write('people.csv', 'id,mail\n1,a\n,b\n');
    const contracts = await folder.write('contracts.csv', 'id,title\n1,Agent\n');

    const { complete } = await readCsv(
      { users, id: 'id', join: [{ file: contracts, required: true }] },
      { attributes: ['title'] },
    );

    expect(complete.entries).toBe(2);
  });

  it('may name people who are not there: they are counted and told', async () => {
    await using folder = await createCsvFolder();
    const users = await folder.write('people.csv', 'id\n1\n');
    const contracts = await folder.write('contracts.csv', 'id,title\n9,x\n1,Agent\n8,x\n7,x\n6,x\n');
    const warnings = createWarnings();

    await readCsv({ users, id: 'id', join: [{ file: contracts }] }, { attributes: ['title'] }, { logger: warnings });

    expect(warnings.told).toEqual([
      {
        file: contracts,
        rows: 4,
        examples: ['contracts.csv:2', 'contracts.csv:4', 'contracts.csv:5'],
        message: 'rows of a joined file belong to no person of the users file',
      },
    ]);
  });

  it('proves nothing when none of its ids belongs to anybody: zeros were lost, or it is another list', async () => {
    await using folder = await createCsvFolder();
    const users = await folder.write('people.csv', 'id\n001\n002\n');
    const contracts = await folder.write('contracts.csv', 'id,title\n1,Agent\n2,Lead\n');

    const refusal = await refusalOf({ users, id: 'id', join: [{ file: contracts }] }, { attributes: ['title'] });

    expect(refusal).toMatchObject({
      code: incomplete,
      message: `${contracts}: none of its ids belongs to a person`,
      hint: 'column "id" begins with "1": are leading zeros or separators lost in one of the files?',
    });
  });

  it.each([
    ['an id twice', 'id,title\n1,Agent\n2,x\n1,Lead\n', ':4: column "id": the id "1" stood in line 2 already'],
    ['a row without id', 'id,title\n1,Agent\n,Lead\n', ':3: column "id": the person id is empty'],
    ['no rows', 'id,title\n', ': 0 rows, at least 1 expected'],
    ['no id column', 'ident,title\n1,Agent\n', ':1: no column "id"; the header has "ident", "title" (delimiter ",")'],
    ['a wanted column twice', 'id,title,title\n1,a,b\n', ':1: column "title" stands 2 times'],
    ['a row with too few fields', 'id,title\n1\n', ':2: 1 fields, where the header has 2'],
    ['an open quote', 'id,title\n1,"x\n', ':2: column "title": the quote that opens the field is not closed'],
    ['other bytes', Buffer.from('id,title\n1,\xfc\n', 'latin1'), ':2: byte 0xFC does not fit UTF-8'],
    ['nothing', '', ': is empty'],
  ])('is held to the same rules as the users file (%s)', async (_, content, problem) => {
    await using folder = await createCsvFolder();
    const users = await folder.write('people.csv', 'id\n1\n2\n');
    const contracts = await folder.write('contracts.csv', content);

    const refusal = await refusalOf({ users, id: 'id', join: [{ file: contracts }] }, { attributes: ['title'] });

    expect(refusal).toMatchObject({
      code: incomplete,
      message: expect.stringContaining(contracts + problem),
      hint: expect.any(String),
    });
  });

  it('can have an encoding and a trailer of its own, or none', async () => {
    await using folder = await createCsvFolder();
    const users = await folder.write('people.csv', 'id\n1\nEND,1\n');
    const a = await folder.write('a.csv', Buffer.from('id|sn\n1|M\xfcller\nEOF|x|1\n', 'latin1'));
    const b = await folder.write('b.csv', 'id,title\n1,Agent\n');
    const trailer = { match: 'EOF', field: 3 };

    const { entries } = await readCsv(
      {
        users,
        id: 'id',
        trailer: { match: 'END', field: 2 },
        join: [
          { file: a, delimiter: '|', encoding: 'windows-1252', trailer },
          { file: b, trailer: false },
        ],
      },
      { attributes: ['sn', 'title'] },
    );

    expect(entries[0]?.attributes).toEqual({ sn: 'Müller', title: 'Agent' });
  });
});

describe('a column that rules look at', () => {
  it('must not stand in the users file and in a joined one', async () => {
    await using folder = await createCsvFolder();
    const users = await folder.write('people.csv', 'id,title\n1,x\n');
    const contracts = await folder.write('contracts.csv', 'id,title\n1,Agent\n');
    const options = { users, id: 'id', join: [{ file: contracts }] };

    const named = await refusalOf(options, { attributes: ['title'] });
    const computed = await refusalOf(options, { attributes: 'all' });
    const unused = await readCsv(options);

    expect(named).toMatchObject({
      code: incomplete,
      message: `${users}:1: column "title" stands in ${contracts} too`,
      hint: expect.stringContaining('rename'),
    });
    expect(computed.message).toBe(named.message);
    expect(unused.complete.entries).toBe(1);
  });

  it('must not stand in two joined files', async () => {
    await using folder = await createCsvFolder();
    const users = await folder.write('people.csv', 'id\n1\n');
    const a = await folder.write('a.csv', 'id,title\n1,x\n');
    const b = await folder.write('b.csv', 'id,title\n1,y\n');

    const refusal = await refusalOf({ users, id: 'id', join: [{ file: a }, { file: b }] }, { attributes: ['title'] });

    expect(refusal).toMatchObject({ code: incomplete, message: `${b}:1: column "title" stands in ${a} too` });
  });

  it('may be the id of both', async () => {
    await using folder = await createCsvFolder();
    const users = await folder.write('people.csv', 'id,mail\n1,a\n');
    const contracts = await folder.write('contracts.csv', 'id,title\n1,Agent\n');

    const { entries } = await readCsv(
      { users, id: 'id', join: [{ file: contracts }] },
      { attributes: ['id', 'title'] },
    );

    expect(entries[0]?.attributes).toEqual({ id: '1', title: 'Agent' });
  });

  it('is looked for in every file, and near names are told of each', async () => {
    await using folder = await createCsvFolder();
    const users = await folder.write('people.csv', 'id,e-mail\n1,a\n');
    const contracts = await folder.write('contracts.csv', 'id,Cost Center\n1,40\n');

    const refusal = await refusalOf(
      { users, id: 'id', join: [{ file: contracts }] },
      { attributes: ['costCenter', 'mail'] },
    );

    expect(refusal).toMatchObject({
      code: incomplete,
      message: `${users}:1: no column "costCenter", no column "mail"; the header has "id", "e-mail" (delimiter ","), and none in ${contracts}`,
      hint: `"costCenter" is spelled "Cost Center" in ${contracts}; has "mail" become "e-mail" in the file?`,
    });
  });
});

describe('files that are read together', () => {
  const people = `id,mail\n${Array.from({ length: 500 }, (_, index) => `${index},a@corp.example\n`).join('')}`;
  const text = 'id,title\n1,Agent\n';

  it.each<[string, (path: string) => void]>([
    ['appended to', (path) => appendFileSync(path, '2,Lead\n')],
    ['cut off', (path) => truncateSync(path, 9)],
    [
      'replaced',
      (path) => {
        writeFileSync(`${path}.new`, text);
        renameSync(`${path}.new`, path);
      },
    ],
  ])('prove nothing when the joined one, already read, is %s while people are read', async (_, change) => {
    await using folder = await createCsvFolder();
    const users = await folder.write('people.csv', people);
    const contracts = await folder.write('contracts.csv', text);
    let changed = false;

    const refusal = await refusalOf(
      { users, id: 'id', join: [{ file: contracts }], chunkSize: 512 },
      { attributes: ['title'] },
      {
        onEntry: () => {
          if (!changed) change(contracts);
          changed = true;
        },
      },
    );

    expect(refusal).toMatchObject({
      code: incomplete,
      message: expect.stringContaining(`${contracts}: changed while it was read`),
    });
  });

  it.each(['people.csv', 'more.csv', 'contracts.csv'])('prove nothing when %s is older than maxAge', async (old) => {
    await using folder = await createCsvFolder();
    const users = [await folder.write('people.csv', 'id\n1\n'), await folder.write('more.csv', 'id\n2\n')];
    const contracts = await folder.write('contracts.csv', text);
    await utimes(folder.path(old), 1_000, 1_000);

    const refusal = await refusalOf(
      { users, id: 'id', join: [{ file: contracts }], maxAgeMs: 3_600_000 },
      {},
      { clock: systemClock },
    );

    expect(refusal).toMatchObject({
      code: incomplete,
      message: expect.stringContaining(`${folder.path(old)}: was last written`),
    });
  });
});
