/** Incremental reads against a real OpenLDAP: whatever happens in the directory, they see what a read of everything sees. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { groupsDn, peopleDn, personDn, suffix } from '../support/directory-ldif.ts';
import {
  day,
  type IncrementalOptions,
  type IncrementalSource,
  incrementalSource,
  type Seen,
} from '../support/incremental.ts';
import { demandOf, ldapOptions, type OptionChanges } from '../support/ldap-reading.ts';
import { administerDirectory, type DirectoryAdministration } from '../support/ldap-world.ts';
import { type Slapd, slapdIsInstalled, startSlapd } from '../support/slapd.ts';

const developers = `cn=developers,${groupsDn}`;
const operators = `cn=operators,${groupsDn}`;

describe.skipIf(!slapdIsInstalled()).each([
  ['with a session log', 'syncprov-sessionlog 1000'],
  ['that lists what is present instead of what is gone', 'syncprov-checkpoint 100 10'],
])('OpenLDAP %s', (_name, syncprov) => {
  let slapd: Slapd;
  let directory: DirectoryAdministration;

  beforeAll(async () => {
    slapd = await startSlapd({
      people: 60,
      groups: [
        { name: 'developers', kind: 'groupOfNames', members: [0, 1, 2, 3, 4, 5] },
        { name: 'operators', kind: 'groupOfNames', members: [2, 3] },
      ],
      syncprov,
    });
    directory = await administerDirectory(slapd);
  });
  afterAll(async () => {
    await directory?.[Symbol.asyncDispose]();
    await slapd?.stop();
  });

  /** A source that has read everything once. */
  async function started({
    changes,
    ...given
  }: IncrementalOptions & { readonly changes?: OptionChanges } = {}): Promise<IncrementalSource> {
    const source = incrementalSource(ldapOptions(slapd.ldapUrl, changes), given);
    const first = await source.readAndConfirm();
    expect(first.manner).toEqual({ manner: 'full', reason: 'nothing is known of an earlier read' });
    return source;
  }

  /** The searches of one read, as the server saw them. */
  async function searchesOf(read: () => Promise<unknown>): Promise<readonly string[]> {
    return (await slapd.loggedDuring(read))
      .filter((line) => / SRCH base=/.test(line))
      .map((line) => /SRCH (base="[^"]*" scope=\d)/.exec(line)?.[1] ?? line);
  }

  async function expectSame(source: IncrementalSource, seen: Seen): Promise<void> {
    expect(seen.entries).toEqual(await source.everything());
  }

  test('costs one small search when nothing happened', async () => {
    const source = await started();

    const searches = await searchesOf(async () => {
      const seen = await source.readAndConfirm();
      expect(seen.manner).toMatchObject({ manner: 'incremental', changed: 0, gone: 0 });
      expect(seen.entries).toHaveLength(60);
    });

    expect(searches).toEqual([`base="${suffix}" scope=2`]);
    await expectSame(source, await source.read());
  });

  test.each<[string, () => Promise<void>, object]>([
    [
      'joins with a group',
      async () => {
        const dn = `uid=nora,${peopleDn}`;
        await directory.add(dn, {
          objectClass: 'inetOrgPerson',
          uid: 'nora',
          cn: 'Nora',
          sn: 'N',
          mail: 'nora@example.com',
        });
        await directory.join(developers, dn);
      },
      { changed: 1, gone: 0 },
    ],
    ['moves to another title', () => directory.replace(personDn(7), 'title', 'Lead'), { changed: 1, gone: 0 }],
    ['enters a group', () => directory.join(operators, personDn(8)), { changed: 0, gone: 0 }],
    ['leaves a group', () => directory.leave(developers, personDn(4)), { changed: 0, gone: 0 }],
    ['is deleted', () => directory.remove(personDn(9)), { changed: 0, gone: 1 }],
    [
      'is renamed within its base',
      () => directory.rename(personDn(5), `uid=renamed,${peopleDn}`),
      { changed: 1, gone: 0 },
    ],
    [
      'is moved out of the base',
      () => directory.rename(personDn(10), `uid=u000010,ou=empty,${suffix}`),
      { changed: 0, gone: 1 },
    ],
    [
      'is moved back into the base',
      () => directory.rename(`uid=u000010,ou=empty,${suffix}`, personDn(10)),
      { changed: 1, gone: 0 },
    ],
    [
      'stops matching the filter',
      () => directory.replace(personDn(11), 'employeeType', 'contractor'),
      { changed: 0, gone: 1 },
    ],
    ['matches the filter again', () => directory.replace(personDn(11), 'employeeType'), { changed: 1, gone: 0 }],
    [
      'is deleted and made again',
      async () => {
        await directory.remove(personDn(12));
        await directory.add(personDn(12), {
          objectClass: 'inetOrgPerson',
          uid: 'again',
          cn: 'Again',
          sn: 'A',
          mail: 'a@example.com',
        });
      },
      { changed: 1, gone: 1 },
    ],
  ])('sees who %s', async (_what, change, counts) => {
    const source = await started({
      changes: { users: { filter: '(&(objectClass=inetOrgPerson)(!(employeeType=contractor)))' } },
    });

    await change();
    const seen = await source.readAndConfirm();
    const next = await source.readAndConfirm();

    expect(seen.manner).toMatchObject({ manner: 'incremental', ...counts });
    expect(next.manner).toMatchObject({ manner: 'incremental', changed: 0, gone: 0 });
    await expectSame(source, seen);
    await expectSame(source, next);
  });

  test('of groups within groups sees who comes to the outer one by the inner one, and on which way', async () => {
    const outer = `cn=outer,${groupsDn}`;
    await directory.add(outer, { objectClass: 'groupOfNames', cn: 'outer', member: [operators] });
    const source = await started({
      changes: { groups: { nested: 'resolve' } },
      demand: demandOf({ groups: ['outer', 'developers'] }),
    });

    const before = await source.readAndConfirm();
    await directory.join(operators, personDn(23));
    const after = await source.readAndConfirm();
    const next = await source.readAndConfirm();
    await directory.remove(outer);

    const pathOf = ({ entries }: Seen) => entries.find(({ location }) => location === personDn(23))?.paths;
    expect([before, after, next].map(({ manner }) => manner?.manner)).toEqual(Array(3).fill('incremental'));
    expect(pathOf(before)).toBeUndefined();
    expect(pathOf(after)).toEqual({ outer: [operators, outer] });
    expect(next.entries).toEqual(after.entries);
  });

  test('of a group by user names sees who takes another name', async () => {
    const crew = `cn=crew,${groupsDn}`;
    await directory.add(crew, {
      objectClass: 'posixGroup',
      cn: 'crew',
      gidNumber: '7',
      memberUid: ['u000020', 'other'],
    });
    const changes = { groups: { filter: '(objectClass=posixGroup)', membership: ['memberUid'] } } as const;
    const source = await started({ changes, demand: demandOf({ groups: ['crew'] }) });

    await directory.replace(personDn(21), 'employeeNumber', '99');
    const before = await source.readAndConfirm();
    await directory.add(`uid=other,${peopleDn}`, { objectClass: 'inetOrgPerson', uid: 'other', cn: 'O', sn: 'O' });
    const after = await source.readAndConfirm();
    await directory.remove(`uid=other,${peopleDn}`);
    await directory.remove(crew);

    expect(before.manner).toMatchObject({ manner: 'incremental', changed: 1 });
    expect(after.manner).toMatchObject({ manner: 'incremental', changed: 1 });
    expect(after.entries.filter(({ groups }) => groups.length > 0).map(({ location }) => location)).toEqual([
      `uid=other,${peopleDn}`,
      personDn(20),
    ]);
  });

  test('reads everything when a container is renamed, because what stands in it is not reported', async () => {
    await directory.add(`ou=sales,${peopleDn}`, { objectClass: 'organizationalUnit', ou: 'sales' });
    await directory.add(`uid=sam,ou=sales,${peopleDn}`, {
      objectClass: 'inetOrgPerson',
      uid: 'sam',
      cn: 'Sam',
      sn: 'S',
    });
    const source = await started();

    await directory.rename(`ou=sales,${peopleDn}`, `ou=sales,ou=empty,${suffix}`);
    const seen = await source.readAndConfirm();

    expect(seen.manner).toMatchObject({ manner: 'full', reason: expect.stringContaining('ou=sales,ou=empty') });
    await expectSame(source, seen);
  });

  test('reads everything when a group changed and people carry memberOf, and not when only people did', async () => {
    const source = await started({ changes: { groups: { membership: ['memberOf'] } } });

    await directory.replace(personDn(30), 'title', 'Other');
    const person = await source.readAndConfirm();
    await directory.join(operators, personDn(30));
    const group = await source.readAndConfirm();

    // Without a list of deletions a deleted group would not show, so every change may be one.
    expect(person.manner?.manner).toBe(syncprov.includes('sessionlog') ? 'incremental' : 'full');
    expect(group.manner).toMatchObject({ manner: 'full', reason: expect.stringContaining('memberOf') });
    await expectSame(source, group);
  });

  test('sees again what was changed while it read, and what a read that nobody confirmed had seen', async () => {
    const source = await started();

    await directory.replace(personDn(40), 'title', 'First');
    const unconfirmed = await source.read();
    await directory.replace(personDn(41), 'title', 'Second');
    const again = await source.readAndConfirm();
    const next = await source.read();

    expect(unconfirmed.manner).toMatchObject({ changed: 1 });
    expect(again.manner).toMatchObject({ changed: 2 });
    expect(next.manner).toMatchObject({ changed: 0 });
    await expectSame(source, next);
  });

  test('looks for a missing person as often as absence must be confirmed, and finds who returns meanwhile', async () => {
    const source = await started({ confirmAbsence: 3 });
    const [kept, away] = [personDn(42), `uid=u000042,ou=empty,${suffix}`];

    await directory.rename(kept, away);
    const first = await source.readAndConfirm();
    const second = await searchesOf(() => source.readAndConfirm());
    const third = await source.readAndConfirm();
    const fourth = await searchesOf(() => source.readAndConfirm());
    await directory.rename(away, kept);
    const back = await source.readAndConfirm();

    expect(first.manner).toMatchObject({ gone: 1 });
    expect(second).toEqual([`base="${suffix}" scope=2`, `base="${peopleDn}" scope=2`, `base="${peopleDn}" scope=0`]);
    expect(third.entries.map(({ location }) => location)).not.toContain(kept);
    expect(fourth).toEqual([`base="${suffix}" scope=2`]);
    expect(back.entries.map(({ location }) => location)).toContain(kept);
    await expectSame(source, back);
  });

  test('goes on after the server was restarted', async () => {
    const source = await started();
    await directory[Symbol.asyncDispose]();

    await slapd.restart();
    directory = await administerDirectory(slapd);
    const quiet = await source.readAndConfirm();
    await directory.remove(personDn(50));
    await directory.replace(personDn(51), 'title', 'After');
    const seen = await source.readAndConfirm();

    expect(quiet.manner).toMatchObject({ manner: 'incremental', changed: 0, gone: 0 });
    expect(seen.manner).toMatchObject({ manner: 'incremental', changed: 1, gone: 1 });
    await expectSame(source, seen);
  });

  test('reads everything once the last time is long ago, and when the clock was set back', async () => {
    const source = await started();

    source.clock.advance(day);
    const late = await source.readAndConfirm();
    const next = await source.readAndConfirm();
    source.clock.advance(-2 * day);
    const early = await source.readAndConfirm();

    expect(late.manner).toEqual({ manner: 'full', reason: 'the last full read is fullReadEvery ago' });
    expect(next.manner?.manner).toBe('incremental');
    expect(early.manner).toEqual({ manner: 'full', reason: 'the clock was set back' });
  });
});
