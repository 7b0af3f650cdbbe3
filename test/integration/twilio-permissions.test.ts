/** A missing permission in every dress, at every call; and the probes that find it out beforehand. */
import { describe, expect, test } from 'vitest';
import type { RoleAssignment } from '../../src/domain/user.ts';
import { TargetAuthError } from '../../src/errors.ts';
import { type PermissionName, permissionNames } from '../../src/simulator/permissions.ts';
import type { Quirks } from '../../src/simulator/quirks.ts';
import { startSimulator } from '../../src/simulator/simulator.ts';
import { createTwilioTarget, type TwilioTarget } from '../../src/twilio/twilio-target.ts';
import type { ScriptedReply } from '../support/scripted-http.ts';
import {
  account,
  errorFrom,
  externalId,
  never,
  organization,
  role,
  scimUser,
  stage,
  userSid,
} from '../support/twilio-scripts.ts';
import { createVirtualClock } from '../support/virtual-clock.ts';

const assignment: RoleAssignment = {
  sid: `IY${'0'.repeat(31)}1` as RoleAssignment['sid'],
  role,
  scope: account,
  user: userSid(1),
};

/** The call that needs each permission. */
const calls: Readonly<Record<PermissionName, (target: TwilioTarget) => Promise<unknown>>> = {
  'managed-users/list': (target) => target.listUsers(() => {}, never),
  'managed-users/read': (target) => target.readUser(userSid(1), never),
  'managed-users/create': (target) => target.createUser(externalId, { userName: 'a@corp.example' }),
  'managed-users/update': (target) =>
    target.updateUser(userSid(1), { attributes: { displayName: 'New' } }, JSON.stringify(scimUser(1))),
  'managed-users/delete': (target) => target.deactivateUser(userSid(1)),
  'role-assignments/list': (target) => target.listAssignments({ user: userSid(1) }, () => {}, never),
  'role-assignments/create': (target) => target.assignRole(userSid(1), { role, scope: account }),
  'role-assignments/delete': (target) => target.revokeRole(assignment),
  'roles/list': (target) => target.listRoles(never),
};

/** Bodies of a refusal with this code, or none. */
const bodies: readonly ((status: number, code: number | undefined) => Pick<ScriptedReply, 'json' | 'text'>)[] = [
  (status, code) => ({ json: { schemas: ['…:Error'], detail: 'no', status: String(status), code, moreInfo: 'x' } }),
  (status, code) => ({ json: { code, message: 'no', more_info: 'x', status } }),
  (status, code) => ({ json: { code: code?.toString(), message: 'no', moreInfo: 'x', params: {}, status } }),
];
const withoutCode: typeof bodies = [
  ...bodies,
  () => ({ text: '<html><title>Forbidden</title></html>' }),
  () => ({ text: '' }),
  () => ({ text: 'not json {' }),
  () => ({ json: { error: 'insufficient_scope' } }),
];
const codes = [8021, 20003, 25018, 25105, 25107, 70051];

const dresses: readonly ScriptedReply[] = [401, 403].flatMap((status) => [
  ...codes.flatMap((code) => bodies.map((body) => ({ status, ...body(status, code) }))),
  ...withoutCode.map((body) => ({ status, ...body(status, undefined) })),
]);

describe('a missing permission', () => {
  test.each(permissionNames)(
    '%s is named in every dress, and asked for with two tokens at most',
    async (permission) => {
      let dress: ScriptedReply = {};
      let minted = 0;
      const refuse = () => dress;
      const paths = ['/scim/v2/Users', `/scim/v2/Users/${userSid(1)}`, '/v2/Organizations/Roles'];
      const assignments = '/v2/Organizations/RoleAssignments';
      const routes = [...paths, assignments, `${assignments}/${assignment.sid}`].flatMap((path) =>
        ['GET', 'POST', 'PUT', 'DELETE'].map((method) => [`${method} ${path}`, refuse] as const),
      );
      await using scene = await stage(
        {
          ...Object.fromEntries(routes),
          'POST /v2/token': () => ({ json: { access_token: `token-${++minted}`, expires_in: 3600 } }),
        },
        { random: () => 0 },
      );
      const wrong: unknown[] = [];

      for (dress of dresses) {
        const [mintedBefore, sentBefore] = [minted, scene.lines.length];
        const error = await errorFrom(calls[permission](scene.target));
        const isAuth = error instanceof TargetAuthError;
        const names = isAuth && error.message.includes(permission) && error.hint?.includes(permission);
        const unclear = dress.status === 401 && !/8021|70051|25018|2510/.test(JSON.stringify(dress));
        const saysBoth = isAuth && /the access was revoked, or/.test(error.message);
        const sent = scene.lines.length - sentBefore;
        // A 403 may mean that the row is gone, so it is looked for.
        const looks = permission === 'role-assignments/delete' && dress.status === 403;
        const isRight =
          names &&
          saysBoth === unclear &&
          sent === (unclear || looks ? 2 : 1) &&
          minted - mintedBefore <= (unclear ? 2 : 1);
        if (!isRight) wrong.push({ dress, sent, minted: minted - mintedBefore, error: String(error) });
      }

      expect(dresses).toHaveLength(50);
      expect(wrong).toEqual([]);
    },
  );
});

