/** Incremental reads by DirSync against a real Samba domain controller: they see what a read of everything sees. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createLdapSource } from '../../src/sources/ldap/ldap-source.ts';
import { adOptions } from '../support/active-directory.ts';
import {
  change,
  domainDn,
  fileTime,
  person,
  personDn,
  record,
  replacement,
  service,
  servicesDn,
  staffDn,
  syncDn,
  syncName,
  team,
  teamDn,
} from '../support/active-directory-ldif.ts';
import {
  type IncrementalOptions,
  type IncrementalSource,
  incrementalSource,
  type Seen,
} from '../support/incremental.ts';
import { createTestLogger, demandOf, failureOf, type OptionChanges } from '../support/ldap-reading.ts';
import { type Samba, sambaIsInstalled, startSamba } from '../support/samba.ts';

const names = Array.from({ length: 20 }, (_, index) => `p${index}`);
const demand = demandOf({ attributes: ['givenName', 'mail', 'title'], groups: ['developers', 'operators'] });
const salesDn = `OU=Sales,${staffDn}`;

describe.skipIf(!sambaIsInstalled())('DirSync of a Samba domain controller', () => {
  let samba: Samba;

  beforeAll(async () => {
    samba = await startSamba({
      ldif: [
        service(syncName),
        service('svc-plain'),
        service('svc-blind'),
        record(salesDn, { objectClass: 'organizationalUnit' }),
        ...names.map((name) => person(name)),
        record(`CN=sam,${salesDn}`, { objectClass: 'user', sAMAccountName: 'sam', userAccountControl: '544' }),
        team('developers', names.slice(0, 5).map(personDn)),
        team('operators', [personDn('p2')]),
      ].join(''),
    });
    samba.grantReplication(syncDn);
    samba.showDeleted(syncDn);
    samba.grantReplication(`CN=svc-blind,${servicesDn}`);
  });
  afterAll(() => samba?.stop());

  async function started(given: IncrementalOptions = {}, changes: OptionChanges = {}): Promise<IncrementalSource> {
    const source = incrementalSource(adOptions(samba, changes), { method: 'dirsync', demand, ...given });
    expect((await source.readAndConfirm()).manner).toEqual({
      manner: 'full',
      reason: 'nothing is known of an earlier read',
    });
    return source;
  }

  async function expectSame(source: IncrementalSource, seen: Seen): Promise<void> {
    expect(seen.entries).toEqual(await source.everything());
  }

  test('reports nothing when nothing happened', async () => {
    const source = await started();

    const seen = await source.readAndConfirm();

    expect(seen.manner).toMatchObject({ manner: 'incremental', changed: 0, gone: 0 });
    expect(seen.entries).toHaveLength(21);
    await expectSame(source, seen);
  });

  test.each<[string, () => void, object]>([
    [
      'joins with a group',
      () => {
        samba.add(person('nora'));
        samba.modify(change(teamDn('developers'), 'add', 'member', [personDn('nora')]));
      },
      { changed: 1, gone: 0 },
    ],
    ['gets another title', () => samba.modify(replacement(personDn('p3'), 'title', 'Lead')), { changed: 1, gone: 0 }],
    [
      'enters a group',
      () => samba.modify(change(teamDn('operators'), 'add', 'member', [personDn('p4')])),
      { changed: 0, gone: 0 },
    ],
    [
      'leaves a group',
      () => samba.modify(change(teamDn('developers'), 'delete', 'member', [personDn('p1')])),
      { changed: 0, gone: 0 },
    ],
    ['is disabled', () => samba.modify(replacement(personDn('p5'), 'userAccountControl', '546')), { changed: 1 }],
    ['is deleted', () => samba.remove(personDn('p6')), { changed: 0, gone: 1 }],
    ['is renamed and keeps a group', () => samba.rename(personDn('p2'), personDn('renamed')), { changed: 1, gone: 0 }],
    ['is moved out of the base', () => samba.rename(personDn('p7'), `CN=p7,${servicesDn}`), { changed: 0, gone: 1 }],
    ['is moved back into it', () => samba.rename(`CN=p7,${servicesDn}`, personDn('p7')), { changed: 1, gone: 0 }],
  ])('reports who %s', async (_what, happen, counts) => {
    const source = await started();

    happen();
    const seen = await source.readAndConfirm();
    const next = await source.readAndConfirm();

    expect(seen.manner).toMatchObject({ manner: 'incremental', ...counts });
    expect(next.manner).toMatchObject({ manner: 'incremental', changed: 0, gone: 0 });
    await expectSame(source, seen);
    await expectSame(source, next);
  });

  test('leads to a full read when a unit is renamed, and not when it only gets a description', async () => {
    const source = await started();

    samba.modify(replacement(salesDn, 'description', 'People who sell'));
    const described = await source.readAndConfirm();
    samba.rename(salesDn, `OU=Sellers,${staffDn}`);
    const renamed = await source.readAndConfirm();

    expect(described.manner).toMatchObject({ manner: 'incremental', changed: 0 });
    expect(renamed.manner).toMatchObject({ manner: 'full', reason: expect.stringContaining('OU=Sellers') });
    await expectSame(source, renamed);
  });

  test('does not matter for an account that expires: time passes without a change', async () => {
    const source = await started();
    samba.modify(replacement(personDn('p8'), 'accountExpires', fileTime(source.clock.now() + 3_600_000)));
    const before = await source.readAndConfirm();

    source.clock.advance(2 * 3_600_000);
    const after = await source.readAndConfirm();

    const standing = ({ entries }: Seen) => entries.find(({ location }) => location === personDn('p8'))?.disabled;
    expect([standing(before), standing(after)]).toEqual([undefined, true]);
    expect(after.manner).toMatchObject({ manner: 'incremental', changed: 0 });
    await expectSame(source, after);
  });

  test('is refused without the right to replicate: every read is full, and the check says which right is missing', async () => {
    const options = adOptions(samba, { bindDn: 'svc-plain@example.com' });
    const source = incrementalSource(options, { method: 'dirsync', demand });
    await source.readAndConfirm();
    samba.remove(personDn('p9'));

    const seen = await source.readAndConfirm();
    const checking = createLdapSource(
      { ...options, incremental: { method: 'dirsync', fullReadEveryMs: 1 } },
      createTestLogger(),
    );
    const failure = await failureOf(
      checking.incremental?.check(demand, new AbortController().signal) ?? Promise.resolve(),
    );

    expect(seen.manner?.manner).toBe('full');
    expect(source.logger.warnings()).toContainEqual(expect.stringContaining('insufficientAccessRights (50)'));
    expect(failure.message).toContain('incremental reads by dirsync do not work');
    expect(failure.hint).toContain('Replicating Directory Changes');
    await expectSame(source, seen);
  });

  test('is not relied upon by an account that is not told of deletions', async () => {
    const source = incrementalSource(adOptions(samba, { bindDn: 'svc-blind@example.com' }), {
      method: 'dirsync',
      demand,
    });
    await source.readAndConfirm();
    samba.remove(personDn('p10'));

    const seen = await source.readAndConfirm();

    expect(seen.manner?.manner).toBe('full');
    expect(source.logger.warnings()).toContainEqual(expect.stringContaining('does not report deleted objects'));
    await expectSame(source, seen);
  });

  test('of a cookie that the server does not know leads to a full read', async () => {
    const source = await started();
    const state = source.cache.state();
    if (state === undefined) throw new Error('nothing was kept');
    source.cache.update([], [], { ...state, cookie: Buffer.from('nonsense') });

    const seen = await source.readAndConfirm();
    const next = await source.readAndConfirm();

    expect(seen.manner).toMatchObject({ manner: 'full', reason: expect.stringContaining('does not say what changed') });
    expect(next.manner).toMatchObject({ manner: 'incremental' });
    expect(state.context).toBe(domainDn);
  });
});
