/** People of a real OpenLDAP reach Twilio, and so does everything that happens to them there. */
import { describe, expect, test } from 'vitest';
import { entryUuid, groupsDn, peopleDn, personDn } from '../support/directory-ldif.ts';
import { administerDirectory, createLdapWorld, type LdapWorld, type SourceChanges } from '../support/ldap-world.ts';
import { pictureOf } from '../support/organization.ts';
import { type Slapd, slapdIsInstalled, startSlapd } from '../support/slapd.ts';
import type { RunDocument } from '../support/world.ts';

const developers = `cn=developers,${groupsDn}`;
const operators = `cn=operators,${groupsDn}`;

function start(people = 12): Promise<Slapd> {
  return startSlapd({
    people,
    groups: [
      { name: 'developers', kind: 'groupOfNames', members: [0, 1, 2] },
      { name: 'operators', kind: 'groupOfNames', members: [2, 3] },
    ],
  });
}

async function reconcile(world: LdapWorld, ...options: readonly string[]): Promise<RunDocument> {
  const { code, stderr, json } = await world.tdsync('reconcile', '--json', ...options);
  if (code !== 0) throw new Error(stderr);
  return json<RunDocument>();
}

/** Runs until nothing is left to do; what was done stands as kind and address. */
async function sync(world: LdapWorld): Promise<readonly string[]> {
  const run = await reconcile(world);
  const next = await reconcile(world);
  expect(next.status).toBe('converged');
  return run.operations.map(({ operation: { kind, userName } }) => `${kind} ${userName}`);
}

function seen({ twilio }: LdapWorld, address: string) {
  const { users } = pictureOf(twilio);
  return users.find((user) => 'userName' in user && user.userName === address);
}

function rolesOf({ twilio }: LdapWorld, address: string): readonly string[] {
  return pictureOf(twilio).assignments.flatMap((each) =>
    each.startsWith(`${address}: `) ? [each.slice(address.length + 2)] : [],
  );
}

