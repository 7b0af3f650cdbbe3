import { expect, test } from 'vitest';
import type { Entry } from '../../src/domain/entry.ts';
import { entry, externalId, link, rules, twilioUser } from '../support/builders.ts';
import { codesOf, desiredFor, findingOf, planFor, stepsOf } from '../support/planning.ts';

function at(line: number, read: Entry): Entry {
  return { ...read, location: `people.csv:${line}` };
}

const linked = { users: [twilioUser(1, 'ann'), twilioUser(2, 'bob')], links: [link('ann', 1), link('bob', 2)] };

test('two entries with one key are a finding that names both places, and nothing is done', () => {
  const planned = planFor({
    ...linked,
    entries: [at(2, entry('ann', { givenName: 'A' })), at(9, entry('ann', { givenName: 'B' })), at(3, entry('bob'))],
  });

  expect(stepsOf(planned)).toEqual([]);
  expect(codesOf(planned)).toEqual(['duplicate-external-id ann']);
  expect(findingOf(planned, 'duplicate-external-id').message).toContain('people.csv:2 and people.csv:9');
});

test('a key in scope and out of scope contradicts itself, in either order', () => {
  const inside = entry('ann', { givenName: 'A' });
  const outside = entry('ann', { kind: 'outside' });
  const filtered = { ...linked, rules: rules({ filter: 'entry.kind != "outside"' }) };

  for (const entries of [
    [inside, outside, entry('bob')],
    [outside, inside, entry('bob')],
  ]) {
    const planned = planFor({ ...filtered, entries });
    expect(stepsOf(planned)).toEqual([]);
    expect(codesOf(planned)).toEqual(['duplicate-external-id ann']);
  }
});

test('a key that is twice out of scope is simply out of scope', () => {
  const planned = planFor({
    ...linked,
    rules: rules({ filter: 'entry.kind != "outside"' }),
    entries: [entry('ann', { kind: 'outside' }), entry('ann', { kind: 'outside' }), entry('bob')],
  });

  expect(stepsOf(planned)).toEqual(['deactivate ann']);
});

test('keys are compared case-exactly', () => {
  const { desired } = desiredFor({ entries: [entry('ann'), entry('ANN', { mail: 'other@corp.example' })] });

  expect([...desired.users.keys()]).toEqual(['ann', 'ANN']);
});

test.each([
  ['letter case', 'ANN@corp.example'],
  ['spaces around', ' ann@corp.example '],
])('two people whose addresses differ in %s alone are both left alone', (_what, mail) => {
  const planned = planFor({
    ...linked,
    entries: [entry('ann', { givenName: 'A' }), entry('bob', { mail, givenName: 'B' })],
  });

  expect(stepsOf(planned)).toEqual([]);
  expect(codesOf(planned)).toEqual(['duplicate-address ann', 'duplicate-address bob']);
  expect(findingOf(planned, 'duplicate-address').message).toContain(
    'ann (people.csv (ann)) and bob (people.csv (bob))',
  );
});

test('two addresses that differ in composition alone are one, also where lower case has a letter of its own', () => {
  const { desired } = desiredFor({
    entries: [
      entry('ann', { mail: 'zo\u0308e@corp.example' }),
      entry('bob', { mail: 'z\u00f6e@corp.example' }),
      entry('cat', { mail: 'H\u0331@corp.example' }),
      entry('dan', { mail: '\u1e96@corp.example' }),
    ],
  });

  expect(desired.findings.map(({ externalId: id }) => id)).toEqual(['ann', 'bob', 'cat', 'dan']);
  expect(desired.users.size).toBe(0);
});

test('an address shared with somebody who is out of scope or disabled belongs to the one in scope', () => {
  const planned = planFor({
    ...linked,
    rules: rules({ filter: 'entry.kind != "outside"' }),
    entries: [
      entry('ann', { givenName: 'A' }),
      entry('bob'),
      entry('old', { mail: 'ann@corp.example', kind: 'outside' }),
      entry('off', { mail: 'ann@corp.example', disabled: 'yes' }),
    ],
  });

  expect(stepsOf(planned)).toEqual(['update ann']);
});

test('an entry in scope without a key is a finding that says where it stands', () => {
  const planned = planFor({ entries: [at(7, entry('', { mail: 'who@corp.example' }))] });

  expect(stepsOf(planned)).toEqual([]);
  expect(findingOf(planned, 'unidentified')).toMatchObject({
    userName: 'who@corp.example',
    message: expect.stringMatching(/^people\.csv:7: the entry has no immutable key/),
  });
});

