import { BerWriter } from 'ldapts';
import { describe, expect, test } from 'vitest';
import type { SourceCacheState } from '../../src/domain/source-cache.ts';
import type { Frame } from '../../src/sources/ldap/framing.ts';
import { readDigest, reasonForFullRead } from '../../src/sources/ldap/incremental/cache-checks.ts';
import { smallestContext } from '../../src/sources/ldap/incremental/context.ts';
import { dirSyncControl, readDirSync } from '../../src/sources/ldap/incremental/dirsync-control.ts';
import {
  readSyncDone,
  readSyncInfo,
  readSyncState,
  syncRequestControl,
} from '../../src/sources/ldap/incremental/sync-messages.ts';
import { decodeGuid, guidBytes } from '../../src/sources/ldap/values.ts';
import { demandOf, ldapOptions } from '../support/ldap-reading.ts';

const uuid = '00112233-4455-6677-8899-aabbccddeeff';
const uuidHex = uuid.replaceAll('-', '');

function hex(text: string): Buffer {
  return Buffer.from(text.replaceAll(' ', ''), 'hex');
}

function intermediate(content: string): Frame {
  const bytes = hex(content);
  return { messageId: 1, operation: 0x79, bytes, start: 0, end: bytes.length, limit: bytes.length };
}

function encoded(control: { write(writer: BerWriter): void }): string {
  const writer = new BerWriter();
  control.write(writer);
  return Buffer.from(writer.buffer).toString('hex');
}

/** `[0] 1.3.6.1.4.1.4203.1.9.1.4, [1] value` */
function syncInfo(value: string): Frame {
  const name = Buffer.from('1.3.6.1.4.1.4203.1.9.1.4').toString('hex');
  const length = (hexText: string) => (hexText.length / 2).toString(16).padStart(2, '0');
  return intermediate(`80${length(name)}${name}81${length(value)}${value}`);
}

describe('messages of content synchronization (RFC 4533 section 2)', () => {
  test('ask with or without a cookie, critically', () => {
    const oid = Buffer.from('1.3.6.1.4.1.4203.1.9.1.1').toString('hex');

    expect(encoded(syncRequestControl(undefined))).toBe(`302404 18${oid} 0101ff 0405 30030a0101`.replaceAll(' ', ''));
    expect(encoded(syncRequestControl(hex('00ff')))).toContain('30070a0101040200ff');
  });

  test('say of an entry what became of it', () => {
    expect(readSyncState(hex(`3015 0a0101 0410${uuidHex}`))).toEqual({ state: 'add', uuid });
    expect(readSyncState(hex(`3019 0a0103 0410${uuidHex} 04026162`))).toEqual({ state: 'delete', uuid });
  });

  test.each([
    ['another state', `3015 0a0107 0410${uuidHex}`],
    ['no UUID', '3003 0a0101'],
    ['a UUID of five bytes', '300a 0a0101 04050102030405'],
    ['no sequence', '0101ff'],
  ])('are refused with %s', (_what, value) => {
    expect(() => readSyncState(hex(value))).toThrow('a message of content synchronization cannot be read');
  });

  test('end with a cookie, or without, and say which phase it was', () => {
    expect(readSyncDone(hex('3007 04026162 0101ff'))).toEqual({ cookie: Buffer.from('ab'), refreshDeletes: true });
    expect(readSyncDone(hex('3000'))).toEqual({ cookie: undefined, refreshDeletes: false });
  });

  test('carry sets of UUIDs, ends of phases and cookies', () => {
    const set = `3112 0410${uuidHex}`.replaceAll(' ', '');

    expect(readSyncInfo(syncInfo('80026162'))).toEqual({ kind: 'cookie' });
    expect(readSyncInfo(syncInfo('a100'))).toEqual({ kind: 'refresh-delete' });
    expect(readSyncInfo(syncInfo('a2030101ff'))).toEqual({ kind: 'refresh-present' });
    expect(readSyncInfo(syncInfo(`a317 0101ff ${set}`.replaceAll(' ', '')))).toEqual({
      kind: 'ids',
      deleted: true,
      uuids: [uuid],
    });
    expect(readSyncInfo(syncInfo(`a318 04026162 ${set}`.replaceAll(' ', '')))).toEqual({
      kind: 'ids',
      deleted: false,
      uuids: [uuid],
    });
    expect(readSyncInfo(syncInfo('a400'))).toBeUndefined();
    expect(readSyncInfo(intermediate('8003312e32'))).toBeUndefined();
  });
});