/** A target of a simulator whose app has these permissions. */
async function probing(permissions: readonly PermissionName[], quirks: Partial<Quirks>) {
  const simulator = await startSimulator({
    quirks,
    seed: {
      clients: [
        { clientId: 'OQ00000000000000000000000000000001', clientSecret: 'very-secret', permissions: [...permissions] },
      ],
    },
  });
  const { url } = simulator;
  const target = createTwilioTarget({
    organization,
    clientId: 'OQ00000000000000000000000000000001',
    clientSecret: { reference: 'x', read: () => 'very-secret' },
    endpoints: { iam: url, oauth: url, accounts: url },
    limits: { requestsPerSecond: 1000, maxConcurrent: 4, timeoutMs: 2000 },
    clock: createVirtualClock(),
    logger: { debug() {}, info() {}, warn() {}, error() {} },
  });
  return {
    simulator,
    target,
    async [Symbol.asyncDispose]() {
      await target[Symbol.asyncDispose]();
      await simulator.close();
    },
  };
}

const chance = '0123456789abcdef0123456789abcdef';
const refusals = ['403-20003', '401-20003', '401-70051', '403-25018', '403-25105', '403-25107'] as const;

describe('the probes', () => {
  test.each<Partial<Quirks>>([
    {},
    { missingAssignment: 204, deleteStatus: 200 },
    { missingAssignment: 400, errorCodes: 'absent', errorContentType: 'text/plain' },
    { errorKeys: 'camel', errorStatus: 'number', listWithoutFilter: 'refused', emptyList: 'absent' },
    { conflictStatus: 412, duplicateStatus: 400, externalIdOnPut: 'refused', pagingMeta: 'absent' },
  ])('find all nine granted and change nothing (%o)', async (quirks) => {
    await using it = await probing(permissionNames, quirks);
    const before = it.simulator.snapshot();

    const found = await it.target.probePermissions(chance, never);

    expect(found.map(({ permission, state }) => [permission, state])).toEqual(
      expect.arrayContaining(permissionNames.map((name) => [name, 'granted'])),
    );
    expect(found).toHaveLength(9);
    expect([it.simulator.snapshot(), it.simulator.state.mails]).toEqual([before, []]);
    expect(it.simulator.state.revision).toBe(0);
  });

  test.each(permissionNames)('find out that %s is missing, however that is told, and nothing else', async (missing) => {
    const permissions = permissionNames.filter((name) => name !== missing);
    await using it = await probing(permissions, {});

    for (const permissionRefusal of refusals) {
      it.simulator.quirks.permissionRefusal = permissionRefusal;
      const found = await it.target.probePermissions(chance, never);

      expect(found.filter(({ state }) => state !== 'granted')).toMatchObject([
        { permission: missing, state: 'missing', error: { code: 'twilio-unauthorized' } },
      ]);
    }
  });

  test('say that it cannot be decided when a row that is not there is refused like a missing permission', async () => {
    await using it = await probing(permissionNames, { missingAssignment: 403 });

    const found = await it.target.probePermissions(chance, never);

    expect(found.filter(({ state }) => state !== 'granted')).toMatchObject([
      { permission: 'role-assignments/delete', state: 'undecided' },
    ]);
  });

  test('say that it cannot be decided when there is no answer, and go on', async () => {
    await using it = await probing(permissionNames, {});
    it.simulator.faults.add({ match: { method: 'POST', path: '/scim/v2/Users' }, times: 9, fault: 'reset-before' });

    const found = await it.target.probePermissions(chance, never);

    expect(found.filter(({ state }) => state !== 'granted')).toMatchObject([
      { permission: 'managed-users/create', state: 'undecided' },
    ]);
  });

  test('leave a user alone who exists against all chance', async () => {
    await using it = await probing(permissionNames, {});
    const { state } = it.simulator;
    const owner = state.users.get(state.ownerSid ?? '');
    state.users.add({ ...(owner as NonNullable<typeof owner>), sid: `US${chance}`, userName: 'chance@corp.example' });

    const found = await it.target.probePermissions(chance, never);

    expect(found.filter(({ state }) => state !== 'granted').map(({ permission }) => permission)).toEqual([
      'managed-users/update',
      'managed-users/delete',
    ]);
    expect(it.simulator.requests.matching({ path: '/scim/v2/Users/{id}' }).map(({ method }) => method)).toEqual([
      'GET',
    ]);
    expect(state.users.get(`US${chance}`)).toMatchObject({ status: 'active', version: owner?.version });
  });

  test('say that there is no access at all instead of nine missing permissions', async () => {
    await using it = await probing(permissionNames, {});
    it.simulator.state.clients.clear();

    const error = await errorFrom(it.target.probePermissions(chance, never));

    expect(error).toMatchObject({ path: '/v2/token', code: 'twilio-unauthorized' });
  });
});
