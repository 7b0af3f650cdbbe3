import { expect, test } from 'vitest';
import type { Policy } from '../../src/domain/rules.ts';
import { administrator, assignment, entry, link, mainAccount, rules, twilioUser } from '../support/builders.ts';
import { codesOf, findingOf, operationOf, planFor, stepsOf } from '../support/planning.ts';

const linked = {
  users: [twilioUser(1, 'ann')],
  links: [link('ann', 1)],
  assignments: [assignment(1, 1)],
};

test.each([
  ['absent', []],
  ['out-of-scope', [entry('ann', { kind: 'contractor' })]],
  ['disabled', [entry('ann', { disabled: 'yes' })]],
])('a leaver who is %s loses managed grants and then is deactivated', (reason, entries) => {
  const planned = planFor({ ...linked, entries, rules: rules({ filter: 'entry.kind != "contractor"' }) });

  expect(stepsOf(planned)).toEqual(['revoke ann', 'deactivate ann']);
  expect(planned.plan.operations.map((operation) => operation.reason)).toEqual([reason, reason]);
});

test('a person who is disabled is a leaver although the source has cleared the address', () => {
  const planned = planFor({ ...linked, entries: [entry('ann', { disabled: 'yes', mail: '' })] });

  expect(stepsOf(planned)).toEqual(['revoke ann', 'deactivate ann']);
  expect(operationOf(planned, 'deactivate').reason).toBe('disabled');
  expect(planned.plan.findings).toEqual([]);
});

test('a person of whom the source does not say whether they are active is held, not deactivated', () => {
  const planned = planFor({
    ...linked,
    entries: [entry('ann', { disabled: 'perhaps' })],
    rules: rules({ attributes: { userName: { attribute: 'mail' }, active: { attribute: 'disabled' } } }),
  });

  expect(stepsOf(planned)).toEqual([]);
  expect(codesOf(planned)).toEqual(['invalid ann']);
});

const disabled = { disabled: true } as const;

test('a person whom the source disables is a leaver, whatever attributes.active says', () => {
  const planned = planFor({
    ...linked,
    entries: [{ ...entry('ann', { disabled: 'no' }, ['developers']), ...disabled }],
  });

  expect(stepsOf(planned)).toEqual(['revoke ann', 'deactivate ann']);
  expect(planned.plan.operations.map(({ reason }) => reason)).toEqual(['disabled', 'disabled']);
});

test.each([
  ['the filter', rules({ filter: 'int(entry.level) > 3' })],
  ['attributes.active', rules({ attributes: { userName: { attribute: 'mail' }, active: { attribute: 'level' } } })],
  ['the mapping', rules({ attributes: { userName: { expression: 'int(entry.level) > 3 ? "" : "x"' } } })],
])('a person whom the source disables is a leaver although %s does not fit the values', (_what, ruleset) => {
  const entries = [{ ...entry('ann', { level: '(high' }), ...disabled }];

  const planned = planFor({ ...linked, entries, rules: ruleset });

  expect(stepsOf(planned)).toEqual(['revoke ann', 'deactivate ann']);
  expect(planned.plan.findings).toEqual([]);
});

test('a person whom the source disables and the filter leaves out is out of scope', () => {
  const entries = [{ ...entry('ann', { kind: 'contractor' }), ...disabled }];

  const planned = planFor({ ...linked, entries, rules: rules({ filter: 'entry.kind != "contractor"' }) });

  expect(operationOf(planned, 'deactivate').reason).toBe('out-of-scope');
});

test('nobody is created for an account that the source disables', () => {
  const planned = planFor({ entries: [{ ...entry('ann', {}, ['developers']), ...disabled }] });

  expect(planned.plan.operations).toEqual([]);
  expect(planned.plan.findings).toEqual([]);
});

test.each([
  ['in scope', {}],
  ['out of scope', { kind: 'contractor' }],
])('a person of whom the source could not read everything is held, %s or not', (_what, attributes) => {
  const unreadable = { ...entry('ann', attributes), problem: 'userAccountControl holds "x"' };

  const planned = planFor({
    ...linked,
    entries: [unreadable],
    rules: rules({ filter: 'entry.kind != "contractor"' }),
  });

  expect(stepsOf(planned)).toEqual([]);
  expect(findingOf(planned, 'invalid').message).toBe(
    'people.csv (ann): userAccountControl holds "x"; left as it is in Twilio until the source is corrected',
  );
  expect(planned.absences.size).toBe(0);
});

