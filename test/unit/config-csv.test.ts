import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { configurationDigestInput } from '../../src/config/digest-input.ts';
import { loadConfiguration } from '../../src/config/load.ts';
import { issuesOf, load, minimal, writeConfig } from '../support/config-files.ts';

const source = (keys: string) => minimal('', { csv: `source: { type: csv, id: employeeId, ${keys} }\n` });

describe('a CSV source', () => {
  it('has its files resolved from the folder of the configuration, wherever they are named', () => {
    const keys =
      'users: [a.csv, { folder: in, match: "b-*.csv" }], memberships: { folder: /var/in, match: m, newest: modified }, ' +
      'join: [{ file: c.csv }, { file: { folder: in, match: d }, id: no, required: true, delimiter: ";", encoding: utf-8, trailer: false }]';
    const file = writeConfig(source(keys));

    const { configuration } = loadConfiguration(file, {});

    const folder = dirname(file);
    expect(configuration.source.options).toEqual({
      users: [join(folder, 'a.csv'), { folder: join(folder, 'in'), match: 'b-*.csv', newest: 'name' }],
      memberships: { folder: '/var/in', match: 'm', newest: 'modified' },
      join: [
        { file: join(folder, 'c.csv'), required: false },
        {
          file: { folder: join(folder, 'in'), match: 'd', newest: 'name' },
          id: 'no',
          required: true,
          delimiter: ';',
          encoding: 'utf-8',
          trailer: false,
        },
      ],
      id: 'employeeId',
      minRows: 1,
    });
  });

  it('has the second field of a trailer for its count unless another is named', () => {
    const { configuration } = load(source('users: p.csv, trailer: { match: END }, thousandsSeparator: ","'));

    expect(configuration.source.options).toMatchObject({
      trailer: { match: 'END', field: 2 },
      thousandsSeparator: ',',
    });
  });

  it.each([
    ['users: []', 'source.users: must have at least one item'],
    ['users: 7', 'source.users: must be a text'],
    ['users: { folder: in }', 'source.users.match: is required'],
    ['users: { folder: in, match: "sub/*.csv" }', 'source.users.match: must be the pattern of a name'],
    ['users: { folder: in, match: "*", newest: size }', 'source.users.newest: must be one of name, modified'],
    ['users: { folder: in, match: "*", matches: x }', 'source.users.matches: is not a known key; did you mean match?'],
    ['users: [a.csv, { folder: in }]', 'source.users[1].match: is required'],
    ['users: p, join: []', 'source.join: must have at least one item'],
    ['users: p, join: [{ id: x }]', 'source.join[0].file: is required'],
    [
      'users: p, join: [{ file: c, requird: true }]',
      'source.join[0].requird: is not a known key; did you mean required?',
    ],
    ['users: p, join: [{ file: c, trailer: true }]', 'source.join[0].trailer: '],
    ['users: p, trailer: { match: END, field: 1 }', 'source.trailer.field: must be at least 2'],
    ['users: p, trailer: {}', 'source.trailer.match: is required'],
    ['users: p, thousandsSeparator: "0"', 'source.thousandsSeparator: must be one of'],
  ])('is refused with %s', (keys, message) => {
    expect(issuesOf(source(keys))).toEqual([expect.stringContaining(message)]);
  });

  it.each([
    ['joined files', 'users: p, join: [{ file: c }]', true],
    ['what a joined file must hold', 'users: p, join: [{ file: c, required: true }]', true],
    ['the trailer', 'users: p, trailer: { match: END }', true],
    ['the thousands separator', 'users: p, thousandsSeparator: ","', true],
    ['where the people stand', 'users: { folder: in, match: "*" }', false],
  ])('counts for a plan by %s (%s): %j', (_, keys, counts) => {
    const inputOf = (text: string) => JSON.stringify(configurationDigestInput(load(text).configuration));

    expect(inputOf(source(keys)) !== inputOf(source('users: p'))).toBe(counts);
  });
});
