import { expect, test } from 'vitest';
import { isUsuallyPrimary } from '../../src/sources/ldap/primary-group.ts';
import { decodeSid, valueDecoder } from '../../src/sources/ldap/values.ts';

function decode(hex: string): string | undefined {
  const bytes = Buffer.from(`ffff${hex}ffff`, 'hex');
  return decodeSid(bytes, 2, bytes.length - 2);
}

test('a security identifier is written as Windows writes it', () => {
  expect(decode('010500000000000515000000dcf4dc3b833d2b46828ba62800020000')).toBe(
    'S-1-5-21-1004336348-1177238915-682003330-512',
  );
  expect(decode('01020000000000052000000020020000')).toBe('S-1-5-32-544');
  expect(valueDecoder('ObjectSID')).toBe(decodeSid);
});

test.each(['', '0105', '010200000000000520000000', '0101000000000005200000002002', '02010000000000052000000'])(
  'bytes that are no identifier (%s) are not taken for one',
  (hex) => {
    expect(decode(hex)).toBeUndefined();
  },
);

test('groups whose members are known by primaryGroupID are those of every domain with well-known numbers', () => {
  expect(['S-1-5-21-1-2-3-513', 'S-1-5-21-1-2-3-515'].every(isUsuallyPrimary)).toBe(true);
  expect(['S-1-5-21-1-2-3-512', 'S-1-5-32-513', 'S-1-5-21-1-2-3-5130'].some(isUsuallyPrimary)).toBe(false);
});
