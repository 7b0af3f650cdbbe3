import { describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { ldapPreset, presetNames } from '../../src/config/ldap-presets.ts';
import type { LdapOptions } from '../../src/domain/ldap-options.ts';
import { parseFilter } from '../../src/sources/ldap/filter.ts';
import { load, minimal } from '../support/config-files.ts';

interface Keys {
  readonly users?: object;
  readonly groups?: object;
  readonly pageSize?: number;
}

/** The options of a file that says where things are, and these keys. */
function optionsOf(preset: string | undefined, { users, groups, pageSize }: Keys = {}): LdapOptions {
  const source = {
    type: 'ldap',
    ...(preset !== undefined && { preset }),
    url: 'ldaps://ldap.corp.example',
    users: { baseDn: 'ou=people,dc=corp,dc=example', ...users },
    groups: { baseDn: 'ou=groups,dc=corp,dc=example', ...groups },
    ...(pageSize !== undefined && { pageSize }),
  };
  const loaded = load(minimal('', { csv: stringify({ source }) }), { CLIENT_ID: 'x', CLIENT_SECRET: 'x' });
  if (loaded.configuration.source.type !== 'ldap') throw new Error('not an LDAP source');
  return loaded.configuration.source.options;
}

const cases = [undefined, ...presetNames];

interface Override {
  readonly section: 'users' | 'groups' | 'top';
  readonly key: string;
  readonly value: unknown;
  /** What it becomes, where that is not the same. */
  readonly meaning?: unknown;
}

/** Every value that a preset sets, each with another that no preset has, or with each that there is. */
const overrides: readonly Override[] = [
  { section: 'users', key: 'filter', value: '(employeeType=staff)' },
  { section: 'users', key: 'id', value: 'employeeNumber' },
  { section: 'users', key: 'disabled', value: 'none' },
  { section: 'groups', key: 'filter', value: '(objectClass=groupOfURLs)' },
  { section: 'groups', key: 'name', value: 'displayName' },
  { section: 'groups', key: 'membership', value: ['uniqueMember'] },
  { section: 'groups', key: 'membership', value: 'memberOf', meaning: ['memberOf'] },
  { section: 'groups', key: 'uid', value: 'login' },
  { section: 'groups', key: 'nested', value: true, meaning: 'resolve' },
  { section: 'groups', key: 'nested', value: false, meaning: 'none' },
  { section: 'groups', key: 'nested', value: 'matching-rule' },
  { section: 'groups', key: 'primaryGroup', value: true },
  { section: 'groups', key: 'primaryGroup', value: false },
  { section: 'top', key: 'pageSize', value: 77 },
];

describe.each(cases)('preset %s', (preset) => {
  test('fills in what the file leaves out', () => {
    const { users, groups, pageSize } = optionsOf(preset);
    const expected = ldapPreset(preset);

    expect(users).toMatchObject(expected.users);
    expect(groups).toMatchObject(expected.groups);
    expect(pageSize).toBe(expected.pageSize);
  });

  test('has filters that can be sent', () => {
    const { users, groups } = ldapPreset(preset);

    expect(parseFilter(users.filter).toString()).toBe(users.filter);
    expect(parseFilter(groups.filter).toString()).toBe(groups.filter);
  });

  test.each(overrides)(
    'gives way in $section $key to $value, and in nothing else',
    ({ section, key, value, meaning = value }) => {
      const changed = optionsOf(preset, section === 'top' ? { [key]: value } : { [section]: { [key]: value } });

      const usual = optionsOf(preset);
      expect(changed).toEqual(
        section === 'top'
          ? { ...usual, [key]: meaning }
          : { ...usual, [section]: { ...usual[section], [key]: meaning } },
      );
    },
  );
});

test('every value of a preset is among those that are overridden', () => {
  const { users, groups, ...top } = ldapPreset('active-directory');
  const tested = new Set(overrides.map(({ section, key }) => `${section}.${key}`));

  const values = [
    ...Object.keys(users).map((key) => `users.${key}`),
    ...Object.keys(groups).map((key) => `groups.${key}`),
    ...Object.keys(top).map((key) => `top.${key}`),
  ];

  expect(values.filter((value) => !tested.has(value))).toEqual([]);
});
