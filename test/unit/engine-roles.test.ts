import { expect, test } from 'vitest';
import type { RoleSid } from '../../src/domain/identity.ts';
import type { Grant } from '../../src/domain/user.ts';
import {
  administrator,
  assignment,
  developer,
  entry,
  link,
  mainAccount,
  otherAccount,
  rules,
  support,
  twilioUser,
  userSid,
} from '../support/builders.ts';
import { codesOf, findingOf, idsOf, operationOf, planFor, stepsOf } from '../support/planning.ts';

const ann = { users: [twilioUser(1, 'ann')], links: [link('ann', 1)] };

/** A rule for `many` so long that only so many more roles fit. */
function manyRoles(count: number) {
  const grants = Array.from({ length: count }, (_, index) => ({
    role: `IX${(index + 256).toString(16).padStart(32, '0')}`,
    scope: mainAccount as string,
  }));
  return rules({ roles: [{ group: 'many', grants }] });
}

function manyAssignments(from: number, count: number) {
  return Array.from({ length: count }, (_, index) => {
    const role = `IX${(from + index + 256).toString(16).padStart(32, '0')}` as RoleSid;
    return assignment(from + index + 1, 1, { role, scope: mainAccount });
  });
}

test('a role that nobody configured and somebody gave by hand is left alone', () => {
  const byHand: Grant = { role: support, scope: otherAccount };
  const planned = planFor({ ...ann, entries: [entry('ann')], assignments: [assignment(1, 1, byHand)] });

  expect(idsOf(planned)).toEqual([]);
});

test('a role that a rule names is made exact, even when somebody gave it by hand', () => {
  const planned = planFor({ ...ann, entries: [entry('ann')], assignments: [assignment(1, 1)] });

  expect(stepsOf(planned)).toEqual(['revoke ann']);
  expect(operationOf(planned, 'revoke')).toMatchObject({
    reason: 'changed-in-twilio',
    user: userSid(1),
    grant: { roleName: 'Developer', scopeName: 'Main' },
  });
});

test('a role that we gave is taken back when its rule is gone from the configuration', () => {
  const grant: Grant = { role: support, scope: otherAccount };
  const planned = planFor({
    ...ann,
    entries: [entry('ann')],
    assignments: [assignment(1, 1, grant)],
    records: [{ ...assignment(1, 1, grant), origin: 'granted' }],
  });

  expect(stepsOf(planned)).toEqual(['revoke ann']);
});

test('the same role in another account is another grant', () => {
  const planned = planFor({
    ...ann,
    entries: [entry('ann', {}, ['developers'])],
    assignments: [assignment(1, 1, { role: developer, scope: otherAccount })],
  });

  expect(stepsOf(planned)).toEqual(['grant ann']);
  expect(operationOf(planned, 'grant').grant.scope).toBe(mainAccount);
});

test('a role that is there twice and wanted is left as it is; not wanted, both go', () => {
  const twice = [assignment(1, 1), assignment(2, 1)];

  const wanted = planFor({ ...ann, entries: [entry('ann', {}, ['developers'])], assignments: twice });
  const unwanted = planFor({ ...ann, entries: [entry('ann')], assignments: twice });

  expect(stepsOf(wanted)).toEqual([]);
  expect(stepsOf(unwanted)).toEqual(['revoke ann', 'revoke ann']);
});

test('roles of people who are not linked are never taken', () => {
  const planned = planFor({ users: [twilioUser(1, 'ann')], assignments: [assignment(1, 1)] });

  expect(idsOf(planned)).toEqual([]);
});

test('revocations of one person stand in the same order however Twilio lists the roles', () => {
  const rows = [
    assignment(3, 1, { role: administrator, scope: mainAccount }),
    assignment(2, 1),
    assignment(1, 1, { role: developer, scope: mainAccount }),
  ];

  const forth = planFor({ ...ann, entries: [entry('ann')], assignments: rows });
  const back = planFor({ ...ann, entries: [entry('ann')], assignments: rows.toReversed() });

  expect(back.plan.digest).toBe(forth.plan.digest);
});

test('exactly as many roles as Twilio lets one person hold are given', () => {
  const planned = planFor({ ...ann, rules: manyRoles(50), entries: [entry('ann', {}, ['many'])] });

  expect(planned.plan.operations).toHaveLength(50);
  expect(planned.plan.findings).toEqual([]);
});

test('one role more is a finding, and none is given rather than some', () => {
  const planned = planFor({ ...ann, rules: manyRoles(51), entries: [entry('ann', {}, ['many'])] });

  expect(idsOf(planned)).toEqual([]);
  expect(findingOf(planned, 'role-ceiling').message).toContain('would hold 51 roles and Twilio lets a user hold 50');
});

test('roles that others gave count towards the ceiling', () => {
  const planned = planFor({
    ...ann,
    rules: manyRoles(50),
    entries: [entry('ann', {}, ['many'])],
    assignments: [assignment(99, 1, { role: support, scope: otherAccount })],
  });

  expect(codesOf(planned)).toEqual(['role-ceiling ann']);
});

test('a role that goes makes room for one that comes', () => {
  const planned = planFor({
    ...ann,
    rules: rules({
      roles: [...manyRoles(50).roles, { group: 'developers', grants: [{ role: 'Developer', scope: mainAccount }] }],
    }),
    entries: [entry('ann', {}, ['many'])],
    assignments: [...manyAssignments(0, 49), assignment(99, 1)],
  });

  expect(stepsOf(planned)).toEqual(['revoke ann', 'grant ann']);
});

test('in upsert-only mode nothing goes, so nothing makes room', () => {
  const planned = planFor({
    ...ann,
    rules: rules({
      policy: { mode: 'upsert-only' },
      roles: [...manyRoles(50).roles, { group: 'developers', grants: [{ role: 'Developer', scope: mainAccount }] }],
    }),
    entries: [entry('ann', {}, ['many'])],
    assignments: [...manyAssignments(0, 49), assignment(99, 1)],
  });

  expect(idsOf(planned)).toEqual([]);
  expect(codesOf(planned)).toEqual(['role-ceiling ann', 'taken-over ann']);
});

test('over the ceiling, attributes are still written and surplus roles still go', () => {
  const planned = planFor({
    ...ann,
    rules: rules({
      roles: [...manyRoles(51).roles, { group: 'developers', grants: [{ role: 'Developer', scope: mainAccount }] }],
    }),
    entries: [entry('ann', { givenName: 'Ann' }, ['many'])],
    assignments: [assignment(99, 1)],
  });

  expect(stepsOf(planned)).toEqual(['revoke ann', 'update ann']);
});

test('a new person over the ceiling is created without roles, and the finding says so', () => {
  const planned = planFor({ rules: manyRoles(51), entries: [entry('ann', {}, ['many'])] });

  expect(stepsOf(planned)).toEqual(['create ann']);
  expect(codesOf(planned)).toEqual(['role-ceiling ann']);
});
