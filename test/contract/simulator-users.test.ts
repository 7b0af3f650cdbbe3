import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Api, person, startApi, withFilter } from './simulator-harness.ts';

const users = '/scim/v2/Users';
const unknown = `${users}/US000000000000000000000000000000ff`;

const seed = {
  domains: ['corp.example', 'branch.example'],
  outsideAddresses: ['freelancer@corp.example'],
  users: [
    {
      externalId: 'emp-1',
      userName: 'mira.oduya@corp.example',
      displayName: 'Mira Oduya',
      name: { givenName: 'Mira', familyName: 'Oduya' },
      locale: 'en-US',
      timezone: 'Europe/Lisbon',
    },
    { externalId: 'emp-2', userName: 'gone@corp.example', active: false },
    { externalId: 'emp-3', userName: 'blocked@corp.example', suspended: true },
  ],
};
const mira = `${users}/US00000000000000000000000000000001`;
const gone = `${users}/US00000000000000000000000000000002`;
const blocked = `${users}/US00000000000000000000000000000003`;
const owner = `${users}/US00000000000000000000000000000004`;

let api: Api;
beforeAll(async () => {
  api = await startApi({ seed });
});
afterAll(() => api.close());

/** Each test changes its own organization. */
async function fresh(options: Parameters<typeof startApi>[0] = {}): Promise<Api> {
  return startApi({ seed, ...options });
}

describe('reading', () => {
  test('a person comes back as a SCIM user', async () => {
    const { status, headers, body } = await api.get(mira);

    expect(status).toBe(200);
    expect(headers.get('content-type')).toBe('application/scim+json');
    expect(headers.get('twilio-request-id')).toMatch(/^RQ[0-9a-f]{32}$/);
    expect(body).toEqual({
      schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'],
      id: 'US00000000000000000000000000000001',
      externalId: 'emp-1',
      userName: 'mira.oduya@corp.example',
      displayName: 'Mira Oduya',
      name: { givenName: 'Mira', familyName: 'Oduya' },
      emails: [{ primary: true, value: 'mira.oduya@corp.example', type: 'work' }],
      active: true,
      locale: 'en-US',
      timezone: 'Europe/Lisbon',
      meta: {
        resourceType: 'user',
        created: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/),
        lastModified: expect.any(String),
        version: 'W/1',
      },
    });
  });

  test('an unknown person is 404 with code 25008 in a SCIM error', async () => {
    const { status, headers, body } = await api.get(unknown);

    expect(status).toBe(404);
    expect(headers.get('content-type')).toBe('application/scim+json');
    expect(body).toEqual({
      schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'],
      detail: 'User not found',
      status: '404',
      code: 25008,
      moreInfo: 'https://www.twilio.com/docs/errors/25008',
    });
  });

  test('the list holds everybody, the inactive, suspended and owner included, without any paging', async () => {
    const { status, body } = await api.get(users);

    expect(status).toBe(200);
    expect(Object.keys(body)).toEqual(['schemas', 'totalResults', 'Resources']);
    expect(body.totalResults).toBe(4);
    expect(body.Resources.map((user: { userName: string; active: boolean }) => [user.userName, user.active])).toEqual([
      ['mira.oduya@corp.example', true],
      ['gone@corp.example', false],
      ['blocked@corp.example', false],
      ['owner@corp.example', true],
    ]);
  });

  test.each([
    ['userName', 'mira.oduya@corp.example', 1],
    ['userName', 'MIRA.Oduya@corp.example', 1],
    ['username', 'gone@corp.example', 1],
    ['externalId', 'emp-1', 1],
    ['externalId', 'EMP-1', 0],
    ['userName', 'freelancer@corp.example', 0],
    ['userName', 'a "quoted\\ name', 0],
  ])('the filter %s eq "%s" finds %i', async (attribute, value, found) => {
    const { status, body } = await api.get(withFilter(attribute, value));

    expect(status).toBe(200);
    expect(body.totalResults).toBe(found);
    expect(body.Resources).toHaveLength(found);
  });

  test.each([
    'displayName eq "Mira"',
    'userName sw "mira"',
    'userName eq mira',
    'userName eq "a" or userName eq "b"',
    'userName',
    '',
  ])('the filter <%s> is refused with 25001', async (filter) => {
    const { status, body } = await api.get(`${users}?filter=${encodeURIComponent(filter)}`);

    expect(status).toBe(400);
    expect(body).toMatchObject({ code: 25001, scimType: 'invalidFilter', status: '400' });
  });

  test('paging parameters are ignored', async () => {
    const { body } = await api.get(`${users}?startIndex=2&count=1`);

    expect(body.Resources).toHaveLength(4);
  });
});

