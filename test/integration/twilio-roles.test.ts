import { describe, expect, test } from 'vitest';
import type { AssignmentSid } from '../../src/domain/identity.ts';
import type { RoleAssignment } from '../../src/domain/user.ts';
import { TargetAuthError, TargetContractError, TargetRejectedError, TargetUnavailableError } from '../../src/errors.ts';
import { inTurn, type ScriptedReply, startScriptedHttp } from '../support/scripted-http.ts';
import { account, errorFrom, never, organization, role, stage, userSid } from '../support/twilio-scripts.ts';

const path = '/v2/Organizations/RoleAssignments';
const list = `GET ${path}`;
const post = `POST ${path}`;
const user = userSid(1);
const grant = { role, scope: account };
const sid = 'IY000000000000000000000000000000b1' as AssignmentSid;
const remove = `DELETE ${path}/${sid}`;
const assignment: RoleAssignment = { sid, user, ...grant };

function row(number: number, more: object = {}): Record<string, unknown> {
  const each = `IY${number.toString(16).padStart(32, '0')}`;
  return { sid: each, role_sid: role, scope: account, identity: user, resource_type: null, resource_id: null, ...more };
}
const ours = row(0xb1);
const page = (rows: readonly unknown[], next: string | null = null): ScriptedReply => ({
  json: { content: rows, meta: { key: 'content', next_page_url: next } },
});
/** A Twilio error body as the assignments give it. */
const refused = (status: number, code?: number): ScriptedReply => ({ status, json: { code, message: 'no', status } });

async function listed(
  routes: Parameters<typeof stage>[0],
  by: { user: typeof user } | { scope: typeof account } = { user },
) {
  await using scene = await stage(routes);
  const seen: string[] = [];
  const count = await scene.target.listAssignments(by, ({ sid: each }) => seen.push(each), never);
  return { count, seen, requests: scene.server.requests.slice(1) };
}

describe('listing assignments', () => {
  test('walks all pages and always sends one filter', async () => {
    const { count, seen, requests } = await listed({
      [list]: ({ query, headers }) =>
        query.get('Page') === null
          ? page([row(1), row(2)], `http://${headers.host}${path}?Identity=${user}&PageSize=100&Page=1&PageToken=t`)
          : page([row(3)]),
    });

    expect([count, seen.length]).toEqual([3, 3]);
    expect(requests[0]?.query.toString()).toBe(`Identity=${user}&PageSize=100`);
    expect(requests[1]?.query.get('PageToken')).toBe('t');
  });

  test('never sends the token to a foreign host, but takes the page from its link', async () => {
    await using foreign = await startScriptedHttp(() => page([]));
    const { count, requests } = await listed(
      {
        [list]: ({ query }) =>
          query.has('PageToken') ? page([row(2)]) : page([row(1)], `${foreign.url}${path}?Page=1&PageToken=t`),
      },
      { scope: account },
    );

    expect(count).toBe(2);
    expect(foreign.requests).toEqual([]);
    expect(Object.fromEntries(requests[1]?.query ?? [])).toEqual({
      Scope: account,
      PageSize: '100',
      PageToken: 't',
      Page: '1',
    });
  });

  test('a link that repeats itself is out of contract', async () => {
    const error = await errorFrom(listed({ [list]: ({ url }) => page([row(1)], url) }));

    expect(error).toBeInstanceOf(TargetContractError);
    expect((error as Error).message).toContain('go round in a circle');
  });

  test('starts again when the page token went stale, and hands nothing over twice', async () => {
    const answers = inTurn(
      page([row(1)], `${path}?PageToken=a`),
      refused(400, 25023),
      page([row(1)], `${path}?PageToken=b`),
      page([row(2)]),
    );

    const { count, seen } = await listed({ [list]: answers });

    expect([count, new Set(seen).size]).toEqual([2, 2]);
  });

  test('leaves out rows of other scopes and of single resources', async () => {
    const rows = [
      row(1),
      row(2, { scope: organization }),
      row(3, { resource_type: 'billing_group', resource_id: 'b1' }),
    ];

    const { count } = await listed({ [list]: () => page(rows) }, { scope: account });

    expect(count).toBe(1);
  });

  test('a page without meta is the only one', async () => {
    expect((await listed({ [list]: () => ({ json: { content: [row(1)] } }) })).count).toBe(1);
  });

  test('a row that cannot be understood is not skipped', async () => {
    const error = await errorFrom(listed({ [list]: () => page([row(1), { sid: 'x' }]) }));

    expect(error).toBeInstanceOf(TargetContractError);
  });
});

