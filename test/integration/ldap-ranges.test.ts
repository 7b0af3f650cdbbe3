/** Value ranges, as Active Directory sends them of its own accord and no free server does. */
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { SourceIncompleteError } from '../../src/errors.ts';
import { createLdapSource } from '../../src/sources/ldap/ldap-source.ts';
import {
  createTestLogger,
  demandOf,
  failureOf,
  ldapOptions,
  type OptionChanges,
  readAll,
} from '../support/ldap-reading.ts';
import { type LdapServer, type Reply, type Script, type SeenSearch, startLdapServer } from '../support/ldap-server.ts';

let servers: LdapServer[] = [];

afterEach(async () => {
  await Promise.all(servers.map((server) => server.stop()));
  servers = [];
});

async function serve(search: Script['search']): Promise<LdapServer> {
  const server = await startLdapServer({ search });
  servers.push(server);
  return server;
}

function sourceOf(server: LdapServer, changes: OptionChanges = {}) {
  return createLdapSource(ldapOptions(server.url, changes), createTestLogger());
}

const demand = demandOf({ groups: ['devs'] });
const devsDn = 'CN=devs,OU=groups,DC=x';

function userDn(index: number): string {
  return `CN=u${index},OU=people,DC=x`;
}

function user(index: number, more: Readonly<Record<string, readonly string[]>> = {}): Reply {
  return { entry: userDn(index), attributes: { entryUUID: [`id-${index}`], mail: [`u${index}@x`], ...more } };
}

const done: Reply = { done: { cookie: '' } };
const doneWithoutPages: Reply = { done: {} };

function dns(from: number, to: number): readonly string[] {
  return Array.from({ length: to - from }, (_, index) => userDn(from + index));
}

/** What Active Directory answers for an attribute: everything up to `most` values, else an empty list beside the first or asked range. */
function valuesOf(
  name: string,
  all: readonly string[],
  most: number,
  search: SeenSearch,
): Record<string, readonly string[]> {
  const asked = search.attributes.find((one) => one.startsWith(`${name.toLowerCase()};range=`));
  const first = asked === undefined ? 0 : Number(/=(\d+)-\*$/.exec(asked)?.[1]);
  if (asked === undefined && all.length <= most) return { [name]: all };
  const values = all.slice(first, first + most);
  if (values.length === 0) return {};
  const last = first + values.length === all.length ? '*' : String(first + values.length - 1);
  return { ...(asked === undefined && { [name]: [] }), [`${name};range=${first}-${last}`]: values };
}

function isRange(search: SeenSearch): boolean {
  return search.scope === 'base';
}

/** A group of `members` below the groups, of which at most `most` show at once, and `people` below the people. */
function directory(members: readonly string[], most: number, people: readonly Reply[]): Script['search'] {
  return (search) => {
    if (isRange(search))
      return [{ entry: devsDn, attributes: valuesOf('member', members, most, search) }, doneWithoutPages];
    if (!search.base.startsWith('ou=groups')) return [...people, done];
    return [{ entry: devsDn, attributes: { cn: ['devs'], ...valuesOf('member', members, most, search) } }, done];
  };
}

async function membersRead(server: LdapServer): Promise<number> {
  const entries = await readAll(sourceOf(server), demand);
  return entries.filter(({ groups }) => groups.includes('devs')).length;
}