describe('creating', () => {
  test('a person gets 201, a SID, a first version and one welcome mail', async () => {
    await using own = await fresh();

    const { status, body } = await own.post(users, person('ada', { externalId: 'emp-9', displayName: 'Ada' }));

    expect(status).toBe(201);
    expect(body).toMatchObject({ externalId: 'emp-9', userName: 'ada@corp.example', active: true, displayName: 'Ada' });
    expect(body.id).toMatch(/^US[0-9a-f]{32}$/);
    expect(body.meta.version).toBe('W/1');
    expect((await own.get(`${users}/${body.id}`)).body).toEqual(body);
    expect((await own.get(withFilter('externalId', 'emp-9'))).body.Resources).toEqual([body]);
    expect(own.simulator.state.mails.map(({ to }) => to)).toEqual(['ada@corp.example']);
  });

  test('a single address is primary without saying so', async () => {
    await using own = await fresh();

    const { status } = await own.post(users, { userName: 'x.y@corp.example', emails: [{ value: 'x.y@corp.example' }] });

    expect(status).toBe(201);
  });

  const two = [{ value: 'ada@corp.example' }, { value: 'b@corp.example' }];
  test.each<[string, number, number, unknown]>([
    ['the body is not JSON', 400, 25006, '{'],
    ['the body is a list', 400, 25006, []],
    ['schemas name something else', 400, 25006, person('ada', { schemas: ['urn:made-up'] })],
    ['active is text', 400, 25006, person('ada', { active: 'true' })],
    ['displayName is a number', 400, 25006, person('ada', { displayName: 7 })],
    ['displayName is too long', 400, 25006, person('ada', { displayName: 'x'.repeat(256) })],
    ['emails is an object', 400, 25006, person('ada', { emails: {} })],
    ['givenName has one letter', 400, 25002, person('ada', { name: { givenName: 'A' } })],
    ['givenName is too long', 400, 25002, person('ada', { name: { givenName: 'x'.repeat(256) } })],
    ['familyName has one letter', 400, 25003, person('ada', { name: { familyName: 'X' } })],
    ['externalId has one letter', 400, 25004, person('ada', { externalId: '7' })],
    ['externalId is too long', 400, 25004, person('ada', { externalId: 'x'.repeat(256) })],
    ['userName is missing', 400, 25005, { emails: [{ value: 'ada@corp.example' }] }],
    ['userName has one letter', 400, 25005, person('ada', { userName: 'a' })],
    ['userName is too long', 400, 25005, person('ada', { userName: `${'x'.repeat(255)}@corp.example` })],
    ['emails are missing', 400, 25010, { userName: 'ada@corp.example' }],
    ['emails are empty', 400, 25010, person('ada', { emails: [] })],
    ['none of several emails is primary', 400, 25010, person('ada', { emails: two })],
    ['the address has no @', 400, 25011, person('ada', { emails: [{ value: 'ada' }] })],
    ['the address is longer than 160', 400, 25011, person('x'.repeat(160))],
    ['the address differs from userName', 400, 25014, person('ada', { emails: [{ value: 'b@corp.example' }] })],
    [
      'the domain is not verified',
      400,
      25017,
      person('ada', { userName: 'a@x.example', emails: [{ value: 'a@x.example' }] }),
    ],
    ['the address is taken', 409, 25022, person('Mira.Oduya')],
    ['the address belongs to an inactive person', 409, 25022, person('gone')],
    ['the address is taken outside the organization', 409, 25022, person('Freelancer')],
    ['the externalId is taken', 409, 25022, person('ada', { externalId: 'emp-1' })],
  ])('when %s: %i with code %i, and nothing happens', async (_, expected, code, sent) => {
    const before = api.simulator.snapshot();

    const { status, body } = await api.post(users, sent);

    expect(status).toBe(expected);
    expect(body).toMatchObject({ code, status: String(expected), detail: expect.any(String) });
    expect(api.simulator.snapshot()).toEqual(before);
  });

  test('25014 and 25005 carry scimType invalidValue, a duplicate carries none', async () => {
    const differs = await api.post(users, person('ada', { emails: [{ value: 'b@corp.example' }] }));
    const missing = await api.post(users, { emails: [{ value: 'b@corp.example' }] });
    const duplicate = await api.post(users, person('gone'));

    expect([differs, missing, duplicate].map(({ body }) => body.scimType)).toEqual([
      'invalidValue',
      'invalidValue',
      undefined,
    ]);
  });

  test('names of one letter pass where only the schema counts', async () => {
    await using own = await fresh({ quirks: { nameMinimum: 0 } });

    const { status } = await own.post(users, person('ada', { name: { givenName: 'A', familyName: '' } }));

    expect(status).toBe(201);
  });

  test('the quota of managed users ends creation with 25007', async () => {
    await using own = await fresh({ seed: { ...seed, quota: 5 } });

    const last = await own.post(users, person('fifth'));
    const over = await own.post(users, person('sixth'));

    expect(last.status).toBe(201);
    expect(over.body).toMatchObject({ code: 25007, status: '400' });
  });
});

