/** The decision table of src/engine/diff-grants.ts, row by row, under both policies. */
import { describe, expect, test } from 'vitest';
import type { Policy } from '../../src/domain/rules.ts';
import type { GrantRecord } from '../../src/domain/user.ts';
import {
  administrator,
  assignment,
  assignmentSid,
  entry,
  lastApplied,
  link,
  mainAccount,
  rules,
  support,
  twilioUser,
  userSid,
} from '../support/builders.ts';
import { codesOf, findingOf, type Given, idsOf, operationOf, planFor, stepsOf } from '../support/planning.ts';

const given: GrantRecord = { ...assignment(1, 1), origin: 'granted' };
const found: GrantRecord = { ...assignment(1, 1), origin: 'found' };

interface Versions {
  readonly wanted: boolean;
  readonly actual: boolean;
  readonly recorded: GrantRecord | undefined;
}

function situation({ wanted, actual, recorded }: Versions, drift: Policy['drift'] = 'overwrite'): Given {
  return {
    rules: rules({ policy: { drift } }),
    entries: [entry('ann', {}, wanted ? ['developers'] : [])],
    users: [twilioUser(1, 'ann')],
    links: [link('ann', 1)],
    assignments: actual ? [assignment(1, 1)] : [],
    records: recorded === undefined ? [] : [recorded],
  };
}

interface Row extends Versions {
  readonly row: string;
  readonly overwrite: readonly string[];
  readonly report: readonly string[];
  readonly kept?: readonly GrantRecord[];
  readonly forgotten?: readonly GrantRecord[];
}

const table: readonly Row[] = [
  { row: 'in step', wanted: true, actual: true, recorded: given, overwrite: [], report: [] },
  { row: 'in step, found', wanted: true, actual: true, recorded: found, overwrite: [], report: [] },
  {
    row: 'made in Twilio, and a rule gives it too',
    wanted: true,
    actual: true,
    recorded: undefined,
    overwrite: ['taken-over'],
    report: ['taken-over'],
    kept: [found],
  },
  {
    row: 'changed upstream: a rule gives it',
    wanted: true,
    actual: false,
    recorded: undefined,
    overwrite: ['grant entitled'],
    report: ['grant entitled'],
  },
  {
    row: 'taken away in Twilio',
    wanted: true,
    actual: false,
    recorded: given,
    overwrite: ['grant changed-in-twilio'],
    report: ['drift'],
  },
  {
    row: 'changed upstream: no rule gives it any more',
    wanted: false,
    actual: true,
    recorded: given,
    overwrite: ['revoke not-entitled'],
    report: ['revoke not-entitled'],
  },
  {
    row: 'changed upstream: no rule gives what was found',
    wanted: false,
    actual: true,
    recorded: found,
    overwrite: ['revoke not-entitled'],
    report: ['revoke not-entitled'],
  },
  {
    row: 'made in Twilio',
    wanted: false,
    actual: true,
    recorded: undefined,
    overwrite: ['revoke changed-in-twilio'],
    report: ['drift'],
  },
  {
    row: 'changed on both sides, which agree',
    wanted: false,
    actual: false,
    recorded: given,
    overwrite: [],
    report: [],
    forgotten: [given],
  },
  { row: 'not there and not wanted', wanted: false, actual: false, recorded: undefined, overwrite: [], report: [] },
];

describe.each(table)('a grant that is $row', ({ overwrite, report, kept = [], forgotten = [], ...versions }) => {
  test.each([
    ['overwrite', overwrite],
    ['report', report],
  ] as const)('under drift: %s', (drift, expected) => {
    const { plan, grants } = planFor(situation(versions, drift));

    const said = plan.findings.map(({ code }) => code);
    expect([...plan.operations.map(({ kind, reason }) => `${kind} ${reason}`), ...said]).toEqual(expected);
    expect(grants).toEqual({ kept, forgotten });
  });
});

test('one finding tells all drift of a person, attributes and roles', () => {
  const planned = planFor({
    rules: rules({ policy: { drift: 'report' } }),
    entries: [entry('ann', { givenName: 'Ann' }, ['developers'])],
    users: [twilioUser(1, 'ann', { 'name.givenName': 'By hand' })],
    links: [link('ann', 1)],
    assignments: [assignment(2, 1, { role: administrator, scope: mainAccount })],
    records: [given],
    applied: { ann: lastApplied({ userName: 'ann@corp.example', 'name.givenName': 'Ann' }) },
  });

  expect(idsOf(planned)).toEqual([]);
  expect(planned.plan.findings).toHaveLength(1);
  expect(findingOf(planned, 'drift').message).toBe(
    'changed in Twilio and left so by policy.drift: name.givenName is "By hand", we want "Ann"; Developer in Main was taken away, developers gives it; Administrator in Main was given, no rule gives it',
  );
});

