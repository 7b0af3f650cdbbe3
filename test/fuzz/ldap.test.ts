import { afterAll, beforeAll, expect, test } from 'vitest';
import { SourceIncompleteError, SourceUnavailableError } from '../../src/errors.ts';
import type { DirectorySource } from '../../src/ports.ts';
import { normalizeDn } from '../../src/sources/ldap/dn.ts';
import { createEntryDecoder } from '../../src/sources/ldap/entry-decoder.ts';
import { createFramer, MalformedMessageError } from '../../src/sources/ldap/framing.ts';
import { readDirSync } from '../../src/sources/ldap/incremental/dirsync-control.ts';
import { readSyncDone, readSyncInfo, readSyncState } from '../../src/sources/ldap/incremental/sync-messages.ts';
import { readControls, readReferences, readResult } from '../../src/sources/ldap/ldap-result.ts';
import { createLdapSource } from '../../src/sources/ldap/ldap-source.ts';
import { parseRange } from '../../src/sources/ldap/range-option.ts';
import { parseReferral } from '../../src/sources/ldap/referrals.ts';
import { fuzz } from '../support/fuzz.ts';
import { createTestLogger, demandOf, ldapOptions, readAll } from '../support/ldap-reading.ts';
import { type LdapServer, startLdapServer } from '../support/ldap-server.ts';

const words = [
  '\u0030\u0084',
  '\u0004\u0000',
  '\u0030\u0000',
  'mail;range=0-1',
  'objectGUID',
  '\u00a0\u0003',
  '\u0002\u0001\u0007',
  'cn=\\',
  'ldap://x/??',
  '\u007f',
];

test('the bytes of LDAP messages are decoded, or refused as no LDAP', async () => {
  const tried = await fuzz(
    {
      name: 'ldap-messages',
      words,
      run(input) {
        const decoder = createEntryDecoder(['mail', 'member', 'objectGUID', 'objectSid', 'cn;binary']);
        const problems: unknown[] = [];
        const attempt = (read: () => unknown) => {
          try {
            read();
          } catch (error) {
            if (!(error instanceof MalformedMessageError)) problems.push(error);
          }
        };
        const framer = createFramer((frame) => {
          attempt(() => normalizeDn(decoder.decode(frame)));
          attempt(() => readResult(frame, ['secret-secret']));
          attempt(() => readReferences(frame).map(parseReferral));
          attempt(() => readSyncInfo(frame));
          attempt(() => {
            for (const value of readControls(frame).values()) {
              attempt(() => readSyncState(value));
              attempt(() => readSyncDone(value));
              attempt(() => readDirSync(value));
            }
          });
        });
        parseRange(input.toString('latin1'));
        const half = input.length >> 1;
        attempt(() => {
          framer.push(input.subarray(0, half));
          framer.push(input.subarray(half));
        });
        const [problem] = problems;
        if (problem !== undefined) throw problem;
      },
      expects: () => false,
    },
    3_000,
  );

  expect(tried).toBeGreaterThan(10);
});

let server: LdapServer;
let source: DirectorySource;
let answer: Buffer = Buffer.alloc(0);

beforeAll(async () => {
  server = await startLdapServer({
    bind: {},
    // What a mutated answer leaves open is closed, so that nobody waits for the rest.
    search: () => [{ raw: answer }, 'end'],
    question: () => [{ raw: answer }, 'end'],
  });
  const options = ldapOptions(server.url, { timeouts: { connectMs: 2_000, operationMs: 2_000, readMs: 4_000 } });
  source = createLdapSource(options, createTestLogger());
});

afterAll(() => server.stop());

test('a directory that says anything at all is read, or refused as unavailable or incomplete', async () => {
  const tried = await fuzz(
    {
      name: 'ldap-messages',
      words,
      async run(input) {
        answer = input;
        await readAll(source, demandOf({ attributes: 'all', allGroups: true }));
      },
      expects: (error) => error instanceof SourceIncompleteError || error instanceof SourceUnavailableError,
    },
    150,
  );

  expect(tried).toBeGreaterThan(10);
});
