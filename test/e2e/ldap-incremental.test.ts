/** Runs that ask a real OpenLDAP only for what changed: when the cookie moves, what they say, and that guards hold. */
import Sqlite from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunReport } from '../../src/domain/run.ts';
import { groupsDn, peopleDn, personDn, suffix } from '../support/directory-ldif.ts';
import { type InProcessOptions, reconcileInProcess } from '../support/in-process.ts';
import {
  administerDirectory,
  createLdapWorld,
  type DirectoryAdministration,
  type LdapWorld,
  type SourceChanges,
} from '../support/ldap-world.ts';
import { pictureOf } from '../support/organization.ts';
import { type Slapd, slapdIsInstalled, startSlapd } from '../support/slapd.ts';
import type { ErrorDocument, Result, RunDocument, Sections } from '../support/world.ts';

const incremental = { method: 'syncrepl' };
const developers = `cn=developers,${groupsDn}`;
const seed = {
  people: 30,
  groups: [{ name: 'developers', kind: 'groupOfNames' as const, members: [0, 1, 2] }],
};
const roles = [{ group: 'developers', grants: [{ role: 'Developer', scope: 'Production' }] }];

async function run(world: LdapWorld, options: InProcessOptions = {}): Promise<RunReport> {
  const { report, error } = await reconcileInProcess(world, options);
  if (report === undefined) throw error;
  return report;
}

function kindsOf({ plan }: Pick<RunReport, 'plan'>): readonly string[] {
  return plan.operations.map(({ kind, userName }) => `${kind} ${userName}`);
}

