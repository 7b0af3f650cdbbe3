/** Hooks are told how runs end: once per change, across processes, and without a name, a secret or a whole URL anywhere. */
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';
import {
  createSkippingClock,
  historyOf,
  type InProcessRun,
  reconcileInProcess,
  type SkippingClock,
} from '../support/in-process.ts';
import { inTurn, type Respond, type ScriptedHttp, startScriptedHttp } from '../support/scripted-http.ts';
import { createWorld, type Person, plantedSecret, type Sections, type World } from '../support/world.ts';

const anna: Person = { id: 'anna', groups: ['developers'] };
const ben: Person = { id: 'ben' };
const cleo: Person = { id: 'cleo' };
const token = 'hook-token-91c4';

interface Notice {
  readonly event: string;
  readonly id: string;
  readonly after?: string;
  readonly [key: string]: unknown;
}

interface Scene extends AsyncDisposable {
  readonly world: World;
  readonly receiver: ScriptedHttp;
  readonly environment: Readonly<Record<string, string>>;
  /** One run in this process. */
  run(): Promise<InProcessRun>;
  readonly clock: SkippingClock;
  notices(): readonly Notice[];
  events(): readonly string[];
}

const oneCreation = { creations: { count: 1 } };

async function scene(
  respond: Respond = () => ({}),
  hook: Readonly<Record<string, unknown>> = {},
  sections: Sections = {},
): Promise<Scene> {
  const receiver = await startScriptedHttp(respond);
  const notify = [{ url: `\${env:HOOK_URL}`, ...hook }];
  const world = await createWorld({ sections: { notify, ...sections } });
  const environment = { HOOK_URL: `${receiver.url}/${token}`, HOOK_SECRET: plantedSecret };
  const clock = createSkippingClock();
  const notices = () => receiver.requests.map(({ body }) => JSON.parse(body) as Notice);
  return {
    world,
    receiver,
    environment,
    clock,
    run: () => reconcileInProcess(world, { clock, environment }),
    notices,
    events: () => notices().map(({ event }) => event),
    async [Symbol.asyncDispose]() {
      await world[Symbol.asyncDispose]();
      await receiver.close();
    },
  };
}

describe.concurrent('a refused plan', () => {
  test('is told once however often it is refused, another one anew, and recovery once', async () => {
    await using it = await scene(undefined, {}, { guards: oneCreation });
    await it.world.people([anna, ben]);
    for (let round = 0; round < 3; round += 1) await it.run();
    await it.world.people([anna, ben, cleo]);
    for (let round = 0; round < 2; round += 1) await it.run();
    await it.world.people([anna]);
    for (let round = 0; round < 3; round += 1) await it.run();

    expect(it.events()).toEqual(['refused', 'refused', 'recovered']);
    expect(it.notices().map(({ after }) => after)).toEqual([undefined, 'refused', 'refused']);
    expect(historyOf(it.world)).toHaveLength(8);
  });

  test('is told with its arithmetic and its digest, and with nobody named', async () => {
    await using it = await scene(undefined, {}, { guards: oneCreation });
    await it.world.people([anna, ben, { id: 'bad', mail: 'nobody' }]);

    const { report } = await it.run();

    const [notice] = it.notices();
    expect(notice).toMatchObject({
      version: 1,
      event: 'refused',
      id: `${report?.run}-refused`,
      organization: it.world.twilio.state.organizationSid,
      run: { id: report?.run, command: 'reconcile', status: 'refused' },
      plan: {
        digest: report?.plan.digest,
        operations: { create: 2, grant: 1 },
        counts: { entries: 3, inScope: 3, managed: 0 },
      },
      guards: [{ guard: 'creations', measured: 2, limit: 1, message: '2 people would be created; the limit is 1' }],
      findings: { count: 1, codes: [{ code: 'invalid', count: 1 }] },
      next: expect.stringContaining(`tdsync approve ${report?.plan.digest.slice(0, 12)}`),
    });
    expect(it.receiver.requests[0]?.body).not.toMatch(/anna|ben|corp\.example|nobody/);
  });

  test('is told to Slack as a text that cannot call anybody', async () => {
    const roles = [{ when: 'true', grants: [{ role: 'Developer', scope: 'Production' }] }];
    await using it = await scene(undefined, { format: 'slack' }, { guards: oneCreation, roles });
    await it.world.people([anna, ben]);

    const { report } = await it.run();

    const [body] = it.receiver.requests.map(({ body }) => JSON.parse(body) as Record<string, string>);
    expect(Object.keys(body ?? {})).toEqual(['text']);
    expect(body?.text?.split('\n')).toEqual([
      '*tdsync: a plan was refused, nothing was written*',
      '• creations: 2 people would be created; the limit is 1',
      `Plan ${report?.plan.digest}: 2 create, 2 grant`,
      `Read the plan with \`tdsync runs ${report?.run}\`. If it is right: \`tdsync approve ${report?.plan.digest.slice(0, 12)}\`; if not, correct the source or the rules.`,
      expect.stringMatching(/^Run \S+ on \S+, organization OR0/),
    ]);
  });

  test('is not told over when a run over one person converges, which says nothing of the others', async () => {
    await using it = await scene(undefined, {}, { guards: oneCreation });
    await it.world.people([anna, ben]);
    await it.run();

    const only = await it.world.start(['reconcile', '--only', 'anna@corp.example'], { environment: it.environment })
      .ended;
    await it.run();

    expect([only.code, it.events()]).toEqual([0, ['refused', 'recovered']]);
    expect(it.notices()[1]?.run).toMatchObject({ status: 'applied' });
  });
});

