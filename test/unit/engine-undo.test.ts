import { expect, test } from 'vitest';
import { entry, link, rules, twilioUser } from '../support/builders.ts';
import { begin, type Life, run, standing } from '../support/histories.ts';

const { policy } = rules();
const none = { links: [], assignments: [], records: [], applied: {} } as const;

/** What the last run did, taken back. */
async function undo(life: Life, { report }: Awaited<ReturnType<typeof run>>) {
  return run(life, { undo: { run: 'run', done: report.operations.map(({ operation }) => operation) } });
}

test('an inactive user whom the run adopted and made active is inactive again, and has no role', async () => {
  const users = [twilioUser(1, 'ann', { active: false })];
  const life = begin({ ...none, policy, users, entries: [entry('ann', {}, ['developers'])] });
  const before = standing(life);

  const first = await run(life);
  const undone = await undo(life, first);

  expect(first.report.plan.operations.map(({ kind }) => kind)).toEqual(['adopt', 'grant']);
  expect(undone.report.plan.operations.map(({ kind }) => kind)).toEqual(['revoke', 'deactivate']);
  expect(standing(life)).toEqual(before);
});

test('a returner whom the run renamed is deactivated and has the name and address of before', async () => {
  const users = [twilioUser(1, 'ann', { active: false, 'name.givenName': 'Ann' })];
  const entries = [entry('ann', { mail: 'wed@corp.example', givenName: 'Anna' })];
  const life = begin({ ...none, policy, users, links: [link('ann', 1)], entries });
  const before = standing(life);

  const first = await run(life);
  const undone = await undo(life, first);

  expect(undone.report.plan.operations.map(({ kind }) => kind)).toEqual(['deactivate', 'update']);
  expect(standing(life)).toEqual(before);
});

test('an address that somebody has by now stays as it is, and the roles are taken back all the same', async () => {
  const users = [twilioUser(1, 'ann')];
  const entries = [
    entry('ann', { mail: 'new@corp.example' }, ['developers']),
    entry('ben', { mail: 'ann@corp.example' }),
  ];
  const life = begin({ ...none, policy, users, links: [link('ann', 1)], entries });

  const first = await run(life);
  const undone = await undo(life, first);

  expect(undone.report.plan.operations.map(({ id }) => id.split(' ').slice(0, 2).join(' '))).toEqual([
    'revoke ann',
    'deactivate ben',
  ]);
  expect(undone.report.findings).toMatchObject([{ code: 'recycled-address', externalId: 'ann' }]);
  expect([...standing(life).values()].map(({ grants }) => grants)).toEqual([[], []]);
});