describe('replacing', () => {
  test('a PUT replaces what it names, clears what it leaves out, and raises the version', async () => {
    await using own = await fresh();

    const { status, body } = await own.put(mira, person('mira.oduya', { displayName: 'Mira O.', locale: 'pt-PT' }));

    expect(status).toBe(200);
    expect(body).toMatchObject({ displayName: 'Mira O.', locale: 'pt-PT', active: true, externalId: 'emp-1' });
    expect(body).not.toHaveProperty('timezone');
    expect(body).not.toHaveProperty('name');
    expect(body.meta.version).toBe('W/2');
    expect((await own.get(mira)).body).toEqual(body);
  });

  test('writing back what was read changes nothing but the version', async () => {
    await using own = await fresh();
    const { body: before } = await own.get(mira);

    const { body: after } = await own.put(mira, before);

    expect(after).toEqual({ ...before, meta: { ...before.meta, version: 'W/2', lastModified: expect.any(String) } });
  });

  test('a rename moves userName and primary address together and frees the old address', async () => {
    await using own = await fresh();

    const renamed = await own.put(mira, person('mira.reis'));

    expect(renamed.body.userName).toBe('mira.reis@corp.example');
    expect((await own.get(withFilter('userName', 'mira.oduya@corp.example'))).body.totalResults).toBe(0);
    expect((await own.post(users, person('mira.oduya'))).status).toBe(201);
  });

  test.each<[string, string, number, number, Record<string, unknown>]>([
    ['an unknown person', unknown, 404, 25008, person('ada')],
    ['the Organization Owner', owner, 400, 25016, person('owner')],
    ['a suspended person', blocked, 400, 25009, person('blocked')],
    ['no userName', mira, 400, 25005, { displayName: 'Mira' }],
    [
      'only half of a rename',
      mira,
      400,
      25014,
      person('mira.reis', { emails: [{ value: 'mira.oduya@corp.example' }] }),
    ],
    ['a rename to a taken address', mira, 409, 25022, person('gone')],
    ['a rename to an address taken outside', mira, 409, 25022, person('freelancer')],
    ['a rename to a foreign domain', mira, 400, 25017, { userName: 'm@x.example', emails: [{ value: 'm@x.example' }] }],
    ['a name that is too short', mira, 400, 25002, person('mira.oduya', { name: { givenName: 'M' } })],
  ])('%s: refused', async (_, path, expected, code, body) => {
    const before = api.simulator.snapshot();

    const answer = await api.put(path, body);

    expect(answer.status).toBe(expected);
    expect(answer.body.code).toBe(code);
    expect(api.simulator.snapshot()).toEqual(before);
  });

  test('an old version is a conflict, in If-Match as in the body, and the header wins', async () => {
    await using own = await fresh();
    await own.put(mira, person('mira.oduya'));
    const stale = person('mira.oduya', { meta: { version: 'W/1' } });

    const byBody = await own.put(mira, stale);
    const byHeader = await own.put(mira, person('mira.oduya'), { 'if-match': 'W/1' });
    const headerWins = await own.put(mira, stale, { 'if-match': 'W/2' });
    const unlocked = await own.put(mira, person('mira.oduya'));

    expect([byBody.status, byHeader.status, headerWins.status, unlocked.status]).toEqual([409, 409, 200, 200]);
    expect(byBody.body).toMatchObject({ code: 25020, status: '409' });
    expect(unlocked.body.meta.version).toBe('W/4');
  });

  test('active decides about deactivation and return, and the address stays taken meanwhile', async () => {
    await using own = await fresh();

    const off = await own.put(mira, person('mira.oduya', { active: false }));
    const taken = await own.post(users, person('mira.oduya'));
    const on = await own.put(mira, person('mira.oduya', { active: true }));

    expect(off.body.active).toBe(false);
    expect(taken.body.code).toBe(25022);
    expect(on.body.active).toBe(true);
    expect(own.simulator.state.mails).toEqual([]);
  });

  test('an externalId in a PUT is ignored unless the switch says it is stored or refused', async () => {
    await using own = await fresh();
    const changed = person('mira.oduya', { externalId: 'emp-77' });

    const ignored = await own.put(mira, changed);
    own.simulator.quirks.externalIdOnPut = 'refused';
    const refused = await own.put(mira, changed);
    own.simulator.quirks.externalIdOnPut = 'stored';
    const stored = await own.put(mira, changed);
    const taken = await own.put(mira, person('mira.oduya', { externalId: 'emp-2' }));

    expect(ignored.body.externalId).toBe('emp-1');
    expect(refused.body).toMatchObject({ code: 25006, scimType: 'mutability' });
    expect(stored.body.externalId).toBe('emp-77');
    expect(taken.body.code).toBe(25022);
    expect((await own.get(withFilter('externalId', 'emp-77'))).body.totalResults).toBe(1);
    expect((await own.get(withFilter('externalId', 'emp-1'))).body.totalResults).toBe(0);
  });
});

