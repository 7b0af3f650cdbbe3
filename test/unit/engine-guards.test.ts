import { expect, test } from 'vitest';
import type { NamedGrant, Operation } from '../../src/domain/operation.ts';
import type { CompleteReadCounts, Plan, PlanCounts } from '../../src/domain/plan.ts';
import type { GuardLimits, GuardName } from '../../src/domain/rules.ts';
import type { Holders } from '../../src/engine/guard-roles.ts';
import { guard } from '../../src/engine/guards.ts';
import { entry, externalId, link, noLimits, rules, twilioUser, userSid } from '../support/builders.ts';
import { planFor } from '../support/planning.ts';

function plan(operations: readonly Operation[], counts: Partial<PlanCounts> = {}): Plan {
  return {
    version: 1,
    basis: { configuration: '', source: '', twilio: '' },
    operations,
    findings: [],
    counts: { entries: 1_000, inScope: 1_000, managed: 1_000, unchanged: 0, gone: 0, unmanaged: 0, ...counts },
    digest: '',
  };
}

function deactivate(person: number): Operation {
  const id = externalId(`p${person}`);
  return {
    kind: 'deactivate',
    id: `deactivate ${id}`,
    externalId: id,
    userName: id,
    reason: 'absent',
    user: userSid(person),
  };
}

function deactivations(count: number, managed = 1_000): Plan {
  return plan(
    Array.from({ length: count }, (_, index) => deactivate(index)),
    { managed },
  );
}

function check(
  made: Plan,
  limits: Partial<GuardLimits>,
  over: {
    readonly allow?: readonly [GuardName, number][];
    readonly lastRead?: CompleteReadCounts;
    readonly holders?: Holders;
    readonly watched?: readonly NamedGrant[];
  } = {},
) {
  return guard({
    plan: made,
    limits: { ...noLimits, ...limits },
    allowances: new Map(over.allow ?? []),
    lastRead: over.lastRead,
    holders: over.holders ?? (() => new Set()),
    watched: over.watched ?? [],
  });
}

function resultOf(verdict: ReturnType<typeof guard>, name: GuardName) {
  const found = verdict.guards.find((each) => each.guard === name);
  if (found === undefined) throw new Error(`no guard ${name}`);
  return found;
}

test('a number lets exactly so many through, and one more is refused with the arithmetic', () => {
  const limits = { deactivations: { count: 25 } };

  expect(check(deactivations(25), limits).allowed).toBe(true);
  const refused = check(deactivations(26), limits);
  expect(refused.allowed).toBe(false);
  expect(resultOf(refused, 'deactivations').message).toBe('26 people would be deactivated; the limit is 25');
});

test('a percentage is of managed people, rounded down', () => {
  const limits = { deactivations: { percent: 10 } };

  expect(check(deactivations(10, 109), limits).allowed).toBe(true);
  const refused = check(deactivations(11, 109), limits);
  expect(refused.allowed).toBe(false);
  expect(resultOf(refused, 'deactivations').message).toContain('the limit is 10 (10 % of 109 managed = 10)');
});

test('of a number and a percentage the smaller wins', () => {
  const limits = { deactivations: { count: 25, percent: 10 } };

  expect(resultOf(check(deactivations(1, 100), limits), 'deactivations').limit).toBe(10);
  expect(resultOf(check(deactivations(1, 1_000), limits), 'deactivations').limit).toBe(25);
  expect(resultOf(check(deactivations(1, 100), limits), 'deactivations').message).toContain(
    'the limit is 10, the smaller of 25 and 10 % of 100 managed = 10',
  );
});

test('an organization of five can lose one person, not two', () => {
  const limits = { deactivations: { percent: 10 } };

  expect(check(deactivations(1, 5), limits).allowed).toBe(true);
  expect(check(deactivations(2, 5), limits).allowed).toBe(false);
});

