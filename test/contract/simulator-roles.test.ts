import { describe, expect, test } from 'vitest';
import { type Api, developer, organization, person, production, startApi, studioAdmin } from './simulator-harness.ts';

const assignments = '/v2/Organizations/RoleAssignments';
const roles = '/v2/Organizations/Roles';
const accounts = `/Organizations/${organization}/Accounts`;
const mira = 'US00000000000000000000000000000001';
const noor = 'US00000000000000000000000000000002';
const organizationBilling = 'IX00000000000000000000000000000204';
const billingGroupAdmin = 'IX000000000000000000000000000003a1';
const missing = `${assignments}/IY000000000000000000000000000000ff`;

const seed = {
  users: [{ userName: 'mira@corp.example' }, { userName: 'noor@corp.example' }],
  accounts: [
    { sid: production, name: 'Production', owner: 'noor@corp.example' },
    { sid: 'AC00000000000000000000000000000002', name: 'Closed down', status: 'closed' as const },
    { sid: 'AC00000000000000000000000000000003', name: 'Branch', parent: production },
  ],
  assignments: [{ user: 'mira@corp.example', role: 'Developer', scope: 'Production' }],
};
const existing = { role_sid: developer, scope: production, identity: mira };

async function start(options: Parameters<typeof startApi>[0] = {}): Promise<Api> {
  return startApi({ seed, ...options });
}

/** Follows next_page_url to the end; also returns the pages' addresses. */
async function walk(api: Api, path: string, key: string): Promise<{ rows: Record<string, string>[]; pages: number }> {
  const rows: Record<string, string>[] = [];
  let pages = 0;
  for (let next: string | null = path; next !== null; pages++) {
    const { body } = await api.get(next);
    rows.push(...body[key]);
    next = body.meta.next_page_url;
  }
  return { rows, pages };
}

