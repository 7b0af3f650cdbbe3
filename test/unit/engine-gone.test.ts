import { expect, test } from 'vitest';
import { entry, link, rules, twilioUser } from '../support/builders.ts';
import { codesOf, findingOf, planFor } from '../support/planning.ts';

/** So many linked people in scope, of whom those from `shown` on are still in Twilio. */
function vanished(count: number, shown: number) {
  const ids = Array.from({ length: count }, (_, index) => `p${index}`);
  return {
    entries: ids.map((id) => entry(id)),
    links: ids.map((id, index) => link(id, index + 1)),
    users: ids.flatMap((id, index) => (index >= shown ? [twilioUser(index + 1, id)] : [])),
  };
}

test('up to five gone people of a domain are told of one by one', () => {
  const planned = planFor(vanished(6, 5));

  expect(codesOf(planned)).toEqual(['gone p0', 'gone p1', 'gone p2', 'gone p3', 'gone p4']);
  expect(planned.plan.counts).toMatchObject({ managed: 6, gone: 5, unchanged: 1 });
});

test('more of them are one finding, which tells whether anybody of the domain is left', () => {
  const some = planFor(vanished(8, 7));
  const all = planFor(vanished(8, 8));

  expect([codesOf(some), codesOf(all)]).toEqual([['gone'], ['gone']]);
  expect(findingOf(some, 'gone').message).toContain('7 linked people in corp.example');
  expect(findingOf(some, 'gone').message).toContain('p3@corp.example, p4@corp.example and 2 more');
  expect(findingOf(some, 'gone').message).toContain('look for them in the Console');
  expect(findingOf(all, 'gone').message).toContain('nobody else in that domain');
});

test('domains are told apart', () => {
  const corp = vanished(6, 6);
  const partner = entry('kim', { mail: 'kim@partner.example' });

  const planned = planFor({ ...corp, entries: [...corp.entries, partner], links: [...corp.links, link('kim', 99)] });

  expect(codesOf(planned)).toEqual(['gone', 'gone kim']);
});

test('of those who are gone, only who is in scope counts: a leaver who is gone has nothing to lose', () => {
  const { links } = vanished(2, 2);

  const planned = planFor({ links, entries: [entry('p0', { disabled: 'yes' })] });

  expect([planned.plan.counts.gone, codesOf(planned)]).toEqual([0, []]);
});

test('who was created a moment ago does not count: Twilio may not list new users at once', () => {
  expect(planFor({ ...vanished(3, 3), justCreated: ['p0', 'p1'] }).plan.counts.gone).toBe(1);
});

test('who is created anew counts as gone as well', () => {
  const planned = planFor({ ...vanished(7, 7), rules: rules({ policy: { recreateGone: true } }) });

  expect(planned.plan.counts.gone).toBe(7);
  expect(planned.plan.operations.map(({ kind }) => kind)).toEqual(Array(7).fill('create'));
});

test('with --only, those who were not asked for are left out of what is said', () => {
  expect(codesOf(planFor({ ...vanished(8, 8), only: ['p3'] }))).toEqual(['gone p3']);
});
