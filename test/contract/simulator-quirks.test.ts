import { expect, test } from 'vitest';
import { createQuirks, quirkDefinitions } from '../../src/simulator/quirks.ts';
import { person, startApi, withFilter } from './simulator-harness.ts';

const users = '/scim/v2/Users';
const mira = `${users}/US00000000000000000000000000000001`;
const gone = `${users}/US00000000000000000000000000000002`;
const seed = {
  ownerUserName: null,
  users: [
    {
      externalId: 'emp-1',
      userName: 'mira@corp.example',
      displayName: 'Mira',
      name: { givenName: 'Mira' },
      locale: 'en-US',
    },
    { externalId: 'emp-2', userName: 'gone@corp.example', active: false },
    { externalId: 'emp-3', userName: 'blocked@corp.example', suspended: true },
    { externalId: 'emp-4', userName: 'noor@corp.example' },
  ],
};

test('every switch accepts its own default and explains itself', () => {
  const quirks = createQuirks();

  for (const [name, definition] of Object.entries(quirkDefinitions)) {
    expect(definition.accepts(quirks[name as keyof typeof quirks]), name).toBe(true);
    expect(definition.about, name).toMatch(/^\S.+\.$/s);
  }
});

test('a list can be cut short, with an honest total or not', async () => {
  await using api = await startApi({ seed, quirks: { listLimit: 2 } });

  const honest = (await api.get(users)).body;
  api.simulator.quirks.totalResults = 'returned';
  const silent = (await api.get(users)).body;

  expect([honest.totalResults, honest.Resources.length]).toEqual([4, 2]);
  expect([silent.totalResults, silent.Resources.length]).toEqual([2, 2]);
});

test('a list can look paged', async () => {
  await using api = await startApi({ seed, quirks: { listAnnounces: 'startIndex' } });

  const indexed = (await api.get(users)).body;
  api.simulator.quirks.listAnnounces = 'next';
  const linked = (await api.get(users)).body;

  expect(indexed).toMatchObject({ startIndex: 1, itemsPerPage: 4, totalResults: 4 });
  expect(linked.meta.next_page_url).toEqual(expect.any(String));
});

test('paging parameters can be refused', async () => {
  await using api = await startApi({ seed, quirks: { pagingParameters: 'refused' } });

  expect((await api.get(`${users}?startIndex=1`)).body.code).toBe(25001);
});

test('an empty list can lack Resources', async () => {
  await using api = await startApi({ seed, quirks: { emptyList: 'absent' } });

  const { body } = await api.get(withFilter('userName', 'nobody@corp.example'));

  expect(body).toEqual({ schemas: [expect.any(String)], totalResults: 0 });
});

test('inactive and suspended people can be hidden from the list, and from filters too', async () => {
  await using api = await startApi({
    seed,
    quirks: { inactiveInList: 'hidden', suspendedInList: 'hidden-from-filters' },
  });

  const { body } = await api.get(users);
  const byName = async (name: string) => (await api.get(withFilter('userName', name))).body.totalResults;

  expect([body.totalResults, body.Resources.length]).toEqual([2, 2]);
  expect([await byName('gone@corp.example'), await byName('blocked@corp.example')]).toEqual([1, 0]);
  expect((await api.get(gone)).status).toBe(200);
});

test('a suspended person can show as active', async () => {
  await using api = await startApi({ seed, quirks: { suspendedShows: 'active' } });

  const { body } = await api.get(withFilter('userName', 'blocked@corp.example'));

  expect(body.Resources[0].active).toBe(true);
});

test('what the list shows follows a switch and a change at once, though its pages are kept', async () => {
  await using api = await startApi({ seed });
  const list = async () => (await api.get(users)).body.Resources;

  const before = await list();
  api.simulator.quirks.emptyText = 'empty';
  const empty = await list();
  await api.put(mira, person('mira', { displayName: 'Changed' }));
  const changed = await list();

  expect(before[1]).not.toHaveProperty('displayName');
  expect(empty[1]).toMatchObject({ displayName: '', name: { givenName: '', familyName: '' } });
  expect(changed[0]).toMatchObject({ displayName: 'Changed', locale: '' });
});

test('filters by userName can be exact', async () => {
  await using api = await startApi({ seed, quirks: { userNameFilter: 'exact' } });

  expect((await api.get(withFilter('userName', 'MIRA@corp.example'))).body.totalResults).toBe(0);
});

test('the server can rewrite addresses, spaces, Unicode and locales', async () => {
  await using api = await startApi({
    seed,
    quirks: { userNameCase: 'lower', text: 'collapsed', unicode: 'NFC', localeForm: 'rewritten' },
  });

  const { body } = await api.post(users, person('Ada.B', { displayName: ' Ada   Bjo\u0308rk ', locale: 'en-US' }));

  expect(body).toMatchObject({ userName: 'ada.b@corp.example', displayName: 'Ada Björk', locale: 'en_US' });
  expect(body.emails[0].value).toBe('ada.b@corp.example');
});

