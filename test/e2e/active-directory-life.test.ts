/** People of a real Active Directory reach Twilio by the documented configuration, and so does everything that happens to them there. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  change,
  fileTime,
  person,
  personDn,
  replacement,
  service,
  staffDn,
  syncName,
  team,
  teamDn,
} from '../support/active-directory-ldif.ts';
import { type AdWorld, createAdWorld } from '../support/ad-world.ts';
import { createSkippingClock, reconcileInProcess, type SkippingClock } from '../support/in-process.ts';
import { pictureOf } from '../support/organization.ts';
import { type Samba, sambaIsInstalled, startSamba } from '../support/samba.ts';
import type { ErrorDocument, RunDocument } from '../support/world.ts';

const developers = teamDn('twilio-developers');
const day = 86_400_000;

/** Decomposed and composed spellings of one name. */
const decomposed = { givenName: 'Chloe\u0301', sn: 'Mu\u0308ller', mail: 'Chloe\u0301@example.com' };
const composed = { givenName: 'Chlo\u00e9', sn: 'M\u00fcller', mail: 'Chlo\u00e9@example.com' };

describe.skipIf(!sambaIsInstalled())('people of Active Directory', () => {
  let samba: Samba;
  let world: AdWorld;
  let clock: SkippingClock;

  beforeAll(async () => {
    samba = await startSamba({
      ldif: [
        service(syncName),
        ...['ana', 'bruno', 'carla', 'dora', 'edgar', 'frida'].map((name) => person(name)),
        person('chloe', decomposed),
        person('gone', { userAccountControl: '546' }),
        team('twilio-developers', ['ana', 'bruno', 'carla', 'dora', 'edgar', 'gone'].map(personDn)),
      ].join(''),
    });
    world = await createAdWorld(samba);
    clock = createSkippingClock();
  });

  afterAll(async () => {
    await world?.[Symbol.asyncDispose]();
    await samba?.stop();
  });

  /** Runs until nothing is left to do; what was done stands as kind and address, with the reason. */
  async function sync(): Promise<readonly string[]> {
    const run = await reconcileInProcess(world, { clock });
    const next = await reconcileInProcess(world, { clock, refresh: true });
    if (run.error !== undefined) throw run.error;
    expect([run.code, next.report?.status]).toEqual([0, 'converged']);
    return (run.report?.operations ?? []).map(
      ({ operation: { kind, userName, reason } }) => `${kind} ${userName} (${reason})`,
    );
  }

  function rolesOf(name: string): readonly string[] {
    return pictureOf(world.twilio).assignments.filter((each) => each.startsWith(`${name}@example.com: `));
  }

  test('reach Twilio by a dry run and a run, but for accounts that are disabled', async () => {
    const dry = await world.tdsync('reconcile', '--dry-run', '--json', '--detailed-exitcode');
    const run = await world.tdsync('reconcile', '--json');
    const next = await world.tdsync('reconcile', '--json');

    const { plan, operations } = run.json<RunDocument>();
    expect([dry.code, run.code, next.code], run.stderr).toEqual([2, 0, 0]);
    expect(plan.digest).toBe(dry.json<RunDocument>().plan.digest);
    expect(plan.counts).toMatchObject({ entries: 8, inScope: 8 });
    expect(operations.filter(({ operation }) => operation.kind === 'create')).toHaveLength(7);
    expect(next.json<RunDocument>().status).toBe('converged');
    expect(pictureOf(world.twilio).users).toContainEqual(
      expect.objectContaining({
        externalId: samba.show(staffDn, 'objectGUID').get(personDn('ana')),
        userName: 'ana@example.com',
        active: true,
      }),
    );
    expect(rolesOf('edgar')).toEqual(['edgar@example.com: Developer in Production']);
    expect(rolesOf('gone')).toEqual([]);
  });

  test('have composed letters in their names and addresses, and respelling them changes nothing', async () => {
    const users = pictureOf(world.twilio).users;

    samba.modify(
      Object.entries(composed)
        .map(([name, value]) => replacement(personDn('chloe'), name, value))
        .join(''),
    );
    const respelled = await sync();

    expect(users).toContainEqual(
      expect.objectContaining({
        userName: 'chlo\u00e9@example.com',
        name: { givenName: composed.givenName, familyName: composed.sn },
      }),
    );
    expect(respelled).toEqual([]);
  });

  test('join, move, are renamed and leave', async () => {
    samba.add(person('nora'));
    samba.modify(change(developers, 'add', 'member', [personDn('nora')]));
    const joined = await sync();

    samba.rename(personDn('nora'), `CN=Newton\\, Nora,${staffDn}`);
    samba.modify(replacement(`CN=Newton\\, Nora,${staffDn}`, 'mail', 'nora.newton@example.com'));
    const renamed = await sync();

    samba.modify(change(developers, 'delete', 'member', [`CN=Newton\\, Nora,${staffDn}`]));
    const moved = await sync();

    samba.remove(`CN=Newton\\, Nora,${staffDn}`);
    const left = await sync();

    expect(joined).toEqual(['create nora@example.com (new)', 'grant nora@example.com (entitled)']);
    expect(renamed).toEqual(['update nora.newton@example.com (renamed)']);
    expect(moved).toEqual(['revoke nora.newton@example.com (not-entitled)']);
    expect(left).toEqual(['deactivate nora.newton@example.com (absent)']);
  });

  test('lose access when their account is disabled, and have it again when it is enabled', async () => {
    samba.modify(replacement(personDn('ana'), 'userAccountControl', '546'));
    const disabled = await sync();
    const roles = rolesOf('ana');
    samba.modify(replacement(personDn('ana'), 'userAccountControl', '544'));
    const enabled = await sync();

    expect(disabled).toEqual(['revoke ana@example.com (disabled)', 'deactivate ana@example.com (disabled)']);
    expect(roles).toEqual([]);
    expect(enabled).toEqual(['reactivate ana@example.com (returned)', 'grant ana@example.com (entitled)']);
  });

  test('lose access when their account expires, without a change in the directory', async () => {
    samba.modify(replacement(personDn('bruno'), 'accountExpires', fileTime(clock.now() + day)));
    const before = await sync();
    clock.advance(day);
    const expired = await sync();

    expect(before).toEqual([]);
    expect(expired).toEqual(['revoke bruno@example.com (disabled)', 'deactivate bruno@example.com (disabled)']);
  });

  test('keep access when wrong passwords lock their account', async () => {
    samba.modify(replacement(personDn('carla'), 'lockoutTime', fileTime(clock.now())));

    expect(await sync()).toEqual([]);
    expect(rolesOf('carla')).toHaveLength(1);
  });

  test.each<[string, (samba: Samba) => object, string, string]>([
    ['without TLS', ({ ldapUrl }) => ({ url: ldapUrl, tls: {} }), 'strongerAuthRequired (8)', 'use ldaps://'],
    [
      'as an account that does not exist',
      () => ({ bindDn: 'EXAMPLE\\nobody' }),
      'data 52e',
      'name or password is wrong',
    ],
    [
      'below the root of the domain',
      () => ({ users: { baseDn: 'DC=example,DC=com' } }),
      'a part of the tree is on another server',
      'OU',
    ],
  ])('are not read %s: exit 5, and nobody is touched', async (_how, changes, message, hint) => {
    const before = pictureOf(world.twilio);
    await world.connect(changes(samba));

    const run = await world.tdsync('reconcile', '--json');
    await world.connect();

    const { error } = run.json<ErrorDocument>();
    expect(run.code).toBe(5);
    expect(error.message).toContain(message);
    expect(error.hint).toContain(hint);
    expect(pictureOf(world.twilio)).toEqual(before);
  });
});