test('a leaver who is inactive already and holds nothing managed is left in peace', () => {
  const planned = planFor({ users: [twilioUser(1, 'ann', { active: false })], links: [link('ann', 1)] });

  expect(planned.plan.operations).toEqual([]);
  expect(planned.plan.findings).toEqual([]);
});

test('an inactive leaver still loses managed grants', () => {
  const planned = planFor({ ...linked, users: [twilioUser(1, 'ann', { active: false })] });

  expect(stepsOf(planned)).toEqual(['revoke ann']);
});

test('revoke-only takes the grants and leaves the user active', () => {
  const planned = planFor({ ...linked, rules: rules({ policy: { leavers: 'revoke-only' } }) });

  expect(stepsOf(planned)).toEqual(['revoke ann']);
});

test('report does nothing and says so', () => {
  const planned = planFor({ ...linked, rules: rules({ policy: { leavers: 'report' } }) });

  expect(stepsOf(planned)).toEqual([]);
  expect(findingOf(planned, 'leaver-reported').message).toContain('ann@corp.example is absent and keeps access');
});

test.each<Policy['mode']>(['upsert-only', 'create-only'])('in %s mode nobody leaves', (mode) => {
  const planned = planFor({ ...linked, rules: rules({ policy: { mode } }) });

  expect(stepsOf(planned)).toEqual([]);
});

test('absence counts from one complete read to the next until it is confirmed', () => {
  const confirming = rules({ policy: { confirmAbsence: 3 } });

  const first = planFor({ ...linked, rules: confirming });
  const second = planFor({ ...linked, rules: confirming, absences: Object.fromEntries(first.absences) });
  const third = planFor({ ...linked, rules: confirming, absences: Object.fromEntries(second.absences) });

  expect(findingOf(first, 'absence-pending').message).toContain('first complete read; 3 in a row');
  expect(findingOf(second, 'absence-pending').message).toContain('second complete read');
  expect([...first.absences, ...second.absences, ...third.absences]).toEqual([
    ['ann', 1],
    ['ann', 2],
    ['ann', 3],
  ]);
  expect(stepsOf(first)).toEqual([]);
  expect(stepsOf(second)).toEqual([]);
  expect(stepsOf(third)).toEqual(['revoke ann', 'deactivate ann']);
});

test('a person who is seen again starts to count anew', () => {
  const planned = planFor({ ...linked, entries: [entry('ann', {}, ['developers'])], absences: { ann: 2 } });

  expect(planned.absences.size).toBe(0);
});

test.each([
  ['out of scope', { kind: 'contractor' }],
  ['disabled', { disabled: 'yes' }],
])('a person whom the source shows as %s does not wait for confirmation', (_what, attributes) => {
  const planned = planFor({
    ...linked,
    entries: [entry('ann', attributes)],
    rules: rules({ filter: 'entry.kind != "contractor"', policy: { confirmAbsence: 5 } }),
  });

  expect(stepsOf(planned)).toEqual(['revoke ann', 'deactivate ann']);
});

test('a person whose entry lost its key is not taken for absent', () => {
  const planned = planFor({ ...linked, entries: [entry('', { mail: 'Ann@corp.example' })] });

  expect(stepsOf(planned)).toEqual([]);
  expect(codesOf(planned)).toEqual(['unidentified', 'unidentified ann']);
  expect(planned.absences.size).toBe(0);
});

test('a person whose entry cannot be understood is not taken for absent', () => {
  const planned = planFor({ ...linked, entries: [entry('ann', { mail: 'no address' })] });

  expect(stepsOf(planned)).toEqual([]);
  expect(codesOf(planned)).toEqual(['invalid ann']);
});

test('a leaver keeps roles that neither a rule names nor we gave', () => {
  const planned = planFor({
    ...linked,
    assignments: [assignment(1, 1, { role: administrator, scope: mainAccount })],
    rules: rules({ roles: [{ group: 'developers', grants: [{ role: 'Developer', scope: mainAccount }] }] }),
  });

  expect(stepsOf(planned)).toEqual(['deactivate ann']);
});

test('a leaver loses roles that we gave although no rule names them any more', () => {
  const grant = { role: administrator, scope: mainAccount };
  const planned = planFor({
    ...linked,
    assignments: [assignment(1, 1, grant)],
    records: [{ ...assignment(1, 1, grant), origin: 'granted' }],
    rules: rules({ roles: [] }),
  });

  expect(stepsOf(planned)).toEqual(['revoke ann', 'deactivate ann']);
});