describe('assigning', () => {
  test('posts the triple once', async () => {
    await using scene = await stage({ [post]: () => ({ status: 201, json: ours }) });

    const result = await scene.target.assignRole(user, grant);

    expect(result).toEqual({ state: 'done', assignment, requestId: undefined });
    expect(JSON.parse(scene.server.requests[1]?.body ?? '')).toEqual({
      role_sid: role,
      scope: account,
      identity: user,
    });
    expect(scene.lines).toEqual([post]);
  });

  test('looks the assignment up when the answer is empty', async () => {
    await using scene = await stage({
      [post]: () => ({ status: 201 }),
      [list]: () => page([row(1, { scope: organization }), ours]),
    });

    const result = await scene.target.assignRole(user, grant);

    expect(result).toMatchObject({ state: 'done', assignment });
  });

  test.each([
    ['a lost answer', { broken: 'before' as const }],
    ['a 500', refused(500, 20500)],
    ['a 409', refused(409)],
    ['a 400 of unknown meaning', refused(400, 20001)],
  ])('after %s the list decides, and nothing is posted twice', async (_, reply) => {
    await using scene = await stage({ [post]: () => reply, [list]: () => page([ours]) });

    const result = await scene.target.assignRole(user, grant);

    expect(result).toMatchObject({ state: 'already', assignment });
    expect(scene.lines).toEqual([post, list]);
    expect(scene.server.requests.at(-1)?.query.get('Identity')).toBe(user);
  });

  test('is posted again when a lost answer took no effect', async () => {
    await using scene = await stage({
      [post]: inTurn({ broken: 'before' }, { status: 201, json: ours }),
      [list]: () => page([]),
    });

    expect(await scene.target.assignRole(user, grant)).toMatchObject({ state: 'done' });
    expect(scene.lines).toEqual([post, list, post]);
  });

  test('is not repeated without end', async () => {
    await using scene = await stage({ [post]: () => refused(503), [list]: () => page([]) }, { retry: { attempts: 2 } });

    const error = await errorFrom(scene.target.assignRole(user, grant));

    expect(error).toBeInstanceOf(TargetUnavailableError);
    expect(scene.lines).toEqual([post, list, post, list]);
  });

  test('waits a little for a fresh user to be known', async () => {
    const answers = inTurn(refused(400, 25201), refused(400, 25201), { status: 201, json: ours });
    await using scene = await stage({ [post]: answers });

    expect(await scene.target.assignRole(user, grant)).toMatchObject({ state: 'done' });
    expect(scene.lines).toEqual([post, post, post]);
  });

  test('gives up on somebody who is no managed user', async () => {
    await using scene = await stage({ [post]: () => refused(400, 25201) });

    const error = await errorFrom(scene.target.assignRole(user, grant));

    expect(error).toBeInstanceOf(TargetRejectedError);
    expect(error).toMatchObject({ twilioCode: 25201 });
    expect(scene.lines).toHaveLength(5);
  });

  test.each([25200, 25202])('code %i is a wrong mapping, and nothing is looked up', async (code) => {
    await using scene = await stage({ [post]: () => refused(400, code) });

    const error = await errorFrom(scene.target.assignRole(user, grant));

    expect(error).toBeInstanceOf(TargetRejectedError);
    expect(scene.lines).toEqual([post]);
  });

  test('a refusal of unknown meaning stays one when the role is not there', async () => {
    await using scene = await stage({ [post]: () => refused(400, 20001), [list]: () => page([]) });

    const error = await errorFrom(scene.target.assignRole(user, grant));

    expect(error).toBeInstanceOf(TargetRejectedError);
    expect(error).toMatchObject({ twilioCode: 20001, path });
  });

  test('a missing permission is named', async () => {
    await using scene = await stage({ [post]: () => refused(403, 20003) });

    const error = await errorFrom(scene.target.assignRole(user, grant));

    expect(error).toBeInstanceOf(TargetAuthError);
    expect((error as Error).message).toContain('role-assignments/create');
    expect(scene.lines).toEqual([post]);
  });
});

