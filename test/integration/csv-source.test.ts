import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../src/errors.ts';
import { createCsvSource } from '../../src/sources/csv/csv-source.ts';
import { createCsvFolder, readCsv, refusalOf, silent, systemClock } from '../support/csv-files.ts';

describe('entries of a CSV file', () => {
  it('hold the demanded columns under their names, with id and location', async () => {
    await using folder = await createCsvFolder();
    const users = await folder.write(
      'people.csv',
      'mail,employeeId,sn\nada@corp.example,007,Lovelace\nbob@corp.example,008,Bow\n',
    );

    const { entries, complete } = await readCsv({ users, id: 'employeeId' }, { attributes: ['mail'] });

    expect(entries).toEqual([
      { id: '007', attributes: { mail: 'ada@corp.example' }, groups: [], location: 'people.csv:2' },
      { id: '008', attributes: { mail: 'bob@corp.example' }, groups: [], location: 'people.csv:3' },
    ]);
    expect(complete).toEqual({ entries: 2, description: users });
  });

  it('hold every named column when rules read attributes by computed names', async () => {
    await using folder = await createCsvFolder();
    const users = await folder.write('people.csv', 'id,mail,,sn\n1,a@corp.example,unnamed,A\n');

    const { entries } = await readCsv({ users, id: 'id' }, { attributes: 'all' });

    expect(entries[0]?.attributes).toEqual({ id: '1', mail: 'a@corp.example', sn: 'A' });
  });

  it('have trimmed values, and no attribute where the value is empty', async () => {
    await using folder = await createCsvFolder();
    const users = await folder.write('people.csv', 'id, mail ,sn\n 1 ,  a@corp.example\t,   \n2,"  ","\u00a0Bow "\n');

    const { entries } = await readCsv({ users, id: 'id' }, { attributes: ['mail', 'sn'] });

    expect(entries.map(({ id, attributes }) => ({ id, attributes }))).toEqual([
      { id: '1', attributes: { mail: 'a@corp.example' } },
      { id: '2', attributes: { sn: 'Bow' } },
    ]);
  });

  it('have an empty id where the row has none', async () => {
    await using folder = await createCsvFolder();
    const users = await folder.write('people.csv', 'id,mail\n,a@corp.example\n');

    const { entries } = await readCsv({ users, id: 'id' }, { attributes: ['mail'] });

    expect(entries).toEqual([{ id: '', attributes: { mail: 'a@corp.example' }, groups: [], location: 'people.csv:2' }]);
  });

  it('hold nothing that the row does not say, whatever the columns are called', async () => {
    await using folder = await createCsvFolder();
    const users = await folder.write('people.csv', 'id,__proto__,constructor\n1,x,y\n2,,\n');
    const seen: unknown[] = [];

    await createCsvSource({ users, id: 'id' }, systemClock, silent).read(
      { attributes: ['__proto__', 'constructor'], groups: [], allGroups: false },
      ({ attributes }) => seen.push(['__proto__', 'constructor', 'toString'].map((name) => attributes[name])),
      new AbortController().signal,
    );

    expect(seen).toEqual([
      ['x', 'y', undefined],
      [undefined, undefined, undefined],
    ]);
  });

  it('are located by the first line of their row, across quoted line breaks of either kind', async () => {
    await using folder = await createCsvFolder();
    const text = 'id,"no\r\nte"\r\n1,plain\r\n2,"two\r\nlines"\r\n3,"three\n\nlines"\r\n4,"a ""b"" c"\r\n5,plain\r\n';
    const users = await folder.write('people.csv', text);

    const { entries } = await readCsv({ users, id: 'id' }, { attributes: ['no\r\nte'] });

    expect(entries.map(({ id, location }) => `${id} ${location}`)).toEqual([
      '1 people.csv:3',
      '2 people.csv:4',
      '3 people.csv:6',
      '4 people.csv:9',
      '5 people.csv:10',
    ]);
    expect(entries[3]?.attributes).toEqual({ 'no\r\nte': 'a "b" c' });
  });

  it.each([
    ['a missing last line end', 'id,mail\n1,a\n2,b'],
    ['CRLF', 'id,mail\r\n1,a\r\n2,b\r\n'],
    ['CRLF without the last one', 'id,mail\r\n1,a\r\n2,b'],
    ['blank lines at the end', 'id,mail\n1,a\n2,b\n\n  \r\n\n'],
    ['a byte order mark', '\ufeffid,mail\n1,a\n2,b\n'],
    ['a byte order mark before a quoted name', '\ufeff"id","mail"\n1,a\n2,b\n'],
    ['semicolons', 'id;mail\n1;a\n2;b\n'],
    ['tabs', 'id\tmail\n1\ta\n2\tb\n'],
    ['quotes that only suit semicolons', '"id";"mail"\n"1";"a"\n"2";"b"\n'],
    ['more commas than semicolons in the header', '"x,y,z";id;mail\n0;1;a\n0;2;b\n'],
  ])('are the same with %s', async (_, text) => {
    await using folder = await createCsvFolder();
    const users = await folder.write('people.csv', text);

    const { entries } = await readCsv({ users, id: 'id' }, { attributes: ['mail'] });

    expect(entries.map(({ id, attributes, location }) => [id, attributes, location])).toEqual([
      ['1', { mail: 'a' }, 'people.csv:2'],
      ['2', { mail: 'b' }, 'people.csv:3'],
    ]);
  });

  it('come from a column named twice, as long as no rule looks at it', async () => {
    await using folder = await createCsvFolder();
    const users = await folder.write('people.csv', 'id,note,note,mail\n1,x,y,a@corp.example\n');

    const { entries } = await readCsv({ users, id: 'id' }, { attributes: ['mail'] });

    expect(entries[0]?.attributes).toEqual({ mail: 'a@corp.example' });
  });

  it.each([
    ['utf-8', Buffer.from('id,sn\n1,Müller\n')],
    ['windows-1252', Buffer.from('id,sn\n1,M\xfcller\n', 'latin1')],
    ['iso-8859-1', Buffer.from('id,sn\n1,M\xfcller\n', 'latin1')],
    ['iso-8859-15', Buffer.from('id,sn\n1,M\xfcller\n', 'latin1')],
    ['utf-16le', Buffer.from('id,sn\n1,Müller\n', 'utf16le')],
    ['utf-16be', Buffer.from('id,sn\n1,Müller\n', 'utf16le').swap16()],
    ['utf-16', Buffer.from('\ufeffid,sn\n1,Müller\n', 'utf16le')],
    ['utf-16', Buffer.from('\ufeffid,sn\n1,Müller\n', 'utf16le').swap16()],
    [undefined, Buffer.from('\ufeffid,sn\n1,Müller\n', 'utf16le')],
    [undefined, Buffer.from('\ufeffid,sn\n1,Müller\n', 'utf16le').swap16()],
  ] as const)('are decoded as configured or marked (%s)', async (encoding, content) => {
    await using folder = await createCsvFolder();
    const users = await folder.write('people.csv', content);

    const { entries } = await readCsv(
      { users, id: 'id', ...(encoding === undefined ? {} : { encoding }) },
      { attributes: ['sn'] },
    );

    expect(entries[0]?.attributes).toEqual({ sn: 'Müller' });
  });
});