describe.concurrent('a run that fails', () => {
  test('is told when the source is gone, with what to do, and again when Twilio is', async () => {
    await using it = await scene();
    await it.world.people([anna]);
    await rename(it.world.path('people.csv'), it.world.path('away.csv'));
    for (let round = 0; round < 2; round += 1) await it.run();
    await rename(it.world.path('away.csv'), it.world.path('people.csv'));
    it.world.twilio.faults.add({ match: { method: 'GET', path: '/scim/v2/Users' }, fault: { status: 403 } });
    for (let round = 0; round < 2; round += 1) await it.run();
    it.world.twilio.faults.clear();
    await it.run();

    expect(it.notices()).toMatchObject([
      { event: 'failed', error: { code: 'source-unavailable' } },
      { event: 'failed', after: 'failed', error: { code: 'twilio-unauthorized', hint: expect.any(String) } },
      { event: 'recovered', after: 'failed', run: { status: 'applied' } },
    ]);
  });

  test('is not told when another run holds the lease, which is no state', async () => {
    await using it = await scene();
    await it.world.people([anna]);
    const { acquireLease } = await import('../../src/store/lease.ts');
    using _lease = acquireLease(it.world.path('tdsync.db'), { pid: 1, host: 'h', command: 'reconcile', since: 0 });

    const { code } = await it.run();

    expect([code, it.events()]).toEqual([75, []]);
  });
});

describe.concurrent('people whom Twilio refuses', () => {
  test('are told of once while they are parked and tried again, and somebody else anew', async () => {
    await using it = await scene();
    const bad: Person = { id: 'bad', given: 'A' };
    await it.world.people([anna, bad]);
    await it.run(); // refused by Twilio
    await it.run(); // parked: converges
    await it.world.people([anna, bad, { id: 'worse', given: 'B' }]);
    await it.run();
    await it.world.people([anna, { id: 'bad', given: 'Al' }, { id: 'worse', given: 'Bo' }]);
    await it.run();

    expect(it.notices()).toMatchObject([
      {
        event: 'partial',
        outcomes: { failed: 1 },
        failures: { count: 1, codes: [{ code: 'twilio-rejected', count: 1 }] },
      },
      { event: 'partial', after: 'partial' },
      { event: 'recovered', after: 'partial' },
    ]);
    expect(historyOf(it.world).map(({ summary }) => summary.status)).toEqual([
      'applied',
      'partial',
      'converged',
      'partial',
    ]);
  });
});

