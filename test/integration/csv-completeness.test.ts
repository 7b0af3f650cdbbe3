import { execFileSync } from 'node:child_process';
import { appendFileSync, renameSync, rmSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { utimes } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import type { CsvOptions } from '../../src/sources/csv/options.ts';
import { createCsvFolder, readCsv, refusalOf } from '../support/csv-files.ts';

const incomplete = 'source-incomplete';
const unavailable = 'source-unavailable';

describe('a CSV file that cannot be read', () => {
  it('is named when it is missing', async () => {
    await using folder = await createCsvFolder();
    const users = folder.path('people.csv');

    const refusal = await refusalOf({ users, id: 'id' });

    expect(refusal).toMatchObject({
      code: unavailable,
      message: `${users}: cannot be opened: no such file`,
      hint: expect.stringContaining('check the path'),
    });
  });

  it('is named when a part of its path is a file', async () => {
    await using folder = await createCsvFolder();
    const users = `${await folder.write('people.csv', 'id\n1\n')}/people.csv`;

    const refusal = await refusalOf({ users, id: 'id' });

    expect(refusal).toMatchObject({ code: unavailable, message: expect.stringContaining('no directory') });
  });

  it.skipIf(process.getuid?.() === 0)('is named when permission is denied', async () => {
    await using folder = await createCsvFolder();
    const users = await folder.write('people.csv', 'id\n1\n');
    execFileSync('chmod', ['000', users]);

    const refusal = await refusalOf({ users, id: 'id' });

    expect(refusal).toMatchObject({ code: unavailable, message: expect.stringContaining('permission denied') });
  });

  it('is named when it is a directory', async () => {
    await using folder = await createCsvFolder();
    const users = folder.path('.');

    const refusal = await refusalOf({ users, id: 'id' });

    expect(refusal).toMatchObject({ code: unavailable, message: `${users}: is a directory` });
  });

  it('is named, without waiting for a writer, when it is a pipe', async () => {
    await using folder = await createCsvFolder();
    const users = folder.path('people.csv');
    execFileSync('mkfifo', [users]);

    const refusal = await refusalOf({ users, id: 'id' });

    expect(refusal).toMatchObject({ code: unavailable, message: `${users}: is not a regular file` });
  });
});

describe('a CSV file with too little in it', () => {
  it.each([
    ['nothing at all', '', ': is empty'],
    ['a byte order mark only', '\ufeff', ': has no header'],
    ['blank lines only', '\n\n', ':1: the line is blank, where the header must be'],
    ['a header only', 'id,mail\n', ': 0 rows, at least 1 expected'],
    ['a header without line end', 'id,mail', ': 0 rows, at least 1 expected'],
    ['a header and blank lines', 'id,mail\n\n\n', ': 0 rows, at least 1 expected'],
  ])('proves nothing (%s)', async (_, text, problem) => {
    await using folder = await createCsvFolder();
    const users = await folder.write('people.csv', text);

    const refusal = await refusalOf({ users, id: 'id' });

    expect(refusal).toMatchObject({ code: incomplete, message: users + problem, hint: expect.any(String) });
  });

  it('proves nothing below the configured number of rows', async () => {
    await using folder = await createCsvFolder();
    const users = await folder.write('people.csv', 'id\n1\n');

    const refusal = await refusalOf({ users, id: 'id', minRows: 2 });

    expect(refusal).toMatchObject({ code: incomplete, message: `${users}: 1 row, at least 2 expected` });
  });

  it('is complete without rows when that is configured', async () => {
    await using folder = await createCsvFolder();
    const users = await folder.write('people.csv', 'id\n');

    const { complete } = await readCsv({ users, id: 'id', minRows: 0 });

    expect(complete.entries).toBe(0);
  });

  it('is not complete without a header, even when no rows are needed', async () => {
    await using folder = await createCsvFolder();
    const users = await folder.write('people.csv', '\ufeff');

    const refusal = await refusalOf({ users, id: 'id', minRows: 0 });

    expect(refusal).toMatchObject({ code: incomplete, message: `${users}: has no header` });
  });

  it('is complete when it has the number of rows that its producer counted', async () => {
    await using folder = await createCsvFolder();
    const users = await folder.write('people.csv', 'id\n1\n2\n');
    const expectRowsFrom = await folder.write('people.count', '2\n');

    const { complete } = await readCsv({ users, id: 'id', expectRowsFrom });

    expect(complete.entries).toBe(2);
  });

  it('proves nothing when its producer counted another number of rows', async () => {
    await using folder = await createCsvFolder();
    const users = await folder.write('people.csv', 'id\n1\n2\n');
    const expectRowsFrom = await folder.write('people.count', '3');

    const refusal = await refusalOf({ users, id: 'id', expectRowsFrom });

    expect(refusal).toMatchObject({
      code: incomplete,
      message: `${users}: 2 rows, where ${expectRowsFrom} says 3`,
    });
  });

  it.each([
    ['is no number', 'three', incomplete, 'holds "three", where a number of rows is expected'],
    ['is missing', undefined, unavailable, 'cannot be read: no such file'],
  ])('proves nothing when the count %s', async (_, content, code, problem) => {
    await using folder = await createCsvFolder();
    const users = await folder.write('people.csv', 'id\n1\n');
    const expectRowsFrom = folder.path('people.count');
    if (content !== undefined) await folder.write('people.count', content);

    const refusal = await refusalOf({ users, id: 'id', expectRowsFrom });

    expect(refusal).toMatchObject({ code, message: `${expectRowsFrom}: ${problem}` });
  });
});

describe('the header', () => {
  it('must hold every column that rules name, and the refusal lists all that are missing', async () => {
    await using folder = await createCsvFolder();
    const users = await folder.write('people.csv', 'employee id,Mail,sn\n1,a,b\n');

    const refusal = await refusalOf({ users, id: 'employeeId' }, { attributes: ['mail', 'phone'] });

    expect(refusal).toMatchObject({
      code: incomplete,
      message: `${users}:1: no column "employeeId", no column "mail", no column "phone"; the header has "employee id", "Mail", "sn" (delimiter ",")`,
      hint: '"employeeId" is spelled "employee id" in the file; "mail" is spelled "Mail" in the file',
    });
  });

  it.each([
    ['id', 'id,mail,id\n1,a,2\n', ['mail'] as readonly string[]],
    ['mail', 'id,mail, mail\n1,a,b\n', ['mail']],
    ['groups', 'groups,id,mail,groups\n1,a,b,c\n', ['mail']],
  ])('must hold a column that is used once only (%s)', async (name, text, attributes) => {
    await using folder = await createCsvFolder();
    const users = await folder.write('people.csv', text);
    const groups = { column: 'groups', separator: ';' };

    const refusal = await refusalOf({ users, id: 'id', ...(name === 'groups' ? { groups } : {}) }, { attributes });

    expect(refusal).toMatchObject({
      code: incomplete,
      message: expect.stringContaining(`column "${name}" stands 2 times`),
    });
  });

  it('must not name any column twice when rules read attributes by computed names', async () => {
    await using folder = await createCsvFolder();
    const users = await folder.write('people.csv', 'id,note,note\n1,a,b\n');

    const refusal = await refusalOf({ users, id: 'id' }, { attributes: 'all' });

    expect(refusal).toMatchObject({ code: incomplete, message: expect.stringContaining('"note" stands 2 times') });
  });

  it('must be split by the configured delimiter', async () => {
    await using folder = await createCsvFolder();
    const users = await folder.write('people.csv', 'id,mail\n1,a\n');

    const refusal = await refusalOf({ users, id: 'id', delimiter: '|' });

    expect(refusal).toMatchObject({ code: incomplete, hint: expect.stringContaining('is source.delimiter right?') });
  });

  it('must not be followed by lone carriage returns', async () => {
    await using folder = await createCsvFolder();
    const users = await folder.write('people.csv', 'id,mail\r1,a\r2,b\r');

    const refusal = await refusalOf({ users, id: 'id' });

    expect(refusal).toMatchObject({ code: incomplete, message: expect.stringContaining('carriage return') });
  });
});

describe('a broken row', () => {
  const rows = '1,a@corp.example,x\n'.repeat(3);
  const quotedRows = '1,"a@corp.example",x\n'.repeat(3);

  it.each([
    ['too few fields', `${rows}2,b@corp.example\n`, '5: 2 fields, where the header has 3'],
    ['too many fields', `${rows}2,b,c,d\n${rows}`, '5: 4 fields, where the header has 3'],
    ['too few fields among quoted ones', `${quotedRows}"2",b\n${quotedRows}`, '5: 2 fields, where the header has 3'],
    ['too few fields after a quoted line break', `1,"\r\n\r\n",\n2,b\n`, '5: 2 fields, where the header has 3'],
    ['the file cut off in the middle', `${rows}2,b@corp`, '5: 2 fields, where the header has 3'],
    ['a blank line between rows', `${rows}\n${rows}`, '5: blank line between rows'],
    ['a blank line between quoted rows', `${quotedRows}\n${quotedRows}`, '5: blank line between rows'],
    [
      'a quote that is not closed',
      `${rows}2,"b,c\n${rows}`,
      '5: column "mail": the quote that opens the field is not closed',
    ],
    [
      'a quote that is not closed in a row that began with a quoted line break',
      `${rows}"2\r\n3",b,"c\n${rows}`,
      '6: column "sn": the quote that opens the field is not closed',
    ],
    ['text after a closing quote', `${rows}2,"b"c,d\n`, '5: column "mail": text follows the closing quote'],
    [
      'a quote inside an unquoted field',
      `${rows}2,b "c" d,e\n`,
      '5: column "mail": a quote stands inside an unquoted field',
    ],
    ['a blank before a quote', `${rows}2, "b",c\n`, '5: column "mail": a quote stands inside an unquoted field'],
    ['a quote in a field too many', `${rows}2,b,c,d"\n`, '5: column 4: a quote stands inside an unquoted field'],
    ['a NUL character', `${rows}2,b\0,c\n`, '5: NUL character'],
  ])('is named by file and line, and proves nothing (%s)', async (_, text, problem) => {
    await using folder = await createCsvFolder();
    const users = await folder.write('people.csv', `id,mail,sn\n${text}`);

    for (const chunkSize of [1, 7, 100_000]) {
      const refusal = await refusalOf({ users, id: 'id', chunkSize }, { attributes: ['mail'] });

      expect(refusal).toMatchObject({ code: incomplete, message: `${users}:${problem}`, hint: expect.any(String) });
    }
  });

  it('is found in the header too', async () => {
    await using folder = await createCsvFolder();
    const users = await folder.write('people.csv', 'id,"mail\n1,a\n');

    const refusal = await refusalOf({ users, id: 'id' });

    expect(refusal).toMatchObject({ code: incomplete, message: expect.stringContaining(':1: column 2: the quote') });
  });

  it.each([
    ['a field without end', `2,${'x'.repeat(3_000_000)},c\n`, ':3: the record is longer than 1 MiB'],
    [
      'a quoted field without end',
      `2,"${'x\n'.repeat(1_500_000)}",c\n`,
      ':3: column "mail": the quote that opens the field is not closed',
    ],
    ['a quote in an unquoted field', `2,x"\n${'x,y,z\n'.repeat(500_000)}`, ':3: column "mail": a quote stands inside'],
  ])('is refused before it fills the memory (%s)', async (_, text, problem) => {
    await using folder = await createCsvFolder();
    const users = await folder.write('people.csv', `id,mail,sn\n1,a,b\n${text}`);

    const refusal = await refusalOf({ users, id: 'id' }, { attributes: ['mail'] });

    expect(refusal).toMatchObject({ code: incomplete, message: expect.stringContaining(users + problem) });
  });
});

describe('bytes that the encoding does not allow', () => {
  const latin1 = Buffer.from('id,sn\n1,Ada\n2,M\xfcller\n', 'latin1');
  const loneSurrogate = Buffer.from('id,sn\n1,Ada\n2,\ud800x\n', 'utf16le');

  it.each([
    [undefined, latin1, '3: byte 0xFC does not fit UTF-8 (byte 15 of the file)'],
    ['utf-16le', loneSurrogate, '3: code unit 0xD800 does not fit UTF-16 (byte 28 of the file)'],
    ['utf-16be', Buffer.from(loneSurrogate).swap16(), '3: code unit 0xD800 does not fit UTF-16 (byte 28 of the file)'],
    [
      'utf-16le',
      Buffer.from('id\n1\n', 'utf16le').subarray(0, -1),
      '2: the file ends in the middle of a character (byte 8 of the file)',
    ],
    [
      'windows-1252',
      Buffer.from('id\n\x81\n', 'latin1'),
      '2: byte 0x81 is no character of the encoding (byte 3 of the file)',
    ],
    [
      'iso-8859-1',
      Buffer.from('id\n\x92\n', 'latin1'),
      '2: byte 0x92 is no character of the encoding (byte 3 of the file)',
    ],
    [
      undefined,
      Buffer.from('\ufeffid\n1\n\u00fc').subarray(0, -1),
      '3: the file ends in the middle of a character (byte 8 of the file)',
    ],
    [undefined, Buffer.from('id\n1\n', 'utf16le'), '1: NUL character'],
  ] as const)('are named by line and place (%s)', async (encoding, content, problem) => {
    await using folder = await createCsvFolder();
    const users = await folder.write('people.csv', content);

    for (const chunkSize of [1, 5, 100_000]) {
      const options: CsvOptions = { users, id: 'id', chunkSize, ...(encoding === undefined ? {} : { encoding }) };
      const refusal = await refusalOf(options);

      expect(refusal).toMatchObject({
        code: incomplete,
        message: `${users}:${problem}`,
        hint: expect.stringContaining('source.encoding'),
      });
    }
  });

  it.each([
    ['utf-16', Buffer.from('id\n1\n', 'utf16le'), 'has no byte order mark'],
    [
      'windows-1252',
      Buffer.from('\ufeffid\n1\n'),
      'begins with the byte order mark of utf-8, but is configured as windows-1252',
    ],
    ['utf-16be', Buffer.from('\ufeffid\n1\n', 'utf16le'), 'begins with the byte order mark of utf-16le'],
  ] as const)('are not guessed at when mark and configuration disagree (%s)', async (encoding, content, problem) => {
    await using folder = await createCsvFolder();
    const users = await folder.write('people.csv', content);

    const refusal = await refusalOf({ users, id: 'id', encoding });

    expect(refusal).toMatchObject({ code: incomplete, message: expect.stringContaining(problem) });
  });
});

describe('a CSV file that changes while it is read', () => {
  const text = `id,mail\n${'1,a@corp.example\n'.repeat(500)}`;

  it.each<[string, (path: string) => void]>([
    ['appended to', (path) => appendFileSync(path, '2,b\n')],
    ['cut off', (path) => truncateSync(path, 100)],
    ['cut off between rows', (path) => truncateSync(path, 8 + 17 * 10)],
    ['overwritten by text that is no table', (path) => writeFileSync(path, '"'.repeat(text.length))],
    ['overwritten by as many bytes', (path) => writeFileSync(path, text)],
    [
      'overwritten by as many bytes, with the time set back',
      (path) => {
        writeFileSync(path, text);
        utimesSync(path, 2000, 2000);
      },
    ],
    ['touched', (path) => utimesSync(path, 1000, 1000)],
    ['removed', (path) => rmSync(path)],
    [
      'replaced',
      (path) => {
        writeFileSync(`${path}.new`, text);
        renameSync(`${path}.new`, path);
      },
    ],
  ])('proves nothing (%s)', async (_, change) => {
    await using folder = await createCsvFolder();
    const users = await folder.write('people.csv', text);
    await utimes(users, 2000, 2000);
    let changed = false;

    const refusal = await refusalOf(
      { users, id: 'id', chunkSize: 512 },
      {},
      {
        onEntry: () => {
          if (!changed) change(users);
          changed = true;
        },
      },
    );

    expect(refusal).toMatchObject({
      code: incomplete,
      message: `${users}: changed while it was read, so its row count proves nothing`,
      hint: expect.stringContaining('the next run reads it again'),
    });
  });

  it('proves nothing either when it is the memberships file, already read', async () => {
    await using folder = await createCsvFolder();
    const users = await folder.write('people.csv', text);
    const memberships = await folder.write('memberships.csv', 'id,group\n1,g\n');

    const refusal = await refusalOf(
      { users, memberships, id: 'id' },
      { groups: ['g'] },
      {
        onEntry: () => appendFileSync(memberships, '1,h\n'),
      },
    );

    expect(refusal).toMatchObject({
      code: incomplete,
      message: expect.stringContaining(`${memberships}: changed while it was read`),
    });
  });
});

describe('the age of a CSV file', () => {
  const hour = 3_600_000;
  const written = 1_750_000_000;
  const clockAt = (ms: number) => ({ now: () => ms, sleep: () => Promise.resolve() });

  it('must not exceed the configured one', async () => {
    await using folder = await createCsvFolder();
    const users = await folder.write('people.csv', 'id\n1\n');
    await utimes(users, written, written);

    const refusal = await refusalOf(
      { users, id: 'id', maxAgeMs: 2 * hour },
      {},
      {
        clock: clockAt(written * 1000 + 3 * hour),
      },
    );

    expect(refusal).toMatchObject({
      code: incomplete,
      message: `${users}: was last written 3 h ago, longer than source.maxAge (2 h)`,
    });
  });

  it('may be exactly the configured one', async () => {
    await using folder = await createCsvFolder();
    const users = await folder.write('people.csv', 'id\n1\n');
    await utimes(users, written, written);

    const { complete } = await readCsv(
      { users, id: 'id', maxAgeMs: hour },
      {},
      {
        clock: clockAt(written * 1000 + hour),
      },
    );

    expect(complete.entries).toBe(1);
  });

  it('is judged for the memberships file as well', async () => {
    await using folder = await createCsvFolder();
    const users = await folder.write('people.csv', 'id\n1\n');
    const memberships = await folder.write('memberships.csv', 'id,group\n1,g\n');
    await utimes(memberships, written, written);

    const refusal = await refusalOf({ users, memberships, id: 'id', maxAgeMs: hour }, { groups: ['g'] });

    expect(refusal).toMatchObject({ code: incomplete, message: expect.stringContaining(`${memberships}: was last`) });
  });
});
