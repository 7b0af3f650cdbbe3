import { describe, expect, test } from 'vitest';
import type { Email, ExternalId, RoleSid, ScopeSid, UserSid } from '../../src/domain/identity.ts';
import type { RoleAssignment, TwilioUser } from '../../src/domain/user.ts';
import { TargetAuthError, TargetConflictError, TargetContractError, TargetRejectedError } from '../../src/errors.ts';
import type { Quirks } from '../../src/simulator/quirks.ts';
import { startSimulator } from '../../src/simulator/simulator.ts';
import { createTwilioTarget, type TwilioTarget } from '../../src/twilio/twilio-target.ts';
import { errorFrom, never } from '../support/twilio-scripts.ts';
import { createVirtualClock } from '../support/virtual-clock.ts';

const externalId = 'emp-17' as ExternalId;
const account = 'AC00000000000000000000000000000001' as ScopeSid;
const attributes = {
  userName: 'mira.oduya@corp.example',
  'name.givenName': 'Mira',
  'name.familyName': 'Oduya',
  displayName: 'Mira Oduya',
};

async function rehearsal(quirks: Partial<Quirks> = {}) {
  const simulator = await startSimulator({ quirks });
  const quiet = () => undefined;
  const target = createTwilioTarget({
    organization: 'OR00000000000000000000000000000001' as ScopeSid,
    clientId: 'OQ00000000000000000000000000000001',
    clientSecret: { reference: 'the secret', read: () => 'simulator-secret' },
    endpoints: { iam: simulator.url, oauth: simulator.url, accounts: simulator.url },
    limits: { requestsPerSecond: 1000, maxConcurrent: 4, timeoutMs: 1000 },
    clock: createVirtualClock(Date.now()),
    logger: { debug: quiet, info: quiet, warn: quiet, error: quiet },
  });
  const creations = () => simulator.requests.matching({ method: 'POST', path: '/scim/v2/Users' });
  return {
    simulator,
    target,
    /** Requests that created somebody. */
    creations: () => creations().filter(({ status }) => status === 201 || status === 200),
    async [Symbol.asyncDispose]() {
      await simulator.close();
      await target[Symbol.asyncDispose]();
    },
  };
}

async function everybody(target: TwilioTarget): Promise<TwilioUser[]> {
  const users: TwilioUser[] = [];
  await target.listUsers((user) => users.push(user), never);
  return users;
}

/** Comes back once the user can be read, which may take some reads. */
async function visible(target: TwilioTarget, user: UserSid): Promise<void> {
  for (let reads = 0; reads < 5; reads++) if ((await target.readUser(user, never)) !== undefined) return;
}

async function rolesOf(target: TwilioTarget, user: UserSid): Promise<RoleAssignment[]> {
  const rows: RoleAssignment[] = [];
  await target.listAssignments({ user }, (row) => rows.push(row), never);
  return rows;
}

async function developer(target: TwilioTarget): Promise<RoleSid> {
  const found = (await target.listRoles(never))?.find(({ name }) => name === 'Developer');
  if (found === undefined) throw new Error('the simulator has no role Developer');
  return found.sid;
}

/** What the documentation leaves open, in several readings of it. */
const readings: Readonly<Record<string, Partial<Quirks>>> = {
  'as documented': {},
  'tokens that say nothing': { tokenForm: 'opaque', tokenStatus: 201, tokenType: 'BEARER', expiresIn: 'absurd' },
  'writes that return nothing': { writeBody: 'empty', createStatus: 200, assignStatus: 200, deleteStatus: 200 },
  'unknown properties and empty texts': { unknownProperties: true, emptyText: 'empty' },
  'null for what is not there': { unknownProperties: true, emptyText: 'null' },
  'omitted attributes kept': { omittedOnPut: 'kept', omittedActiveOnPut: 'true', externalIdOnPut: 'stored' },
  'quoted versions': { versionForm: 'quoted', etag: true },
  'users who appear late': { newUserHiddenReads: 2, newUserAssignmentRefusals: 2 },
  'a second deactivation that is not found': {
    doubleDeactivation: 404,
    missingAssignment: 403,
    existingAssignment: '409',
  },
  'a second deactivation that is refused': {
    doubleDeactivation: 400,
    missingAssignment: 400,
    existingAssignment: '400',
  },
  'an empty list without Resources': { emptyList: 'absent', pagingMeta: 'absent', collectionKey: 'rows' },
  'errors in other words': { errorKeys: 'camel', errorStatus: 'number', errorContentType: 'text/plain' },
};

