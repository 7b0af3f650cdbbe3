import { createWriteStream, writeFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { createCsvFolder, readCsv, refusalOf } from '../support/csv-files.ts';

const incomplete = 'source-incomplete';
const text = `id,sn\n${Array.from({ length: 300 }, (_, index) => `${index},Müller\n`).join('')}`;
const chunkSizes = [1, 50, 100_000];

describe('a file in gzip', () => {
  it.each([
    ['people.csv.gz', gzipSync(text)],
    ['people.csv', gzipSync(`\ufeff${text}`)],
    ['in UTF-16', gzipSync(Buffer.from(`\ufeff${text}`, 'utf16le'))],
    ['not squeezed', gzipSync(text, { level: 0 })],
    ['in two members', Buffer.concat([gzipSync(text.slice(0, 1000)), gzipSync(text.slice(1000))])],
    ['followed by zeros', Buffer.concat([gzipSync(text), Buffer.alloc(100)])],
  ])('is read like any other, told by its first bytes (%s)', async (name, content) => {
    await using folder = await createCsvFolder();
    const users = await folder.write(name, content);

    for (const chunkSize of chunkSizes) {
      const { entries, complete } = await readCsv({ users, id: 'id', chunkSize }, { attributes: ['sn'] });

      expect(complete.entries).toBe(300);
      expect(entries.at(-1)).toMatchObject({ id: '299', attributes: { sn: 'Müller' }, location: `${name}:301` });
    }
  });

  it.each([
    ['it is cut off', gzipSync(text).subarray(0, -20), ': the packed data ends too early'],
    ['it is cut off in its checksum', gzipSync(text).subarray(0, -3), ': the packed data ends too early'],
    ['a byte of its checksum is wrong', flipped(gzipSync(text), -6), ': the packed data is damaged'],
    ['its data is wrong', flipped(gzipSync(text), 12), ': the packed data is damaged'],
    ['something follows', Buffer.concat([gzipSync(text), Buffer.from('more')]), ': the packed data is damaged'],
    ['its second member is cut off', Buffer.concat([gzipSync(text), gzipSync(text).subarray(0, 30)]), ': the packed'],
    ['it holds nothing', gzipSync(''), ': has no header'],
    ['its text is broken', gzipSync('id,sn\n1,a\n2\n'), ':3: 1 fields, where the header has 2'],
    [
      'its text is in another encoding',
      gzipSync(Buffer.from('id,sn\n1,\xfc\n', 'latin1')),
      '(byte 8 of the unpacked file)',
    ],
    ['its text is packed again', gzipSync(gzipSync(text)), ':1: '],
  ])('proves nothing when %s', async (_, content, problem) => {
    await using folder = await createCsvFolder();
    const users = await folder.write('people.csv.gz', content);

    for (const chunkSize of chunkSizes) {
      const refusal = await refusalOf({ users, id: 'id', chunkSize }, { attributes: ['sn'] });

      expect(refusal).toMatchObject({
        code: incomplete,
        message: expect.stringContaining(users),
        hint: expect.any(String),
      });
      expect(refusal.message).toContain(problem);
    }
  });

  it('is refused when it unpacks to a hundred times its size and more', async () => {
    await using folder = await createCsvFolder();
    const users = folder.path('bomb.csv.gz');
    const block = Buffer.from(`1,${'x'.repeat(1021)}\n`.repeat(1024));
    const blocks = Array.from({ length: 70 }, () => block);
    await pipeline(Readable.from([Buffer.from('id,sn\n'), ...blocks]), createGzip(), createWriteStream(users));
    let entries = 0;

    const refusal = await refusalOf({ users, id: 'id' }, {}, { onEntry: () => entries++ });

    expect(refusal).toMatchObject({
      code: incomplete,
      message: expect.stringMatching(/bomb\.csv\.gz: \d+ bytes unpack to more than 67108864$/),
    });
    expect(entries).toBeLessThanOrEqual(65_536);
  });

  it('is refused when it changes while it is read', async () => {
    await using folder = await createCsvFolder();
    const users = await folder.write('people.csv.gz', gzipSync(text));
    let changed = false;

    const refusal = await refusalOf(
      { users, id: 'id', chunkSize: 16 },
      {},
      {
        onEntry: () => {
          if (!changed) writeFileSync(users, gzipSync(`${text}300,a\n`));
          changed = true;
        },
      },
    );

    expect(refusal.message).toContain(`${users}: changed while it was read`);
  });

  it('stops between two reads when asked to, with the reason given', async () => {
    await using folder = await createCsvFolder();
    const users = await folder.write('people.csv.gz', gzipSync(text, { level: 0 }));
    const controller = new AbortController();
    const reason = new Error('shutting down');

    const refusal = await refusalOf(
      { users, id: 'id', chunkSize: 64 },
      {},
      { signal: controller.signal, onEntry: () => controller.abort(reason) },
    );

    expect(refusal).toBe(reason);
  });

  it('ends with what the receiver of an entry throws', async () => {
    await using folder = await createCsvFolder();
    const users = await folder.write('people.csv.gz', gzipSync(text));
    const failure = new Error('receiver');

    const refusal = await refusalOf(
      { users, id: 'id', chunkSize: 16 },
      {},
      {
        onEntry: () => {
          throw failure;
        },
      },
    );

    expect(refusal).toBe(failure);
  });
});

function flipped(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  const index = at < 0 ? copy.length + at : at;
  copy[index] = (copy[index] ?? 0) ^ 0xff;
  return copy;
}