describe.skipIf(!slapdIsInstalled())('a run that asks for changes only', () => {
  let slapd: Slapd;
  let directory: DirectoryAdministration;

  beforeAll(async () => {
    slapd = await startSlapd({ ...seed, syncprov: 'syncprov-sessionlog 100' });
    directory = await administerDirectory(slapd);
  });
  afterAll(async () => {
    await directory?.[Symbol.asyncDispose]();
    await slapd?.stop();
  });

  /** An organization that is in step with the directory as it is. */
  async function inStep(sections: Sections = {}): Promise<LdapWorld> {
    const world = await createLdapWorld(slapd, { incremental }, { roles, ...sections });
    expect(await run(world)).toMatchObject({ status: 'applied', source: { manner: 'full' } });
    return world;
  }

  test('binds and searches once when nothing happened, and says how it read', async () => {
    await using world = await inStep();
    let shown = '';

    const logged = await slapd.loggedDuring(async () => {
      shown = (await world.tdsync('reconcile')).stdout;
    });
    const requests = logged.filter((line) => / (?:BIND dn|SRCH base)=/.test(line) && !line.includes('mech='));
    const [status, doctor] = [await world.tdsync('status'), await world.tdsync('doctor')];

    expect(requests.map((line) => /BIND|SRCH base="[^"]*"/.exec(line)?.[0])).toEqual(['BIND', `SRCH base="${suffix}"`]);
    expect(shown).toContain('30 entries');
    expect(shown).toMatch(/Source: asked for changes only: none/);
    expect(status.stdout).toMatch(/Source: +asked for changes only: none/);
    expect(doctor.stdout).toContain(`the server reports changes below "${suffix}" (syncrepl)`);
  });

  test('carries out what happened in the directory, and nothing is left after', async () => {
    await using world = await inStep();
    const nora = `uid=nora,${peopleDn}`;
    const names = { uid: 'nora', cn: 'Nora Newton', sn: 'Newton', givenName: 'Nora', mail: 'nora@example.com' };
    await directory.add(nora, { objectClass: 'inetOrgPerson', ...names });
    await directory.join(developers, nora);
    await directory.leave(developers, personDn(1));
    await directory.replace(personDn(3), 'givenName', 'Moved');
    await directory.replace(personDn(4), 'employeeType', 'contractor');
    await directory.remove(personDn(2));

    const changed = await run(world);
    const next = await run(world);

    expect(changed.source).toMatchObject({ manner: 'incremental', gone: 1 });
    expect(kindsOf(changed).toSorted()).toEqual([
      'create nora@example.com',
      'deactivate u000002@example.com',
      'deactivate u000004@example.com',
      'grant nora@example.com',
      'revoke u000001@example.com',
      'revoke u000002@example.com',
      'update u000003@example.com',
    ]);
    expect(next).toMatchObject({ status: 'converged', source: { manner: 'incremental', changed: 0, gone: 0 } });
  });

  test('is refused by the guards like any other, reads again until the plan goes through, and then goes on', async () => {
    await using world = await inStep({ guards: { deactivations: { count: 3 }, sourceShrink: { percent: 90 } } });
    for (let index = 5; index < 10; index += 1) await directory.remove(personDn(index));

    const refused = await run(world);
    const again = await run(world);
    const allowed = await run(world, { allow: ['deactivations'] });
    const next = await run(world);

    expect(refused).toMatchObject({ status: 'refused', source: { manner: 'incremental', gone: 5 } });
    expect(again).toMatchObject({ status: 'refused', source: { manner: 'incremental', gone: 5 } });
    expect(again.plan.digest).toBe(refused.plan.digest);
    expect(allowed).toMatchObject({ status: 'applied', source: { gone: 5 } });
    expect(next).toMatchObject({ status: 'converged', source: { gone: 0 } });
  });

  test('for chosen people, or dry, moves nothing: the next one sees the same changes', async () => {
    await using world = await inStep();
    await directory.replace(personDn(10), 'givenName', 'Ten');
    await directory.replace(personDn(11), 'givenName', 'Eleven');

    const { 'tdsync.db': before } = await world.files();
    const dry = (await world.tdsync('reconcile', '--dry-run', '--json')).json<RunDocument>();
    const { 'tdsync.db': after } = await world.files();
    const one = await run(world, { only: ['u000010@example.com'] });
    const rest = await run(world);

    expect(dry.source).toMatchObject({ manner: 'incremental', changed: 2 });
    expect(after).toBe(before);
    expect(kindsOf(one)).toEqual(['update u000010@example.com']);
    expect(rest.source).toMatchObject({ manner: 'incremental', changed: 2 });
    expect(kindsOf(rest)).toEqual(['update u000011@example.com']);
  });

  test('that did not finish moves nothing', async () => {
    await using world = await inStep();
    await directory.replace(personDn(12), 'givenName', 'Twelve');
    world.twilio.faults.add({
      match: { method: 'PUT', path: '/scim/v2/Users/{id}' },
      times: 1,
      fault: { status: 400 },
    });

    const partial = await run(world);
    const next = await run(world);

    expect(partial).toMatchObject({ status: 'partial', source: { changed: 1 } });
    expect(next.source).toMatchObject({ manner: 'incremental', changed: 1 });
  });

  test('that was applied and could not keep what it read is good, and the next one reads it again', async () => {
    await using world = await inStep();
    await directory.replace(personDn(13), 'givenName', 'Thirteen');
    withSnapshot(world, "CREATE TRIGGER forbid BEFORE INSERT ON source_cache BEGIN SELECT RAISE(ABORT, 'no'); END");

    const applied = await world.tdsync('reconcile', '--json');
    withSnapshot(world, 'DROP TRIGGER forbid');
    const next = await run(world);
    const last = await run(world);

    expect(applied.code).toBe(0);
    expect(warningsOf(applied)).toContainEqual(expect.stringContaining('could not be kept'));
    expect(next).toMatchObject({ status: 'converged', source: { manner: 'incremental', changed: 1 } });
    expect(last.source).toMatchObject({ changed: 0 });
  });

  test('that is killed while it applies moves nothing', async () => {
    await using world = await inStep();
    await directory.replace(personDn(14), 'givenName', 'Fourteen');
    world.twilio.requests.clear();
    world.twilio.faults.add({ match: { method: 'PUT', path: '/scim/v2/Users/{id}' }, times: 1, fault: 'hang-after' });
    const killed = world.start(['reconcile']);
    await world.twilio.requests.waitFor({ method: 'PUT', path: '/scim/v2/Users/{id}' }, 1);
    killed.kill('SIGKILL');
    await killed.ended;
    world.twilio.faults.clear();

    const next = await run(world);

    expect(next.source).toMatchObject({ manner: 'incremental', changed: 1 });
    expect(pictureOf(world.twilio).users).toContainEqual(
      expect.objectContaining({
        userName: 'u000014@example.com',
        name: expect.objectContaining({ givenName: 'Fourteen' }),
      }),
    );
  });

  test('reads everything after the rules ask for something else, and forgets everybody when it is switched off', async () => {
    await using world = await inStep();
    const filter = 'entry.employeeType != "contractor" && entry.departmentNumber != "x"';
    const connect = (changes: SourceChanges) => world.connect(changes, { roles, filter });

    await connect({ incremental });
    const other = await run(world);
    const next = await run(world);
    await connect({});
    const off = await run(world);

    expect(other.source).toEqual({ manner: 'full', reason: 'the configuration asks for something else than before' });
    expect(next.source).toMatchObject({ manner: 'incremental' });
    expect(off).not.toHaveProperty('source');
    expect(withSnapshot(world, 'SELECT * FROM source_entries', 'SELECT * FROM source_cache')).toEqual([[], []]);
  });
});

describe.skipIf(!slapdIsInstalled())('a server that does not report changes', () => {
  let slapd: Slapd;

  beforeAll(async () => {
    slapd = await startSlapd(seed);
  });
  afterAll(() => slapd?.stop());

  test('is read in full each time, with a warning, and doctor says what to do', async () => {
    await using world = await createLdapWorld(slapd, { incremental }, { roles });
    await using directory = await administerDirectory(slapd);

    await run(world);
    await directory.remove(personDn(3));
    const second = await world.tdsync('reconcile', '--json');
    const doctor = await world.tdsync('doctor');

    expect(second.code).toBe(0);
    expect(warningsOf(second)).toContainEqual(expect.stringContaining('unavailableCriticalExtension (12)'));
    expect(kindsOf(second.json<RunDocument>())).toEqual(['deactivate u000003@example.com']);
    expect(second.json<RunDocument>().source).toMatchObject({ manner: 'full' });
    expect(doctor.code).toBe(1);
    expect(doctor.stdout).toContain('incremental reads by syncrepl do not work');
    expect(doctor.stdout).toContain('load the overlay syncprov');
  });

  test('and follows referrals besides is a configuration error', async () => {
    await using world = await createLdapWorld(slapd, { incremental, referrals: 'follow' });

    const check = await world.tdsync('config', 'check', '--json');

    expect(check.code).toBe(78);
    expect(check.json<ErrorDocument>().error.issues?.map(({ path }) => path)).toEqual(['source.incremental']);
  });
});

function warningsOf({ logs }: Result): readonly unknown[] {
  return logs()
    .filter(({ level }) => level === 'warn')
    .map(({ msg }) => msg);
}

/** Runs statements on the snapshot's file; rows of those that have any. */
function withSnapshot(world: LdapWorld, ...statements: readonly string[]): readonly unknown[][] {
  const database = new Sqlite(world.path('tdsync.db'));
  try {
    return statements.map((sql) => {
      const statement = database.prepare(sql);
      if (statement.reader) return statement.all();
      statement.run();
      return [];
    });
  } finally {
    database.close();
  }
}
