/** The daemon runs when it is time, one run at a time, and outlives what goes wrong in a run. */
import { rename, rm } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { defaultClient } from '../../src/simulator/default-seed.ts';
import { acquireLease } from '../../src/store/lease.ts';
import { historyOf } from '../support/in-process.ts';
import { pictureOf } from '../support/organization.ts';
import { createWorld, type Person, plantedSecret, type Sections, type World } from '../support/world.ts';

const anna: Person = { id: 'anna', groups: ['developers'] };
const ben: Person = { id: 'ben' };
const listUsers = { method: 'GET', path: '/scim/v2/Users' };
const everySecond = { cron: '* * * * * *' };
const never = '0 0 29 2 *';

async function open(schedule: Sections, sections: Sections = {}): Promise<World> {
  const world = await createWorld({ sections: { schedule, ...sections } });
  await world.people([anna, ben]);
  return world;
}

function statuses(world: World): readonly string[] {
  return historyOf(world).map(({ summary }) => summary.status);
}

describe.concurrent('the daemon', () => {
  test('runs once at its start, and does nothing more until it is time', async () => {
    await using world = await open({ cron: never });

    const daemon = world.start(['daemon']);
    await daemon.line('run ended');
    daemon.kill('SIGTERM');
    const { code, stdout, stderr } = await daemon.ended;

    expect([code, stdout], stderr).toEqual([0, '']);
    expect(pictureOf(world.twilio).assignments).toEqual(['anna@corp.example: Developer in Production']);
    expect(historyOf(world).map(({ summary }) => [summary.command, summary.status])).toEqual([['daemon', 'applied']]);
  });

  test('waits for its first time when it shall not run at its start', async () => {
    await using world = await open({ cron: never, runOnStart: false });

    const daemon = world.start(['daemon']);
    await daemon.line('daemon started');
    daemon.kill('SIGTERM');
    const { code, stderr } = await daemon.ended;

    expect(code, stderr).toBe(0);
    expect(world.twilio.requests.total).toBe(0);
  });

  test('runs each time, and applies what has changed in between', async () => {
    await using world = await open({ ...everySecond, runOnStart: false });

    const daemon = world.start(['daemon']);
    await world.twilio.requests.waitFor({ method: 'POST', path: '/v2/Organizations/RoleAssignments' });
    await world.people([anna]);
    await world.twilio.requests.waitFor({ method: 'DELETE', path: '/scim/v2/Users/{id}' });
    daemon.kill('SIGTERM');
    const { code, stderr } = await daemon.ended;

    expect(code, stderr).toBe(0);
    expect(statuses(world).filter((status) => status === 'applied')).toHaveLength(2);
    expect(world.twilio.state.users.byUserName('ben@corp.example')?.status).toBe('inactive');
  });

  test('leaves out a time at which the run before it has not ended', async () => {
    await using world = await open(everySecond);
    world.twilio.limits.latency = 600;

    const daemon = world.start(['daemon']);
    await daemon.line('a run is still under way');
    await world.twilio.requests.waitFor(listUsers, 3);
    daemon.kill('SIGTERM');
    const { code } = await daemon.ended;

    const spans = historyOf(world)
      .map(({ summary: { startedAt, endedAt = 0 } }) => [startedAt, endedAt] as const)
      .toReversed();
    expect(code).toBe(0);
    expect(spans.length).toBeGreaterThanOrEqual(3);
    for (const [index, [startedAt]] of spans.entries()) {
      expect(startedAt).toBeGreaterThanOrEqual(spans[index - 1]?.[1] ?? 0);
    }
  });

  test('leaves out a time at which somebody else holds the snapshot, and takes a later one', async () => {
    await using world = await open(everySecond);
    const holder = { pid: 4711, host: 'elsewhere', command: 'reconcile', since: Date.UTC(2026, 10, 24) };
    const lease = acquireLease(world.path('tdsync.db'), holder);

    const daemon = world.start(['daemon']);
    const skipped = JSON.parse(await daemon.line('another run holds'));
    const requestsBefore = world.twilio.requests.total;
    lease.release();
    await daemon.line('run ended');
    daemon.kill('SIGTERM');
    const { code } = await daemon.ended;

    expect(code).toBe(0);
    expect(skipped).toMatchObject({ level: 'warn', code: 'lease-held', msg: expect.stringContaining('process 4711') });
    expect(requestsBefore).toBe(0);
    expect(statuses(world)).toContain('applied');
  });

  test('goes on when the source is gone, and recovers when it is back', async () => {
    await using world = await open(everySecond);
    await rename(world.path('people.csv'), world.path('away.csv'));

    const daemon = world.start(['daemon']);
    const failed = JSON.parse(await daemon.line('people.csv'));
    await rename(world.path('away.csv'), world.path('people.csv'));
    await daemon.line('run ended');
    daemon.kill('SIGTERM');
    const { code } = await daemon.ended;

    expect(code).toBe(0);
    expect(failed).toMatchObject({ level: 'error', code: 'source-unavailable' });
    expect(statuses(world).at(-1)).toBe('failed');
    expect(statuses(world)).toContain('applied');
    expect(world.twilio.state.mails).toHaveLength(2);
  });

  test('goes on when Twilio is out of order, and recovers when it is not', async () => {
    await using world = await open(everySecond);
    world.twilio.faults.add({ match: listUsers, fault: { status: 403 } });

    const daemon = world.start(['daemon']);
    const failed = JSON.parse(await daemon.line('GET /scim/v2/Users'));
    world.twilio.faults.clear();
    await daemon.line('run ended');
    daemon.kill('SIGTERM');
    const { code } = await daemon.ended;

    expect(code).toBe(0);
    expect(failed).toMatchObject({ level: 'error', code: 'twilio-unauthorized', hint: expect.any(String) });
    expect(statuses(world)).toContain('applied');
  });

  test('says which guard refuses a plan and by how much, writes nothing, and goes on', async () => {
    await using world = await open(everySecond, { guards: { creations: { count: 1 } } });

    const daemon = world.start(['daemon']);
    const refused = JSON.parse(await daemon.line('a guard refuses the plan'));
    const writesBefore = world.twilio.requests.writes;
    await world.people([anna]);
    await daemon.line('run ended');
    daemon.kill('SIGTERM');
    const { code } = await daemon.ended;

    expect(code).toBe(0);
    expect(refused).toMatchObject({
      level: 'error',
      status: 'refused',
      digest: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect(refused.guards).toEqual([expect.stringContaining('2 people would be created; the limit is 1')]);
    expect(writesBefore).toBe(0);
    expect(world.twilio.state.mails.map(({ to }) => to)).toEqual(['anna@corp.example']);
  });

  test('tells a run with failures as a warning', async () => {
    await using world = await open({ cron: never });
    await world.people([anna, { id: 'bad', given: 'A' }]);

    const daemon = world.start(['daemon']);
    const ended = JSON.parse(await daemon.line('run ended'));
    daemon.kill('SIGTERM');
    await daemon.ended;

    expect(ended).toMatchObject({ level: 'warn', status: 'partial', failed: 1 });
  });

  test('finds a rotated secret in its file without a restart', async () => {
    const folder = { cron: '* * * * * *' };
    await using world = await open(folder);
    await world.write('secret', plantedSecret);
    await world.configure({
      schedule: folder,
      twilio: {
        organizationSid: world.twilio.state.organizationSid,
        oauth: { clientId: defaultClient.clientId, clientSecret: `\${file:secret}` },
        endpoints: { iam: world.twilio.url, oauth: world.twilio.url, accounts: world.twilio.url },
      },
    });

    const daemon = world.start(['daemon']);
    await daemon.line('run ended');
    world.twilio.state.setClient({ clientId: defaultClient.clientId, clientSecret: 'rotated' });
    world.twilio.tokens.revokeAll();
    await daemon.line('twilio-unauthorized');
    await world.write('secret', 'rotated');
    await world.people([anna]);
    await world.twilio.requests.waitFor({ method: 'DELETE', path: '/scim/v2/Users/{id}' });
    daemon.kill('SIGTERM');
    const { code } = await daemon.ended;

    expect(code).toBe(0);
    await rm(world.path('secret'));
  });

  test('ends with exit 78 when the configuration has no schedule', async () => {
    await using world = await createWorld();
    await world.people([anna]);

    const { code, stderr } = await world.tdsync('daemon');

    expect(code).toBe(78);
    expect(stderr).toContain('schedule: missing');
    expect(world.twilio.requests.total).toBe(0);
  });

  test('ends with exit 1 when its snapshot is damaged, because no later run could mend that', async () => {
    await using world = await open(everySecond);
    await world.write('tdsync.db', 'this is not a database, and long enough to be looked at as one'.repeat(200));

    const { code, stderr } = await world.tdsync('daemon');

    expect(code).toBe(1);
    expect(stderr).toContain('tdsync.db');
    expect(world.twilio.requests.total).toBe(0);
  });
});
