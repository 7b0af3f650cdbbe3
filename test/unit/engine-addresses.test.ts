import { expect, test } from 'vitest';
import type { Operation } from '../../src/domain/operation.ts';
import { TargetUnavailableError } from '../../src/errors.ts';
import { entry, lastApplied, link, rules, twilioUser } from '../support/builders.ts';
import { type Life, run } from '../support/histories.ts';
import { createWorld } from '../support/memory-world.ts';
import { codesOf, findingOf, idsOf, operationOf, planFor } from '../support/planning.ts';

/** Person `id` wants the address of person `address`. */
function wants(id: string, address: string) {
  return entry(id, { mail: `${address}@corp.example` });
}

function waits(operations: readonly Operation[]): Record<string, string | undefined> {
  return Object.fromEntries(operations.map(({ id, after }) => [id, after]));
}

test('an intermediate address whose answer was lost is no change by somebody else, and is left with the next run', async () => {
  const users = [twilioUser(1, 'ann'), twilioUser(2, 'ben')];
  const entries = [entry('ann', { mail: 'ben@corp.example' }), entry('ben', { mail: 'ann@corp.example' })];
  const world = createWorld({
    rules: rules({ policy: { drift: 'report' } }),
    entries,
    twilio: { users },
    snapshot: {
      links: [link('ann', 1), link('ben', 2)],
      applied: {
        ann: lastApplied({ userName: 'ann@corp.example' }),
        ben: lastApplied({ userName: 'ben@corp.example' }),
      },
    },
  });
  const life: Life = { world, rules: world.context.rules };
  world.twilio.answer = (write) => {
    if (world.twilio.writes.length === 1) throw new TargetUnavailableError(`${write}: no answer`, {});
  };

  const first = await run(life);
  const second = await run(life);

  expect(first.report.status).toBe('partial');
  expect(second.report.findings).toEqual([]);
  expect([...world.twilio.users.values()].map(({ attributes }) => attributes.userName)).toEqual([
    'ben@corp.example',
    'ann@corp.example',
  ]);
});

test('another address on the same externalId renames the user in place', () => {
  const planned = planFor({
    entries: [wants('ann', 'ann.married')],
    users: [twilioUser(1, 'ann')],
    links: [link('ann', 1)],
  });

  expect(idsOf(planned)).toEqual(['update ann']);
  expect(operationOf(planned, 'update')).toMatchObject({
    reason: 'renamed',
    changes: [{ attribute: 'userName', before: 'ann@corp.example', after: 'ann.married@corp.example' }],
  });
});

test('an address that differs in letter case, spaces or composition alone is no rename', () => {
  const planned = planFor({
    entries: [entry('ann', { mail: ' ZO\u0308E@Corp.example ' })],
    users: [twilioUser(1, 'ann', { userName: 'zöe@corp.example' })],
    links: [link('ann', 1)],
  });

  expect(idsOf(planned)).toEqual([]);
});

test('an address still held by a linked leaver is a recycled address, and the newcomer waits', () => {
  const planned = planFor({
    entries: [wants('new', 'old')],
    users: [twilioUser(1, 'old', { active: false })],
    links: [link('old', 1)],
  });

  expect(idsOf(planned)).toEqual([]);
  expect(codesOf(planned)).toEqual(['recycled-address new']);
  expect(findingOf(planned, 'recycled-address').message).toContain('managed as old');
});

test('an address held by an unmanaged user is taken for a linked person', () => {
  const planned = planFor({
    entries: [wants('ann', 'stranger')],
    users: [twilioUser(1, 'ann'), twilioUser(2, 'stranger')],
    links: [link('ann', 1)],
  });

  expect(idsOf(planned)).toEqual([]);
  expect(codesOf(planned)).toEqual(['address-taken ann']);
});

test('in a chain the holder moves first, against the order of names', () => {
  const planned = planFor({
    entries: [wants('aa', 'bb'), wants('bb', 'cc'), wants('cc', 'dd')],
    users: [twilioUser(1, 'aa'), twilioUser(2, 'bb'), twilioUser(3, 'cc')],
    links: [link('aa', 1), link('bb', 2), link('cc', 3)],
  });

  expect(idsOf(planned)).toEqual(['update cc', 'update bb', 'update aa']);
  expect(waits(planned.plan.operations)).toEqual({
    'update aa': 'update bb',
    'update bb': 'update cc',
    'update cc': undefined,
  });
});

test('a joiner may take the address that a mover leaves', () => {
  const planned = planFor({
    entries: [wants('joiner', 'mover'), wants('mover', 'elsewhere')],
    users: [twilioUser(1, 'mover')],
    links: [link('mover', 1)],
  });

  expect(idsOf(planned)).toEqual(['update mover', 'create joiner']);
  expect(operationOf(planned, 'create').after).toBe('update mover');
});