describe('patching', () => {
  test('replace operations change what they name and nothing else', async () => {
    await using own = await fresh();

    const { status, body } = await own.patch(mira, [
      { op: 'replace', path: 'name.familyName', value: 'Oduya-Reis' },
      { op: 'Replace', path: 'active', value: false },
      { op: 'replace', value: { displayName: 'Mira Reis', name: { givenName: 'Mirabel' } } },
    ]);

    expect(status).toBe(200);
    expect(body).toMatchObject({
      name: { givenName: 'Mirabel', familyName: 'Oduya-Reis' },
      displayName: 'Mira Reis',
      active: false,
      locale: 'en-US',
      meta: { version: 'W/2' },
    });
  });

  test('an address changes by both operations, and by the e-mail alone with userName following', async () => {
    await using own = await fresh();
    const email = 'emails[primary eq true].value';

    const both = await own.patch(mira, [
      { op: 'replace', path: 'userName', value: 'mira.reis@corp.example' },
      { op: 'replace', path: email, value: 'mira.reis@corp.example' },
    ]);
    const alone = await own.patch(mira, [{ op: 'replace', path: email, value: 'm.reis@branch.example' }]);
    const half = await own.patch(mira, [{ op: 'replace', path: 'userName', value: 'other@corp.example' }]);

    expect(both.body.userName).toBe('mira.reis@corp.example');
    expect(alone.body).toMatchObject({
      userName: 'm.reis@branch.example',
      emails: [{ value: 'm.reis@branch.example' }],
    });
    expect(half.body.code).toBe(25014);
  });

  test('an unknown path is passed over in silence', async () => {
    await using own = await fresh();

    const { status, body } = await own.patch(mira, [{ op: 'replace', path: 'nickName', value: 'M' }]);

    expect(status).toBe(200);
    expect(body.displayName).toBe('Mira Oduya');
  });

  test.each<[string, unknown]>([
    ['add', [{ op: 'add', path: 'displayName', value: 'x' }]],
    ['remove', [{ op: 'remove', path: 'displayName' }]],
    ['no value', [{ op: 'replace', path: 'displayName' }]],
    ['no operations', []],
    ['text for active', [{ op: 'replace', path: 'active', value: 'false' }]],
    [
      'one bad operation among good ones',
      [
        { op: 'replace', path: 'displayName', value: 'x' },
        { op: 'add', path: 'locale' },
      ],
    ],
  ])('a patch with %s is 25015 and changes nothing', async (_, operations) => {
    const before = api.simulator.snapshot();

    const { status, body } = await api.patch(mira, operations);

    expect(status).toBe(400);
    expect(body.code).toBe(25015);
    expect(api.simulator.snapshot()).toEqual(before);
  });

  test('locking is by header only, and the states that refuse a PUT refuse a patch', async () => {
    await using own = await fresh();
    const operations = [{ op: 'replace', path: 'displayName', value: 'x' }];

    const conflict = await own.patch(mira, operations, { 'if-match': 'W/9' });
    const ofOwner = await own.patch(owner, operations);
    const ofBlocked = await own.patch(blocked, operations);
    const ofUnknown = await own.patch(unknown, operations);

    expect([conflict, ofOwner, ofBlocked, ofUnknown].map(({ body }) => body.code)).toEqual([
      25020, 25016, 25009, 25008,
    ]);
  });
});