test('what a PUT leaves out can be kept, and a missing active can activate', async () => {
  await using api = await startApi({ seed, quirks: { omittedOnPut: 'kept' } });

  const kept = await api.put(mira, { userName: 'mira@corp.example' });
  Object.assign(api.simulator.quirks, { omittedOnPut: 'cleared', omittedActiveOnPut: 'true' });
  const activated = await api.put(gone, person('gone'));

  expect(kept.body).toMatchObject({ displayName: 'Mira', locale: 'en-US', name: { givenName: 'Mira' } });
  expect(activated.body.active).toBe(true);
});

test('renames, reactivations and patches can be refused', async () => {
  await using api = await startApi({ seed, quirks: { rename: '25012', reactivation: 'refused', patch: 'refused' } });

  const renamed = await api.put(mira, person('mira.reis'));
  const kept = await api.put(mira, person('mira'));
  const reactivated = await api.put(gone, person('gone', { active: true }));
  const patched = await api.patch(mira, [{ op: 'replace', path: 'active', value: false }]);

  expect([renamed.body.code, kept.status]).toEqual([25012, 200]);
  expect([reactivated.status, reactivated.body.code]).toEqual([400, 25009]);
  expect([patched.status, patched.body.code]).toEqual([403, 20003]);
});

test('reactivation can send another mail, and creation can ignore or refuse active: false', async () => {
  await using api = await startApi({
    seed,
    quirks: { welcomeMail: 'create-and-reactivate', createInactive: 'ignored' },
  });

  await api.put(gone, person('gone', { active: true }));
  const ignored = await api.post(users, person('ada', { active: false }));
  api.simulator.quirks.createInactive = 'refused';
  const refused = await api.post(users, person('ben', { active: false }));

  expect(ignored.body.active).toBe(true);
  expect(refused.body.code).toBe(25006);
  expect(api.simulator.state.mails.map(({ to, reason }) => [to, reason])).toEqual([
    ['gone@corp.example', 'reactivated'],
    ['ada@corp.example', 'created'],
  ]);
});

test('versions can be quoted, stand in an ETag, and conflicts be 412', async () => {
  await using api = await startApi({ seed, quirks: { versionForm: 'quoted', etag: true, conflictStatus: 412 } });

  const { headers, body } = await api.get(mira);
  const plain = await api.put(mira, person('mira'), { 'if-match': 'W/1' });
  api.simulator.quirks.ifMatch = 'lenient';
  const lenient = await api.put(mira, person('mira'), { 'if-match': 'W/1' });

  expect([headers.get('etag'), body.meta.version]).toEqual(['W/"1"', 'W/"1"']);
  expect([plain.status, plain.body.code, lenient.status]).toEqual([412, 25020, 200]);
});

test('versions can be absent, and not looked at', async () => {
  await using api = await startApi({ seed, quirks: { versionForm: 'absent', ifMatch: 'ignored', updateStatus: 204 } });

  const { body } = await api.get(mira);
  const stale = await api.put(mira, person('mira'), { 'if-match': 'W/99' });

  expect(body.meta).not.toHaveProperty('version');
  expect([stale.status, stale.text]).toEqual([204, '']);
});

test('duplicates can be 400 with a scimType, and unverified domains 403', async () => {
  await using api = await startApi({
    seed,
    quirks: { duplicateStatus: 400, duplicateScimType: true, forbiddenStatus: 403 },
  });

  const duplicate = await api.post(users, person('mira'));
  const foreign = await api.post(users, { userName: 'a@x.example', emails: [{ value: 'a@x.example' }] });

  expect(duplicate.body).toMatchObject({ code: 25022, status: '400', scimType: 'uniqueness' });
  expect(foreign.body).toMatchObject({ code: 25017, status: '403' });
});

test('success can come with other codes and without bodies', async () => {
  await using api = await startApi({ seed, quirks: { createStatus: 200, deleteStatus: 202, writeBody: 'empty' } });

  const created = await api.post(users, person('ada'));
  const deleted = await api.delete(mira);
  api.simulator.quirks.deleteStatus = 200;
  const withBody = await api.delete(mira);

  expect([created.status, created.text]).toEqual([200, '']);
  expect([deleted.status, deleted.text]).toEqual([202, '']);
  expect([withBody.status, withBody.body]).toEqual([200, { deleted: true }]);
});

test('errors can be spelled otherwise, lack their code, and come as plain text', async () => {
  await using api = await startApi({ seed, quirks: { errorKeys: 'snake', errorStatus: 'number' } });

  const snake = await api.get(`${users}/US${'f'.repeat(32)}`);
  Object.assign(api.simulator.quirks, { errorKeys: 'camel', errorCodes: 'absent', errorContentType: 'text/plain' });
  const bare = await api.get('/v2/Organizations/RoleAssignments?PageSize=0');

  expect(snake.body).toMatchObject({ more_info: expect.any(String), status: 404, code: 25008 });
  expect(bare.body).toEqual({ message: expect.any(String), status: 400 });
  expect(bare.headers.get('content-type')).toBe('text/plain');
});

test('answers can hold properties that nobody knows', async () => {
  await using api = await startApi({ seed, quirks: { unknownProperties: true } });

  const { body } = await api.get(users);

  expect(body).toHaveProperty('generatedBy');
  expect(body.Resources[0]).toHaveProperty('preferences');
});
