/** Switches of paths, tokens, pages and roles; those of people are in simulator-quirks.test.ts. */
import { expect, test } from 'vitest';
import { developer, organization, person, production, startApi } from './simulator-harness.ts';

const users = '/scim/v2/Users';
const mira = `${users}/US00000000000000000000000000000001`;
const seed = {
  ownerUserName: null,
  users: [{ externalId: 'emp-1', userName: 'mira@corp.example', locale: 'en-US' }],
};

test('errors can come without Twilio: as HTML, or empty', async () => {
  await using api = await startApi({ seed, quirks: { errorBody: 'html' } });

  const html = await api.get(`${users}/US${'f'.repeat(32)}`);
  api.simulator.quirks.errorBody = 'empty';
  const empty = await api.get(`${users}/US${'f'.repeat(32)}`);

  expect([html.status, html.headers.get('content-type'), empty.status, empty.text]).toEqual([
    404,
    'text/html',
    404,
    '',
  ]);
  expect(html.text).toContain('<title>404</title>');
});

test('a token can be refused after some calls, and clocks can differ', async () => {
  await using api = await startApi({ seed, quirks: { tokenUses: 2, clockSkew: 7_200 } });

  const statuses = [await api.get(mira), await api.get(mira), await api.get(mira), await api.get(mira)];

  expect(statuses.map(({ status }) => status)).toEqual([200, 200, 401, 401]);
  expect(Date.parse(statuses[0]?.body.meta.created)).toBeGreaterThan(Date.now() + 3_600_000);
});

test('what a PUT leaves out can get a default', async () => {
  await using api = await startApi({ seed, quirks: { omittedOnPut: 'defaulted' } });

  expect((await api.put(mira, person('mira'))).body).toMatchObject({ locale: 'en-GB', timezone: 'Etc/UTC' });
});

test('role assignments can be implicit, inherited and late, and pages small', async () => {
  const quirks = { implicitRows: 'listed', newAssignmentHiddenReads: 1, accountScopeList: 'inherited' } as const;
  await using api = await startApi({ seed, quirks: { ...quirks, pageSizeCeiling: 1 } });
  const list = async (scope: string) => (await api.get(`/v2/Organizations/RoleAssignments?Scope=${scope}`)).body;

  const { id } = (await api.post(users, person('ada'))).body;
  const [implicit] = (await list(organization)).content;
  const refused = await api.delete(`/v2/Organizations/RoleAssignments/${implicit.sid}`);
  await api.post('/v2/Organizations/RoleAssignments', { role_sid: developer, scope: production, identity: id });
  const late = await list(production);
  const early = await list(production);

  expect([implicit.identity, refused.status, refused.body.code]).toEqual([id, 403, 20003]);
  expect([late.content, late.meta.next_page_url]).toEqual([[implicit], null]);
  expect([early.content, early.meta.page_size]).toEqual([[implicit], 1]);
  expect(early.meta.next_page_url).not.toBeNull();
});

test.each([
  ['renamed', 0],
  ['missing', 0],
  ['duplicated', 2],
] as const)('names of roles can be %s', async (roleNames, found) => {
  await using api = await startApi({ quirks: { roleNames, unknownValues: true } });

  const { roles } = (await api.get('/v2/Organizations/Roles?PageSize=1000')).body;
  const developers = roles.filter((role: { friendly_name: string }) => role.friendly_name === 'Developer');

  expect(developers).toHaveLength(found);
  expect(roles[0].lowest_level).toBe('PROJECT');
});

test('both generations of paths are served, or one', async () => {
  await using api = await startApi({ seed });
  const older = `/Organizations/${organization}`;
  const statuses = async () =>
    (await Promise.all([api.get(users), api.get(`${older}/scim/Users`), api.get(`${older}/RoleAssignments`)])).map(
      ({ status }) => status,
    );

  const both = await statuses();
  const foreign = await api.get(`/Organizations/OR${'9'.repeat(32)}/scim/Users`);
  const page = await api.get(`${older}/RoleAssignments`);
  api.simulator.quirks.generations = 'current';
  const current = await statuses();
  api.simulator.quirks.generations = 'preview';
  const preview = await statuses();

  expect([both, current, preview]).toEqual([
    [200, 200, 200],
    [200, 404, 404],
    [404, 200, 200],
  ]);
  expect([foreign.status, foreign.body.code, page.body.meta.page_size]).toEqual([403, 25107, 100]);
});
