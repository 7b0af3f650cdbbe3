import { describe, expect, test } from 'vitest';
import { type ChainLink, describeLink, namesOf } from '../../src/sources/ldap/certificate-chain.ts';
import { connectError } from '../../src/sources/ldap/connect-errors.ts';

const link: ChainLink = {
  subject: 'CN=dc1.corp.example, O=Corp',
  issuer: 'CN=Corp CA',
  names: ['DNS:dc1.corp.example', 'IP:10.0.0.5'],
  validFrom: Date.UTC(2026, 0, 1),
  validTo: Date.UTC(2027, 0, 1, 12),
  selfSigned: false,
};

describe('a certificate is described', () => {
  const text =
    'CN=dc1.corp.example, O=Corp (DNS:dc1.corp.example, IP:10.0.0.5), issued by CN=Corp CA, valid from 2026-01-01 to 2027-01-01';

  test.each([
    ['in its time', Date.UTC(2026, 6, 1), text],
    ['after it', Date.UTC(2027, 0, 1, 13), `${text}: expired`],
    ['before it', Date.UTC(2025, 11, 31), `${text}: not valid yet`],
  ])('%s', (_when, now, expected) => {
    expect(describeLink(link, now)).toBe(expected);
  });

  test('as self-signed, and without names, when that is so', () => {
    const authority = { ...link, subject: 'CN=Corp CA', names: [], selfSigned: true };

    expect(describeLink(authority, link.validFrom)).toBe(
      'CN=Corp CA, self-signed, valid from 2026-01-01 to 2027-01-01',
    );
  });
});

describe('the names of a certificate', () => {
  test('are those of its subjectAltName, whatever its common name', () => {
    expect(namesOf('old.corp.example', 'DNS:dc1.corp.example, IP Address:10.0.0.5')).toEqual([
      'DNS:dc1.corp.example',
      'IP:10.0.0.5',
    ]);
  });

  test('are not cut at a comma within a name', () => {
    expect(namesOf(undefined, 'DNS:"a, DNS:b", DNS:c')).toEqual(['DNS:"a, DNS:b"', 'DNS:c']);
  });

  test('are the common names when there is no other', () => {
    expect(namesOf(['a', 'b'], undefined)).toEqual(['CN=a', 'CN=b']);
    expect(namesOf(undefined, '')).toEqual([]);
  });
});

describe('a failed handshake', () => {
  const failure = (code: string) => connectError('ldaps://dc1', 'the TLS handshake', { code });

  test.each(['ERR_SSL_TLSV1_ALERT_UNKNOWN_CA', 'ERR_SSL_SSL_TLS_ALERT_UNKNOWN_CA'])(
    'is told the same in the words of every OpenSSL (%s)',
    (code) => {
      expect(failure(code).message).toContain('the server does not know the CA that signed it');
    },
  );

  test.each([
    ['CERT_HAS_EXPIRED', true],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', true],
    ['ECONNRESET', true],
    ['ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION', true],
    ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', false],
    ['ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE', false],
  ])('with %s lets another server be asked: %s', (code, elsewhere) => {
    expect(failure(code).elsewhere).toBe(elsewhere);
  });

  test('of an unknown kind keeps its code', () => {
    expect(failure('ERR_SSL_SOMETHING_NEW').message).toBe(
      'ldaps://dc1: the TLS handshake failed: ERR_SSL_SOMETHING_NEW',
    );
  });
});