describe('the DirSync control', () => {
  test('asks for changed values alone: the flag is the sign of a 32-bit integer', () => {
    expect(encoded(dirSyncControl(Buffer.from('ab')))).toContain(
      '300d 020480000000 020100 04026162'.replaceAll(' ', ''),
    );
  });

  test('says whether more is to come, and from where', () => {
    expect(readDirSync(hex('300a 020101 020100 04026162'))).toEqual({ more: true, cookie: Buffer.from('ab') });
    expect(() => readDirSync(hex('3006 020100 020100'))).toThrow('it has no cookie');
  });
});

test('a GUID has the same bytes in a filter as in an entry', () => {
  const bytes = guidBytes(uuid);

  expect(bytes.toString('hex')).toBe('33221100554477668899aabbccddeeff');
  expect(decodeGuid(bytes, 0, 16)).toBe(uuid);
});

test('the naming context is the smallest that holds every base', () => {
  const contexts = ['DC=corp,DC=example', 'CN=Configuration,DC=corp,DC=example', 'dc=other'];

  expect(smallestContext(contexts, ['ou=people,dc=corp,dc=example'])).toBe('DC=corp,DC=example');
  expect(smallestContext(contexts, ['cn=x, cn=configuration,dc=corp,dc=example'])).toBe(
    'CN=Configuration,DC=corp,DC=example',
  );
  expect(smallestContext(contexts, ['ou=people,dc=corp,dc=example', 'ou=groups,dc=other'])).toBeUndefined();
  expect(smallestContext([], ['ou=people,dc=corp,dc=example'])).toBeUndefined();
});

describe('a full read is made', () => {
  const state: SourceCacheState = {
    method: 'syncrepl',
    digest: 'd',
    server: 'ldaps://one',
    context: 'dc=x',
    cookie: Buffer.alloc(1),
    fullReadAt: 1_000,
    records: 7,
  };
  const now = {
    method: 'syncrepl',
    digest: 'd',
    server: 'ldaps://one',
    records: 7,
    now: 1_999,
    fullReadEveryMs: 1_000,
  };

  test('never when nothing speaks for it', () => {
    expect(reasonForFullRead(state, now)).toBeUndefined();
  });

  test.each<[string, SourceCacheState | undefined, Partial<typeof now>]>([
    ['nothing is known of an earlier read', undefined, {}],
    ['the configuration asks for something else than before', state, { digest: 'e' }],
    ['the configuration asks for something else than before', state, { method: 'dirsync' }],
    ['another server answers than before (ldaps://one)', state, { server: 'ldaps://two' }],
    ['the cache holds 6 entries instead of 7', state, { records: 6 }],
    ['the clock was set back', state, { now: 999 }],
    ['the last full read is fullReadEvery ago', state, { now: 2_000 }],
  ])('when %s (%#)', (reason, known, changes) => {
    expect(reasonForFullRead(known, { ...now, ...changes })).toBe(reason);
  });

  test('whenever the configuration or the rules ask for anything else, and not when only a limit changed', () => {
    const options = ldapOptions('ldap://x', { bindDn: 'cn=a' });
    const digest = readDigest(options, demandOf());
    const same = ldapOptions('ldap://x', { bindDn: 'cn=a', pageSize: 7, timeouts: { connectMs: 1 } });
    const others = [
      readDigest(options, demandOf({ attributes: 'all' })),
      readDigest(options, demandOf({ groups: ['g'] })),
      readDigest(ldapOptions('ldap://x', { bindDn: 'cn=b' }), demandOf()),
      ...[{ filter: '(a=b)' }, { id: 'uid' }, { baseDn: ['dc=y'] }, { scope: 'one' as const }].map((users) =>
        readDigest(ldapOptions('ldap://x', { bindDn: 'cn=a', users }), demandOf()),
      ),
      readDigest(ldapOptions('ldap://x', { bindDn: 'cn=a', groups: { membership: ['memberOf'] } }), demandOf()),
    ];

    expect(readDigest(same, demandOf())).toBe(digest);
    expect(new Set([digest, ...others]).size).toBe(others.length + 1);
  });
});
