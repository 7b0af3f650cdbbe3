import { describe, expect, test } from 'vitest';
import { ConfigError } from '../../src/errors.ts';
import { parseFilter } from '../../src/sources/ldap/filter.ts';
import { nearMatches } from '../../src/sources/ldap/group-diagnosis.ts';
import { createLdapSource } from '../../src/sources/ldap/ldap-source.ts';
import { distinctBases, parseServerUrl } from '../../src/sources/ldap/options.ts';
import { describeResultCode, formatResultCode } from '../../src/sources/ldap/result-codes.ts';
import { canonicalId } from '../../src/sources/ldap/values.ts';
import { createTestLogger, ldapOptions, type OptionChanges, secret } from '../support/ldap-reading.ts';

function issuesOf(changes: OptionChanges, url = 'ldap://localhost'): readonly string[] {
  try {
    createLdapSource(ldapOptions(url, changes), createTestLogger());
  } catch (error) {
    if (error instanceof ConfigError) return error.issues.map(({ path }) => path);
    throw error;
  }
  return [];
}

describe('options that cannot be used are refused before anything is connected', () => {
  test.each<readonly [string, OptionChanges, readonly string[]]>([
    ['a bind DN without a password', { bindDn: 'cn=sync,dc=x' }, ['source.bindPassword']],
    ['a password without a bind DN', { bindPassword: secret('x') }, ['source.bindDn']],
    ['a bind DN with a stray comma', { bindDn: 'cn=sync,,dc=x', bindPassword: secret('x') }, ['source.bindDn']],
    ['a base that is no DN', { users: { baseDn: ['people'] } }, ['source.users.baseDn[0]']],
    ['no base at all', { groups: { baseDn: [] } }, ['source.groups.baseDn']],
    ['a filter with a missing parenthesis', { users: { filter: '(&(a=b)' } }, ['source.users.filter']],
    [
      'a filter on bytes that are no text',
      { users: { filter: String.raw`(objectGUID=\ff\fe)` } },
      ['source.users.filter'],
    ],
    ['a page size of zero', { pageSize: 0 }, ['source.pageSize']],
  ])('%s', (_name, changes, paths) => {
    expect(issuesOf(changes)).toEqual(paths);
  });

  test('StartTLS on an ldaps URL', () => {
    expect(issuesOf({ tls: { startTls: true } }, 'ldaps://localhost')).toEqual(['source.tls.startTls']);
  });

  test('StartTLS on an ldaps domain', () => {
    expect(issuesOf({ tls: { startTls: true } }, 'ldaps+srv://corp.example')).toEqual(['source.tls.startTls']);
  });

  test('a client certificate without its key, or on a connection that is not encrypted', () => {
    const certFile = '/etc/tdsync/client.pem';

    expect(issuesOf({ tls: { certFile } }, 'ldaps://localhost')).toEqual(['source.tls.certFile']);
    expect(issuesOf({ tls: { certFile, keyFile: '/etc/tdsync/client.key' } })).toEqual(['source.tls.certFile']);
  });

  test('servers of which some are encrypted and some are not', () => {
    expect(issuesOf({ urls: ['ldaps://dc1', 'ldap://dc2'] })).toEqual(['source.url']);
  });

  test.each(['http://localhost', 'localhost:389', 'ldap://', 'ldap://host/dc=x', 'ldap://user@host'])(
    'the URL %s',
    (url) => {
      expect(issuesOf({}, url)).toEqual(['source.url']);
    },
  );

  test('all of them at once', () => {
    expect(issuesOf({ pageSize: 0, users: { baseDn: ['x'], filter: '(' } })).toEqual([
      'source.users.baseDn[0]',
      'source.users.filter',
      'source.pageSize',
    ]);
  });
});

test('names in the form of Active Directory are accepted for binding', () => {
  expect(issuesOf({ bindDn: 'sync@corp.example', bindPassword: secret('x') })).toEqual([]);
});

test('ports follow from the scheme, and IPv6 addresses lose their brackets', () => {
  expect(parseServerUrl('ldap://dc1.corp.example')).toMatchObject({
    host: 'dc1.corp.example',
    port: 389,
    secure: false,
  });
  expect(parseServerUrl('ldaps://[::1]/')).toMatchObject({ host: '::1', port: 636, secure: true });
  expect(parseServerUrl('ldaps://dc1:3269')).toMatchObject({ host: 'dc1', port: 3269, secure: true });
});

test('a URL with +srv names a domain, also one of a site or with underscores, and has no port', () => {
  expect(parseServerUrl('ldap+srv://corp.example')).toMatchObject({ domain: 'corp.example', secure: false });
  expect(parseServerUrl('ldaps+srv://Lisbon._sites.corp.example.')).toMatchObject({
    domain: 'Lisbon._sites.corp.example',
    secure: true,
  });
  expect(parseServerUrl('ldap+srv://corp.example:389')).toBeUndefined();
  expect(parseServerUrl('ldap+srv://[::1]')).toBeUndefined();
});

test('a base that another one covers is dropped', () => {
  const bases = ['ou=a,dc=x', 'dc=x', 'OU=A, DC=X', 'dc=y'];

  expect(distinctBases(bases, 'sub')).toEqual(['dc=x', 'dc=y']);
  // One level and the base itself do not reach into other bases: only the same base twice is one too many.
  expect(distinctBases(bases, 'one')).toEqual(['ou=a,dc=x', 'dc=x', 'dc=y']);
  expect(distinctBases(bases, 'base')).toEqual(['ou=a,dc=x', 'dc=x', 'dc=y']);
});

describe('a filter', () => {
  test.each([
    ['escapes of UTF-8 bytes', String.raw`(cn=J\c3\bcrgen)`, '(cn=Jürgen)'],
    ['escapes of syntax next to them', String.raw`(cn=\28\c3\bc\2a)`, String.raw`(cn=\28ü\2a)`],
    ['several lines', '(&\n  (a=b)\n  (|(c=d) (e=f))\n)', '(&(a=b)(|(c=d)(e=f)))'],
    ['missing outer parentheses', 'objectClass=person', '(objectClass=person)'],
    ['spaces inside values', '(cn=Ana  Sousa)', '(cn=Ana  Sousa)'],
    [
      'matching rules',
      '(memberOf:1.2.840.113556.1.4.1941:=cn=devs,dc=x)',
      '(memberOf:1.2.840.113556.1.4.1941:=cn=devs,dc=x)',
    ],
  ])('may have %s', (_name, text, meaning) => {
    expect(parseFilter(text).toString()).toBe(meaning);
  });
});

test('result codes have names, and an unknown code is never success', () => {
  expect(formatResultCode(49)).toBe('invalidCredentials (49)');
  expect(formatResultCode(4242)).toBe('result code 4242');
  expect(describeResultCode(4242).kind).toBe('incomplete');
});

test('UUIDs are lower-cased and every identity is trimmed', () => {
  expect(canonicalId('entryUUID', ' 0A1B ')).toBe('0a1b');
  expect(canonicalId('employeeNumber', ' E17 ')).toBe('E17');
});

test('near matches are slips of the pen and parts, best first, at most three', () => {
  expect(nearMatches('twilio-develpers', ['sales', 'twilio-developers', 'Twilio-Developer'])).toEqual([
    'twilio-developers',
    'Twilio-Developer',
  ]);
  expect(nearMatches('devs', ['all-devs', 'ops', 'd'])).toEqual(['all-devs']);
  expect(nearMatches('x', ['a', 'xa', 'xb', 'xc', 'xd'])).toHaveLength(3);
});