describe('creating an assignment', () => {
  test('answers 201 with the row, which both lists then show', async () => {
    await using api = await start();

    const { status, headers, body } = await api.post(assignments, {
      role_sid: studioAdmin,
      scope: organization,
      identity: noor,
    });

    expect(status).toBe(201);
    expect(headers.get('content-type')).toBe('application/json');
    expect(body).toEqual({
      sid: expect.stringMatching(/^IY[0-9a-f]{32}$/),
      role_sid: studioAdmin,
      scope: organization,
      identity: noor,
      resource_type: null,
      resource_id: null,
    });
    expect((await api.get(`${assignments}?Identity=${noor}`)).body.content).toEqual([body]);
    expect((await api.get(`${assignments}?Scope=${organization}`)).body.content).toEqual([body]);
  });

  test.each<[string, number, unknown]>([
    ['no JSON', 20001, '{'],
    ['a malformed role', 20001, { ...existing, role_sid: 'Developer' }],
    ['an unknown role', 25202, { ...existing, role_sid: `IX${'f'.repeat(32)}` }],
    ['the word organization as scope', 25200, { ...existing, scope: 'organization' }],
    ['an account of somebody else', 25200, { ...existing, scope: `AC${'f'.repeat(32)}` }],
    ['a closed account', 25200, { ...existing, scope: 'AC00000000000000000000000000000002' }],
    ['an account role at the organization', 25200, { ...existing, scope: organization }],
    ['an account role at a subaccount', 25200, { ...existing, scope: 'AC00000000000000000000000000000003' }],
    ['an organization role at an account', 25200, { ...existing, role_sid: organizationBilling }],
    ['somebody who is not managed', 25201, { ...existing, identity: `US${'f'.repeat(32)}` }],
    ['a malformed identity', 20001, { ...existing, identity: 'mira@corp.example' }],
    [
      'a resource role without its resource',
      20001,
      { role_sid: billingGroupAdmin, scope: organization, identity: mira },
    ],
    ['half a resource', 20001, { ...existing, resource_type: 'billing_group' }],
  ])('with %s is 400 with code %i in the error body of role writes', async (_, code, sent) => {
    await using api = await start();
    const before = api.simulator.snapshot();

    const { status, headers, body } = await api.post(assignments, sent);

    expect(status).toBe(400);
    expect(headers.get('content-type')).toBe('application/scim+json');
    expect(body).toEqual({
      code,
      message: expect.any(String),
      moreInfo: `https://www.twilio.com/docs/errors/${code}`,
      status: 400,
    });
    expect(api.simulator.snapshot()).toEqual(before);
  });

  test('resource-based roles take a resource, also for somebody outside the organization', async () => {
    await using api = await start();
    const outsider = `US${'e'.repeat(32)}`;

    const { status, body } = await api.post(assignments, {
      role_sid: billingGroupAdmin,
      scope: organization,
      identity: outsider,
      resource_type: 'billing_group',
      resource_id: 'billing_group_1',
    });

    expect(status).toBe(201);
    expect(body).toMatchObject({ identity: outsider, resource_type: 'billing_group', resource_id: 'billing_group_1' });
    expect((await api.get(`${assignments}?ResourceType=billing_group`)).body.content).toEqual([body]);
  });

  test('nobody holds more roles than the ceiling over all scopes', async () => {
    await using api = await start({ quirks: { roleCeiling: 2 } });
    const second = { role_sid: studioAdmin, scope: production, identity: mira };

    const atCeiling = await api.post(assignments, second);
    const over = await api.post(assignments, { ...second, scope: organization });

    expect([atCeiling.status, over.status]).toEqual([201, 400]);
  });

  test.each([
    ['400', 400, 1],
    ['409', 409, 1],
    ['201-old', 201, 1],
    ['201-new', 201, 2],
  ] as const)('posting an existing triple can end as %s', async (existingAssignment, status, rows) => {
    await using api = await start({ quirks: { existingAssignment } });

    const answer = await api.post(assignments, existing);

    expect(answer.status).toBe(status);
    expect((await api.get(`${assignments}?Identity=${mira}`)).body.content).toHaveLength(rows);
  });

  test('a fresh person can be refused a few times and visible only after a few reads', async () => {
    await using api = await start({ quirks: { newUserAssignmentRefusals: 2, newUserHiddenReads: 2 } });
    const { id } = (await api.post('/scim/v2/Users', person('ada'))).body;

    const tries = [];
    for (let i = 0; i < 3; i++) tries.push(await api.post(assignments, { ...existing, identity: id }));
    const reads = [
      await api.get(`/scim/v2/Users/${id}`),
      await api.get('/scim/v2/Users'),
      await api.get('/scim/v2/Users'),
    ];

    expect(tries.map(({ status, body }) => body.code ?? status)).toEqual([25201, 25201, 201]);
    expect([reads[0]?.status, reads[1]?.body.totalResults, reads[2]?.body.totalResults]).toEqual([404, 3, 4]);
  });
});

describe('deleting an assignment', () => {
  test('answers 204 without a body, and the row is gone from every list', async () => {
    await using api = await start();
    const { sid } = (await api.get(`${assignments}?Identity=${mira}`)).body.content[0];

    const { status, text } = await api.delete(`${assignments}/${sid}`);

    expect([status, text]).toEqual([204, '']);
    expect((await api.get(assignments)).body.content).toEqual([]);
    expect((await api.get(`${assignments}?Scope=${production}`)).body.content).toEqual([]);
  });

  test.each([204, 400, 403, 404] as const)('of an unknown row can end with %i', async (missingAssignment) => {
    await using api = await start({ quirks: { missingAssignment } });

    expect((await api.delete(missing)).status).toBe(missingAssignment);
  });

  test('is refused for implicit rows', async () => {
    const implicit = { user: 'noor@corp.example', role: 'Standard User', scope: 'organization', permanent: true };
    await using api = await start({ seed: { ...seed, assignments: [implicit] } });
    const { sid } = (await api.get(assignments)).body.content[0];

    const { status, body } = await api.delete(`${assignments}/${sid}`);

    expect([status, body.code]).toEqual([403, 20003]);
  });
});

