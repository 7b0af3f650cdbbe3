import { expect, test } from 'vitest';
import { diffAttributes } from '../../src/engine/diff.ts';
import { entry, lastApplied, link, rules, twilioUser } from '../support/builders.ts';
import { codesOf, findingOf, operationOf, planFor, stepsOf } from '../support/planning.ts';

/** Wanted, last sent, last returned, actual: of one attribute. */
function diff(
  [wanted, sent, returned, actual]: readonly (string | undefined)[],
  drift: 'overwrite' | 'report' = 'overwrite',
) {
  const attribute = (value: string | undefined) => (value === undefined ? {} : { displayName: value });
  const last = sent === undefined ? undefined : lastApplied(attribute(sent), { returned: attribute(returned) });
  return diffAttributes(attribute(wanted), attribute(actual), () => last, drift);
}

test.each<[string, readonly (string | undefined)[], string | undefined]>([
  ['equal', ['A', 'A', 'A', 'A'], undefined],
  ['equal although both sides changed alike', ['B', 'A', 'A', 'B'], undefined],
  ['settled when Twilio normalises what we send', ['a', 'a', 'A', 'A'], undefined],
  ['settled when Twilio ignores what we send', ['a', 'a', undefined, undefined], undefined],
  ['changed upstream', ['B', 'A', 'A', 'A'], 'changed-upstream'],
  ['changed upstream under normalisation', ['b', 'a', 'A', 'A'], 'changed-upstream'],
  ['changed in Twilio', ['A', 'A', 'A', 'C'], 'changed-in-twilio'],
  ['emptied in Twilio', ['A', 'A', 'A', undefined], 'changed-in-twilio'],
  ['changed in both', ['B', 'A', 'A', 'C'], 'changed-in-both'],
  ['changed upstream when we never applied', ['B', undefined, undefined, 'A'], 'changed-upstream'],
])('%s', (_what, versions, origin) => {
  const result = diff(versions);

  expect(result.origin).toBe(origin);
  expect(result.changes).toHaveLength(origin === undefined ? 0 : 1);
});

test('an attribute that the mapping leaves out is not ours', () => {
  expect(diff([undefined, 'A', 'A', 'C']).changes).toEqual([]);
});

test('texts that differ in composition alone are equal', () => {
  expect(diff(['Z\u00f6e', 'x', 'x', 'Zo\u0308e']).changes).toEqual([]);
});

test.each<[string, readonly string[]]>([
  ['in Twilio', ['A', 'A', 'A', 'C']],
  ['in both', ['B', 'A', 'A', 'C']],
])('what changed %s is reported instead of written when the policy says so', (_where, versions) => {
  const { changes, drifted } = diff(versions, 'report');

  expect(changes).toEqual([]);
  expect(drifted).toEqual([{ attribute: 'displayName', before: 'C', after: versions[0] }]);
});

test('what changed upstream is written under either policy', () => {
  expect(diff(['B', 'A', 'A', 'A'], 'report').changes).toHaveLength(1);
});

const ann = { users: [twilioUser(1, 'ann', { 'name.givenName': 'By hand' })], links: [link('ann', 1)] };
const applied = { ann: lastApplied({ userName: 'ann@corp.example', 'name.givenName': 'Ann' }) };

test('drift is overwritten with its reason', () => {
  const planned = planFor({ ...ann, applied, entries: [entry('ann', { givenName: 'Ann' })] });

  expect(operationOf(planned, 'update')).toMatchObject({
    reason: 'changed-in-twilio',
    changes: [{ attribute: 'name.givenName', before: 'By hand', after: 'Ann' }],
  });
});

test('reported drift is a finding that shows both values, and the rest of the person goes on', () => {
  const planned = planFor({
    ...ann,
    applied,
    entries: [entry('ann', { givenName: 'Ann', sn: 'New' }, ['developers'])],
    rules: rules({ policy: { drift: 'report' } }),
  });

  expect(stepsOf(planned)).toEqual(['update ann', 'grant ann']);
  expect(operationOf(planned, 'update').changes.map(({ attribute }) => attribute)).toEqual(['name.familyName']);
  expect(findingOf(planned, 'drift').message).toContain('name.givenName is "By hand", we want "Ann"');
});

test('a change of attributes with different causes has changed in both', () => {
  const planned = planFor({ ...ann, applied, entries: [entry('ann', { givenName: 'Ann', sn: 'New' })] });

  expect(operationOf(planned, 'update').reason).toBe('changed-in-both');
});

const stopped = {
  users: [twilioUser(1, 'ann', { active: false })],
  links: [link('ann', 1)],
  applied: { ann: lastApplied({ userName: 'ann@corp.example' }, { active: true }) },
  entries: [entry('ann', {}, ['developers'])],
};

test('somebody deactivated in Twilio by hand is reactivated, and the reason says so', () => {
  const planned = planFor(stopped);

  expect(operationOf(planned, 'reactivate').reason).toBe('changed-in-twilio');
});

test('somebody deactivated in Twilio by hand stays so when drift is only reported', () => {
  const planned = planFor({ ...stopped, rules: rules({ policy: { drift: 'report' } }) });

  expect(stepsOf(planned)).toEqual([]);
  expect(codesOf(planned)).toEqual(['drift ann']);
});

test('somebody whom we deactivated returns under either policy', () => {
  const planned = planFor({
    ...stopped,
    applied: { ann: lastApplied({}, { active: false }) },
    rules: rules({ policy: { drift: 'report' } }),
  });

  expect(stepsOf(planned)).toEqual(['reactivate ann', 'grant ann']);
});
