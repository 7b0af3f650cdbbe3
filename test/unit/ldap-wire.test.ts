import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createEntryDecoder } from '../../src/sources/ldap/entry-decoder.ts';
import { createFramer, type Frame, MalformedMessageError } from '../../src/sources/ldap/framing.ts';
import { readResult } from '../../src/sources/ldap/ldap-result.ts';
import { encodeReply, type Reply } from '../support/ldap-server.ts';

function framesOf(chunks: readonly Buffer[]): Frame[] {
  const frames: Frame[] = [];
  const framer = createFramer((frame) => frames.push(frame));
  for (const chunk of chunks) framer.push(chunk);
  return frames;
}

function frameOf(reply: Exclude<Reply, string>): Frame {
  const [frame] = framesOf([encodeReply(7, reply)]);
  if (frame === undefined) throw new Error('no frame');
  return frame;
}

function isControl(character: string): boolean {
  return character < ' ' && !'\t\n\r'.includes(character);
}

function cut(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const chunks: Buffer[] = [];
  let offset = 0;
  for (const size of sizes) {
    chunks.push(bytes.subarray(offset, offset + size));
    offset += size;
  }
  return [...chunks, bytes.subarray(offset)].filter((chunk) => chunk.length > 0);
}

test('messages are found whatever pieces the network makes of them', () => {
  const value = fc.string({ maxLength: 300 });
  fc.assert(
    fc.property(
      fc.array(value, { minLength: 1, maxLength: 6 }),
      fc.array(fc.nat(200), { maxLength: 20 }),
      (values, sizes) => {
        const stream = Buffer.concat(
          values.map((text, id) => encodeReply(id + 1, { entry: text, attributes: { cn: [text] } })),
        );

        const decoder = createEntryDecoder(['cn']);
        const seen: unknown[] = [];
        const framer = createFramer((frame) => seen.push([frame.messageId, decoder.decode(frame)]));
        for (const chunk of cut(stream, sizes)) framer.push(chunk);

        expect(seen).toEqual(values.map((text, id) => [id + 1, text]));
        expect(framer.pending()).toBe(0);
      },
    ),
  );
});

test('damaged bytes are either malformed or still decode within their message; they never hang or read beyond', () => {
  const message = encodeReply(3, {
    entry: 'cn=Ana,dc=x',
    attributes: { cn: ['Ana', 'Anna'], mail: ['ana@example.com'] },
  });
  fc.assert(
    fc.property(fc.nat(message.length - 1), fc.nat(255), fc.nat(message.length), (at, byte, length) => {
      const damaged = Buffer.from(message.subarray(0, length));
      if (at < damaged.length) damaged[at] = byte;
      const decoder = createEntryDecoder(['cn', 'mail']);

      try {
        for (const frame of framesOf([damaged])) {
          if (frame.operation === 0x64) decoder.decode(frame);
          else if (frame.operation === 0x65) readResult(frame);
        }
      } catch (error) {
        expect(error).toBeInstanceOf(MalformedMessageError);
      }
    }),
    { numRuns: 3_000 },
  );
});

test.each([
  ['a TLS alert', Buffer.from([0x15, 0x03, 0x01]), 'TLS alert'],
  ['an HTTP answer', Buffer.from('HTTP/1.1 400'), 'not LDAP'],
  ['an indefinite length', Buffer.from([0x30, 0x80, 0, 0]), 'indefinite'],
  ['an absurd length', Buffer.from([0x30, 0x84, 0xff, 0xff, 0xff, 0xff]), 'announced'],
])('%s is refused', (_name, bytes, reason) => {
  expect(() => framesOf([bytes])).toThrow(reason);
});

test('a result carries code, matched DN, message, referrals and cookie', () => {
  const done = { code: 10, matchedDn: 'dc=x', message: 'elsewhere', referrals: ['ldap://other/dc=x'], cookie: 'next' };

  const result = readResult(frameOf({ done }));

  const { controls, ...rest } = result;
  expect(rest).toEqual({ ...done, cookie: Buffer.from('next') });
  expect([...controls.keys()]).toEqual(['1.2.840.113556.1.4.319']);
});

test('no paging control and an empty cookie are different answers', () => {
  expect(readResult(frameOf({ done: {} })).cookie).toBeUndefined();
  expect(readResult(frameOf({ done: { cookie: '' } })).cookie).toHaveLength(0);
});