describe('a group that comes with a part of its members', () => {
  test.each([
    [1, 1500],
    [1500, 1500],
    [1501, 1500],
    [2999, 1500],
    [3000, 1500],
    [7, 2],
    [4, 2],
  ])('has all %i of them when %i come at once', async (count, most) => {
    const server = await serve(
      directory(
        dns(0, count),
        most,
        dns(0, count + 3).map((_, index) => user(index)),
      ),
    );

    expect(await membersRead(server)).toBe(count);
  });

  test('has all 100,000 of them, each read once but for the last of each part', async () => {
    const server = await serve(directory(dns(0, 100_000), 1500, [user(0), user(99_999), user(100_000)]));

    const entries = await readAll(sourceOf(server), demand);

    expect(entries.map(({ groups }) => groups)).toEqual([['devs'], ['devs'], []]);
    expect(server.searches.filter(isRange)).toHaveLength(66);
  });

  test('is asked for the rest by name, from the last known value on, with nothing else', async () => {
    const server = await serve(directory(dns(0, 5), 2, [user(4)]));

    await readAll(sourceOf(server), demand);

    expect(server.searches.filter(isRange)).toMatchObject(
      [1, 2, 3].map((from) => ({
        base: devsDn,
        scope: 'base',
        attributes: [`member;range=${from}-*`],
        pageSize: undefined,
      })),
    );
  });

  test('is completed whatever letter case the server uses', async () => {
    const server = await serve((search) => {
      if (isRange(search)) return [{ entry: devsDn, attributes: { 'MEMBER;RANGE=1-*': dns(1, 3) } }, doneWithoutPages];
      if (!search.base.startsWith('ou=groups')) return [user(0), user(2), done];
      return [{ entry: devsDn, attributes: { CN: ['devs'], 'Member;Range=0-1': dns(0, 2) } }, done];
    });

    expect(await membersRead(server)).toBe(2);
  });

  test('may get the rest without a range, which is then everything', async () => {
    const server = await serve((search) => {
      if (isRange(search)) return [{ entry: devsDn, attributes: { member: dns(0, 3) } }, doneWithoutPages];
      if (!search.base.startsWith('ou=groups')) return [user(0), user(1), user(2), done];
      return [{ entry: devsDn, attributes: { cn: ['devs'], 'member;range=0-1': dns(0, 2) } }, done];
    });

    expect(await membersRead(server)).toBe(3);
  });
});

test('users with many groups are completed when their page has ended, and the next page follows', async () => {
  const groups = (index: number) => [`CN=g${index}`, `CN=h${index}`, devsDn];
  const server = await serve((search, index) => {
    if (isRange(search)) {
      const number = Number(/u(\d+),/.exec(search.base)?.[1]);
      return [{ entry: search.base, attributes: valuesOf('memberOf', groups(number), 2, search) }, doneWithoutPages];
    }
    if (search.base.startsWith('ou=groups')) return [{ entry: devsDn, attributes: { cn: ['devs'] } }, done];
    const page = search.cookie === '' ? 0 : Number(search.cookie);
    const numbers = [page * 3, page * 3 + 1, page * 3 + 2];
    const replies = numbers.map((number) =>
      user(number, number % 2 === 0 ? valuesOf('memberOf', groups(number), 2, search) : {}),
    );
    expect(index).toBe(server.searches.length - 1);
    return [...replies, { done: { cookie: page === 2 ? '' : String(page + 1) } }];
  });

  const entries = await readAll(sourceOf(server, { groups: { membership: ['memberOf'] } }), demand);

  expect(new Map(entries.map(({ id, groups: names }) => [id, names.length]))).toEqual(
    new Map(Array.from({ length: 9 }, (_, index) => [`id-${index}`, index % 2 === 0 ? 1 : 0])),
  );
  expect(
    server.searches.map((search) => (isRange(search) ? search.base.slice(3, 5) : search.cookie || 'first')),
  ).toEqual([...['first', 'first', 'u0', 'u2', '1', 'u4', '2', 'u6', 'u8']]);
});

test('several attributes of one entry are completed one after the other', async () => {
  const values = (name: string) => Array.from({ length: 4 }, (_, index) => `${name} ${index}`);
  const server = await serve((search) => {
    const parts = ['mail', 'tel'].map((name) => valuesOf(name, values(name), 3, search));
    if (!isRange(search))
      return [{ entry: userDn(1), attributes: Object.assign({ entryUUID: ['id-1'] }, ...parts) }, done];
    const name = search.attributes[0]?.split(';')[0] ?? '';
    return [{ entry: userDn(1), attributes: valuesOf(name, values(name), 3, search) }, doneWithoutPages];
  });

  const [entry] = await readAll(sourceOf(server), demandOf({ attributes: ['mail', 'tel'] }));

  expect(entry?.attributes).toEqual({ mail: values('mail'), tel: values('tel') });
});

