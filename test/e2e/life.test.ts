import { describe, expect, test } from 'vitest';
import { expectConverged, idsOf, reconcile, settle, wideGuards } from '../support/convergence.ts';
import { createWorld, type Person, type World } from '../support/world.ts';

const anna: Person = { id: 'anna', groups: ['developers'] };
const ben: Person = { id: 'ben', groups: ['developers'] };
const everybody = Array.from({ length: 30 }, (_, index): Person => ({ id: `p${index}`, groups: ['developers'] }));
/** What Twilio has of a person now. */
function seen({ twilio }: World, userName: string) {
  const user = twilio.state.users.byUserName(userName);
  if (user === undefined) return undefined;
  const held = [...twilio.state.assignments.ofIdentity(user.sid)];
  const roles = held.map(({ role }) => twilio.state.roles.get(role)?.name);
  const { sid, status, externalId, givenName, familyName, displayName, emails } = user;
  return { sid, status, externalId, name: `${givenName} ${familyName}`, displayName, emails, roles };
}

describe.concurrent('a life in the directory', () => {
  test('joins, moves, changes roles, is renamed, leaves and returns, and each run leaves nothing to do', async () => {
    await using world = await createWorld({
      sections: {
        guards: wideGuards,
        roles: [
          { group: 'developers', grants: [{ role: 'Developer', scope: 'Production' }] },
          { group: 'support', grants: [{ role: 'Support', scope: 'Staging' }] },
        ],
      },
    });
    const others: Person[] = [ben, { id: 'sue', groups: ['support'] }];

    await world.people([...others, anna]);
    await reconcile(world);
    const joined = seen(world, 'anna@corp.example');
    await expectConverged(world);
    await world.people([...others, { ...anna, given: 'Anna', family: 'Änderung' }]);
    const move = await reconcile(world);
    const moved = seen(world, 'anna@corp.example');
    await expectConverged(world);
    await world.people([...others, { ...anna, given: 'Anna', family: 'Änderung', groups: ['support'] }]);
    const change = await reconcile(world);
    const changed = seen(world, 'anna@corp.example');
    await expectConverged(world);
    const wed = { ...anna, mail: 'Anna.Wed@Corp.example', given: 'Anna', family: 'Wed', groups: ['support'] };
    await world.people([...others, wed]);
    const rename = await reconcile(world);
    const renamed = seen(world, 'anna.wed@corp.example');
    await expectConverged(world);
    await world.people(others);
    const leave = await reconcile(world);
    const left = seen(world, 'anna.wed@corp.example');
    await expectConverged(world);
    await world.people([...others, wed]);
    const returning = await reconcile(world);
    const returned = seen(world, 'anna.wed@corp.example');
    await expectConverged(world);

    expect(joined).toMatchObject({ status: 'active', externalId: 'anna', roles: ['Developer'] });
    expect(idsOf(move.plan.operations)).toEqual(['update anna']);
    expect(moved).toMatchObject({ sid: joined?.sid, name: 'Anna Änderung', displayName: 'Anna Änderung' });
    expect(idsOf(change.plan.operations)).toEqual(['revoke anna', 'grant anna']);
    expect(changed).toMatchObject({ sid: joined?.sid, roles: ['Support'] });
    expect(idsOf(rename.plan.operations)).toEqual(['update anna']);
    expect(rename.plan.operations[0]?.reason).toBe('renamed');
    expect(renamed).toMatchObject({ sid: joined?.sid, status: 'active', name: 'Anna Wed', roles: ['Support'] });
    expect(renamed?.emails).toMatchObject([
      { value: expect.stringMatching(/^anna\.wed@corp\.example$/i), primary: true },
    ]);
    expect(idsOf(leave.plan.operations)).toEqual(['revoke anna', 'deactivate anna']);
    expect(left).toMatchObject({ sid: joined?.sid, status: 'inactive', roles: [] });
    expect(idsOf(returning.plan.operations)).toEqual(['reactivate anna', 'grant anna']);
    expect(returned).toMatchObject({ sid: joined?.sid, status: 'active', name: 'Anna Wed', roles: ['Support'] });
    expect(world.twilio.state.mails).toHaveLength(3);
  });

  test('is deactivated when disabled or out of scope, as when absent', async () => {
    await using world = await createWorld({ sections: { guards: wideGuards } });
    await world.people([anna, ben, { id: 'carl' }, { id: 'dora' }]);
    await settle(world);

    await world.people([anna, { ...ben, status: 'disabled' }, { id: 'carl', type: 'contractor' }]);
    const run = await reconcile(world);

    expect(run.plan.operations.map(({ kind, externalId, reason }) => [kind, externalId, reason])).toEqual([
      ['revoke', 'ben', 'disabled'],
      ['deactivate', 'ben', 'disabled'],
      ['deactivate', 'carl', 'out-of-scope'],
      ['deactivate', 'dora', 'absent'],
    ]);
    await expectConverged(world);
  });

  test('begins with a user whom Twilio has already, who is adopted and keeps roles that nobody manages', async () => {
    await using world = await createWorld({
      seed: {
        users: [{ userName: 'Anna@corp.example', name: { givenName: 'A', familyName: 'Old' }, locale: 'pt-PT' }],
        assignments: [{ user: 'Anna@corp.example', role: 'Billing Manager', scope: 'Staging' }],
      },
    });
    await world.people([anna, ben]);

    const run = await reconcile(world);

    expect(idsOf(run.plan.operations)).toEqual(['adopt anna', 'create ben', 'grant anna', 'grant ben']);
    expect(seen(world, 'anna@corp.example')).toMatchObject({
      name: 'Given-anna Family-anna',
      roles: ['Billing Manager', 'Developer'],
    });
    expect(world.twilio.state.users.byUserName('anna@corp.example')?.locale).toBe('pt-PT');
    await expectConverged(world);
  });

  test('is put right when somebody changes it in Twilio', async () => {
    await using world = await createWorld();
    await world.people([anna, ben]);
    await settle(world);
    const user = 'anna@corp.example';
    world.twilio.administer({ action: 'edit-user', user, attributes: { familyName: 'Else' } });

    const run = await reconcile(world);

    expect(run.plan.operations).toMatchObject([
      {
        kind: 'update',
        externalId: 'anna',
        reason: 'changed-in-twilio',
        changes: [{ before: 'Else', after: 'Family-anna' }],
      },
    ]);
    await expectConverged(world);
  });

  test('meets roles that were changed in Twilio behind the mirror: nothing fails and nothing is there twice', async () => {
    await using world = await createWorld({ sections: { guards: wideGuards } });
    await world.people([anna, ben, { id: 'carl' }, { id: 'dora', groups: ['developers'] }]);
    await settle(world);
    const assignmentOf = (name: string) => {
      const sid = world.twilio.state.users.byUserName(`${name}@corp.example`)?.sid ?? '';
      return [...world.twilio.state.assignments.ofIdentity(sid)].map((each) => each.sid);
    };
    const [ofAnna = ''] = assignmentOf('anna');
    const [ofBen = ''] = assignmentOf('ben');
    world.twilio.administer({ action: 'remove-assignment', sid: ofAnna });
    world.twilio.administer({ action: 'remove-assignment', sid: ofBen });
    const role = { role: 'Developer', scope: 'Production' };
    world.twilio.administer({ action: 'assign-role', user: 'carl@corp.example', ...role });
    await world.people([
      anna,
      { ...ben, groups: [] },
      { id: 'carl', groups: ['developers'] },
      { id: 'dora', groups: ['developers'] },
    ]);

    const believing = await reconcile(world);
    const looking = await reconcile(world, '--refresh');

    const outcomes = (run: typeof believing) =>
      run.operations.map(({ operation, outcome }) => [operation.kind, operation.externalId, outcome.state]);
    expect(outcomes(believing)).toEqual([
      ['revoke', 'ben', 'already'],
      ['grant', 'carl', 'already'],
    ]);
    expect(outcomes(looking)).toEqual([['grant', 'anna', 'done']]);
    expect(['anna', 'ben', 'carl', 'dora'].map((name) => assignmentOf(name).length)).toEqual([1, 0, 1, 1]);
    await expectConverged(world);
  });

  test('loses the roles that were given by a rule when the rule goes, and no others', async () => {
    await using world = await createWorld({
      sections: { guards: wideGuards },
      seed: {
        users: [{ userName: 'anna@corp.example', externalId: 'anna' }],
        assignments: [{ user: 'anna@corp.example', role: 'Developer', scope: 'Production' }],
      },
    });
    await world.people([anna, ben]);
    await settle(world);
    await world.configure({ guards: wideGuards, roles: [] });

    const run = await reconcile(world);

    expect(idsOf(run.plan.operations)).toEqual(['revoke ben']);
    expect(seen(world, 'anna@corp.example')?.roles).toEqual(['Developer']);
    await expectConverged(world);
  });

  test('swaps addresses with another without losing either', async () => {
    await using world = await createWorld({ sections: { guards: wideGuards } });
    await world.people([anna, ben]);
    await settle(world);
    const sids = [anna, ben].map(({ id }) => seen(world, `${id}@corp.example`)?.sid);

    await world.people([
      { ...anna, mail: 'ben@corp.example' },
      { ...ben, mail: 'anna@corp.example' },
    ]);
    await reconcile(world);

    expect(['ben', 'anna'].map((name) => seen(world, `${name}@corp.example`)?.sid)).toEqual(sids);
    await expectConverged(world);
  });
});