describe.concurrent('a domain that Twilio has not verified', () => {
  test('is told of once, however often it is tried again, and recovery when nobody waits for it any more', async () => {
    await using it = await scene();
    const joiners = (domain: string) => ['dora', 'emil'].map((id) => ({ id, mail: `${id}@${domain}` }));
    const codes: number[] = [];
    const run = async () => codes.push((await it.run()).code);
    await it.world.people([anna, ...joiners('not-ours.example')]);

    for (let tried = 0; tried < 3; tried += 1) {
      await run();
      await run(); // the domain waits: converges
      it.clock.advance(25 * 3_600_000);
    }
    await it.world.people([anna, ...joiners('corp.example')]);
    await run();

    expect(codes).toEqual([4, 0, 4, 0, 4, 0, 0]);
    expect(it.events()).toEqual(['partial', 'recovered']);
  });
});

describe.concurrent('a hook that does not answer', () => {
  test('fails no run, and is told by the next one what still holds', async () => {
    await using it = await scene(
      inTurn({ status: 500 }, { broken: 'before' }, { status: 500 }, {}),
      {},
      {
        guards: oneCreation,
      },
    );
    await it.world.people([anna, ben]);

    const runs = [await it.run(), await it.run(), await it.run()];

    expect(runs.map(({ code }) => code)).toEqual([3, 3, 3]);
    expect(it.events()).toEqual(['refused', 'refused', 'refused', 'refused']);
    expect(
      new Set(
        it
          .notices()
          .slice(0, 3)
          .map(({ id }) => id),
      ).size,
    ).toBe(1);
    expect(it.notices()[3]?.id).toBe(`${runs[1]?.report?.run}-refused`);
  });

  test('is not told of the end of what it never heard of', async () => {
    await using it = await scene(inTurn({ status: 404 }, {}), {}, { guards: oneCreation });
    await it.world.people([anna, ben]);
    await it.run();
    await it.world.people([anna]);
    await it.run();

    expect(it.events()).toEqual(['refused']);
  });

  test('is left after its time, and holds up no other', async () => {
    await using it = await scene(() => ({ broken: 'hang' }));
    await using other = await startScriptedHttp(() => ({}));
    const hooks = [{ url: `\${env:HOOK_URL}`, timeout: '50ms' }, { url: `${other.url}/x` }];
    await it.world.configure({ guards: oneCreation, notify: hooks });
    await it.world.people([anna, ben]);

    const { code } = await it.run();

    expect([code, other.requests.length]).toEqual([3, 1]);
  });

  test('does not hold up the report', async () => {
    const reported = Promise.withResolvers<void>();
    const answerLate: Respond = () => reported.promise.then(() => ({}));
    await using it = await scene(answerLate, { timeout: '30s' }, { guards: oneCreation });
    await it.world.people([anna, ben]);

    const run = it.world.start(['reconcile'], { environment: it.environment });
    await run.line('a guard refuses the plan; nothing was written');
    reported.resolve();
    const { code } = await run.ended;

    expect([code, it.events()]).toEqual([3, ['refused']]);
  });

  test('is logged by what the configuration calls it', async () => {
    await using it = await scene(() => ({ status: 410 }), { secret: `\${env:HOOK_SECRET}` }, { guards: oneCreation });
    await it.world.people([anna, ben]);

    const run = await it.world.start(['reconcile', '--log-level', 'debug'], { environment: it.environment }).ended;

    expect(run.code).toBe(3);
    expect(run.logs()).toContainEqual(
      expect.objectContaining({
        level: 'warn',
        code: 'not-delivered',
        hook: `\${env:HOOK_URL}`,
        msg: `notify \${env:HOOK_URL}: the hook answered 410; the next run tells it, if it still holds`,
      }),
    );
    expect(`${run.stdout}${run.stderr}`).not.toContain(token);
    expect(await it.world.leaks()).toEqual([]);
  });
});