test('zero lets nobody through, as a number and as a percentage', () => {
  expect(check(deactivations(1), { deactivations: { count: 0 } }).allowed).toBe(false);
  expect(check(deactivations(1), { deactivations: { percent: 0 } }).allowed).toBe(false);
  expect(check(deactivations(0), { deactivations: { percent: 0 } }).allowed).toBe(true);
});

test('a percentage of nobody managed lets one through, so that a first import is read by a person', () => {
  const planned = planFor({ entries: [entry('ann'), entry('bob')] });

  const verdict = check(planned.plan, { creations: { percent: 20 } });

  expect(resultOf(verdict, 'creations')).toMatchObject({ measured: 2, limit: 1, passed: false });
});

test('without a limit everything passes, and the message says that there is none', () => {
  const verdict = check(deactivations(500), {});

  expect(verdict.allowed).toBe(true);
  expect(resultOf(verdict, 'deactivations').message).toContain('no limit');
});

test('people are counted, not roles', () => {
  const planned = planFor({
    entries: [entry('ann')],
    users: [twilioUser(1, 'ann')],
    links: [link('ann', 1)],
    assignments: rules().roles.flatMap((_rule, index) => [
      {
        sid: `IY${index}` as never,
        user: userSid(1),
        role: `IX${'0'.repeat(31)}${index + 1}` as never,
        scope: `AC${'0'.repeat(31)}1` as never,
      },
    ]),
  });

  expect(planned.plan.operations).toHaveLength(2);
  expect(resultOf(check(planned.plan, { revocations: { count: 1 } }), 'revocations')).toMatchObject({
    measured: 1,
    passed: true,
    message: '1 person would lose a role; the limit is 1',
  });
});

test('a rename counts once, with its intermediate step, and adoption under another address counts too', () => {
  const planned = planFor({
    entries: [
      entry('ann', { mail: 'bob@corp.example' }),
      entry('bob', { mail: 'ann@corp.example' }),
      entry('cat', { mail: 'cat.new@corp.example' }),
      entry('new'),
    ],
    users: [twilioUser(1, 'ann'), twilioUser(2, 'bob'), twilioUser(3, 'cat')],
    links: [link('ann', 1), link('bob', 2)],
  });

  expect(resultOf(check(planned.plan, {}), 'renames').measured).toBe(3);
});

test('an allowance replaces one limit for this run and leaves the others', () => {
  const limits = { deactivations: { count: 1 }, creations: { count: 0 } };

  expect(check(deactivations(3), limits, { allow: [['deactivations', 3]] }).allowed).toBe(true);
  expect(check(deactivations(4), limits, { allow: [['deactivations', 3]] }).allowed).toBe(false);
  const lifted = check(deactivations(400), limits, { allow: [['deactivations', Number.POSITIVE_INFINITY]] });
  expect(lifted.allowed).toBe(true);
  expect(resultOf(lifted, 'deactivations')).toMatchObject({
    limit: undefined,
    message: expect.stringContaining('allowed for this run'),
  });
  expect(check(deactivations(1), limits, { allow: [['creations', 5]] }).allowed).toBe(true);
});

test('a source may shrink by exactly its share', () => {
  const limits = { sourceShrink: { percent: 20 } };
  const lastRead = { entries: 100, inScope: 100 };

  expect(check(plan([], { entries: 80, inScope: 80 }), limits, { lastRead }).allowed).toBe(true);
  const refused = check(plan([], { entries: 79, inScope: 80 }), limits, { lastRead });
  expect(refused.allowed).toBe(false);
  expect(resultOf(refused, 'sourceShrink').message).toContain('entries went from 100 to 79, 21 fewer; the limit is 20');
});

test('people in scope are watched like entries, because a filter can be mistyped', () => {
  const refused = check(
    plan([], { entries: 100, inScope: 50 }),
    { sourceShrink: { percent: 20 } },
    { lastRead: { entries: 100, inScope: 80 } },
  );

  expect(resultOf(refused, 'sourceShrink')).toMatchObject({
    passed: false,
    message: expect.stringContaining('people in scope went from 80 to 50'),
  });
});

