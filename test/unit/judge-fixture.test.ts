import { describe, expect, test } from 'vitest';
import type { Entry } from '../../src/domain/entry.ts';
import type { Expectation } from '../../src/domain/fixture.ts';
import type { Rules } from '../../src/domain/rules.ts';
import { compileRules } from '../../src/engine/compile.ts';
import { judgeFixture } from '../../src/engine/judge-fixture.ts';
import { entry, rules } from '../support/builders.ts';

const user = { result: 'user', attributes: {}, active: true, grants: undefined } as const;

function judge(over: Partial<Rules>, read: Entry, expected: Expectation) {
  const given = rules(over);
  return judgeFixture(compileRules(given).compiled, given.roles, { name: '', line: 1, entry: read, expected });
}

function granting(...grants: readonly { role: string; scope: string }[]): Partial<Rules> {
  return { roles: [{ when: 'entry.kind != "none"', grants }] };
}

describe('a made-up entry', () => {
  test('is as expected when what is looked at is, whatever else it has', () => {
    const mapped: Expectation = { ...user, attributes: { userName: 'ann@corp.example', locale: null } };

    expect(judge(granting({ role: 'R', scope: 'S' }), entry('ann'), mapped)).toEqual([]);
  });

  test('differs in each attribute that is another, empty or too much', () => {
    const read = entry('ann', { mail: 'Ann@corp.example', givenName: 'Ann' });
    const over = { attributes: { userName: { attribute: 'mail' }, 'name.givenName': { attribute: 'givenName' } } };
    const attributes = { userName: 'a@corp.example', 'name.givenName': null, displayName: 'Ann' };

    expect(judge(over, read, { ...user, attributes })).toEqual([
      { what: 'userName', expected: 'a@corp.example', actual: 'ann@corp.example' },
      { what: 'name.givenName', expected: null, actual: 'Ann' },
      { what: 'displayName', expected: 'Ann', actual: null },
    ]);
  });

  test('must hold exactly the grants that are listed, by the names of the configuration', () => {
    const over = granting({ role: 'Developer', scope: 'Main' }, { role: 'IX1', scope: 'organization' });
    const grants = [
      { role: 'Developer', scope: 'Main' },
      { role: 'Support', scope: 'Main' },
    ];

    expect(judge(over, entry('ann'), { ...user, grants })).toEqual([
      { what: 'grant', expected: 'Support in Main', actual: null },
      { what: 'grant', expected: null, actual: 'IX1 in organization', because: 'entry.kind != "none"' },
    ]);
  });

  test('is not confused by names that part a role and a scope at another place', () => {
    const over = granting({ role: 'A B', scope: 'C' }, { role: 'A', scope: 'B C' });
    const grants = [
      { role: 'A B', scope: 'C' },
      { role: 'A', scope: 'B C' },
    ];

    expect(judge(over, entry('ann'), { ...user, grants })).toEqual([]);
  });

  test('that is disabled holds nothing and may not sign in', () => {
    const over = {
      ...granting({ role: 'R', scope: 'S' }),
      attributes: { userName: { attribute: 'mail' }, active: { attribute: 'on' } },
    };
    const read = entry('ann', { on: 'no' });

    expect(judge(over, read, { ...user, active: false, grants: [] })).toEqual([]);
    expect(judge(over, read, user)).toEqual([{ what: 'active', expected: 'true', actual: 'false' }]);
    expect(
      judge(over, { ...entry('ann', { on: 'yes' }), disabled: true }, { ...user, active: false, grants: [] }),
    ).toEqual([]);
  });

  test.each<[string, Partial<Rules>, Entry, Expectation, string, string]>([
    ['out of scope', { filter: 'false' }, entry('ann'), user, 'a user', 'out of scope'],
    ['a user', {}, entry('ann'), { result: 'out-of-scope' }, 'out of scope', 'a user, ann@corp.example'],
    [
      'a finding',
      {},
      entry('ann', { mail: 'x' }),
      user,
      'a user',
      'finding invalid: userName (mail): "x" is not an e-mail',
    ],
    [
      'a user',
      {},
      entry('ann'),
      { result: 'finding', code: 'invalid', message: undefined },
      'finding invalid',
      'a user',
    ],
  ])('that turns out to be %s is one difference', (_, over, read, expected, wanted, actual) => {
    expect(judge(over, read, expected)).toEqual([
      { what: 'result', expected: wanted, actual: expect.stringContaining(actual) },
    ]);
  });

  test('comes to the finding that is expected, and to its words where they are', () => {
    const nobody = { ...entry('x', { mail: 'ann@corp.example' }), id: '' } as Entry;
    const finding = (code: 'invalid' | 'unidentified', message?: string): Expectation => ({
      result: 'finding',
      code,
      message,
    });

    expect(judge({}, nobody, finding('unidentified', 'no immutable key'))).toEqual([]);
    expect(judge({}, nobody, finding('invalid'))).toMatchObject([{ what: 'finding', expected: 'invalid' }]);
    expect(judge({}, nobody, finding('unidentified', 'no address'))).toMatchObject([
      { what: 'finding', expected: 'unidentified with "no address"' },
    ]);
  });
});