describe('reading a CSV file', () => {
  it('stops between two reads when asked to, with the reason given', async () => {
    await using folder = await createCsvFolder();
    const users = await folder.write('people.csv', `id,mail\n${'1,a@corp.example\n'.repeat(1000)}`);
    const controller = new AbortController();
    const reason = new Error('shutting down');
    let entries = 0;

    const refusal = await refusalOf(
      { users, id: 'id', chunkSize: 1024 },
      {},
      {
        signal: controller.signal,
        onEntry: () => {
          entries++;
          controller.abort(reason);
        },
      },
    );

    expect(refusal).toBe(reason);
    expect(entries).toBeLessThan(100);
  });

  it('says that it was interrupted when the signal gives no error as its reason', async () => {
    await using folder = await createCsvFolder();
    const users = await folder.write('people.csv', 'id\n1\n');

    const refusal = await refusalOf({ users, id: 'id' }, {}, { signal: AbortSignal.abort('stop') });

    expect(refusal).toMatchObject({ code: 'interrupted' });
  });

  it('ends with what the receiver of an entry throws', async () => {
    await using folder = await createCsvFolder();
    const users = await folder.write('people.csv', 'id\n1\n');
    const failure = new Error('receiver');

    const refusal = await refusalOf(
      { users, id: 'id' },
      {},
      {
        onEntry: () => {
          throw failure;
        },
      },
    );

    expect(refusal).toBe(failure);
  });

  it('refuses a delimiter and a separator with which nothing can be read, both at once', () => {
    const options = { users: '/people.csv', id: 'id', delimiter: '"', groups: { column: 'groups', separator: '' } };

    const create = () => createCsvSource(options, systemClock, silent);

    expect(create).toThrow(ConfigError);
    expect(create).toThrow(/source\.delimiter.*\n.*source\.groups\.separator/);
  });

  it('can be repeated', async () => {
    await using folder = await createCsvFolder();
    const users = await folder.write('people.csv', 'id,groups\n1,g\n');
    const source = createCsvSource(
      { users, id: 'id', groups: { column: 'groups', separator: ';' } },
      systemClock,
      silent,
    );
    const demand = { attributes: [], groups: ['g'], allGroups: false };
    const found: unknown[] = [];

    await source.read(demand, (entry) => found.push(entry.groups), new AbortController().signal);
    await source.read(demand, (entry) => found.push(entry.groups), new AbortController().signal);

    expect(found).toEqual([['g'], ['g']]);
  });
});