describe.skipIf(!slapdIsInstalled())('people of OpenLDAP', { concurrent: true }, () => {
  test.each<[string, (slapd: Slapd) => SourceChanges]>([
    ['ldaps', (slapd) => ({ url: slapd.ldapsUrl })],
    ['StartTLS', (slapd) => ({ url: slapd.ldapUrl, tls: { startTls: true } })],
    ['ldaps in pages of two', () => ({ pageSize: 2 })],
    ['memberOf', () => ({ groups: { membership: 'memberOf' } })],
  ])('reach Twilio by %s: dry run, run, nothing left', async (_name, changes) => {
    await using server = disposable(await start());
    await using world = await createLdapWorld(server.slapd, changes(server.slapd));

    const dry = await world.tdsync('reconcile', '--dry-run', '--json', '--detailed-exitcode');
    const writesAfterDryRun = world.twilio.requests.writes;
    const run = await reconcile(world);
    const next = await reconcile(world);

    const planned = dry.json<RunDocument>().plan;
    expect([dry.code, writesAfterDryRun]).toEqual([2, 0]);
    expect(run.plan.digest).toBe(planned.digest);
    expect(run.operations.map(({ operation }) => operation.id)).toEqual(planned.operations.map(({ id }) => id));
    expect(run.plan.counts).toMatchObject({ entries: 12, inScope: 12 });
    expect(seen(world, 'u000001@example.com')).toMatchObject({
      externalId: entryUuid(1),
      name: { givenName: 'Björn', familyName: 'User1' },
      displayName: 'Björn User1',
      active: true,
    });
    expect(pictureOf(world.twilio).assignments).toEqual([
      'u000000@example.com: Developer in Production',
      'u000001@example.com: Developer in Production',
      'u000002@example.com: Developer in Production',
      'u000002@example.com: Support in Production',
      'u000003@example.com: Support in Production',
    ]);
    expect(next.status).toBe('converged');
  });

  test('join, move, change groups, are renamed in every way, go on leave, leave and return', async () => {
    await using server = disposable(await start());
    await using world = await createLdapWorld(server.slapd);
    await using directory = await administerDirectory(server.slapd);
    const nora = `uid=nora,${peopleDn}`;
    const nadia = `uid=nadia,${peopleDn}`;
    await sync(world);

    await directory.add(nora, {
      objectClass: 'inetOrgPerson',
      uid: 'nora',
      cn: 'Nora Newton',
      sn: 'Newton',
      givenName: 'Nora',
      mail: 'nora@example.com',
    });
    await directory.join(developers, nora);
    const joined = await sync(world);
    const joinedAs = seen(world, 'nora@example.com');

    await directory.replace(nora, 'givenName', 'Noriko');
    await directory.replace(nora, 'cn', 'Noriko Newton');
    const moved = await sync(world);

    await directory.leave(developers, nora);
    await directory.join(operators, nora);
    const regrouped = await sync(world);
    const roles = rolesOf(world, 'nora@example.com');

    await directory.replace(nora, 'mail', 'Noriko.Newton@example.com');
    const renamed = await sync(world);
    const renamedTo = seen(world, 'noriko.newton@example.com') ?? seen(world, 'Noriko.Newton@example.com');

    await directory.rename(nora, nadia);
    await directory.join(operators, nadia);
    await directory.leave(operators, nora);
    const anotherDn = await sync(world);

    await directory.replace(nadia, 'title', 'On leave');
    const disabled = await sync(world);
    await directory.replace(nadia, 'title', 'Back');
    const enabled = await sync(world);

    await directory.replace(nadia, 'employeeType', 'contractor');
    const outOfScope = await sync(world);
    await directory.replace(nadia, 'employeeType');
    const inScope = await sync(world);

    await directory.remove(personDn(3));
    const gone = await sync(world);

    expect(joined).toEqual(['create nora@example.com', 'grant nora@example.com']);
    expect(joinedAs).toMatchObject({ externalId: expect.stringMatching(/^[0-9a-f-]{36}$/), active: true });
    expect(moved).toEqual(['update nora@example.com']);
    expect(regrouped).toEqual(['revoke nora@example.com', 'grant nora@example.com']);
    expect(roles).toEqual(['Support in Production']);
    expect(renamed.map((each) => each.toLowerCase())).toEqual(['update noriko.newton@example.com']);
    expect(renamedTo).toMatchObject({ name: { givenName: 'Noriko', familyName: 'Newton' } });
    expect(anotherDn).toEqual([]);
    expect(disabled.map((each) => each.split(' ')[0])).toEqual(['revoke', 'deactivate']);
    expect(enabled.map((each) => each.split(' ')[0])).toEqual(['reactivate', 'grant']);
    expect(outOfScope.map((each) => each.split(' ')[0])).toEqual(['revoke', 'deactivate']);
    expect(inScope.map((each) => each.split(' ')[0])).toEqual(['reactivate', 'grant']);
    expect(gone).toEqual(['revoke u000003@example.com', 'deactivate u000003@example.com']);
    expect(world.twilio.state.mails).toHaveLength(13);
  });

  test('who come back as a new entry with their old address are a question for a person, not a guess', async () => {
    await using server = disposable(await start());
    await using world = await createLdapWorld(server.slapd);
    await using directory = await administerDirectory(server.slapd);
    await sync(world);
    await directory.remove(personDn(5));
    await sync(world);
    const before = pictureOf(world.twilio);

    await directory.add(personDn(5), {
      objectClass: 'inetOrgPerson',
      uid: 'u000005',
      cn: 'Somebody Else',
      sn: 'Else',
      givenName: 'Somebody',
      mail: 'u000005@example.com',
    });
    const run = await reconcile(world);

    expect(run.operations).toEqual([]);
    expect(run.findings).toMatchObject([{ code: 'recycled-address', userName: 'u000005@example.com' }]);
    expect(pictureOf(world.twilio)).toEqual(before);
  });
});

function disposable(slapd: Slapd): { readonly slapd: Slapd } & AsyncDisposable {
  return { slapd, [Symbol.asyncDispose]: () => slapd.stop() };
}
