import { expect, test } from 'vitest';
import type { Blocked } from '../../src/domain/blocked.ts';
import type { Operation } from '../../src/domain/operation.ts';
import { blockedBy } from '../../src/engine/blocked.ts';
import { entry, link, rules, twilioUser } from '../support/builders.ts';
import { findingOf, type Given, idsOf, operationOf, planFor, stepsOf } from '../support/planning.ts';

const domain: Blocked = { key: 'domain else.example', since: 0, attempts: 1, retryAt: 3_600_000 };
const quota: Blocked = { ...domain, key: 'quota' };
const elsewhere = (id: string, groups: readonly string[] = []) => entry(id, { mail: `${id}@Else.example` }, groups);

/** Two joiners of another domain and one of ours; dora moves to the other domain, and cleo changes her name alone. */
const mixed: Given = {
  entries: [
    elsewhere('ann', ['developers']),
    elsewhere('ben'),
    entry('finn', {}, ['developers']),
    entry('cleo', { givenName: 'Cleo' }),
    elsewhere('dora'),
  ],
  users: [twilioUser(1, 'cleo'), twilioUser(2, 'dora')],
  links: [link('cleo', 1), link('dora', 2)],
};

test('a domain that Twilio refuses holds back whoever would get an address in it, with their roles, and nobody else', () => {
  const planned = planFor({ ...mixed, blocked: [domain] });

  expect(stepsOf(planned)).toEqual(['update cleo', 'create finn', 'grant finn']);
  expect([...planned.waiting]).toEqual(['ann', 'ben', 'dora']);
});

test('one finding tells of everybody concerned, why, what to do and when it is tried again', () => {
  const { findings } = planFor({ ...mixed, blocked: [domain] }).plan;

  expect(findings).toEqual([
    {
      code: 'unverified-domain',
      externalId: '',
      domain: 'else.example',
      message:
        'Twilio has not verified the domain else.example for this organization (25017): 3 people wait (ann@else.example, ben@else.example, dora@else.example); verify the domain in the Console, or correct the addresses; tried again after 1970-01-01T01:00:00.000Z',
    },
  ]);
});

test('a used-up quota holds back every creation and nothing else', () => {
  const planned = planFor({ ...mixed, blocked: [quota] });

  expect(stepsOf(planned)).toEqual(['update cleo', 'update dora']);
  expect(findingOf(planned, 'quota-reached').message).toContain('3 people wait');
});

test('names of five people are enough', () => {
  const entries = Array.from({ length: 40 }, (_, index) => elsewhere(`p${index + 10}`));
  const planned = planFor({ entries, blocked: [domain] });

  expect(planned.plan.findings).toHaveLength(1);
  expect(findingOf(planned, 'unverified-domain').message).toContain('40 people wait (p10@else.example, p11');
  expect(findingOf(planned, 'unverified-domain').message).toContain('p14@else.example and 35 more)');
});

test('when the time has come everybody is planned again, and nothing is found', () => {
  const planned = planFor({ ...mixed, blocked: [domain], now: domain.retryAt });

  expect(idsOf(planned)).toEqual(idsOf(planFor(mixed)));
  expect(planned.plan.findings).toEqual([]);
});

test('a corrected address is no longer held back', () => {
  const planned = planFor({ entries: [entry('ann')], blocked: [domain] });

  expect([stepsOf(planned), planned.plan.findings]).toEqual([['create ann'], []]);
});

test('people who were not chosen and people who are protected are not among those who wait', () => {
  const protecting = rules({ policy: { protect: ['ben'] } });
  const some = planFor({ ...mixed, blocked: [domain], only: ['ann'] });
  const others = planFor({ ...mixed, rules: protecting, blocked: [domain] });

  expect(findingOf(some, 'unverified-domain').message).toContain('1 person waits (ann@else.example)');
  expect(findingOf(others, 'unverified-domain').message).toContain('2 people wait (ann@else.example, dora');
});

test.each<[number, Operation['kind'], string | undefined]>([
  [25017, 'create', 'domain else.example'],
  [25017, 'update', 'domain else.example'],
  [25007, 'create', 'quota'],
  [25007, 'update', undefined],
  [25002, 'create', undefined],
  [25017, 'grant', undefined],
])('Twilio’s %i to a %s blocks: %s', (code, kind, key) => {
  const planned = planFor(mixed);
  const moving = planned.plan.operations.find((each) => each.id === 'update dora');
  const operation = kind === 'update' ? moving : operationOf(planned, kind);

  expect(operation && blockedBy(operation, code)).toBe(key);
});
