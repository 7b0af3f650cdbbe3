/** Groups within groups and primary groups on a real Samba domain controller, by each of the ways that Active Directory offers. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { GroupOptions } from '../../src/domain/ldap-options.ts';
import { createLdapSource } from '../../src/sources/ldap/ldap-source.ts';
import { adOptions } from '../support/active-directory.ts';
import {
  change,
  domainDn,
  person,
  personDn,
  replacement,
  service,
  syncName,
  team,
  teamDn,
} from '../support/active-directory-ldif.ts';
import { createTestLogger, demandOf, readAll } from '../support/ldap-reading.ts';
import { type Samba, sambaIsInstalled, startSamba } from '../support/samba.ts';

const domainUsers = `CN=Domain Users,CN=Users,${domainDn}`;
const seed = [
  service(syncName),
  ...['p0', 'p1', 'p2', 'p3'].map((name) => person(name)),
  team('innermost', [personDn('p2')]),
  team('inner', [personDn('p1'), teamDn('innermost')]),
  team('outer', [personDn('p0'), teamDn('inner')]),
  team('interns', [personDn('p3')]),
  team('all-interns', [teamDn('interns')]),
  // Domain Users are a global group, which only a group of its domain or wider may hold.
  team('everybody', [domainUsers], { groupType: '-2147483644' }),
].join('');

describe.skipIf(!sambaIsInstalled())('groups within groups on a Samba domain controller', () => {
  let samba: Samba;

  beforeAll(async () => {
    samba = await startSamba({ ldif: seed });
    samba.modify(change(teamDn('innermost'), 'add', 'member', [teamDn('outer')]));
  });

  afterAll(async () => {
    await samba?.stop();
  });

  async function read(groups: Partial<GroupOptions>, logger = createTestLogger()) {
    const options = adOptions(samba, { groups: { primaryGroup: true, ...groups } });
    const names = ['all-interns', 'everybody', 'outer'];
    const entries = await readAll(
      createLdapSource(options, logger, { now: () => Date.now() }),
      demandOf({ groups: names }),
    );
    const membersOf = (name: string) =>
      entries.flatMap(({ groups: own, location }) => (own.includes(name) ? location : [])).sort();
    return { entries, members: Object.fromEntries(names.map((name) => [name, membersOf(name)])) };
  }

  const everybody = ['p0', 'p1', 'p2', 'p3'].map(personDn);
  const nested = { outer: everybody.slice(0, 3), everybody, 'all-interns': [personDn('p3')] };

  test('are resolved by members, through a circle, and a primary group counts that stands elsewhere', async () => {
    const logger = createTestLogger();

    const { entries, members } = await read({ nested: 'resolve' }, logger);

    expect(members).toEqual(nested);
    const p2 = entries.find(({ location }) => location === personDn('p2'));
    expect(p2?.groupPaths?.to('outer')).toEqual([teamDn('innermost'), teamDn('inner'), teamDn('outer')]);
    expect(p2?.groupPaths?.to('everybody')).toEqual([domainUsers, teamDn('everybody')]);
    expect(logger.warnings()).toEqual([]);
  });

  test('are resolved by memberOf', async () => {
    const baseDn = adOptions(samba).groups?.baseDn ?? [];

    const { members } = await read({
      nested: 'resolve',
      membership: ['memberOf'],
      baseDn: [...baseDn, `CN=Users,${domainDn}`],
    });

    expect(members).toEqual(nested);
  });

  test('are resolved by the server, by the matching rule in chain', async () => {
    const baseDn = adOptions(samba).groups?.baseDn ?? [];

    const { members } = await read({ nested: 'matching-rule', baseDn: [...baseDn, `CN=Users,${domainDn}`] });

    expect(members).toEqual(nested);
  });

  test('are passed over when they shall not count', async () => {
    const { members } = await read({ nested: 'none' });

    expect(members).toEqual({ outer: [personDn('p0')], everybody: [], 'all-interns': [] });
  });

  test('count by a primary group that is not the usual one, which no member shows', async () => {
    const rid = await ridOf('interns');
    samba.modify(replacement(personDn('p3'), 'primaryGroupID', rid));

    const { members } = await read({ nested: 'resolve' });

    expect(members['all-interns']).toEqual([personDn('p3')]);
  });

  /** The last part of the group's SID. */
  async function ridOf(name: string): Promise<string> {
    const options = adOptions(samba, {
      users: { baseDn: [teamDn(name)], filter: '(objectClass=group)', disabled: 'none' },
    });
    const [entry] = await readAll(
      createLdapSource(options, createTestLogger()),
      demandOf({ attributes: ['objectSid'] }),
    );
    return /\d+$/.exec(String(entry?.attributes.objectSid))?.[0] ?? '';
  }
});
