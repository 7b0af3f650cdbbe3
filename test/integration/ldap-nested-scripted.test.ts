/** Active Directory's ways, and sizes that would be slow to seed, from a server that says what the test scripts. */
import { afterEach, describe, expect, test } from 'vitest';
import { SourceIncompleteError } from '../../src/errors.ts';
import { createTestLogger, demandOf, failureOf, type OptionChanges, readAll } from '../support/ldap-reading.ts';
import type { LdapServer } from '../support/ldap-server.ts';
import {
  group,
  groupDn,
  isAmong,
  type Matches,
  membersOf,
  person,
  personDn,
  places,
  type ScriptedEntry,
  scriptedSource,
  startScriptedDirectory,
} from '../support/scripted-directory.ts';

type Attributes = ScriptedEntry['attributes'];

let servers: LdapServer[] = [];

afterEach(async () => {
  await Promise.all(servers.map((server) => server.stop()));
  servers = [];
});

async function serve(entries: readonly ScriptedEntry[], matches: Matches = isAmong()): Promise<LdapServer> {
  const server = await startScriptedDirectory(entries, matches);
  servers.push(server);
  return server;
}

function sidOf(domain: number, rid: number): Buffer {
  const sid = Buffer.alloc(28);
  sid.set([1, 5, 0, 0, 0, 0, 0, 5]);
  [21, domain, 2, 3, rid].forEach((part, index) => {
    sid.writeUInt32LE(part, 8 + 4 * index);
  });
  return sid;
}

test('a nested group of 100,000 members costs no search more than one of a few', async () => {
  const many = Array.from({ length: 100_000 }, (_, index) => `CN=P${index + 1},${places.people}`);
  const [few, large] = await Promise.all(
    [many.slice(0, 2), many].map((members) =>
      serve(
        [person(1), person(2), person(100_001), group('outer', [groupDn('big')]), group('big', members)],
        isAmong(),
      ),
    ),
  );
  if (few === undefined || large === undefined) throw new Error('no server');

  expect(await membersOf(large, 'outer')).toEqual([personDn(1), personDn(2)]);
  expect(await membersOf(few, 'outer')).toEqual([personDn(1), personDn(2)]);
  expect(large.searches.length).toBe(few.searches.length);
});

test('300 groups in one group are read 50 at a time', async () => {
  const inner = Array.from({ length: 300 }, (_, index) => group(`inner${index}`, [personDn(index)]));
  const outer = group(
    'outer',
    inner.map(({ dn }) => dn),
  );
  const server = await serve([person(0), person(299), outer, ...inner]);

  expect(await membersOf(server, 'outer')).toEqual([personDn(0), personDn(299)]);
  expect(server.searches.filter(({ filter }) => filter.includes('(cn=inner'))).toHaveLength(6);
});

test('members in more places than can be looked through make the read incomplete', async () => {
  const members = Array.from({ length: 101 }, (_, index) => `cn=x,ou=unit${index},${places.base}`);
  const server = await serve([person(1), group('outer', members)]);

  const error = await failureOf(membersOf(server, 'outer'));

  expect(error).toBeInstanceOf(SourceIncompleteError);
  expect(error.message).toContain(
    `members in more than 100 places outside groups.baseDn and users.baseDn, the last one ou=unit100,${places.base}`,
  );
  expect(error.hint).toContain('add a base');
});

test('members of another domain are looked for there, unless references to other servers are ignored', async () => {
  const foreign = 'cn=users,dc=other,dc=example';
  const server = await startScriptedDirectory(
    [person(1), group('outer', [personDn(1), `cn=x,${foreign}`])],
    isAmong(),
    ({ base }) => (base === foreign ? { code: 10, referrals: ['ldap://other.example/'] } : undefined),
  );
  servers.push(server);

  const error = await failureOf(membersOf(server, 'outer'));

  expect(error).toBeInstanceOf(SourceIncompleteError);
  expect(error.message).toContain(
    `groups have members below "${foreign}", which is on another server (ldap://other.example/)`,
  );
  expect(error.hint).toContain('set referrals to ignore');
  expect(await membersOf(server, 'outer', { referrals: 'ignore' })).toEqual([personDn(1)]);
});

test('a group whose name is no text is read by its DN', async () => {
  const bytes = { ...group('x', [personDn(1)]), dn: `cn=\\FF\\FE,${places.groups}` };
  const server = await serve([person(1), group('outer', [`CN=\\ff\\fe,${places.groups}`]), bytes]);

  expect(await membersOf(server, 'outer')).toEqual([personDn(1)]);
  expect(server.searches.map(({ base, scope }) => `${scope} ${base}`)).toContain(`base ${bytes.dn}`);
});

test('a group that vanishes while groups are read makes the read incomplete', async () => {
  const server = await serve(
    [person(1), group('outer', [groupDn('inner')]), group('inner', [personDn(1)])],
    (search, entry) =>
      entry.dn === groupDn('inner')
        ? search.attributes.includes('1.1') && isAmong()(search, entry)
        : isAmong()(search, entry),
  );

  const error = await failureOf(membersOf(server, 'outer'));

  expect(error).toBeInstanceOf(SourceIncompleteError);
  expect(error.message).toContain(`the group ${groupDn('inner')} vanished while groups were read`);
});