test('an entry without a key that is out of scope is no finding', () => {
  const planned = planFor({
    rules: rules({ filter: 'entry.kind != "outside"' }),
    entries: [entry('', { mail: 'printer@corp.example', kind: 'outside' })],
  });

  expect(planned.plan.findings).toEqual([]);
});

test('an address shared with an entry without a key belongs to nobody', () => {
  const planned = planFor({ entries: [entry('ann'), at(5, entry('', { mail: 'ann@corp.example' }))] });

  expect(stepsOf(planned)).toEqual([]);
  expect(codesOf(planned)).toEqual(['unidentified', 'duplicate-address ann']);
  expect(findingOf(planned, 'duplicate-address').message).toContain('an entry without a key (people.csv:5)');
});

test.each([
  ['too short a key', entry('x', { mail: 'x@corp.example' }), 'the key has 1 characters'],
  ['no address', entry('ann', { mail: '' }), 'userName: the address is empty'],
  ['an address that is none', entry('ann', { mail: 'ann' }), '"ann" is not an e-mail address'],
  ['two addresses', entry('ann', { mail: ['a@corp.example', 'b@corp.example'] }), 'choose one with an expression'],
])('an entry with %s is held, and the finding says why', (_what, read, why) => {
  const planned = planFor({
    ...linked,
    entries: [read, entry('bob')],
    rules: rules({ policy: { leavers: 'report' } }),
  });

  expect(stepsOf(planned)).toEqual([]);
  expect(findingOf(planned, 'invalid').message).toContain(why);
});

test('an entry whose values do not fit the filter is held rather than out of scope', () => {
  const planned = planFor({
    ...linked,
    rules: rules({ filter: 'entry.level > 3' }),
    entries: [entry('ann', { level: '5' }), entry('bob', { level: '1' })],
  });

  expect(stepsOf(planned)).toEqual([]);
  expect(codesOf(planned)).toEqual(['invalid ann', 'invalid bob']);
  expect(planned.plan.counts.inScope).toBe(0);
});

test('an entry whose values do not fit a role rule is held, so that no role is lost by a mistake', () => {
  const planned = planFor({
    ...linked,
    rules: rules({ roles: [{ when: 'entry.level > 3', grants: [] }] }),
    entries: [entry('ann', { level: '5' }), entry('bob')],
  });

  expect(codesOf(planned)).toEqual(['invalid ann', 'invalid bob']);
});

test('of two entries with one key the one that is broken is named too, in either order', () => {
  const good = at(2, entry('ann'));
  const bad = at(3, entry('ann', { mail: 'no address' }));

  for (const entries of [
    [good, bad],
    [bad, good],
  ]) {
    const { desired } = desiredFor({ entries });
    expect(desired.findings.map(({ code }) => code).sort()).toEqual(['duplicate-external-id', 'invalid']);
    expect(desired.findings.find(({ code }) => code === 'duplicate-external-id')?.message).toContain(
      'people.csv:2 and people.csv:3',
    );
    expect(desired.held).toEqual(new Set([externalId('ann')]));
  }
});

test('of many broken entries a thousand are listed, the same ones in any order, and the rest is counted', () => {
  const entries = Array.from({ length: 2_500 }, (_, index) => entry(`p${10_000 + index}`, { mail: 'none' }));

  const forth = desiredFor({ entries }).desired.findings;
  const back = desiredFor({ entries: entries.toReversed() }).desired.findings;

  expect(forth).toHaveLength(1_001);
  expect(forth.at(-1)).toEqual({ code: 'invalid', externalId: '', message: 'and 1500 more entries like these' });
  expect(new Set(back.map(({ externalId: id }) => id))).toEqual(new Set(forth.map(({ externalId: id }) => id)));
});

test('people of whom the same rules hold share one list of grants', () => {
  const { desired } = desiredFor({
    entries: [entry('ann', {}, ['developers', 'x']), entry('bob', {}, ['y', 'developers'])],
  });

  expect(desired.users.get(externalId('ann'))?.grants).toBe(desired.users.get(externalId('bob'))?.grants);
});

test('what is out of scope and not linked leaves no trace but its number', () => {
  const { desired } = desiredFor({
    rules: rules({ filter: 'false' }),
    entries: [entry('ann'), entry('bob')],
    links: [link('bob', 1)],
  });

  expect(desired).toMatchObject({ entries: 2, inScope: 0, users: new Map(), outOfScope: new Set(['bob']) });
});
