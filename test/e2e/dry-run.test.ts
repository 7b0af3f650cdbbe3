import { chmod, readdir } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { expectConverged, idsOf, reconcile, settle, wideGuards } from '../support/convergence.ts';
import { createWorld, type Person, type RunDocument, unprivileged } from '../support/world.ts';

const anna: Person = { id: 'anna', groups: ['developers'] };
const ben: Person = { id: 'ben', groups: ['developers'] };
const carl: Person = { id: 'carl' };
const dora: Person = { id: 'dora', groups: ['developers'] };
const nobody = unprivileged();

describe.concurrent('a dry run', () => {
  test('lists exactly the operations that the run after it does, in that order', async () => {
    await using world = await createWorld({ sections: { guards: wideGuards } });
    await world.people([anna, ben, carl, dora]);
    await settle(world);
    // Everything at once: a mover, a leaver with a role, an address that somebody new gets, a disabled person, a joiner.
    await world.people([
      { ...anna, family: 'Moved', groups: [] },
      { ...carl, mail: 'carl.new@corp.example', groups: ['developers'] },
      { ...dora, status: 'disabled' },
      { id: 'emil', mail: 'carl@corp.example' },
    ]);

    const dry = (await world.tdsync('reconcile', '--dry-run', '--json')).json<RunDocument>();
    world.twilio.requests.clear();
    const run = await reconcile(world);

    expect(dry.status).toBe('planned');
    expect(idsOf(dry.plan.operations)).toEqual([
      'revoke anna',
      'revoke ben',
      'revoke dora',
      'deactivate ben',
      'deactivate dora',
      'update anna',
      'update carl',
      'create emil',
      'grant carl',
    ]);
    expect(run.plan).toEqual(dry.plan);
    expect(run.operations.map(({ operation }) => operation)).toEqual(dry.plan.operations);
    expect(run.operations.map(({ outcome }) => outcome.state)).toEqual(dry.plan.operations.map(() => 'done'));
    expect(
      world.twilio.requests
        .all()
        .filter(({ write }) => write)
        .map(({ method }) => method),
    ).toEqual([...['DELETE', 'DELETE', 'DELETE', 'DELETE', 'DELETE'], ...['PUT', 'PUT', 'POST', 'POST']]);
    await expectConverged(world);
  });

  test('ends with a bill that the run after it pays to the call', async () => {
    await using world = await createWorld();
    await world.people([anna, ben, carl]);

    const dry = (await world.tdsync('reconcile', '--dry-run', '--json')).json<RunDocument>();
    world.twilio.requests.clear();
    await reconcile(world);

    expect(dry.bill.calls).toEqual({ 'POST /scim/v2/Users': 3, 'POST /v2/Organizations/RoleAssignments': 2 });
    expect(world.twilio.requests.counts).toMatchObject(dry.bill.calls);
    expect(world.twilio.requests.writes).toBe(5);
  });

  test('writes nothing to Twilio and makes no snapshot', async () => {
    await using world = await createWorld();
    await world.people([anna, ben]);

    const dry = await world.tdsync('reconcile', '--dry-run');

    expect(dry.code).toBe(0);
    expect(dry.stdout).toContain('Joiners (2)');
    expect(dry.stdout).toContain('Bill: 4 calls');
    expect(dry.stdout).toContain('Dry run: planned, nothing was written');
    expect(world.twilio.requests.writes).toBe(0);
    expect(await readdir(world.folder)).toEqual(['people.csv', 'tdsync.yaml']);
  });

  test('leaves an existing snapshot as it is, byte for byte', async () => {
    await using world = await createWorld();
    await world.people([anna]);
    await settle(world);
    await world.people([anna, ben]);
    const before = await world.files();
    world.twilio.requests.clear();

    await world.tdsync('reconcile', '--dry-run', '--refresh');

    expect(await world.files()).toMatchObject(before);
    expect(world.twilio.requests.writes).toBe(0);
  });

  test.skipIf(nobody === undefined)(
    'works in a folder that it may not write to, with a snapshot and without',
    async () => {
      await using world = await createWorld();
      await world.people([anna]);
      await chmod(world.folder, 0o555);

      const without = await world.start(['reconcile', '--dry-run', '--json'], nobody).ended;
      await chmod(world.folder, 0o755);
      await settle(world);
      await chmod(world.path('tdsync.db'), 0o444);
      await chmod(world.folder, 0o555);
      const withSnapshot = await world.start(['reconcile', '--dry-run', '--json'], nobody).ended;
      await chmod(world.folder, 0o755);

      expect([without.code, without.json<RunDocument>().status]).toEqual([0, 'planned']);
      expect([withSnapshot.code, withSnapshot.json<RunDocument>().status]).toEqual([0, 'converged']);
    },
  );

  test('tells pending changes apart only when asked to', async () => {
    await using world = await createWorld();
    await world.people([anna]);

    const plain = await world.tdsync('reconcile', '--dry-run');
    const detailed = await world.tdsync('reconcile', '--dry-run', '--detailed-exitcode');
    await settle(world);
    const nothing = await world.tdsync('reconcile', '--dry-run', '--detailed-exitcode');

    expect([plain.code, detailed.code, nothing.code]).toEqual([0, 2, 0]);
  });

  test('can run beside a run that holds the lease', async () => {
    await using world = await createWorld();
    await world.people([anna]);
    await settle(world);
    await world.people([anna, ben]);
    world.twilio.faults.add({ match: { method: 'POST', path: '/scim/v2/Users' }, times: 1, fault: 'hang-after' });
    const run = world.start(['reconcile']);
    await world.twilio.requests.waitFor({ method: 'POST', path: '/scim/v2/Users' });

    const dry = await world.tdsync('reconcile', '--dry-run', '--json');
    run.kill('SIGKILL');
    await run.ended;

    expect(dry.code).toBe(0);
  });
});