test('either fall past a number refuses, also when the other is the greater share', () => {
  const verdict = check(
    plan([], { entries: 9_900, inScope: 95 }),
    { sourceShrink: { count: 50 } },
    { lastRead: { entries: 10_000, inScope: 100 } },
  );

  expect(resultOf(verdict, 'sourceShrink')).toMatchObject({ passed: false, measured: 100 });
});

test('a source that grows passes', () => {
  const verdict = check(
    plan([], { entries: 200, inScope: 150 }),
    { sourceShrink: { count: 0 } },
    { lastRead: { entries: 100, inScope: 100 } },
  );

  expect(verdict.allowed).toBe(true);
});

test('exactly as many people as the limit says may vanish from Twilio, beside those who were gone before', () => {
  const limits = { gone: { count: 25, percent: 10 } };
  const lastRead = { entries: 200, inScope: 200, gone: 7 };
  const managed = 200;

  expect(check(plan([], { managed, gone: 27 }), limits, { lastRead }).allowed).toBe(true);
  const refused = check(plan([], { managed, gone: 28 }), limits, { lastRead });
  expect(resultOf(refused, 'gone')).toMatchObject({
    passed: false,
    measured: 21,
    message:
      '21 people in scope have vanished from Twilio, beside 7 who were gone before; the limit is 20, the smaller of 25 and 10 % of 200 managed = 20',
  });
  expect(check(plan([], { managed, gone: 28 }), limits, { lastRead, allow: [['gone', 21]] }).allowed).toBe(true);
});

test('who is back in Twilio, and who was never counted before, is no harm', () => {
  const limits = { gone: { count: 0 } };

  expect(check(plan([], { gone: 3 }), limits, { lastRead: { entries: 9, inScope: 9, gone: 8 } }).allowed).toBe(true);
  expect(check(plan([], { gone: 3 }), limits, { lastRead: { entries: 9, inScope: 9 } }).allowed).toBe(true);
  expect(check(plan([], { gone: 3 }), limits).allowed).toBe(true);
});

test('of five people one may vanish from Twilio by the default limits, and two may not', () => {
  const limits = { gone: { count: 25, percent: 10 } };
  const lastRead = { entries: 5, inScope: 5, gone: 0 };

  expect(check(plan([], { managed: 5, gone: 1 }), limits, { lastRead }).allowed).toBe(true);
  expect(check(plan([], { managed: 5, gone: 2 }), limits, { lastRead }).allowed).toBe(false);
});

test.each([
  ['no entry', { entries: 0, inScope: 0 }],
  ['entries but nobody in scope', { entries: 100, inScope: 0 }],
])('%s is refused without any limit, and by an allowance alone let through', (_what, counts) => {
  const lastRead = { entries: 100, inScope: 3 };

  const refused = check(plan([], counts), {}, { lastRead });

  expect(refused.allowed).toBe(false);
  expect(resultOf(refused, 'sourceShrink').message).toContain('to 0: an empty scope is always refused');
  expect(check(plan([], counts), {}, { lastRead, allow: [['sourceShrink', 100]] }).allowed).toBe(true);
});

test('nobody in scope is refused without an earlier read when people are managed', () => {
  expect(check(plan([], { inScope: 0, managed: 3 }), {}).allowed).toBe(false);
  expect(check(plan([], { inScope: 0, managed: 3 }), {}, { allow: [['sourceShrink', 3]] }).allowed).toBe(true);
  expect(check(plan([], { inScope: 0, managed: 0 }), {}).allowed).toBe(true);
});

test('a scope that stays empty after it was allowed to be passes', () => {
  const verdict = check(plan([], { entries: 9, inScope: 0, managed: 3 }), {}, { lastRead: { entries: 9, inScope: 0 } });

  expect(verdict.allowed).toBe(true);
});
