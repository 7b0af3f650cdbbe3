import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createUserListScanner } from '../../src/twilio/user-list-scanner.ts';

function scan(text: string, pieceSize = 1 << 16): { resources: unknown[]; envelope: unknown } {
  const resources: unknown[] = [];
  const scanner = createUserListScanner((resource) => resources.push(JSON.parse(resource)));
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += pieceSize) scanner.write(bytes.subarray(at, at + pieceSize));
  scanner.end();
  return { resources, envelope: scanner.envelope() };
}

describe('taking a list apart', () => {
  test('gives what JSON.parse gives, however the bytes are cut and spaced', () => {
    const seed = Date.now() & 0x7fffffff;
    const resource = fc.dictionary(fc.string(), fc.jsonValue());
    fc.assert(
      fc.property(
        fc.array(resource, { maxLength: 6 }),
        fc.dictionary(
          fc.string().filter((name) => name.toLowerCase() !== 'resources'),
          fc.jsonValue(),
        ),
        fc.integer({ min: 1, max: 50 }),
        fc.constantFrom(undefined, 2),
        fc.boolean(),
        (resources, rest, pieceSize, indent, first) => {
          const list = first ? { Resources: resources, ...rest } : { ...rest, Resources: resources };
          const plain = JSON.parse(JSON.stringify(list));

          const found = scan(JSON.stringify(list, undefined, indent), pieceSize);

          expect(found.resources).toEqual(plain.Resources);
          expect(found.envelope).toEqual({ ...plain, Resources: [] });
        },
      ),
      { seed, numRuns: 500 },
    );
  });

  test('a list without Resources has none', () => {
    expect(scan('{"totalResults":0}')).toEqual({ resources: [], envelope: { totalResults: 0 } });
  });

  test('Resources inside of something else are not users', () => {
    const { resources } = scan('{"meta":{"Resources":[{"a":1}]},"x":["Resources",[{"b":1}]],"Resources":[]}');

    expect(resources).toEqual([]);
  });

  test('a byte order mark is survived', () => {
    expect(scan('\uFEFF{"Resources":[{"a":1}]}').resources).toEqual([{ a: 1 }]);
  });

  test.each([
    ['nothing', ''],
    ['an end in a user', '{"Resources":[{"a":"b'],
    ['an end between users', '{"Resources":[{"a":1},'],
    ['an end before the last brace', '{"Resources":[{"a":1}]'],
    ['a missing comma', '{"Resources":[{"a":1}{"a":2}]}'],
    ['a text among the users', '{"Resources":[{"a":1},"x"]}'],
    ['more after the end', '{"Resources":[]} {}'],
    ['an array', '[{"a":1}]'],
    ['HTML', '<html></html>'],
    ['a user of more than 1 MiB', `{"Resources":[{"a":"${'x'.repeat(1 << 20)}"}]}`],
    ['an envelope of more than 1 MiB', `{"a":"${'x'.repeat(1 << 20)}"}`],
  ])('%s is an unexpected answer', (_, text) => {
    expect(() => scan(text, 1000)).toThrow(expect.objectContaining({ name: 'UnexpectedAnswer' }));
  });
});