test('a role that was taken away and given anew in Twilio is another one: taken over while a rule gives it, left when it is by no rule', () => {
  const anew = { assignments: [assignment(7, 1)], records: [given] };
  const wanted = planFor({ ...situation({ wanted: true, actual: false, recorded: given }, 'report'), ...anew });
  const unwanted = planFor({ ...situation({ wanted: false, actual: false, recorded: given }, 'report'), ...anew });
  const unnamed = planFor({
    ...situation({ wanted: false, actual: false, recorded: given }),
    ...anew,
    rules: rules({ roles: [] }),
  });

  expect(wanted.grants.kept).toEqual([{ ...assignment(7, 1), origin: 'found' }]);
  expect([idsOf(unwanted), codesOf(unwanted)]).toEqual([[], ['drift ann']]);
  expect(idsOf(unnamed)).toEqual([]);
  expect(unnamed.grants.forgotten).toEqual([given]);
});

test('of two assignments of one role that no rule gives, the one that somebody made beside ours is the drift', () => {
  const twice = { assignments: [assignment(1, 1), assignment(2, 1)] };
  const planned = planFor({ ...situation({ wanted: false, actual: true, recorded: given }, 'report'), ...twice });

  expect(operationOf(planned, 'revoke')).toMatchObject({ assignment: assignmentSid(1), reason: 'not-entitled' });
  expect([stepsOf(planned), codesOf(planned)]).toEqual([['revoke ann'], ['drift ann']]);
});

test('a rule removed from the configuration takes what we granted by it, and neither what we found nor what somebody gave', () => {
  const people = [1, 2, 3];
  const planned = planFor({
    rules: rules({ roles: [{ group: 'admins', grants: [{ role: 'Administrator', scope: mainAccount }] }] }),
    entries: people.map((number) => entry(`p${number}`, {}, ['developers'])),
    users: people.map((number) => twilioUser(number, `p${number}`)),
    links: people.map((number) => link(`p${number}`, number)),
    assignments: people.map((number) => assignment(number, number)),
    records: [
      { ...assignment(1, 1), origin: 'granted' },
      { ...assignment(2, 2), origin: 'found' },
    ],
  });

  expect(stepsOf(planned)).toEqual(['revoke p1']);
  expect(operationOf(planned, 'revoke').reason).toBe('not-entitled');
});

test('a leaver loses also what somebody gave in Twilio, whatever policy.drift says', () => {
  const planned = planFor({
    ...situation({ wanted: false, actual: true, recorded: undefined }, 'report'),
    entries: [],
  });

  expect(stepsOf(planned)).toEqual(['revoke ann', 'deactivate ann']);
});

test('a leaver whom somebody made active again is deactivated, and the plan says that it was changed in Twilio', () => {
  const planned = planFor({
    ...situation({ wanted: false, actual: false, recorded: undefined }, 'report'),
    entries: [],
    applied: { ann: lastApplied({}, { active: false }) },
  });

  expect(operationOf(planned, 'deactivate').reason).toBe('changed-in-twilio');
});

test('a role that a run began to give and that is there is ours, without a word', () => {
  const planned = planFor({
    ...situation({ wanted: true, actual: true, recorded: undefined }),
    begunGrants: [{ ...given, user: userSid(1) }],
  });

  expect(planned.grants.kept).toEqual([given]);
  expect(codesOf(planned)).toEqual([]);
});

test('a lost grant stays remembered while nobody knows what its person should hold', () => {
  const lost = situation({ wanted: false, actual: false, recorded: given });
  const pending = planFor({ ...lost, entries: [], rules: rules({ policy: { confirmAbsence: 2 } }) });
  const invalid = planFor({ ...lost, entries: [entry('ann', { mail: 'no address' })] });
  const gone = planFor({ ...lost, entries: [] });

  expect([pending.grants.forgotten, invalid.grants.forgotten]).toEqual([[], []]);
  expect(gone.grants.forgotten).toEqual([given]);
});

test('nothing is remembered or forgotten of people who were not chosen, and nobody protected is taken over', () => {
  const unrecorded = situation({ wanted: true, actual: true, recorded: undefined });
  const lost = situation({ wanted: false, actual: false, recorded: given });
  const nothing = { kept: [], forgotten: [] };

  expect(planFor({ ...unrecorded, only: ['somebody'] }).grants).toEqual(nothing);
  expect(planFor({ ...lost, only: ['somebody'] }).grants).toEqual(nothing);
  const isProtected = planFor({ ...unrecorded, rules: rules({ policy: { protect: ['ann'] } }) });
  expect([isProtected.grants, codesOf(isProtected)]).toEqual([nothing, []]);
});

test('an adopted person keeps under drift: report what no rule gives; under overwrite it goes after the link is made', () => {
  const unlinked = (drift: Policy['drift']): Given => ({
    ...situation({ wanted: false, actual: true, recorded: undefined }, drift),
    links: [],
    assignments: [assignment(1, 1), assignment(2, 1, { role: support, scope: mainAccount })],
  });

  expect(stepsOf(planFor(unlinked('report')))).toEqual(['adopt ann']);
  expect(codesOf(planFor(unlinked('report')))).toEqual(['drift ann']);
  expect(stepsOf(planFor(unlinked('overwrite')))).toEqual(['adopt ann', 'revoke ann']);
});
