import { expect, test } from 'vitest';
import type { AttributeValue } from '../../src/domain/entry.ts';
import type { AttributeMappings } from '../../src/domain/rules.ts';
import { compileMapping } from '../../src/engine/mapping.ts';
import { entry } from '../support/builders.ts';

function map(mappings: AttributeMappings, attributes: Readonly<Record<string, AttributeValue>>) {
  const issues: string[] = [];
  const mapping = compileMapping({ userName: { attribute: 'mail' }, ...mappings }, (key, message) => {
    issues.push(`${key}: ${message}`);
  });
  return { mapping, issues, mapped: mapping.map(entry('ann', attributes)) };
}

test('an address is trimmed, composed and lower-cased; other texts are trimmed and composed', () => {
  const { mapped } = map({ displayName: { attribute: 'cn' } }, { mail: ' ANN@Corp.Example', cn: ' Zo\u0308e Ann ' });

  expect(mapped).toEqual({ attributes: { userName: 'ann@corp.example', displayName: 'Zöe Ann' }, active: true });
});

test('an empty or absent value is left out, so that it never erases what Twilio has', () => {
  const { mapped } = map({ displayName: { attribute: 'cn' }, locale: { attribute: 'nowhere' } }, { cn: '  ' });

  expect(mapped).toMatchObject({ attributes: { userName: 'ann@corp.example' } });
  expect('attributes' in mapped && Object.keys(mapped.attributes)).toEqual(['userName']);
});

test('an expression may compose a value', () => {
  const { mapped, mapping } = map(
    { displayName: { expression: 'entry.givenName + " " + entry.sn' } },
    { givenName: 'Ann', sn: 'Oduya' },
  );

  expect(mapped).toMatchObject({ attributes: { displayName: 'Ann Oduya' } });
  expect(mapping.expressions.flatMap(({ attributes }) => attributes)).toEqual(['givenName', 'sn']);
});

test('a list of one value is that value; of several, none is guessed', () => {
  const one = map({ displayName: { attribute: 'cn' } }, { cn: ['Ann'] });
  const many = map({ displayName: { attribute: 'cn' } }, { cn: ['Ann', 'Anna', 'Annie', 'An'] });

  expect(one.mapped).toMatchObject({ attributes: { displayName: 'Ann' } });
  expect(many.mapped).toEqual({
    invalid: ['displayName (cn): holds 4 values ("Ann", "Anna", "Annie"); choose one with an expression'],
  });
});

test('every value that is wrong is named, not only the first', () => {
  const { mapped } = map(
    { displayName: { attribute: 'cn' }, locale: { expression: 'entry.l' } },
    { mail: 'none', cn: 'bell\u0007', l: ['en', 'de'] },
  );

  expect(mapped).toEqual({
    invalid: [
      'userName (mail): "none" is not an e-mail address',
      'displayName (cn): holds control or undecodable characters',
      expect.stringContaining('locale (= entry.l): holds 2 values'),
    ],
  });
});

test.each([
  ['userName', 'mail', `${'a'.repeat(150)}@corp.example`, '160'],
  ['displayName', 'cn', 'n'.repeat(256), '255'],
])('%s is held to what Twilio takes', (key, attribute, value, most) => {
  const { mapped } = map({ displayName: { attribute: 'cn' } }, { [attribute]: value });

  expect(mapped).toEqual({ invalid: [expect.stringContaining(`${key} (${attribute}): has`)] });
  expect('invalid' in mapped && mapped.invalid[0]).toContain(`at most ${most}`);
});

test('an undecodable character is refused rather than sent', () => {
  const { mapped } = map({ displayName: { attribute: 'cn' } }, { cn: 'Zo\ufffd' });

  expect(mapped).toHaveProperty('invalid');
});

test.each([
  ['TRUE', true],
  ['yes', true],
  ['1', true],
  ['enabled', true],
  ['false', false],
  [' No ', false],
  ['0', false],
  ['Disabled', false],
])('the text %j says whether a person is active', (text, active) => {
  const { mapped } = map({ active: { attribute: 'status' } }, { status: text });

  expect(mapped).toMatchObject({ active });
});

test('a text that says neither makes the entry invalid instead of disabling the person', () => {
  for (const status of ['', 'leave of absence']) {
    const { mapped } = map({ active: { attribute: 'status' } }, { status });
    expect(mapped).toEqual({ invalid: [expect.stringContaining('is neither true nor false')] });
  }
});

test('somebody who is disabled is disabled whatever else is wrong with the entry', () => {
  const { mapped } = map({ active: { expression: 'entry.status != "off"' } }, { status: 'off', mail: 'nonsense' });

  expect(mapped).toEqual({ attributes: { userName: '' }, active: false });
});

test('a rule that cannot be compiled is reported by its key, and the others still work', () => {
  const { issues, mapped } = map({ displayName: { expression: 'entry.' }, active: { expression: '1 + 1' } }, {});

  expect(issues).toEqual([expect.stringMatching(/^displayName: /), 'active: yields int, but bool or string is needed']);
  expect(mapped).toMatchObject({ attributes: { userName: 'ann@corp.example' } });
});

test('an attribute named like a property of every object is absent when the entry lacks it', () => {
  const { mapped } = map({ displayName: { attribute: 'constructor' }, locale: { expression: 'entry.toString' } }, {});

  expect(mapped).toEqual({ attributes: { userName: 'ann@corp.example' }, active: true });
});
