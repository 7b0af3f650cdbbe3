import { chmod, readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { idsOf, reconcile, settle } from '../support/convergence.ts';
import { createWorld, type ErrorDocument, type Person, type RunDocument } from '../support/world.ts';

const anna: Person = { id: 'anna', groups: ['developers'] };
const ben: Person = { id: 'ben' };
const iso = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

interface StatusDocument {
  readonly healthy: boolean;
  readonly managed: number;
  readonly lastRun?: { readonly id: string; readonly status: string; readonly startedAt: string };
  readonly lastGoodRun?: { readonly id: string };
  readonly findings: readonly { readonly code: string; readonly message: string }[];
}

interface DoctorDocument {
  readonly checks: readonly {
    readonly check: string;
    readonly state: string;
    readonly message: string;
    readonly hint?: string;
  }[];
}

describe.concurrent('status and runs', () => {
  test('show the last runs, the people and the findings, and are the health check', async () => {
    await using world = await createWorld();
    await world.people([anna, { id: 'ben', mail: 'not an address' }]);

    const before = await world.tdsync('status', '--max-age', '1h');
    const run = await reconcile(world);
    const status = (await world.tdsync('status', '--json')).json<StatusDocument>();
    const fresh = await world.tdsync('status', '--max-age', '1h');
    const stale = await world.tdsync('status', '--max-age', '0s', '--json');

    expect([before.code, before.stdout]).toEqual([1, expect.stringContaining('Last good run: none yet')]);
    expect(status).toMatchObject({ healthy: true, managed: 1, lastGoodRun: { id: run.run } });
    expect(status.lastRun).toMatchObject({ id: run.run, status: 'applied', startedAt: expect.stringMatching(iso) });
    expect(status.findings).toMatchObject([{ code: 'invalid', message: expect.stringContaining('people.csv:3') }]);
    expect([fresh.code, fresh.stdout]).toEqual([0, expect.stringContaining('Managed:       1 people')]);
    expect([stale.code, stale.json<StatusDocument>().healthy]).toEqual([1, false]);
  });

  test('tell of every operation of a run, with before, after and the request in Twilio', async () => {
    await using world = await createWorld();
    await world.people([anna, ben]);
    const first = await reconcile(world);
    await world.people([{ ...anna, family: 'Moved' }, ben]);
    const second = await reconcile(world);

    const list = (await world.tdsync('runs', '--json')).json<{ runs: readonly { id: string; startedAt: string }[] }>();
    const one = await world.tdsync('runs', second.run ?? '');
    const document = (await world.tdsync('runs', first.run ?? '', '--json')).json<{
      operations: readonly {
        operation: RunDocument['plan']['operations'][number];
        state: string;
        finishedAt: string;
      }[];
      calls: Readonly<Record<string, number>>;
    }>();
    const limited = (await world.tdsync('runs', '--limit', '1')).stdout.trimEnd().split('\n');

    expect(list.runs.map(({ id }) => id)).toEqual([second.run, first.run]);
    expect(one.stdout).toContain('name.familyName: Family-anna → Moved');
    expect(one.stdout).toMatch(/done +update +anna@corp\.example \(anna\).*\[changed-upstream\] \[RQ[0-9a-f]{32}\]/);
    expect(idsOf(document.operations.map(({ operation }) => operation))).toEqual([
      'create anna',
      'create ben',
      'grant anna',
    ]);
    expect(document.operations[0]).toMatchObject({ state: 'done', finishedAt: expect.stringMatching(iso) });
    expect(document.calls).toMatchObject({ 'POST /scim/v2/Users': 2 });
    expect([limited.length, limited[0]]).toEqual([1, expect.stringContaining(second.run ?? '')]);
  });

  test('say that there is no such run, and no run at all yet', async () => {
    await using world = await createWorld();

    const none = await world.tdsync('runs');
    const unknown = await world.tdsync('runs', '20990101T000000Z-001');

    expect([none.code, none.stdout]).toEqual([0, 'No run yet.\n']);
    expect([unknown.code, unknown.stderr]).toEqual([64, expect.stringContaining('20990101T000000Z-001')]);
  });

  test('keep the error of a run that failed before it had a plan', async () => {
    await using world = await createWorld();
    await world.write('people.csv', '');

    await world.tdsync('reconcile');
    const status = await world.tdsync('status');

    expect(status.stdout).toMatch(/Last run: .* failed .*source-incomplete: .*people\.csv/);
  });
});

describe.concurrent('roles, doctor and config', () => {
  test('roles lists what rules can name', async () => {
    await using world = await createWorld();

    const text = await world.tdsync('roles');
    const { roles } = (await world.tdsync('roles', '--json')).json<{
      roles: readonly { name: string; sid: string }[];
    }>();

    expect(text.code).toBe(0);
    expect(text.stdout).toMatch(/^Developer +IX[0-9a-f]{30}03 {2}ACCOUNT$/m);
    expect(roles.filter(({ name }) => name === 'Owner')).toHaveLength(2);
  });

  test('doctor finds nothing wrong, reads everything and changes nothing', async () => {
    await using world = await createWorld();
    await world.people([anna]);
    const before = await world.files();
    const { revision } = world.twilio.state;

    const run = await world.tdsync('doctor', '--json');
    const { writes } = world.twilio.requests;
    await world.tdsync('doctor', '--no-permissions');

    const { checks } = run.json<DoctorDocument>();
    expect(checks.filter(({ state }) => state !== 'ok')).toEqual([]);
    const attributes = checks.filter(({ check }) => check === 'attribute').length;
    expect(checks.find(({ message }) => message.startsWith('mail:'))?.message).toBe(
      'mail: every entry, e.g. anna@corp.example',
    );
    expect(checks.map(({ check }) => check)).toEqual([
      ...['configuration', 'secret', 'secret', 'snapshot', 'roles', 'role rules', 'users', 'role assignments'],
      ...['permission', 'source', ...Array(attributes).fill('attribute'), 'group', 'filter'],
    ]);
    expect(run.code).toBe(0);
    // Requests that cannot take effect, and none when nobody asks for them.
    expect([world.twilio.state.revision, writes, world.twilio.requests.writes]).toEqual([revision, 5, 5]);
    expect(await world.files()).toEqual(before);
  });

  test('doctor finds everything wrong at once, each with the way to mend it', async () => {
    await using world = await createWorld({
      sections: { roles: [{ group: 'devs', grants: [{ role: 'Develper', scope: 'Production' }] }] },
    });
    await world.people([anna]);
    await chmod(world.path('tdsync.yaml'), 0o666);
    const client = [...world.twilio.state.clients.values()][0];
    const { clientId, clientSecret } = client ?? { clientId: '', clientSecret: '' };
    world.twilio.state.setClient({
      clientId,
      clientSecret,
      permissions: ['roles/list', 'managed-users/list', 'role-assignments/create'],
    });

    const run = await world.tdsync('doctor', '--json');

    const bad = run.json<DoctorDocument>().checks.filter(({ state }) => state !== 'ok');
    expect(run.code).toBe(1);
    expect(bad).toMatchObject([
      { check: 'file modes', state: 'warning', hint: expect.stringContaining('chmod go-w') },
      {
        check: 'role rules',
        state: 'failed',
        message: expect.stringMatching(/tdsync\.yaml:\d+: roles\[0\].*Develper/),
        hint: expect.stringContaining('tdsync roles'),
      },
      { check: 'role assignments', state: 'failed', message: expect.stringContaining('role-assignments/list') },
      ...['read', 'update', 'list', 'delete', 'create', 'delete'].map((what, index) => ({
        check: 'permission',
        state: 'failed',
        message: expect.stringContaining(
          `${index === 2 || index === 5 ? 'role-assignments' : 'managed-users'}/${what} is missing`,
        ),
        hint: expect.stringContaining('In the Twilio Console'),
      })),
      { check: 'source', state: 'failed', message: expect.stringContaining('devs') },
    ]);
  });

  test('doctor warns of SIDs that Twilio does not list', async () => {
    const grants = [{ role: `IX${'f'.repeat(32)}`, scope: `AC${'e'.repeat(32)}` }];
    await using world = await createWorld({ sections: { roles: [{ when: 'true', grants }] } });
    await world.people([anna]);

    const run = await world.tdsync('doctor');

    expect(run.code).toBe(0);
    expect(run.stdout).toContain(`! role rules        IX${'f'.repeat(32)} is not in Twilio's list of roles`);
    expect(run.stdout).toContain(`! role rules        AC${'e'.repeat(32)} is not in Twilio's list of accounts`);
  });

  test('config check works offline and warns of a secret that is missing', async () => {
    await using world = await createWorld();
    await world.twilio.close();

    const good = await world.tdsync('config', 'check');
    const missing = await world.start(['config', 'check', '--json'], {
      environment: { TWILIO_CLIENT_SECRET: undefined },
    }).ended;

    expect([good.code, good.stdout, good.stderr]).toEqual([0, `${world.path('tdsync.yaml')}: valid\n`, '']);
    expect([missing.code, missing.stderr]).toEqual([0, expect.stringContaining('TWILIO_CLIENT_SECRET is not set')]);
    expect(
      missing.json<{ secrets: readonly { resolves: boolean }[] }>().secrets.map(({ resolves }) => resolves),
    ).toEqual([true, false]);
  });

  test('config schema prints the schema that editors use', async () => {
    await using world = await createWorld();

    const run = await world.tdsync('config', 'schema');

    expect(run.code).toBe(0);
    expect(run.json<{ properties: object }>().properties).toHaveProperty('policy');
  });
});

describe.concurrent('the simulator', () => {
  test('stands in for Twilio as the snapshot knows it, so that a change can be rehearsed', async () => {
    await using world = await createWorld();
    await world.people([anna, ben]);
    await settle(world);
    world.twilio.requests.clear();

    const simulator = world.start(['simulator', '--from-snapshot', '--port', '0']);
    const url = /http:\S+/.exec(await simulator.line('listens on'))?.[0];
    const endpoints = { TDSYNC_TWILIO_IAM_URL: url, TDSYNC_TWILIO_OAUTH_URL: url, TDSYNC_TWILIO_ACCOUNTS_URL: url };
    const environment = { ...endpoints, TWILIO_CLIENT_SECRET: 'simulator-secret' };
    const same = await world.start(['reconcile', '--dry-run', '--refresh', '--json'], { environment }).ended;
    await world.people([anna, { ...ben, family: 'Moved' }]);
    const change = await world.start(['reconcile', '--dry-run', '--json'], { environment }).ended;
    simulator.kill('SIGTERM');
    const { code } = await simulator.ended;

    expect([same.code, same.json<RunDocument>().status]).toEqual([0, 'converged']);
    expect(idsOf(change.json<RunDocument>().plan.operations)).toEqual(['update ben']);
    expect([code, world.twilio.requests.total]).toEqual([0, 0]);
  });
});

describe.concurrent('the command line', () => {
  test('answers help and version on stdout', async () => {
    await using world = await createWorld();

    const [help, version, command] = await Promise.all([
      world.tdsync('--help'),
      world.tdsync('--version'),
      world.tdsync('reconcile', '--help'),
    ]);

    expect([help.code, help.stderr, version.code, command.code]).toEqual([0, '', 0, 0]);
    expect(help.stdout).toMatch(/75 {2}another run holds the lease/);
    expect(version.stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
    expect(command.stdout).toContain('--dry-run');
  });

  test.for([
    [[], 'Usage: tdsync'],
    [['reconsile'], "unknown command 'reconsile'"],
    [['reconcile', '--dryrun'], "unknown option '--dryrun'"],
    [['reconcile', 'now'], 'too many arguments'],
    [['apply'], "missing required argument 'plan'"],
    [['status', '--max-age', 'soon'], '"soon" is not a duration'],
    [['reconcile', '--log-level', 'loud'], 'debug, info, warn, error'],
    [['runs', '--limit', '0'], 'a whole number of at least 1'],
  ] as const)('ends with 64 after usage such as %j', async ([args, message]) => {
    await using world = await createWorld();

    const run = await world.tdsync(...args);

    expect([run.code, run.stdout, run.stderr]).toEqual([64, '', expect.stringContaining(message)]);
  });

  test('puts results on stdout and JSON lines on stderr, and nothing else with --json', async () => {
    await using world = await createWorld();
    await world.people([anna]);

    const run = await world.tdsync('reconcile', '--json', '--log-level', 'debug');

    const lines = run.stderr.split('\n').filter((line) => line !== '');
    expect(run.json<RunDocument>()).toMatchObject({
      version: 1,
      status: 'applied',
      startedAt: expect.stringMatching(iso),
    });
    expect(lines.length).toBeGreaterThan(3);
    expect(run.logs()).toHaveLength(lines.length);
    expect(run.logs()[0]).toMatchObject({ level: 'debug', time: expect.stringMatching(iso) });
  });

  test('prints errors as one JSON document too', async () => {
    await using world = await createWorld();
    await world.write('people.csv', 'employeeId\n');

    const run = await world.tdsync('reconcile', '--json');

    expect(run.code).toBe(5);
    expect(run.json<ErrorDocument>().error).toMatchObject({ code: 'source-incomplete' });
  });

  test('keeps to plain text when stdout is no terminal', async () => {
    await using world = await createWorld();
    await world.people([anna]);

    const run = await world.start(['reconcile', '--dry-run'], {
      environment: { FORCE_COLOR: undefined, TERM: 'xterm' },
    }).ended;

    expect(run.stdout).not.toContain('\u001b');
  });

  test('takes the configuration from TDSYNC_CONFIG and lets variables override it', async () => {
    await using world = await createWorld();
    await world.people([anna]);
    const environment = { TDSYNC_SNAPSHOT_PATH: world.path('elsewhere.db') };

    await world.start(['reconcile'], { environment }).ended;

    expect(await readFile(world.path('elsewhere.db'))).not.toHaveLength(0);
  });
});