describe('deleting', () => {
  test('a delete deactivates with 204 and no body, and a second one is no error', async () => {
    await using own = await fresh();

    const first = await own.delete(mira);
    const second = await own.delete(mira);

    expect([first.status, first.text, second.status]).toEqual([204, '', 204]);
    expect((await own.get(mira)).body).toMatchObject({ active: false, externalId: 'emp-1', meta: { version: 'W/2' } });
  });

  test.each([
    [unknown, 404, 25008],
    [owner, 400, 25016],
    [blocked, 400, 25009],
  ])('%s: %i with code %i', async (path, expected, code) => {
    const { status, body } = await api.delete(path);

    expect(status).toBe(expected);
    expect(body.code).toBe(code);
  });

  test('an inactive person can be deleted again under each of the known answers', async () => {
    const answers: number[] = [];
    for (const doubleDeactivation of [204, 404, 400] as const) {
      api.simulator.quirks.doubleDeactivation = doubleDeactivation;
      answers.push((await api.delete(gone)).status);
    }

    expect(answers).toEqual([204, 404, 400]);
  });
});

test('paths and methods that do not exist are 404 and 405', async () => {
  const path = await api.get('/scim/v2/Groups');
  const method = await api.delete(users);

  expect([path.status, path.body.code]).toEqual([404, 20404]);
  expect([method.status, method.body.code]).toEqual([405, 20004]);
});
