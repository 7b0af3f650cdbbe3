/**
 * Answers against the schemas of Twilio's OpenAPI descriptions (Organization Public API; User OAuth API, October 2026),
 * restated here as far as the simulator's endpoints use them. Strict objects: nothing may be there that is not described,
 * except where the newer documentation pages say so.
 */

import { expect, test } from 'vitest';
import { z } from 'zod';
import { type Api, developer, organization, person, production, requestToken, startApi } from './simulator-harness.ts';

const sid = (prefix: string) => z.string().regex(new RegExp(`^${prefix}[0-9a-f]{32}$`));
const dateTime = z.iso.datetime({ precision: 9 });

const scimUser = z.strictObject({
  schemas: z.array(z.string()),
  id: z.string(),
  externalId: z.string().min(2).max(255).optional(),
  userName: z.string().min(2).max(255),
  displayName: z.string().max(255).optional(),
  name: z
    .strictObject({ givenName: z.string().max(255).optional(), familyName: z.string().max(255).optional() })
    .optional(),
  emails: z
    .array(
      z.strictObject({
        primary: z.boolean().optional(),
        value: z.string().min(2).max(160),
        type: z.string().max(64).optional(),
      }),
    )
    .min(1),
  active: z.boolean(),
  locale: z.string().optional(),
  timezone: z.string().optional(),
  meta: z.strictObject({ resourceType: z.string(), created: dateTime, lastModified: dateTime, version: z.string() }),
});
const scimUserPage = z.strictObject({
  schemas: z.array(z.string()),
  totalResults: z.int32(),
  Resources: z.array(scimUser),
});
const scimError = z.strictObject({
  schemas: z.array(z.string()),
  detail: z.string(),
  scimType: z.enum(['invalidFilter', 'uniqueness', 'mutability', 'invalidValue', 'invalidSyntax']).optional(),
  status: z.string(),
  code: z.int32(),
  moreInfo: z.url(),
});
const roleAssignment = z.strictObject({
  sid: sid('IY'),
  role_sid: sid('IX'),
  scope: z.string().regex(/^[A-Z]{2}[0-9a-fA-F]{32}$/),
  identity: z.string().regex(/^[A-Z]{2}[0-9a-fA-F]{32}$/),
  resource_type: z.string().nullable(),
  resource_id: z.string().nullable(),
});
const meta = z.strictObject({
  first_page_url: z.url(),
  key: z.string(),
  next_page_url: z.url().nullable(),
  page: z.int(),
  page_size: z.int(),
  previous_page_url: z.url().nullable(),
  url: z.url(),
});
const roleAssignmentPage = z.strictObject({ content: z.array(roleAssignment), meta });
const accountPage = z.strictObject({
  content: z.array(
    z.strictObject({
      account_sid: sid('AC'),
      friendly_name: z.string(),
      status: z.enum(['active', 'suspended', 'pending_closure', 'closed']),
      owner_sid: sid('US'),
      date_created: z.iso.datetime(),
    }),
  ),
  meta,
});
/** No description has roles; this is the resource of www.twilio.com/docs/iam/access-control/role-resource. */
const rolePage = z.strictObject({
  roles: z.array(
    z.strictObject({
      sid: sid('IX'),
      friendly_name: z.string(),
      external_description: z.string(),
      product_group: z.string(),
      lowest_level: z.enum(['ORGANIZATION', 'ACCOUNT', 'SUB_ACCOUNT']),
      role_product_group: z.strictObject({ product_group: z.string(), friendly_name: z.string() }),
      policy: z
        .strictObject({ allow: z.array(z.string()), deny: z.array(z.string()).nullable(), format: z.string() })
        .nullable(),
      resource_types: z.array(z.string()).nullable(),
      date_created: z.iso.datetime(),
      date_updated: z.iso.datetime(),
    }),
  ),
  meta,
});
const listError = z.strictObject({ code: z.int32(), message: z.string(), more_info: z.url(), status: z.int32() });
const writeError = z.strictObject({ code: z.int32(), message: z.string(), moreInfo: z.url(), status: z.int32() });
const tokenAnswer = z.strictObject({
  access_token: z.string().nullable(),
  refresh_token: z.string().nullable(),
  id_token: z.string().nullable(),
  token_type: z.string().nullable(),
  expires_in: z.int().nullable(),
});

