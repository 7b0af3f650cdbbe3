import { expect, test } from 'vitest';
import type { Drift } from '../../src/domain/drift.ts';
import { renderDrift } from '../../src/report/drift-text.ts';
import {
  administrator,
  assignment,
  entry,
  lastApplied,
  link,
  mainAccount,
  rules,
  support,
  twilioUser,
  userSid,
} from '../support/builders.ts';
import { driftFor } from '../support/drift.ts';
import type { Given } from '../support/planning.ts';

const applied = lastApplied({ userName: 'ann@corp.example', 'name.givenName': 'Ann', 'name.familyName': 'Lee' });
const developerInMain = { roleName: 'Developer', scopeName: 'Main' };

/** Ann as we left her: a developer, active, every value as sent. */
const inStep: Given = {
  entries: [entry('ann', { givenName: 'Ann', sn: 'Lee' }, ['developers'])],
  users: [twilioUser(1, 'ann', { 'name.givenName': 'Ann', 'name.familyName': 'Lee' })],
  links: [link('ann', 1)],
  assignments: [assignment(1, 1)],
  records: [{ ...assignment(1, 1), origin: 'granted' }],
  applied: { ann: applied },
};

function driftOf(changes: Partial<Given>): readonly Drift[] {
  const people = driftFor({ ...inStep, ...changes });
  expect(people.length).toBeLessThan(2);
  return people[0]?.drift ?? [];
}

test('who is in step has no drift, nor has who was changed in the source alone', () => {
  expect(driftOf({})).toEqual([]);
  expect(driftOf({ entries: [entry('ann', { givenName: 'Anna', sn: 'Lee' }, ['admins'])] })).toEqual([]);
  expect(driftOf({ entries: [] })).toEqual([]);
});

test('a changed attribute is listed with what it was, what it is and what is wanted', () => {
  const users = [twilioUser(1, 'ann', { 'name.givenName': 'Hand', 'name.familyName': 'Lee' })];

  expect(driftOf({ users })).toEqual([
    {
      kind: 'attribute',
      attribute: 'name.givenName',
      before: 'Ann',
      now: 'Hand',
      wanted: 'Ann',
      origin: 'changed-in-twilio',
    },
  ]);
});

test('an attribute that was changed in the source too is told apart; when both came to the same value it is none', () => {
  const users = [twilioUser(1, 'ann', { 'name.givenName': 'Hand', 'name.familyName': 'Lee' })];
  const changed = (givenName: string) => [entry('ann', { givenName, sn: 'Lee' }, ['developers'])];

  expect(driftOf({ users, entries: changed('Anna') })).toMatchObject([{ wanted: 'Anna', origin: 'changed-in-both' }]);
  expect(driftOf({ users, entries: changed('Hand') })).toEqual([]);
});

test('what Twilio makes of a value is no drift', () => {
  const users = [twilioUser(1, 'ann', { 'name.givenName': 'ANN', 'name.familyName': 'Lee' })];
  const normalised = { ...applied, returned: { ...applied.sent, 'name.givenName': 'ANN' } };

  expect(driftOf({ users, applied: { ann: normalised } })).toEqual([]);
});

test('who was deactivated by hand, and who has left and was made active by hand', () => {
  const inactive = [twilioUser(1, 'ann', { active: false, 'name.givenName': 'Ann', 'name.familyName': 'Lee' })];
  const left = { entries: [], assignments: [], records: [], applied: { ann: { ...applied, active: false } } };

  expect(driftOf({ users: inactive })).toMatchObject([{ kind: 'activity', before: true, now: false, wanted: true }]);
  expect(driftOf(left)).toMatchObject([{ kind: 'activity', before: false, now: true, wanted: false }]);
  expect(driftOf({ ...left, users: inactive })).toEqual([]);
});

test('a role that was taken away, and one of a rule that was given; a role that no rule names is nobody’s business', () => {
  const admin = { role: administrator, scope: mainAccount };
  const unnamed = { role: support, scope: mainAccount };

  expect(driftOf({ assignments: [] })).toMatchObject([
    { kind: 'grant', grant: developerInMain, before: true, now: false, wanted: true, because: 'developers' },
  ]);
  expect(
    driftOf({ assignments: [assignment(1, 1), assignment(2, 1, admin), assignment(3, 1, unnamed)] }),
  ).toMatchObject([{ kind: 'grant', grant: { roleName: 'Administrator' }, before: false, now: true, wanted: false }]);
});

test('the policy does not decide what is drift, and a person whom no run changes says so', () => {
  const lost = { ...inStep, assignments: [] };

  const reported = driftFor({ ...lost, rules: rules({ policy: { drift: 'report' } }) });
  const isProtected = driftFor({ ...lost, rules: rules({ policy: { protect: ['ann@corp.example'] } }) });

  expect(reported).toEqual(driftFor(lost));
  expect(isProtected).toMatchObject([{ externalId: 'ann', user: userSid(1), leftAlone: 'protected' }]);
});

test('people come by key, and only those who were chosen', () => {
  const ids = ['cleo', 'anna', 'ben'];
  const three: Given = {
    entries: ids.map((id) => entry(id)),
    users: ids.map((id, index) => twilioUser(index + 1, id)),
    links: ids.map((id, index) => link(id, index + 1)),
    assignments: ids.map((_id, index) => assignment(index + 1, index + 1)),
  };

  expect(driftFor(three).map(({ externalId }) => externalId)).toEqual(['anna', 'ben', 'cleo']);
  expect(driftFor({ ...three, only: ['ben@corp.example'] }).map(({ externalId }) => externalId)).toEqual(['ben']);
});

test('as text: who, from what to what, what is wanted, and what becomes of it', () => {
  const people = driftFor({
    ...inStep,
    users: [twilioUser(1, 'ann', { active: false, 'name.givenName': 'Hand\u001b[2J', 'name.familyName': 'Lee' })],
    assignments: [assignment(2, 1, { role: administrator, scope: mainAccount })],
  });

  expect(renderDrift({ policy: { drift: 'overwrite', mode: 'sync' }, managed: 1, people })).toBe(
    `Drift (4 changes, 1 of 1 managed)
  ~ ann@corp.example (ann)
      active           yes → no  wanted yes
      name.givenName   Ann → Hand\ufffd[2J  wanted Ann
      - Developer in Main  taken away in Twilio, wanted by developers
      + Administrator in Main  given in Twilio, no rule gives it

policy.drift is overwrite: the next run makes it as wanted.
`,
  );
  expect(renderDrift({ policy: { drift: 'report', mode: 'sync' }, managed: 7, people: [] })).toBe(
    'No drift: nothing that is managed was changed in Twilio (7 managed)\n',
  );
});
