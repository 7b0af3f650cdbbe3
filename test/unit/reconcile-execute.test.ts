import { expect, test } from 'vitest';
import type { Applied } from '../../src/reconcile/apply.ts';
import { applyPlan } from '../../src/reconcile/apply.ts';
import { propose } from '../../src/reconcile/propose.ts';
import { assignment, entry, externalId, lastApplied, link, rules, twilioUser, userSid } from '../support/builders.ts';
import { createWorld, type World } from '../support/memory-world.ts';

const never = new AbortController().signal;

function plan(world: World) {
  return propose(world.context, { allowances: new Map(), keepMirror: true }, never);
}

async function run(world: World): Promise<Applied> {
  const { plan: made, waiting, parked } = await plan(world);
  return applyPlan('run', made, { parked, waiting }, world.context, never);
}

const ann = externalId('ann');

test('a creation leaves the link and the record of what was sent and returned', async () => {
  const world = createWorld({
    entries: [entry('ann', { givenName: 'Ann' })],
    twilio: { users: [], normalize: (name, value) => (name === 'userName' ? value : value.toUpperCase()) },
  });

  await run(world);

  expect(world.snapshot.links.get(ann)).toBe(userSid(0x1000));
  expect(world.snapshot.applied.get(ann)).toEqual({
    sent: { userName: 'ann@corp.example', 'name.givenName': 'Ann' },
    returned: { userName: 'ann@corp.example', 'name.givenName': 'ANN' },
    active: true,
  });
});

test('an adoption records everything that is wanted, also what was equal already', async () => {
  const world = createWorld({
    entries: [entry('ann', { givenName: 'Ann', sn: 'New' })],
    twilio: { users: [twilioUser(1, 'ann', { externalId: undefined, 'name.givenName': 'Ann' })] },
  });

  await run(world);

  expect(world.twilio.users.get(userSid(1))?.externalId).toBe('ann');
  expect(world.snapshot.applied.get(ann)?.sent).toEqual({
    userName: 'ann@corp.example',
    'name.givenName': 'Ann',
    'name.familyName': 'New',
  });
});

test('an adoption by externalId of a user who is as wanted makes the link without a call', async () => {
  const world = createWorld({ entries: [entry('ann')], twilio: { users: [twilioUser(1, 'ann')] } });

  await run(world);

  expect(world.twilio.writes).toEqual([]);
  expect(world.snapshot.links.get(ann)).toBe(userSid(1));
});

test('an adoption converges when Twilio does not keep the externalId', async () => {
  const world = createWorld({
    entries: [entry('ann')],
    twilio: { users: [twilioUser(1, 'ann', { externalId: undefined })], keepsExternalIds: false },
  });

  await run(world);

  expect(world.twilio.users.get(userSid(1))?.externalId).toBeUndefined();
  expect((await plan(world)).plan.operations).toEqual([]);
});

test('drift that is only reported is still reported after another attribute was written', async () => {
  const world = createWorld({
    rules: rules({ policy: { drift: 'report' } }),
    entries: [entry('ann', { givenName: 'Ann', sn: 'New' })],
    twilio: { users: [twilioUser(1, 'ann', { 'name.givenName': 'By hand', 'name.familyName': 'Old' })] },
    snapshot: {
      links: [link('ann', 1)],
      applied: {
        ann: lastApplied({ userName: 'ann@corp.example', 'name.givenName': 'Ann', 'name.familyName': 'Old' }),
      },
    },
  });

  await run(world);

  expect(world.twilio.users.get(userSid(1))?.attributes).toMatchObject({
    'name.givenName': 'By hand',
    'name.familyName': 'New',
  });
  const { plan: again } = await plan(world);
  expect(again.operations).toEqual([]);
  expect(again.findings.map(({ code }) => code)).toEqual(['drift']);
});

test('a deactivation is recorded as ours, so that a return is no drift', async () => {
  const world = createWorld({
    rules: rules({ policy: { drift: 'report' } }),
    twilio: { users: [twilioUser(1, 'ann')] },
    snapshot: { links: [link('ann', 1)], applied: { ann: lastApplied({ userName: 'ann@corp.example' }) } },
  });
  await run(world);

  world.entries = [entry('ann')];
  const applied = await run(world);

  expect(applied.operations.map(({ operation }) => operation.kind)).toEqual(['reactivate']);
  expect(world.twilio.users.get(userSid(1))?.active).toBe(true);
});

test('a person found when created is not taken for Twilio’s normalisation of what we wanted', async () => {
  const world = createWorld({ entries: [entry('ann', { givenName: 'Ann' }, ['developers'])] });
  const other = twilioUser(7, 'ann', { 'name.givenName': 'Somebody' });
  Object.assign(world.twilio, {
    createUser: async () => {
      world.twilio.users.set(other.sid, other);
      world.twilio.assignments.set(assignment(1, 7).sid, assignment(1, 7));
      return { user: other, resource: '{}', state: 'already', requestId: undefined };
    },
  });

  const applied = await run(world);

  expect(applied.operations.map(({ outcome }) => outcome.state)).toEqual(['already', 'already']);
  const { plan: again } = await plan(world);
  expect(again.operations.map(({ id }) => id)).toEqual(['update ann']);
});

test('a returning person who still holds a role does not get it twice', async () => {
  const world = createWorld({
    entries: [entry('ann', {}, ['developers', 'admins'])],
    twilio: { users: [twilioUser(1, 'ann', { active: false })] },
    snapshot: { links: [link('ann', 1)] },
  });
  // Twilio hides the roles of inactive people until they return.
  world.twilio.answer = (write) => {
    if (write.startsWith('update')) world.twilio.assignments.set(assignment(1, 1).sid, assignment(1, 1));
  };

  const applied = await run(world);

  expect(applied.operations.map(({ outcome }) => outcome.state)).toEqual(['done', 'already', 'done']);
  expect(world.twilio.calls.listAssignments).toBe(2);
});

test('a role that we gave is ours, one that was there is not', async () => {
  const world = createWorld({ entries: [entry('ann', {}, ['developers'])], twilio: { users: [twilioUser(1, 'ann')] } });

  await run(world);

  expect([...world.snapshot.store.grantRecords()]).toEqual([expect.objectContaining({ user: userSid(1) })]);
});