describe('listing', () => {
  const many = {
    users: Array.from({ length: 230 }, (_, i) => ({ userName: `p${i}@corp.example` })),
    assignments: Array.from({ length: 230 }, (_, i) => ({
      user: `p${i}@corp.example`,
      role: 'Developer',
      scope: production,
    })),
  };

  test('pages of 50 by default, linked to the end, hold every row once', async () => {
    await using api = await start({ seed: many });

    const first = await api.get(`${assignments}?Scope=${production}`);
    const { rows, pages } = await walk(api, `${assignments}?Scope=${production}`, 'content');

    expect(first.body.content).toHaveLength(50);
    expect(first.body.meta).toEqual({
      page: 0,
      page_size: 50,
      key: 'content',
      first_page_url: expect.stringContaining(`${api.simulator.url}${assignments}?`),
      previous_page_url: null,
      next_page_url: expect.stringMatching(/Page=1&PageToken=.+/),
      url: expect.stringContaining('Page=0'),
    });
    expect(pages).toBe(5);
    expect(new Set(rows.map((row) => row.sid)).size).toBe(230);
  });

  test('a page leads back to the one before it', async () => {
    await using api = await start({ seed: many });
    const first = (await api.get(`${assignments}?PageSize=100`)).body;
    const second = (await api.get(first.meta.next_page_url)).body;

    const back = (await api.get(second.meta.previous_page_url)).body;

    expect(second.meta.page).toBe(1);
    expect(back.content).toEqual(first.content);
  });

  test('deletions during a walk neither skip nor repeat a row', async () => {
    await using api = await start({ seed: many });
    const first = (await api.get(`${assignments}?PageSize=100`)).body;
    for (const { sid } of first.content) await api.delete(`${assignments}/${sid}`);

    const { rows } = await walk(api, first.meta.next_page_url, 'content');

    expect(rows).toHaveLength(130);
  });

  test.each(['PageSize=0', 'PageSize=101', 'PageSize=ten', 'Page=1', 'Identity=mira', 'Scope=urn:tw:x'])(
    '%s is refused with 20001 in the error body of role lists',
    async (query) => {
      await using api = await start();

      const { status, headers, body } = await api.get(`${assignments}?${query}`);

      expect(status).toBe(400);
      expect(headers.get('content-type')).toBe('application/json');
      expect(body).toMatchObject({
        code: 20001,
        status: 400,
        more_info: expect.any(String),
        message: expect.any(String),
      });
    },
  );

  test('a page token that is not ours is 25023, and so is an old one after a change where the switch says so', async () => {
    await using api = await start({ seed: many, quirks: { pageTokens: 'stale-after-write' } });
    const { next_page_url: next } = (await api.get(assignments)).body.meta;

    const good = await api.get(next);
    await api.post('/scim/v2/Users', person('ada'));
    const stale = await api.get(next);
    const foreign = await api.get(`${assignments}?PageToken=made-up`);

    expect([good.status, stale.body.code, foreign.body.code]).toEqual([200, 25023, 25023]);
  });

  test('the odd lists have a switch each', async () => {
    await using api = await start({ seed: many });
    const { quirks } = api.simulator;
    const list = async (query = '') => (await api.get(`${assignments}${query}`)).body;

    quirks.nextPageHost = 'https://preview-iam.twilio.com';
    const otherHost = await list();
    quirks.nextPageLink = 'uri';
    const relative = await list();
    quirks.nextPageLink = 'loop';
    const loop = await list();
    quirks.collectionKey = 'items';
    const otherKey = await list();
    quirks.pagingMeta = 'absent';
    const noMeta = await list();
    quirks.listWithoutFilter = 'refused';
    const refused = await list();
    const all = await list(`?Scope=${organization}`);
    quirks.organizationScopeList = 'all';
    const own = await list(`?Scope=${organization}`);

    expect(otherHost.meta.next_page_url).toMatch(
      /^https:\/\/preview-iam\.twilio\.com\/v2\/Organizations\/RoleAssignments\?/,
    );
    expect(relative.meta.next_page_uri).toMatch(/^\/v2\/Organizations\/RoleAssignments\?/);
    expect(relative.meta).not.toHaveProperty('next_page_url');
    expect(loop.meta.next_page_url).toBe(loop.meta.url);
    expect([otherKey.meta.key, otherKey.items.length]).toEqual(['items', 50]);
    expect([noMeta.meta, noMeta.items.length]).toEqual([undefined, 230]);
    expect(refused.code).toBe(25203);
    expect([all.items.length, own.items.length]).toEqual([0, 230]);
  });

  test.each([
    ['kept', 1, 1],
    ['hidden', 0, 1],
    ['dropped', 0, 0],
  ] as const)(
    'assignments of a deactivated person can be %s',
    async (assignmentsOnDeactivation, whileInactive, after) => {
      await using api = await start({ quirks: { assignmentsOnDeactivation } });
      const count = async () => (await api.get(`${assignments}?Identity=${mira}`)).body.content.length;

      await api.delete(`/scim/v2/Users/${mira}`);
      const inactive = await count();
      await api.patch(`/scim/v2/Users/${mira}`, [{ op: 'replace', path: 'active', value: true }]);

      expect([inactive, await count()]).toEqual([whileInactive, after]);
    },
  );
});