describe('the primary group', () => {
  const inDomain = (domain: number, rid: number, primary: number): Attributes => ({
    objectSid: [sidOf(domain, rid)],
    primaryGroupID: [String(primary)],
  });
  const entries = [
    person(1, inDomain(1, 1001, 513)),
    person(2, inDomain(1, 1002, 1200)),
    person(3, inDomain(2, 1001, 513)),
    group('Domain Users', [], { objectSid: [sidOf(1, 513)] }),
    group('Staff', [groupDn('Domain Users')], { objectSid: [sidOf(1, 1100)] }),
    group('Interns', [], { objectSid: [sidOf(1, 1200)] }),
    group('Elsewhere', [], { objectSid: [sidOf(2, 1300)] }),
  ];
  const primary: OptionChanges = { groups: { primaryGroup: true } };

  test('counts, with the groups that hold it, and not that of the same number in another domain', async () => {
    const server = await serve(entries);
    const logger = createTestLogger();

    expect(await membersOf(server, 'Domain Users', primary, logger)).toEqual([personDn(1)]);
    expect(await membersOf(server, 'Staff', primary)).toEqual([personDn(1)]);
    expect(await membersOf(server, 'Interns', { groups: { ...primary.groups, nested: 'none' } })).toEqual([
      personDn(2),
    ]);
    expect(logger.warnings()).toEqual([]);
  });

  test('counts besides memberOf', async () => {
    const server = await serve(
      [
        ...entries.slice(2),
        person(1, { ...inDomain(1, 1001, 513), memberOf: [groupDn('Interns')] }),
        group('Domain Users', [], { objectSid: [sidOf(1, 513)], memberOf: [groupDn('Staff')] }),
      ].filter(({ dn, attributes }) => dn !== groupDn('Domain Users') || attributes.memberOf !== undefined),
      isAmong(),
    );
    const changes: OptionChanges = { groups: { primaryGroup: true, membership: ['memberOf'] } };

    expect(await membersOf(server, 'Staff', changes)).toEqual([personDn(1)]);
    expect(await membersOf(server, 'Interns', changes)).toEqual([personDn(1)]);
  });

  test('is not asked for unless it counts, nor when no rule looks at groups', async () => {
    const server = await serve(entries);

    await membersOf(server, 'Staff');
    await readAll(scriptedSource(server, primary), demandOf());

    expect(server.searches.flatMap(({ attributes }) => attributes)).not.toContain('primarygroupid');
    expect(server.searches.flatMap(({ attributes }) => attributes)).not.toContain('objectsid');
  });

  test('of people whose SID is hidden is that of the only domain, and with several domains nobody knows', async () => {
    const hidden = person(1, { primaryGroupID: ['513'] });
    const one = await serve([hidden, ...entries.slice(3, 5)]);
    const two = await serve([hidden, ...entries.slice(3)]);
    const demand = demandOf({ groups: ['Domain Users', 'Elsewhere'] });

    expect(await membersOf(one, 'Domain Users', primary)).toEqual([personDn(1)]);
    expect((await failureOf(readAll(scriptedSource(two, primary), demand))).message).toContain(
      `${personDn(1)} shows primaryGroupID 513 without objectSid, and the groups are of 2 domains`,
    );
  });

  test('that no user or no group shows, although they need it, makes the read incomplete', async () => {
    const users = await serve([person(1), ...entries.slice(3)]);
    const sids = await serve([...entries.slice(0, 3), group('Staff', [personDn(1)])]);

    expect((await failureOf(membersOf(users, 'Staff', primary))).message).toContain('no user shows primaryGroupID');
    expect((await failureOf(membersOf(sids, 'Staff', primary))).message).toContain('no group shows its objectSid');
  });
});

describe('the matching rule in chain', () => {
  const root: ScriptedEntry = { dn: '', attributes: { supportedCapabilities: ['1.2.840.113556.1.4.800'] } };
  const chains = { [groupDn('outer')]: [personDn(2)] };

  test('is asked once for each group that rules name, and no member is read', async () => {
    const server = await serve([root, person(1), person(2), group('outer', [groupDn('inner')])], isAmong(chains));
    const changes: OptionChanges = { groups: { nested: 'matching-rule' } };

    expect(await membersOf(server, 'outer', changes)).toEqual([personDn(2)]);
    expect(server.searches.map(({ attributes }) => attributes)).toEqual([
      ['cn'],
      ['supportedcapabilities'],
      ['1.1'],
      ['entryuuid', 'mail'],
    ]);
  });

  test('finds the groups within, for people whose primary group is one of them', async () => {
    const users = person(1, { objectSid: [sidOf(1, 1001)], primaryGroupID: ['513'] });
    const domainUsers = group('Domain Users', [], { objectSid: [sidOf(1, 513)] });
    const outer = group('outer', [], { objectSid: [sidOf(1, 1100)] });
    const server = await serve(
      [root, users, outer, domainUsers],
      isAmong({ [groupDn('outer')]: [groupDn('Domain Users')] }),
    );

    expect(await membersOf(server, 'outer', { groups: { nested: 'matching-rule', primaryGroup: true } })).toEqual([
      personDn(1),
    ]);
  });
});
