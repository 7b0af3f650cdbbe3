import { describe, expect, test } from 'vitest';
import { parseReferral } from '../../src/sources/ldap/referrals.ts';

describe('a referral (RFC 4516)', () => {
  test.each<readonly [string, string, object]>([
    ['host alone', 'ldap://dc2', { address: { host: 'dc2', port: 389, secure: false }, base: undefined }],
    ['base', 'ldaps://dc2:3269/dc=corp,dc=example', { address: { port: 3269 }, base: 'dc=corp,dc=example' }],
    ['a base with escapes', 'ldap://dc2/ou=R%26D%2c%20Lisbon', { base: 'ou=R&D, Lisbon' }],
    ['scope, as OpenLDAP writes it', 'ldap://dc2/dc=x??sub', { base: 'dc=x', scope: 'sub', filter: undefined }],
    ['filter', 'ldap://dc2/dc=x??one?(cn=Ana%20Sousa)', { scope: 'one', filter: '(cn=Ana Sousa)' }],
    ['an extension that may be ignored', 'ldap://dc2/dc=x????e-bindname=cn', { base: 'dc=x' }],
    ['an IPv6 address', 'ldap://[::1]:1389/dc=x', { address: { host: '::1', port: 1389 } }],
  ])('with %s', (_what, url, meaning) => {
    expect(parseReferral(url)).toMatchObject(meaning);
  });

  test.each([
    ['no server', 'ldap:///dc=x'],
    ['another protocol', 'http://dc2/dc=x'],
    ['an unknown scope', 'ldap://dc2/dc=x??children'],
    ['a broken escape', 'ldap://dc2/dc=%zz'],
    ['a broken escape in its filter', 'ldap://dc2/dc=x???(cn=%zz)'],
    ['an extension that must be understood', 'ldap://dc2/dc=x????!e-bindname=cn'],
    ['a domain to look up', 'ldap+srv://corp.example/dc=x'],
  ])('with %s is not followed', (_what, url) => {
    expect(parseReferral(url)).toBeUndefined();
  });
});
