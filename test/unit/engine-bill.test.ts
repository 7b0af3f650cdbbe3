import { expect, test } from 'vitest';
import { billOf } from '../../src/engine/bill.ts';
import { callNames, endpointsOf } from '../../src/twilio/endpoints.ts';
import { assignment, entry, lastApplied, link, twilioUser } from '../support/builders.ts';
import { planFor } from '../support/planning.ts';

const names = callNames(endpointsOf('current'));

test('each operation is billed at its endpoint, and the seconds follow from the rate', () => {
  const { plan } = planFor({
    entries: [entry('new', {}, ['developers']), entry('mover', { givenName: 'M' })],
    users: [twilioUser(1, 'mover'), twilioUser(2, 'leaver')],
    links: [link('mover', 1), link('leaver', 2)],
    assignments: [assignment(1, 2)],
  });

  expect(billOf(plan.operations, 2, names)).toEqual({
    calls: {
      'DELETE /v2/Organizations/RoleAssignments/{id}': 1,
      'DELETE /scim/v2/Users/{id}': 1,
      'PUT /scim/v2/Users/{id}': 1,
      'POST /scim/v2/Users': 1,
      'POST /v2/Organizations/RoleAssignments': 1,
    },
    seconds: 2.5,
  });
});

test('an adoption that only makes the link costs nothing', () => {
  const { plan } = planFor({ entries: [entry('ann')], users: [twilioUser(1, 'ann')] });

  expect(plan.operations).toHaveLength(1);
  expect(billOf(plan.operations, 5, names)).toEqual({ calls: {}, seconds: 0 });
});

test('an adoption by address costs a write, because it carries the externalId', () => {
  const { plan } = planFor({ entries: [entry('ann')], users: [twilioUser(1, 'ann', { externalId: undefined })] });

  expect(billOf(plan.operations, 5, names).calls).toEqual({ 'PUT /scim/v2/Users/{id}': 1 });
});

test('the roles of a returning person are looked up once', () => {
  const { plan } = planFor({
    entries: [entry('ann', {}, ['developers', 'admins'])],
    users: [twilioUser(1, 'ann', { active: false })],
    links: [link('ann', 1)],
    applied: { ann: lastApplied({}, { active: false }) },
  });

  expect(billOf(plan.operations, 5, names).calls).toEqual({
    'PUT /scim/v2/Users/{id}': 1,
    'GET /v2/Organizations/RoleAssignments': 1,
    'POST /v2/Organizations/RoleAssignments': 2,
  });
});