describe.concurrent('what a run costs', () => {
  test('is the list of users and nothing for each person when nothing changed', async () => {
    await using world = await createWorld();
    await world.people(everybody);
    await settle(world);
    world.twilio.requests.clear();

    const run = await world.tdsync('reconcile');

    expect([run.code, run.stdout]).toEqual([0, expect.stringContaining('Nothing to do')]);
    expect(world.twilio.requests.counts).toEqual({ 'POST /v2/token': 1, 'GET /scim/v2/Users': 1 });
  });

  test('is one PUT for each changed person while the mirror holds their version', async () => {
    await using world = await createWorld();
    await world.people(everybody);
    await settle(world);
    await world.people(everybody.map((person, index) => (index < 3 ? { ...person, family: 'Moved' } : person)));
    world.twilio.requests.clear();

    await reconcile(world);

    expect(world.twilio.requests.counts).toEqual({
      'POST /v2/token': 1,
      'GET /scim/v2/Users': 1,
      'PUT /scim/v2/Users/{id}': 3,
    });
    await expectConverged(world);
  });

  test('is one call for each role that is given or taken', async () => {
    await using world = await createWorld({ sections: { guards: wideGuards } });
    await world.people([...everybody, ben, { id: 'carl' }, { id: 'dora' }]);
    await settle(world);
    const without = everybody.map((person, index) => (index < 3 ? { ...person, groups: [] } : person));
    await world.people([
      ...without,
      ben,
      { id: 'carl', groups: ['developers'] },
      { id: 'dora', groups: ['developers'] },
    ]);
    world.twilio.requests.clear();

    await reconcile(world);

    expect(world.twilio.requests.counts).toEqual({
      'POST /v2/token': 1,
      'GET /scim/v2/Users': 1,
      'DELETE /v2/Organizations/RoleAssignments/{id}': 3,
      'POST /v2/Organizations/RoleAssignments': 2,
    });
    await expectConverged(world);
  });

  test('is a DELETE for each role and each person who leaves', async () => {
    await using world = await createWorld({ sections: { guards: wideGuards } });
    await world.people(everybody);
    await settle(world);
    await world.people(everybody.slice(2));
    world.twilio.requests.clear();

    await reconcile(world);

    expect(world.twilio.requests.counts).toEqual({
      'POST /v2/token': 1,
      'GET /scim/v2/Users': 1,
      'DELETE /v2/Organizations/RoleAssignments/{id}': 2,
      'DELETE /scim/v2/Users/{id}': 2,
    });
    await expectConverged(world);
  });

  test('is nothing more for a person whose attributes Twilio rewrites', async () => {
    await using world = await createWorld({ quirks: { userNameCase: 'lower', text: 'collapsed', unicode: 'NFD' } });
    await world.people([{ ...anna, mail: ' Anna@Corp.Example ', family: 'Ändern  Sie' }, ben]);

    await reconcile(world);

    await expectConverged(world);
  });

  test('is a whole reading of Twilio when it is asked for', async () => {
    await using world = await createWorld();
    await world.people([anna, ben]);
    await settle(world);
    world.twilio.requests.clear();

    const run = await reconcile(world, '--refresh');

    expect(run.status).toBe('converged');
    expect(world.twilio.requests.counts).toEqual({
      'POST /v2/token': 1,
      'GET /v2/Organizations/Roles': 1,
      'GET /Organizations/{organization}/Accounts': 1,
      'GET /scim/v2/Users': 1,
      'GET /v2/Organizations/RoleAssignments': 1,
    });
  });

  test('is nothing at all when nothing changed and the mirror is to be believed', async () => {
    await using world = await createWorld();
    await world.people([anna, ben]);
    await settle(world);
    world.twilio.requests.clear();

    const run = await reconcile(world, '--no-refresh');

    expect(run.status).toBe('converged');
    expect(world.twilio.requests.total).toBe(0);
  });
});
