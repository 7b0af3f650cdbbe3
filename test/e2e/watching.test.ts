/** The daemon as machines that watch see it: by HTTP, and by `status --json`, which must say the same. */
import { describe, expect, test } from 'vitest';
import { startHttpServer } from '../../src/ops/http-server.ts';
import { createWorld, type Person, type Running, type World } from '../support/world.ts';

const anna: Person = { id: 'anna', groups: ['developers'] };
const ben: Person = { id: 'ben', mail: 'not an address' };
const never = '0 0 29 2 *';
const anywhere = { listen: '127.0.0.1:0' };

/** Where the daemon says that it listens. */
async function urlOf(daemon: Running): Promise<string> {
  const { url } = JSON.parse(await daemon.line('health and metrics are served')) as { url: string };
  return url;
}

/** `name{labels}` → value. */
async function metricsOf(url: string): Promise<ReadonlyMap<string, number>> {
  const answer = await fetch(`${url}/metrics`);
  expect([answer.status, answer.headers.get('content-type')]).toEqual([
    200,
    'text/plain; version=0.0.4; charset=utf-8',
  ]);
  const text = await answer.text();
  // Nothing that says who somebody is: no address, no key, no SID.
  expect(text).not.toMatch(/@|anna|\bben\b|(?:US|OR|IX|AC|IY)[0-9a-f]{32}/);
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]),
  );
}

async function statusOf(world: World) {
  return (await world.tdsync('status', '--json')).json<{
    readonly managed: number;
    readonly quarantine: { readonly people: number };
    readonly findings: readonly unknown[];
    readonly lastGoodRun: { readonly endedAt: string };
    readonly lastRead: { readonly entries: number; readonly inScope: number };
    readonly totals: {
      readonly runs: Readonly<Record<string, number>>;
      readonly operations: Readonly<Record<string, Readonly<Record<string, number>>>>;
      readonly requests: Readonly<Record<string, Readonly<Record<string, number>>>>;
    };
  }>();
}

describe.concurrent('the daemon that is watched', () => {
  test('lives before it is ready, shows what status shows, keeps its counts over a restart, and stops listening', async () => {
    await using world = await createWorld({
      sections: { schedule: { cron: never, runOnStart: false }, server: anywhere },
    });
    await world.people([anna, ben]);
    const idle = world.start(['daemon']);
    const idleUrl = await urlOf(idle);
    const before = await Promise.all(['live', 'ready'].map((name) => fetch(`${idleUrl}/health/${name}`)));
    const reason = (await before[1]?.json()) as { readonly reason: string };
    // Another process on the same snapshot: its runs count too.
    await world.tdsync('reconcile');
    const [ready, metrics] = [await fetch(`${idleUrl}/health/ready`), await metricsOf(idleUrl)];
    idle.kill('SIGTERM');
    const { code, stderr } = await idle.ended;

    const again = world.start(['daemon']);
    const afterRestart = await metricsOf(await urlOf(again));
    again.kill('SIGTERM');
    await again.ended;
    const status = await statusOf(world);

    expect(before.map((answer) => answer.status)).toEqual([200, 503]);
    expect(reason).toEqual({ ready: false, reason: 'there was no good run yet' });
    expect(ready.status).toBe(200);
    expect(code, stderr).toBe(0);
    await expect(fetch(`${idleUrl}/health/live`)).rejects.toThrow();
    expect(metrics.get('tdsync_runs_total{status="applied"}')).toBe(1);
    expect(metrics.get('tdsync_findings{code="invalid"}')).toBe(1);
    for (const each of [metrics, afterRestart]) {
      expect(each.get('tdsync_last_good_run_timestamp_seconds')).toBe(Date.parse(status.lastGoodRun.endedAt) / 1_000);
      expect(each.get('tdsync_managed_people')).toBe(status.managed);
      expect(each.get('tdsync_quarantined_people')).toBe(status.quarantine.people);
      expect(each.get('tdsync_source_entries')).toBe(status.lastRead.entries);
      expect(each.get('tdsync_operations_total{kind="create",outcome="done"}')).toBe(
        status.totals.operations.create?.done,
      );
      expect(each.get('tdsync_twilio_requests_total{endpoint="POST /scim/v2/Users",answer="2xx"}')).toBe(
        status.totals.requests['POST /scim/v2/Users']?.['2xx'],
      );
    }
    expect(status.totals.requests).toMatchObject({
      'POST /v2/token': { '2xx': 1 },
      'GET /scim/v2/Users': { '2xx': 1 },
      'POST /scim/v2/Users': { '2xx': 1 },
    });
  });

  test('is not ready while its runs fail, says which error it is, and counts how Twilio answers', async () => {
    await using world = await createWorld({
      sections: { schedule: { cron: never }, server: { ...anywhere, maxAge: '2h' } },
    });
    await world.people([anna]);
    world.twilio.faults.add({ match: { method: 'GET', path: '/scim/v2/Users' }, times: 1, fault: { status: 429 } });
    world.twilio.faults.add({ match: { method: 'GET', path: '/scim/v2/Users' }, fault: { status: 403 } });

    const daemon = world.start(['daemon']);
    const url = await urlOf(daemon);
    await daemon.line('twilio-unauthorized');
    const [ready, metrics] = [await fetch(`${url}/health/ready`), await metricsOf(url)];
    daemon.kill('SIGTERM');
    await daemon.ended;

    expect(ready.status).toBe(503);
    expect(metrics.get('tdsync_last_run_status{status="failed"}')).toBe(1);
    expect(metrics.get('tdsync_last_run_error{code="twilio-unauthorized"}')).toBe(1);
    expect(metrics.get('tdsync_run_errors_total{code="twilio-unauthorized"}')).toBe(1);
    expect(metrics.get('tdsync_twilio_requests_total{endpoint="GET /scim/v2/Users",answer="4xx"}')).toBe(1);
    expect(metrics.get('tdsync_twilio_throttled_total')).toBe(1);
    expect(metrics.has('tdsync_last_good_run_timestamp_seconds')).toBe(false);
  });

  test('lives and is not ready when its snapshot cannot be read, and the log says why', async () => {
    await using world = await createWorld({
      sections: { schedule: { cron: never, runOnStart: false }, server: anywhere },
    });
    await world.write('tdsync.db', 'this is not a database, and long enough to be looked at as one'.repeat(200));

    const daemon = world.start(['daemon']);
    const url = await urlOf(daemon);
    const answers = await Promise.all(['/health/live', '/health/ready', '/metrics'].map((path) => fetch(url + path)));
    const told = JSON.parse(await daemon.line('/metrics could not be answered'));
    daemon.kill('SIGTERM');
    await daemon.ended;

    expect(answers.map(({ status }) => status)).toEqual([200, 503, 503]);
    expect(told).toMatchObject({ level: 'warn', code: 'snapshot-corrupt', msg: expect.stringContaining('tdsync.db') });
  });

  test('ends with exit 78 before its first run when it cannot listen', async () => {
    await using taken = await startHttpServer({ host: '127.0.0.1', port: 0 }, {}, () => {});
    await using world = await createWorld({
      sections: { schedule: { cron: never }, server: { listen: new URL(taken.url).host } },
    });
    await world.people([anna]);

    const { code, stderr } = await world.tdsync('daemon');

    expect(code).toBe(78);
    expect(stderr).toMatch(/tdsync\.yaml:\d+: server\.listen: cannot listen on 127\.0\.0\.1:\d+: somebody else/);
    expect(world.twilio.requests.total).toBe(0);
  });
});