describe.each(Object.entries(readings))('a person comes and goes with %s', (_, quirks) => {
  test('and every step is what Twilio shows afterwards', async () => {
    await using stage = await rehearsal(quirks);
    const { target } = stage;

    const created = await target.createUser(externalId, attributes);
    const user = created.user.sid;
    const first = await target.assignRole(user, { role: await developer(target), scope: account });
    const second = await target.assignRole(user, { role: first.assignment.role, scope: account });
    const renamed = await target.updateUser(
      user,
      { attributes: { userName: 'mira.reis@corp.example', 'name.familyName': 'Reis' } },
      created.resource,
    );
    await visible(target, user);
    const again = await target.updateUser(user, { attributes: { 'name.familyName': 'Reis' } }, renamed.resource);
    const revoked = await target.revokeRole(first.assignment);
    const revokedAgain = await target.revokeRole(first.assignment);
    const off = await target.deactivateUser(user);
    await target.deactivateUser(user);
    const gone = await target.readUser(user, never);
    const back = await target.updateUser(user, { attributes: {}, active: true }, undefined);
    const found = await target.findUser({ userName: 'MIRA.REIS@corp.example' as Email }, never);

    expect(created).toMatchObject({ state: 'done', user: { externalId, attributes, active: true } });
    expect([first.state, second.state]).toEqual(['done', 'already']);
    expect(second.assignment).toEqual(first.assignment);
    expect(renamed).toMatchObject({
      state: 'done',
      user: {
        externalId,
        attributes: { ...attributes, userName: 'mira.reis@corp.example', 'name.familyName': 'Reis' },
      },
    });
    expect(again.state).toBe('already');
    expect([revoked.state, revokedAgain.state]).toEqual(['done', 'already']);
    expect(await rolesOf(target, user)).toEqual([]);
    expect(off.state).toBe('done');
    expect(gone?.user.active).toBe(false);
    expect(back).toMatchObject({ state: 'done', user: { active: true, externalId } });
    expect(found?.user.sid).toBe(user);
    expect((await everybody(target)).map(({ sid }) => sid)).toContain(user);
    expect(stage.creations()).toHaveLength(1);
  });
});

describe('faults', () => {
  const faults = [
    'reset-before',
    'reset-after',
    'truncate',
    'html',
    { status: 500 },
    { status: 503, effect: true },
    { status: 429, headers: { 'retry-after': '1' } },
  ] as const;

  test.each(faults)('%j on the first try of each write leaves one user and one role, as wanted', async (fault) => {
    await using stage = await rehearsal();
    const { simulator, target } = stage;
    const role = await developer(target);
    simulator.faults.add(
      { match: { method: 'POST', path: '/scim/v2/Users' }, times: 1, fault },
      { match: { method: 'PUT' }, times: 1, fault },
      { match: { method: 'POST', path: '/v2/Organizations/RoleAssignments' }, times: 1, fault },
      { match: { method: 'DELETE' }, times: 1, fault },
    );

    const { user, resource } = await target.createUser(externalId, attributes);
    const updated = await target.updateUser(user.sid, { attributes: { displayName: 'Mira' } }, resource);
    const { assignment } = await target.assignRole(user.sid, { role, scope: account });
    const held = await rolesOf(target, user.sid);
    await target.revokeRole(assignment);
    await target.deactivateUser(user.sid);

    expect(updated.user.attributes.displayName).toBe('Mira');
    expect(held).toEqual([assignment]);
    expect(await rolesOf(target, user.sid)).toEqual([]);
    const people = (await everybody(target)).filter((each) => each.externalId === externalId);
    expect(people).toMatchObject([{ active: false }]);
  });

  test('every third request failing changes nothing in the end', async () => {
    await using stage = await rehearsal();
    const { simulator, target } = stage;
    for (let after = 2; after < 60; after += 3) {
      simulator.faults.add({ after, times: 1, fault: after % 2 === 0 ? 'reset-after' : { status: 502 } });
    }

    const { user } = await target.createUser(externalId, attributes);
    const { assignment } = await target.assignRole(user.sid, { role: await developer(target), scope: account });
    const updated = await target.updateUser(user.sid, { attributes: { displayName: 'Mira' } }, undefined);

    expect(updated.user.attributes.displayName).toBe('Mira');
    expect(await rolesOf(target, user.sid)).toEqual([assignment]);
    const people = (await everybody(target)).filter(({ externalId: each }) => each === externalId);
    expect(people).toHaveLength(1);
  });
});

