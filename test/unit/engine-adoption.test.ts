/** Adoption: who may be adopted, what it will change, and what the person holds and keeps. */
import { describe, expect, test } from 'vitest';
import { applyPlan } from '../../src/reconcile/apply.ts';
import { propose } from '../../src/reconcile/propose.ts';
import { plain } from '../../src/report/palette.ts';
import { renderRun } from '../../src/report/run-text.ts';
import {
  administrator,
  assignment,
  assignmentSid,
  entry,
  link,
  mainAccount,
  otherAccount,
  rules,
  support,
  twilioUser,
} from '../support/builders.ts';
import { createWorld } from '../support/memory-world.ts';
import { codesOf, findingOf, type Given, operationOf, planFor, stepsOf } from '../support/planning.ts';
import { sampleReport } from '../support/sample-run.ts';

/** Ann is in Twilio without an externalId: a developer by the rules, an administrator by none, and support in an account that no rule names. */
const unmanaged: Given = {
  entries: [entry('ann', { givenName: 'Ann' }, ['developers'])],
  users: [twilioUser(1, 'ann', { externalId: undefined, 'name.givenName': 'Anne' })],
  assignments: [
    assignment(1, 1),
    assignment(2, 1, { role: administrator, scope: mainAccount }),
    assignment(3, 1, { role: support, scope: otherAccount }),
  ],
};

test('is an operation of its own that says what it will change and everything that the person holds', () => {
  const planned = planFor(unmanaged);

  expect(stepsOf(planned)).toEqual(['adopt ann', 'revoke ann']);
  expect(operationOf(planned, 'adopt')).toMatchObject({
    reason: 'same-address',
    changes: [{ attribute: 'name.givenName', before: 'Anne', after: 'Ann' }],
    holds: [
      { assignment: assignmentSid(1), grant: { roleName: 'Developer', scopeName: 'Main' }, because: 'developers' },
      { assignment: assignmentSid(2), grant: { roleName: 'Administrator', scopeName: 'Main' } },
      { assignment: assignmentSid(3), grant: { roleName: 'Support', scopeName: 'Other' } },
    ],
  });
  expect(operationOf(planned, 'revoke')).toMatchObject({ assignment: assignmentSid(2), after: 'adopt ann' });
});

test('is shown with what goes and what stays', () => {
  const text = renderRun(sampleReport(unmanaged), { palette: plain });

  expect(text).toContain(`Joiners (1)
  ⇒ ann@corp.example (ann)  adopt: an unmanaged user has this address
      name.givenName   Anne → Ann
      - Administrator in Main  given in Twilio, no rule gives it
      = Developer in Main  kept, by developers
      = Support in Other  kept: no rule gives it
`);
});

test('keeps everything where the mode takes nothing away', () => {
  const given = { ...unmanaged, rules: rules({ policy: { mode: 'upsert-only' } }) };

  expect(stepsOf(planFor(given))).toEqual(['adopt ann']);
  expect(renderRun(sampleReport(given), { palette: plain })).toContain('= Administrator in Main  kept: no rule');
});

test('is the same plan in whatever order Twilio lists the roles', () => {
  const back = { ...unmanaged, assignments: unmanaged.assignments?.toReversed() ?? [] };

  expect(planFor(back).plan.digest).toBe(planFor(unmanaged).plan.digest);
});

test('remembers the roles that a rule gives too as found, so that the next run has nothing to say', async () => {
  const { entries = [], users = [], assignments = [] } = unmanaged;
  const world = createWorld({ entries, twilio: { users, assignments } });
  const never = new AbortController().signal;
  const proposal = () => propose(world.context, { allowances: new Map(), keepMirror: true }, never);
  const first = await proposal();

  await applyPlan('run', first.plan, { parked: first.parked, waiting: first.waiting }, world.context, never);
  const next = await proposal();

  expect([...world.snapshot.store.grantRecords()]).toEqual([{ ...assignment(1, 1), origin: 'found' }]);
  expect([next.plan.operations, next.plan.findings, next.grants]).toEqual([[], [], { kept: [], forgotten: [] }]);
});

describe('is proposed for exactly one candidate', () => {
  const ann = entry('ann');
  const other = (number: number, externalId?: string) =>
    twilioUser(number, 'ann', { externalId, userName: 'ANN@corp.example' });

  test('and for none of two users with the address', () => {
    const planned = planFor({ entries: [ann], users: [other(1), other(2)] });

    expect([stepsOf(planned), codesOf(planned)]).toEqual([[], ['ambiguous ann']]);
    expect(findingOf(planned, 'ambiguous').message).toContain('US00000000000000000000000000000001 and US');
  });

  test('and for none of two users with the externalId', () => {
    const users = [twilioUser(1, 'x', { externalId: 'ann' }), twilioUser(2, 'y', { externalId: 'ann' })];
    const planned = planFor({ entries: [ann], users });

    expect([stepsOf(planned), codesOf(planned)]).toEqual([[], ['ambiguous ann']]);
  });

  test('whom the externalId names, although another user has the address, who is not touched', () => {
    const users = [twilioUser(1, 'former', { externalId: 'ann' }), other(2)];
    const planned = planFor({ entries: [ann], users });

    expect(stepsOf(planned)).not.toContain('adopt ann');
    expect(codesOf(planned)).toEqual(['address-taken ann']);
  });

  test('and not for a user who is linked to somebody else', () => {
    const byKey = planFor({
      entries: [ann, entry('ben')],
      users: [twilioUser(1, 'ben', { externalId: 'ann' })],
      links: [link('ben', 1)],
    });
    const byAddress = planFor({
      entries: [ann, entry('ben', { mail: 'ann@corp.example' })],
      users: [other(1)],
      links: [link('ben', 1)],
    });

    expect([stepsOf(byKey), codesOf(byKey)]).toEqual([[], ['ambiguous ann']]);
    expect(stepsOf(byAddress)).toEqual([]);
  });

  test('and not for a user whom the rules protect', () => {
    const planned = planFor({ ...unmanaged, rules: rules({ policy: { protect: ['ann@corp.example'] } }) });

    expect([stepsOf(planned), codesOf(planned)]).toEqual([[], ['protected ann']]);
    expect(findingOf(planned, 'protected').message).toContain('adopt');
  });

  test('and not for a user who was released', () => {
    const planned = planFor({ ...unmanaged, released: [twilioUser(1, 'ann').sid] });

    expect([stepsOf(planned), codesOf(planned)]).toEqual([[], ['released ann']]);
  });

  test('and not for a user with another externalId', () => {
    const planned = planFor({ entries: [ann], users: [other(1, 'somebody')] });

    expect([stepsOf(planned), codesOf(planned)]).toEqual([[], ['recycled-address ann']]);
  });
});