/** The group's first part is 0-1; these are the answers to what is asked then. */
const faults: readonly (readonly [string, readonly Reply[], string])[] = [
  ['is gone', [{ done: { code: 32 } }], 'it went away, or lost member'],
  ['does not show any more', [doneWithoutPages], 'it went away, or lost member'],
  ['lost its members', part({}), 'it went away, or lost member'],
  [
    'leaves a gap',
    part({ 'member;range=2-*': dns(2, 4) }),
    'sends member;range=2-* where the values from 1 on are due',
  ],
  [
    'begins again',
    part({ 'member;range=0-1': dns(0, 2) }),
    'sends member;range=0-1 where the values from 1 on are due',
  ],
  ['brings nothing new', part({ 'member;range=1-1': dns(1, 2) }), 'which brings nothing new'],
  ['sends fewer values than it says', part({ 'member;range=1-3': dns(1, 3) }), 'sends member;range=1-3 with 2 values'],
  ['sends more values than it says', part({ 'member;range=1-2': dns(1, 4) }), 'sends member;range=1-2 with 3 values'],
  ['sends a part without a value', part({ 'member;range=1-*': [] }), 'without a value'],
  ['sends a range that makes no sense', part({ 'member;range=rest': dns(1, 4) }), 'sends member;range=rest where'],
  [
    'lost a member of the part that is known',
    part({ 'member;range=1-*': dns(2, 4) }),
    'value 1 of member is another one than before: values came or went during the read',
  ],
  ['names a member twice', part({ 'member;range=1-*': [userDn(1), userDn(0)] }), 'a value of member came twice'],
  ['is refused', [{ done: { code: 50, message: 'no' } }], `reading member;range=1-* of ${devsDn} for groups below`],
  ['is answered by a busy server', [{ done: { code: 51 } }], 'busy (51)'],
  ['breaks off', ['end'], 'the server closed the connection'],
  ['is reset', ['reset'], 'the connection broke'],
];

function part(attributes: Readonly<Record<string, readonly string[]>>): readonly Reply[] {
  return [{ entry: devsDn, attributes }, doneWithoutPages];
}

describe('a group that, when asked for the rest,', () => {
  test.each(faults.map(([what, replies, reason]) => ({ what, replies, reason })))(
    '$what makes the read incomplete',
    async ({ replies, reason }) => {
      const server = await serve((search) => {
        if (isRange(search)) return replies;
        return [{ entry: devsDn, attributes: { cn: ['devs'], 'member;range=0-1': dns(0, 2) } }, done];
      });

      const error = await failureOf(readAll(sourceOf(server), demand));

      expect(error).toBeInstanceOf(SourceIncompleteError);
      expect(error.message).toContain(reason);
      expect(error.message).toContain(server.url);
      expect(error.hint).toMatch(/\w{3}/);
    },
  );

  test('falls silent makes the read incomplete after the time for one operation', async () => {
    const server = await serve((search) => {
      if (isRange(search)) return ['silence'];
      return [{ entry: devsDn, attributes: { cn: ['devs'], 'member;range=0-1': dns(0, 2) } }, done];
    });

    const error = await failureOf(readAll(sourceOf(server, { timeouts: { operationMs: 50 } }), demand));

    expect(error).toBeInstanceOf(SourceIncompleteError);
    expect(error.message).toContain('did not finish its answer within 50 ms');
  });

  test('shows a member whose name is no text makes the read incomplete', async () => {
    const server = await serve((search) => {
      if (isRange(search)) {
        const bytes = Buffer.from('CN=Ren\xe9,DC=x', 'latin1');
        return [{ entry: devsDn, attributes: { 'member;range=1-*': [userDn(1), bytes] } }, doneWithoutPages];
      }
      return [{ entry: devsDn, attributes: { cn: ['devs'], 'member;range=0-1': dns(0, 2) } }, done];
    });

    const error = await failureOf(readAll(sourceOf(server), demand));

    expect(error).toBeInstanceOf(SourceIncompleteError);
    expect(error.message).toContain(`a value of member of ${devsDn} holds bytes that are no text`);
  });
});