describe.concurrent('the daemon', () => {
  const schedule = { cron: '* * * * * *' };

  test('tells once of a plan that it refuses at every run, also after it was started anew', async () => {
    await using it = await scene(undefined, { secret: `\${env:HOOK_SECRET}` }, { schedule, guards: oneCreation });
    await it.world.people([anna, ben]);
    const lives: (number | null)[] = [];
    for (let life = 0; life < 2; life += 1) {
      it.world.twilio.requests.clear();
      const daemon = it.world.start(['daemon'], { environment: it.environment });
      await it.world.twilio.requests.waitFor({ method: 'GET', path: '/scim/v2/Users' }, 2);
      await daemon.line('a guard refuses the plan');
      daemon.kill('SIGTERM');
      lives.push((await daemon.ended).code);
    }

    expect(lives).toEqual([0, 0]);
    expect(it.events()).toEqual(['refused']);
    expect(historyOf(it.world).filter(({ summary }) => summary.status === 'refused').length).toBeGreaterThanOrEqual(2);
    expect(await it.world.leaks()).toEqual([]);
    expect(await areGenuine(it.receiver, it.world.folder, plantedSecret)).toEqual([false, false, false, true, false]);
  });

  test('tells of a run that failed before it had a plan, and that it recovered', async () => {
    await using it = await scene(undefined, {}, { schedule });
    const daemon = it.world.start(['daemon'], { environment: it.environment });
    await daemon.line('the hook was told');
    await it.world.people([anna]);
    await daemon.line('"event":"recovered"');
    daemon.kill('SIGTERM');
    const { code } = await daemon.ended;

    expect(code).toBe(0);
    expect(it.notices()).toMatchObject([
      { event: 'failed', run: { command: 'daemon' }, error: { code: 'source-unavailable' } },
      { event: 'recovered', run: { status: 'applied' } },
    ]);
  });
});

/** With the receiver's code that the documentation shows. */
async function areGenuine({ requests }: ScriptedHttp, folder: string, secret: string): Promise<readonly boolean[]> {
  const page = await readFile(join(import.meta.dirname, '..', '..', 'docs', 'how-to', 'notifications.md'), 'utf8');
  const [, code = ''] = /^```js\n([\s\S]*?)^```$/m.exec(page) ?? [];
  const file = join(folder, 'receiver.mjs');
  await writeFile(file, code);
  const { isGenuine } = (await import(pathToFileURL(file).href)) as {
    isGenuine(secret: string, headers: object, body: Buffer, now?: number): boolean;
  };
  return requests.flatMap(({ headers, body }) => {
    const bytes = Buffer.from(body);
    const anHourLater = Date.now() / 1_000 + 3_600;
    return [
      isGenuine('another secret', headers, bytes),
      isGenuine(secret, headers, Buffer.from(body.replace('"version": 1', '"version": 2'))),
      isGenuine(secret, headers, bytes, anHourLater),
      isGenuine(secret, headers, bytes),
      isGenuine(secret, headers, bytes), // a replay
    ];
  });
}

describe.concurrent('tdsync doctor --notify', () => {
  test('sends each hook a test message, and says how it was taken', async () => {
    await using it = await scene(inTurn({}, { status: 404 }), { secret: `\${env:HOOK_SECRET}` });
    await it.world.people([anna]);

    const { environment } = it;
    const without = await it.world.start(['doctor', '--json'], { environment }).ended;
    const well = await it.world.start(['doctor', '--notify', '--json'], { environment }).ended;
    const ill = await it.world.start(['doctor', '--notify'], { environment }).ended;

    const checks = well.json<{ checks: readonly { check: string }[] }>().checks;
    expect([without.code, well.code, ill.code]).toEqual([0, 0, 1]);
    expect(checks.filter(({ check }) => check === 'notify')).toEqual([
      { check: 'notify', state: 'ok', message: `\${env:HOOK_URL} took a test message` },
    ]);
    expect(ill.stdout).toMatch(/✗ notify +notify \$\{env:HOOK_URL\}: the hook answered 404/);
    expect(it.events()).toEqual(['test', 'test']);
  });
});
