import { describe, expect, test } from 'vitest';
import type { AttributeValue } from '../../src/domain/entry.ts';
import type { DisabledRule } from '../../src/domain/ldap-options.ts';
import { accountRule } from '../../src/sources/ldap/disabled.ts';
import { fileTime } from '../support/active-directory-ldif.ts';

const now = Date.parse('2026-03-01T12:00:00Z');

function standing(rule: DisabledRule, values: Readonly<Record<string, AttributeValue>>) {
  return accountRule(rule, now)?.standing((attribute) => values[attribute]);
}

function ofActiveDirectory(userAccountControl: AttributeValue, accountExpires?: AttributeValue) {
  return standing('userAccountControl', {
    userAccountControl,
    ...(accountExpires !== undefined && { accountExpires }),
  });
}

test('nothing is asked for where nothing marks an account', () => {
  expect(accountRule('none', now)).toBeUndefined();
});

test.each<[DisabledRule, readonly string[]]>([
  ['userAccountControl', ['userAccountControl', 'accountExpires']],
  ['nsAccountLock', ['nsAccountLock']],
  ['pwdAccountLockedTime', ['pwdAccountLockedTime']],
])('%s asks for what it needs, and never for lockoutTime', (rule, attributes) => {
  expect(accountRule(rule, now)?.attributes).toEqual(attributes);
});

describe('in Active Directory an account', () => {
  test.each([
    ['512', 'usable'],
    ['514', 'disabled'],
    ['66048', 'usable'],
    ['66050', 'disabled'],
    ['546', 'disabled'],
    // LOCKOUT (16) and PASSWORD_EXPIRED (8388608) are other flags.
    ['528', 'usable'],
    ['8389120', 'usable'],
    ['-2147483646', 'disabled'],
    ['-2147483648', 'usable'],
    ['0', 'usable'],
  ])('with userAccountControl %s is %s', (control, expected) => {
    expect(ofActiveDirectory(control)).toBe(expected);
  });

  test.each([
    ['0', 'usable'],
    ['9223372036854775807', 'usable'],
    [fileTime(now - 1), 'disabled'],
    [fileTime(now), 'disabled'],
    [fileTime(now + 1), 'usable'],
    ['1', 'disabled'],
    ['9223372036854775806', 'usable'],
  ])('that expires at %s is %s', (expires, expected) => {
    expect(ofActiveDirectory('512', expires)).toBe(expected);
  });

  test.each<[string, AttributeValue, AttributeValue | undefined]>([
    ['userAccountControl holds "", which cannot be understood', '', undefined],
    ['userAccountControl holds "0x202", which cannot be understood', '0x202', undefined],
    ['userAccountControl holds "51.2", which cannot be understood', '51.2', undefined],
    ['userAccountControl holds "9999999999", which cannot be understood', '9999999999', undefined],
    ['userAccountControl holds 2 values', ['512', '514'], undefined],
    ['accountExpires holds "never", which cannot be understood', '512', 'never'],
    ['accountExpires holds "-1", which cannot be understood', '512', '-1'],
    ['accountExpires holds "9223372036854775808", which cannot be understood', '512', '9223372036854775808'],
    ['accountExpires holds 2 values', '512', ['0', '1']],
  ])('is neither usable nor disabled when %s', (problem, control, expires) => {
    expect(ofActiveDirectory(control, expires)).toEqual({ problem });
  });

  test('is neither when userAccountControl does not show', () => {
    expect(standing('userAccountControl', { accountExpires: '0' })).toEqual({
      problem: 'userAccountControl is absent, so nobody can say whether the account is disabled',
    });
  });

  test('is disabled by one clear sign, whatever the other attribute holds', () => {
    expect(ofActiveDirectory('514', 'never')).toBe('disabled');
    expect(ofActiveDirectory('what', fileTime(now - 1))).toBe('disabled');
  });
});

test.each([
  ['true', 'disabled'],
  ['TRUE', 'disabled'],
  ['false', 'usable'],
  ['yes', { problem: 'nsAccountLock holds "yes", which cannot be understood' }],
])('nsAccountLock %s', (nsAccountLock, expected) => {
  expect(standing('nsAccountLock', { nsAccountLock })).toEqual(expected);
});

test.each([
  ['000001010000Z', 'disabled'],
  ['00000101000000Z', 'disabled'],
  ['20260228093000Z', 'usable'],
  ['20260228093000.25Z', 'usable'],
  ['202602280930+0100', 'usable'],
  ['00000101', { problem: 'pwdAccountLockedTime holds "00000101", which cannot be understood' }],
  ['000012310000Z', { problem: 'pwdAccountLockedTime holds "000012310000Z", which cannot be understood' }],
])('pwdAccountLockedTime %s', (pwdAccountLockedTime, expected) => {
  expect(standing('pwdAccountLockedTime', { pwdAccountLockedTime })).toEqual(expected);
});

test.each<DisabledRule>(['nsAccountLock', 'pwdAccountLockedTime'])('%s that is absent marks nobody', (rule) => {
  expect(standing(rule, {})).toBe('usable');
});