const users = '/scim/v2/Users';
const assignments = '/v2/Organizations/RoleAssignments';
const mira = 'US00000000000000000000000000000001';
const seed = {
  users: [{ userName: 'mira@corp.example', externalId: 'emp-1', displayName: 'Mira', name: { givenName: 'Mira' } }],
  assignments: [{ user: 'mira@corp.example', role: 'Developer', scope: production }],
};
const row = { role_sid: 'IX00000000000000000000000000000301', scope: organization, identity: mira };
const patch = [{ op: 'replace', path: 'displayName', value: 'M' }];

test.each<[string, (api: Api) => ReturnType<Api['get']>, number, z.ZodType, string]>([
  ['POST token', (api) => requestToken(api.simulator.url), 200, tokenAnswer, 'json'],
  ['POST token, refused', (api) => requestToken(api.simulator.url, { client_id: 'x' }), 400, listError, 'json'],
  ['GET users', (api) => api.get(users), 200, scimUserPage, 'scim+json'],
  ['GET users, refused', (api) => api.get(`${users}?filter=x`), 400, scimError, 'scim+json'],
  ['POST users', (api) => api.post(users, person('ada')), 201, scimUser, 'scim+json'],
  ['POST users, refused', (api) => api.post(users, person('mira')), 409, scimError, 'scim+json'],
  ['GET user', (api) => api.get(`${users}/${mira}`), 200, scimUser, 'scim+json'],
  ['GET user, unknown', (api) => api.get(`${users}/x`), 404, scimError, 'scim+json'],
  ['PUT user', (api) => api.put(`${users}/${mira}`, person('mira')), 200, scimUser, 'scim+json'],
  [
    'PUT user, conflict',
    (api) => api.put(`${users}/${mira}`, person('mira'), { 'if-match': 'W/0' }),
    409,
    scimError,
    'scim+json',
  ],
  ['PATCH user', (api) => api.patch(`${users}/${mira}`, patch), 200, scimUser, 'scim+json'],
  ['PATCH user, refused', (api) => api.patch(`${users}/${mira}`, []), 400, scimError, 'scim+json'],
  ['DELETE user, unknown', (api) => api.delete(`${users}/x`), 404, scimError, 'scim+json'],
  ['GET assignments', (api) => api.get(`${assignments}?PageSize=1`), 200, roleAssignmentPage, 'json'],
  ['GET assignments, refused', (api) => api.get(`${assignments}?PageSize=0`), 400, listError, 'json'],
  ['POST assignment', (api) => api.post(assignments, row), 201, roleAssignment, 'json'],
  [
    'POST assignment, refused',
    (api) => api.post(assignments, { ...row, role_sid: developer }),
    400,
    writeError,
    'scim+json',
  ],
  ['GET roles', (api) => api.get('/v2/Organizations/Roles?Expand=true'), 200, rolePage, 'json'],
  ['GET accounts', (api) => api.get(`/Organizations/${organization}/Accounts`), 200, accountPage, 'json'],
  ['GET accounts, refused', (api) => api.get(`/Organizations/OR${'f'.repeat(32)}/Accounts`), 403, listError, 'json'],
])('%s answers as described', async (_, ask, status, schema, type) => {
  await using api = await startApi({ seed });

  const answer = await ask(api);

  expect(answer.status).toBe(status);
  expect(answer.headers.get('content-type')).toBe(`application/${type}`);
  expect(answer.headers.get('twilio-request-id')).toMatch(/^RQ[0-9a-f]{32}$/);
  expect(schema.safeParse(answer.body).error).toBeUndefined();
});

test('answers that make no promise about a body have none', async () => {
  await using api = await startApi({ seed });

  const { sid: assignment } = (await api.get(assignments)).body.content[0];
  const answers = [await api.delete(`${assignments}/${assignment}`), await api.delete(`${users}/${mira}`)];

  expect(answers.map(({ status, text, headers }) => [status, text, headers.get('content-type')])).toEqual([
    [204, '', null],
    [204, '', null],
  ]);
});

test('every list page but the last links to the next, down to pages of one row', async () => {
  await using api = await startApi({ seed });
  await api.post(assignments, row);
  const seen: string[] = [];

  for (let next: string | null = `${assignments}?PageSize=1&Identity=${mira}`; next !== null; ) {
    const page = roleAssignmentPage.parse((await api.get(next)).body);
    seen.push(...page.content.map(({ role_sid: role }) => role));
    next = page.meta.next_page_url;
  }

  expect(seen).toEqual([developer, row.role_sid]);
});