test('a chain that ends at somebody who stays moves nobody', () => {
  const planned = planFor({
    entries: [wants('aa', 'bb'), wants('bb', 'cc')],
    users: [twilioUser(1, 'aa'), twilioUser(2, 'bb'), twilioUser(3, 'cc')],
    links: [link('aa', 1), link('bb', 2), link('cc', 3)],
    rules: rules({ policy: { leavers: 'report' } }),
  });

  expect(idsOf(planned)).toEqual([]);
  expect(codesOf(planned)).toEqual(['recycled-address aa', 'recycled-address bb', 'leaver-reported cc']);
});

test('in a swap the first by externalId makes way to an address nobody has', () => {
  const planned = planFor({
    entries: [wants('aa', 'bb'), wants('bb', 'aa')],
    users: [twilioUser(1, 'aa'), twilioUser(2, 'bb')],
    links: [link('aa', 1), link('bb', 2)],
  });

  expect(planned.plan.operations.map(({ externalId, reason }) => `${externalId} ${reason}`)).toEqual([
    'aa makes-way',
    'bb renamed',
    'aa renamed',
  ]);
  const [way, , last] = planned.plan.operations;
  expect(way).toMatchObject({
    kind: 'update',
    changes: [{ after: expect.stringMatching(/^aa\+tdsync-[0-9a-f]{8}@corp/) }],
  });
  expect(way && 'changes' in way && way.changes[0]?.after).toBe(last && 'changes' in last && last.changes[0]?.before);
});

test('a ring of four needs one detour', () => {
  const planned = planFor({
    entries: [wants('aa', 'bb'), wants('bb', 'cc'), wants('cc', 'dd'), wants('dd', 'aa')],
    users: [twilioUser(1, 'aa'), twilioUser(2, 'bb'), twilioUser(3, 'cc'), twilioUser(4, 'dd')],
    links: [link('aa', 1), link('bb', 2), link('cc', 3), link('dd', 4)],
  });

  expect(planned.plan.operations.map(({ externalId, reason }) => `${externalId} ${reason}`)).toEqual([
    'aa makes-way',
    'dd renamed',
    'cc renamed',
    'bb renamed',
    'aa renamed',
  ]);
});

test('a ring through somebody protected moves nobody', () => {
  const planned = planFor({
    entries: [wants('aa', 'bb'), wants('bb', 'aa')],
    users: [twilioUser(1, 'aa'), twilioUser(2, 'bb')],
    links: [link('aa', 1), link('bb', 2)],
    rules: rules({ policy: { protect: ['bb'] } }),
  });

  expect(idsOf(planned)).toEqual([]);
  expect(codesOf(planned)).toEqual(['recycled-address aa', 'protected bb']);
});

test('an intermediate address keeps to the lengths of a mailbox and of Twilio', () => {
  const long = 'l'.repeat(64);
  const planned = planFor({
    entries: [wants('aa', 'bb'), entry('bb', { mail: `${long}@corp.example` })],
    users: [twilioUser(1, 'aa', { userName: `${long}@corp.example` }), twilioUser(2, 'bb')],
    links: [link('aa', 1), link('bb', 2)],
  });

  const after = operationOf(planned, 'update').changes[0]?.after ?? '';
  expect(after.indexOf('@')).toBe(64);
  expect(after).toMatch(/^l+\+tdsync-[0-9a-f]{8}@corp\.example$/);
});

test('the member of a ring who is not linked yet does not make way before being adopted', () => {
  const planned = planFor({
    entries: [wants('aa', 'bb'), wants('bb', 'aa')],
    users: [twilioUser(1, 'aa'), twilioUser(2, 'bb')],
    links: [link('bb', 2)],
  });

  expect(planned.plan.operations.map(({ kind, externalId }) => `${kind} ${externalId}`)).toEqual([
    'update bb',
    'adopt aa',
    'update bb',
  ]);
});

test('in a ring of people who are all to be adopted, the first is adopted under an intermediate address', () => {
  const planned = planFor({
    entries: [wants('aa', 'bb'), wants('bb', 'aa')],
    users: [twilioUser(1, 'aa'), twilioUser(2, 'bb')],
  });

  expect(planned.plan.operations.map(({ kind, externalId }) => `${kind} ${externalId}`)).toEqual([
    'adopt aa',
    'adopt bb',
    'update aa',
  ]);
  expect(operationOf(planned, 'adopt').attributes?.userName).toMatch(/\+tdsync-/);
});

test('a joiner may take the address that somebody leaves by being adopted', () => {
  const planned = planFor({
    entries: [wants('known', 'elsewhere'), wants('joiner', 'known')],
    users: [twilioUser(1, 'known')],
  });

  expect(idsOf(planned)).toEqual(['adopt known', 'create joiner']);
});