describe('roles', () => {
  test('the list shows name and lowest level, and the name Owner in two families', async () => {
    await using api = await start();

    const { rows } = await walk(api, `${roles}?PageSize=7`, 'roles');

    expect(rows).toContainEqual(
      expect.objectContaining({ sid: developer, friendly_name: 'Developer', lowest_level: 'ACCOUNT', policy: null }),
    );
    const owners = rows.filter((role) => role.friendly_name === 'Owner').map((role) => role.lowest_level);
    expect(owners).toEqual(['ACCOUNT', 'ORGANIZATION']);
  });

  test('Search finds by name or SID, RoleProductGroup and ResourceTypes filter, Expand adds the policy', async () => {
    await using api = await start();
    const names = async (query: string) =>
      (await api.get(`${roles}?${query}`)).body.roles.map((role: { friendly_name: string }) => role.friendly_name);

    expect(await names('Search=studio')).toEqual(['Studio Admin', 'Studio Viewer']);
    expect(await names(`Search=${developer}`)).toEqual(['Developer']);
    expect(await names('RoleProductGroup=VOICE')).toEqual(['Voice Intelligence Admin', 'Voice Intelligence Viewer']);
    expect(await names('ResourceTypes=billing_group,other')).toEqual(['Billing Group Admin', 'Billing Group Viewer']);
    expect((await api.get(`${roles}?Expand=true&PageSize=1`)).body.roles[0].policy).toMatchObject({ deny: null });
    expect((await api.get(`${roles}?PageSize=1001`)).body.code).toBe(20001);
  });
});

describe('accounts', () => {
  test('the list shows accounts with status and owner, but no subaccounts', async () => {
    await using api = await start();

    const { status, body } = await api.get(accounts);
    const one = await api.get(`${accounts}/${production}`);

    expect(status).toBe(200);
    expect(body.content.map((row: Record<string, string>) => [row.friendly_name, row.status])).toEqual([
      ['Production', 'active'],
      ['Closed down', 'closed'],
    ]);
    expect(one.body).toEqual({
      account_sid: production,
      friendly_name: 'Production',
      status: 'active',
      owner_sid: noor,
      date_created: expect.any(String),
    });
  });

  test('another organization is 403, an unknown account 404, and both can hold for the whole list', async () => {
    await using api = await start();

    const foreign = await api.get(`/Organizations/OR${'f'.repeat(32)}/Accounts`);
    const unknown = await api.get(`${accounts}/AC${'f'.repeat(32)}`);
    api.simulator.quirks.accounts = '403';
    const forbidden = await api.get(accounts);
    api.simulator.quirks.accounts = '404';
    const missing = await api.get(accounts);

    expect([foreign.status, foreign.body.code]).toEqual([403, 25107]);
    expect([unknown.status, unknown.body.code]).toEqual([404, 25101]);
    expect([forbidden.status, missing.status]).toEqual([403, 404]);
  });
});