describe('revoking', () => {
  test('deletes the row', async () => {
    await using scene = await stage({ [remove]: () => ({ status: 204 }) });

    expect(await scene.target.revokeRole(assignment)).toEqual({ state: 'done', requestId: undefined });
  });

  test('404 means that it was done before, also after a lost answer', async () => {
    await using scene = await stage({ [remove]: inTurn({ broken: 'before' }, refused(404, 20404)) });

    expect(await scene.target.revokeRole(assignment)).toMatchObject({ state: 'already' });
    expect(scene.lines).toEqual([remove, remove]);
  });

  test.each([400, 403])('%i counts as done only when the list no longer shows the row', async (status) => {
    await using gone = await stage({ [remove]: () => refused(status, 20003), [list]: () => page([row(1)]) });
    await using there = await stage({ [remove]: () => refused(status, 20003), [list]: () => page([ours]) });

    const result = await gone.target.revokeRole(assignment);
    const error = await errorFrom(there.target.revokeRole(assignment));

    expect(result.state).toBe('already');
    expect(error).toBeInstanceOf(status === 403 ? TargetAuthError : TargetRejectedError);
  });
});

describe('roles', () => {
  test('are read over all pages, with names and levels', async () => {
    const roles = (number: number, next: string | null) => ({
      json: {
        roles: [
          { sid: `IX${String(number).padStart(32, '0')}`, friendly_name: `Role ${number}`, lowest_level: 'ACCOUNT' },
        ],
        meta: { key: 'roles', next_page_url: next },
      },
    });
    await using scene = await stage({
      'GET /v2/Organizations/Roles': inTurn(roles(1, '/v2/Organizations/Roles?PageToken=2'), roles(2, null)),
    });

    const found = await scene.target.listRoles(never);

    expect(found.map(({ name, lowestLevel }) => [name, lowestLevel])).toEqual([
      ['Role 1', 'ACCOUNT'],
      ['Role 2', 'ACCOUNT'],
    ]);
    expect(scene.server.requests[1]?.query.get('PageSize')).toBe('1000');
  });

  test('need a permission whose name the documentation spells in two ways', async () => {
    await using scene = await stage({ 'GET /v2/Organizations/Roles': () => refused(403, 20003) });

    const error = await errorFrom(scene.target.listRoles(never));

    expect(error).toBeInstanceOf(TargetAuthError);
    expect((error as TargetAuthError).hint).toContain('roles/list and role-assignments/list');
  });
});

describe('accounts', () => {
  const accounts = `GET /Organizations/${organization}/Accounts`;

  test('are read from the accounts endpoint under the organization', async () => {
    const one = { account_sid: account, friendly_name: 'Sandbox', status: 'active', owner_sid: userSid(9) };
    await using scene = await stage({ [accounts]: () => page([one]) });

    const found = await scene.target.listAccounts(never);

    expect(found).toEqual([{ sid: account, name: 'Sandbox', status: 'active', owner: userSid(9) }]);
  });

  test.each<[string, ScriptedReply]>([
    ['403', refused(403, 20003)],
    ['404', refused(404)],
    ['401', refused(401)],
    ['an outage', { status: 503 }],
    ['a broken connection', { broken: 'before' }],
    ['nonsense', { text: 'hello' }],
  ])('are done without after %s, with a warning', async (_, reply) => {
    await using scene = await stage({ [accounts]: () => reply });

    expect(await scene.target.listAccounts(never)).toBeUndefined();
    expect(scene.log.filter(({ level }) => level === 'warn').map(({ message }) => message)).toEqual([
      'the accounts cannot be listed; scopes need their AC… SIDs, and owners of accounts must stand in policy.protect',
    ]);
  });

  test('are no excuse for a client that is refused', async () => {
    await using scene = await stage({ 'POST /v2/token': () => refused(401) });

    expect(await errorFrom(scene.target.listAccounts(never))).toBeInstanceOf(TargetAuthError);
  });

  test('are given up when asked to stop', async () => {
    const controller = new AbortController();
    const reason = new Error('stop');
    controller.abort(reason);
    await using scene = await stage({});

    expect(await errorFrom(scene.target.listAccounts(controller.signal))).toBe(reason);
  });
});