describe('an entry', () => {
  test('gives one value as a string, several as a list, and none as absent', () => {
    const decoder = createEntryDecoder(['cn', 'mail', 'title']);

    const dn = decoder.decode(
      frameOf({ entry: 'cn=Ana,dc=x', attributes: { cn: ['Ana'], mail: ['a@x', 'b@x'], title: [] } }),
    );

    expect(dn).toBe('cn=Ana,dc=x');
    expect(decoder.values).toEqual(['Ana', ['a@x', 'b@x'], undefined]);
  });

  test('does not keep values of the entry before', () => {
    const decoder = createEntryDecoder(['cn', 'mail']);

    decoder.decode(frameOf({ entry: 'cn=Ana', attributes: { cn: ['Ana'], mail: ['a@x'] } }));
    decoder.decode(frameOf({ entry: 'cn=Bo', attributes: { cn: ['Bo'] } }));

    expect(decoder.values).toEqual(['Bo', undefined]);
  });

  test('is matched to wanted names in any case, and remembers what came unasked', () => {
    const decoder = createEntryDecoder(['givenname', 'surname']);

    decoder.decode(frameOf({ entry: 'cn=Ana', attributes: { givenName: ['Ana'], sn: ['Sousa'] } }));

    expect(decoder.values).toEqual(['Ana', undefined]);
    expect([...decoder.unexpected]).toEqual(['sn']);
  });

  test('with all attributes wanted, uses the spelling of the server', () => {
    const decoder = createEntryDecoder(['entryuuid'], true);

    decoder.decode(
      frameOf({ entry: 'cn=Ana', attributes: { entryUUID: ['1'], givenName: ['Ana'], 'cn;lang-pt': ['Ana'] } }),
    );

    expect(decoder.fields.map(({ name }) => name)).toEqual(['entryuuid', 'givenName', 'cn;lang-pt']);
    expect(decoder.values).toEqual(['1', 'Ana', 'Ana']);
  });

  test.each([
    ['member;range=0-1', { attribute: 'member', first: 0, last: 1 }],
    ['MEMBER;Range=1500-*', { attribute: 'MEMBER', first: 1500, last: undefined }],
    ['member;range=x-1', { attribute: 'member', first: -1, last: undefined }],
  ])('keeps %s apart as a part of the values of member', (name, part) => {
    const frame = frameOf({ entry: 'cn=devs', attributes: { [name]: ['cn=Ana', 'cn=Bo'], member: [] } });

    for (const decoder of [createEntryDecoder(['Member']), createEntryDecoder([], true)]) {
      decoder.decode(frame);

      expect(decoder.parts).toMatchObject([{ ...part, sent: name, values: ['cn=Ana', 'cn=Bo'] }]);
      expect(decoder.values).toEqual([undefined]);
    }
    const without = createEntryDecoder(['cn']);
    without.decode(frame);
    expect(without.parts).toEqual([]);
  });

  test('takes a range from the first value to the last for all of them', () => {
    const decoder = createEntryDecoder(['member']);

    decoder.decode(frameOf({ entry: 'cn=devs', attributes: { 'member;range=0-*': ['cn=Ana'] } }));

    expect([decoder.parts, decoder.values]).toEqual([[], ['cn=Ana']]);
  });

  test('can be kept while others are decoded, and restored', () => {
    const decoder = createEntryDecoder(['cn', 'member']);
    const bytes = Buffer.from([0xff]);

    const dn = decoder.decode(
      frameOf({ entry: 'cn=devs', attributes: { cn: [bytes], 'member;range=0-0': ['cn=Ana'] } }),
    );
    const kept = decoder.keep(dn);
    decoder.decode(frameOf({ entry: 'cn=ops', attributes: { cn: ['ops'] } }));
    const between = [decoder.values, decoder.unreadable, decoder.parts].map((list) => [...list]);
    decoder.restore({ ...kept, values: [undefined, ['cn=Ana', 'cn=Bo']], parts: [] });

    expect(between).toEqual([['ops', undefined], [], []]);
    expect(decoder.values).toEqual([undefined, ['cn=Ana', 'cn=Bo']]);
    expect(decoder.unreadable.map(({ name }) => name)).toEqual(['cn']);
    expect(decoder.parts).toEqual([]);
  });

  test('keeps other options apart from the plain attribute', () => {
    const decoder = createEntryDecoder(['cn', 'sn;lang-pt']);

    decoder.decode(frameOf({ entry: 'cn=Ana', attributes: { 'cn;lang-pt': ['Ana'], 'sn;lang-pt': ['Sousa'] } }));

    expect(decoder.values).toEqual([undefined, 'Sousa']);
  });

  test.each([
    ['bytes that are not UTF-8', Buffer.from([0xff, 0xd8, 0xff, 0xe0])],
    ['control characters', Buffer.from([0x01, 0x05, 0x00, 0x00])],
    ['an overlong form', Buffer.from([0xc0, 0xaf])],
  ])('never turns %s into text', (_name, bytes) => {
    const decoder = createEntryDecoder(['photo']);

    decoder.decode(frameOf({ entry: 'cn=Ana', attributes: { photo: ['fine', bytes] } }));

    expect(decoder.values).toEqual([undefined]);
    expect(decoder.fields[0]).toMatchObject({ seen: 0, binary: 1, binaryDn: 'cn=Ana' });
  });

  test('gives any text back as it was sent', () => {
    const text = fc.string({ unit: 'binary' }).filter((one) => one.isWellFormed() && ![...one].some(isControl));
    fc.assert(
      fc.property(text, (value) => {
        const decoder = createEntryDecoder(['cn']);

        decoder.decode(frameOf({ entry: 'cn=Ana', attributes: { cn: [value] } }));

        expect(decoder.values).toEqual([value]);
      }),
    );
  });

  test('shows an objectGUID in its canonical form, even when its bytes could be text', () => {
    const decoder = createEntryDecoder(['objectguid']);
    const bytes = Buffer.from('33221100554477668899aabbccddeeff', 'hex');

    decoder.decode(frameOf({ entry: 'cn=Ana', attributes: { objectGUID: [bytes] } }));
    const mixed = decoder.values[0];
    decoder.decode(frameOf({ entry: 'cn=Bo', attributes: { objectGUID: [Buffer.from('abcdefghijklmnop')] } }));

    expect(mixed).toBe('00112233-4455-6677-8899-aabbccddeeff');
    expect(decoder.values[0]).toBe('64636261-6665-6867-696a-6b6c6d6e6f70');
  });

  test.each([
    ['S-1-5-21-1004336348-1177238915-682003330-512', '010500000000000515000000dcf4dc3b833d2b46828ba62800020000'],
    ['S-1-5-32-544', '01020000000000052000000020020000'],
    ['S-1-1-0', '010100000000000100000000'],
  ])('shows an objectSid as %s', (text, hex) => {
    const decoder = createEntryDecoder(['objectsid']);

    decoder.decode(frameOf({ entry: 'cn=Ana', attributes: { objectSid: [Buffer.from(hex, 'hex')] } }));

    expect(decoder.values).toEqual([text]);
  });

  test.each([
    ['too short', '0105'],
    ['cut off', '010500000000000515000000dcf4dc3b'],
    ['of another revision', '020100000000000100000000'],
    ['with too many parts', `0110${'0'.repeat(12)}${'00000000'.repeat(16)}`],
  ])('shows no objectSid that is %s', (_what, hex) => {
    const decoder = createEntryDecoder(['objectSid']);

    decoder.decode(frameOf({ entry: 'cn=Ana', attributes: { objectSid: [Buffer.from(hex, 'hex')] } }));

    expect(decoder.values).toEqual([undefined]);
    expect(decoder.unreadable.map(({ name }) => name)).toEqual(['objectSid']);
  });

  test('keeps DNs apart whose bytes are no text, in a form that a DN may have', () => {
    const decoder = createEntryDecoder([]);
    const named = (byte: number) => {
      const frame = frameOf({ entry: 'cn=Ren?,dc=x', attributes: {} });
      const bytes = Buffer.from(frame.bytes);
      bytes[bytes.indexOf('?')] = byte;
      return decoder.decode({ ...frame, bytes });
    };

    expect([named(0xe9), named(0xe8)]).toEqual(['cn=Ren\\e9,dc=x', 'cn=Ren\\e8,dc=x']);
  });
});