describe('what Twilio refuses', () => {
  test('a taken address names its holder', async () => {
    await using stage = await rehearsal({ duplicateStatus: 400 });
    const { target } = stage;
    const { user } = await target.createUser(externalId, attributes);

    const error = await errorFrom(target.createUser('emp-18' as ExternalId, attributes));

    expect(error).toBeInstanceOf(TargetConflictError);
    expect(error).toMatchObject({ twilioCode: 25022, holder: { user: { sid: user.sid } } });
  });

  test.each(['403-20003', '401-70051', '403-25018', '403-25105', '403-25107'] as const)(
    'a missing permission (%s) is named',
    async (permissionRefusal) => {
      await using stage = await rehearsal({ permissionRefusal });
      const { simulator, target } = stage;
      const seed = simulator.snapshot();
      const clients = seed.clients?.map((client) => ({ ...client, permissions: ['managed-users/list' as const] }));
      simulator.reset({ ...seed, ...(clients !== undefined && { clients }) });
      Object.assign(simulator.quirks, { permissionRefusal });

      const error = await errorFrom(target.createUser(externalId, attributes));

      expect(error).toBeInstanceOf(TargetAuthError);
      expect((error as Error).message).toContain('managed-users/create');
    },
  );

  test.each([400, 403] as const)('an unverified domain (status %i) is about one person', async (forbiddenStatus) => {
    await using stage = await rehearsal({ forbiddenStatus });

    const error = await errorFrom(
      stage.target.createUser(externalId, { ...attributes, userName: 'mira@elsewhere.example' }),
    );

    expect(error).toBeInstanceOf(TargetRejectedError);
    expect(error).toMatchObject({ twilioCode: 25017 });
  });

  test.each([
    { listLimit: 1, totalResults: 'total' },
    { listAnnounces: 'next' },
    { listAnnounces: 'startIndex', listLimit: 1, totalResults: 'returned' },
  ] as const)('a list of users cut by %j proves nothing', async (quirks) => {
    await using stage = await rehearsal();
    await stage.target.createUser(externalId, attributes);
    Object.assign(stage.simulator.quirks, quirks);

    const error = await errorFrom(everybody(stage.target));

    expect(error).toBeInstanceOf(TargetContractError);
  });
});

describe('lists', () => {
  test.each([
    {},
    { nextPageLink: 'uri' },
    { nextPageHost: 'https://preview-iam.twilio.com' },
    { pageTokens: 'stale-after-write' },
  ] as const)('of assignments are read to the end over pages with %j', async (quirks) => {
    await using stage = await rehearsal(quirks);
    const { target } = stage;
    const role = await developer(target);
    const people = Array.from({ length: 130 }, (_, i) => i);
    const users = await Promise.all(
      people.map(async (i) => {
        const userName = `p${i}@corp.example`;
        return (await target.createUser(`p-${i}` as ExternalId, { userName })).user.sid;
      }),
    );
    await Promise.all(users.map((user) => target.assignRole(user, { role, scope: account })));

    const holders = new Set<string>();
    const count = await target.listAssignments({ scope: account }, ({ user }) => holders.add(user), never);

    expect(count).toBe(130);
    expect(holders).toEqual(new Set(users));
  });

  test.each([
    ['available', ['Production', 'Staging']],
    ['403', undefined],
    ['404', undefined],
  ] as const)('of accounts are an extra: %s', async (accounts, names) => {
    await using stage = await rehearsal({ accounts });

    const found = await stage.target.listAccounts(never);

    expect(found?.map(({ name }) => name)).toEqual(names);
  });

  test('of roles hold names and levels', async () => {
    await using stage = await rehearsal();

    const roles = (await stage.target.listRoles(never)) ?? [];

    expect(roles).toContainEqual({
      sid: 'IX00000000000000000000000000000103',
      name: 'Developer',
      lowestLevel: 'ACCOUNT',
    });
    expect(new Set(roles.map(({ sid }) => sid)).size).toBe(roles.length);
  });
});

test('the pace that the simulator measures stays below the rate', async () => {
  const simulator = await startSimulator({ limits: { requestsPerSecond: 40 } });
  const quiet = () => undefined;
  await using target = createTwilioTarget({
    organization: 'OR00000000000000000000000000000001' as ScopeSid,
    clientId: 'OQ00000000000000000000000000000001',
    clientSecret: { reference: 'the secret', read: () => 'simulator-secret' },
    endpoints: { iam: simulator.url, oauth: simulator.url, accounts: simulator.url },
    limits: { requestsPerSecond: 36, maxConcurrent: 4, timeoutMs: 1000 },
    clock: { now: () => Date.now(), sleep: (ms) => new Promise((done) => setTimeout(done, ms)) },
    logger: { debug: quiet, info: quiet, warn: quiet, error: quiet },
  });

  await Promise.all(Array.from({ length: 90 }, () => target.listRoles(never)));
  const refused = simulator.requests.matching({}).filter(({ status }) => status === 429);
  await simulator.close();

  expect(refused).toEqual([]);
});