test.each(['member;range=2-3', 'member;range=0-5', 'member;range=x-y'])(
  'a first part that is %s is not believed',
  async (name) => {
    const server = await serve(() => [{ entry: devsDn, attributes: { cn: ['devs'], [name]: dns(0, 2) } }, done]);

    const error = await failureOf(readAll(sourceOf(server), demand));

    expect(error).toBeInstanceOf(SourceIncompleteError);
    expect(error.message).toContain(`${devsDn}: the server sends ${name} `);
  },
);

interface Alteration {
  /** The request for the rest before which it happens, from 0. */
  readonly before: number;
  readonly at: number;
  /** Undefined: the member there is removed. */
  readonly added: string | undefined;
}

test('a group that changes between its parts loses nobody who was a member throughout, or the read is incomplete', async () => {
  let members: string[] = [];
  let most = 2;
  let alterations: readonly Alteration[] = [];
  let requests = 0;
  const server = await serve((search) => {
    if (isRange(search)) {
      for (const { at, added } of alterations.filter(({ before }) => before === requests)) {
        const index = at % (members.length + 1);
        members = members.toSpliced(index, added === undefined ? 1 : 0, ...(added === undefined ? [] : [added]));
      }
      requests += 1;
      return [{ entry: devsDn, attributes: valuesOf('member', members, most, search) }, doneWithoutPages];
    }
    if (!search.base.startsWith('ou=groups')) return [...people, done];
    return [{ entry: devsDn, attributes: { cn: ['devs'], ...valuesOf('member', members, most, search) } }, done];
  });
  const people = Array.from({ length: 16 }, (_, index) => user(index));
  const alteration = fc.record({
    before: fc.nat(4),
    at: fc.nat(12),
    added: fc.option(fc.integer({ min: 12, max: 15 }).map(userDn), { nil: undefined }),
  });
  const outcomes = new Set<string>();

  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 12 }),
      fc.integer({ min: 2, max: 4 }),
      fc.uniqueArray(alteration, { maxLength: 3, selector: ({ added }) => added ?? Symbol('removal') }),
      async (count, atOnce, changes) => {
        members = [...dns(0, count)];
        [most, alterations, requests] = [atOnce, changes, 0];
        const before = new Set(members);

        const read = await readAll(sourceOf(server), demand).then(
          (entries) => entries.filter(({ groups }) => groups.includes('devs')).map(({ location }) => location),
          (error: unknown) => error,
        );

        outcomes.add(Array.isArray(read) ? 'read' : 'incomplete');
        if (!Array.isArray(read)) {
          expect(read).toBeInstanceOf(SourceIncompleteError);
          return;
        }
        for (const dn of members) if (before.has(dn)) expect(read).toContain(dn);
        for (const dn of read) expect(before.has(dn) || members.includes(dn)).toBe(true);
      },
    ),
    { numRuns: 300 },
  );

  expect(outcomes).toEqual(new Set(['read', 'incomplete']));
});

test('a range of an attribute that nobody asked for is passed over', async () => {
  const server = await serve(() => [user(1, { 'tokens;range=0-1': ['a', 'b'] }), done]);

  expect(await readAll(sourceOf(server))).toHaveLength(1);
  expect(server.searches).toHaveLength(1);
});

test('an abort while values are read ends the read at once, with its reason', async () => {
  const controller = new AbortController();
  const reason = new Error('asked to stop');
  const server = await serve((search) => {
    if (isRange(search)) {
      controller.abort(reason);
      return ['silence'];
    }
    return [{ entry: devsDn, attributes: { cn: ['devs'], 'member;range=0-1': dns(0, 2) } }, done];
  });

  await expect(readAll(sourceOf(server), demand, controller.signal)).rejects.toBe(reason);
  await server.disconnected();
});
