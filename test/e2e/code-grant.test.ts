/** Access by the approval of a person: everything works as with client credentials, and the person is never touched. */
import { writeFileSync } from 'node:fs';
import { chmod, readFile, rm } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { defaultClient } from '../../src/simulator/default-seed.ts';
import type { Quirks } from '../../src/simulator/quirks.ts';
import { approve, useCodeGrant } from '../support/code-grant.ts';
import { wideGuards } from '../support/convergence.ts';
import { createSkippingClock, outcomesOf, reconcileInProcess, type SkippingClock } from '../support/in-process.ts';
import { type LifeOptions, type LivedStep, live, steps } from '../support/life-cycle.ts';
import { assignedTwice, mailedTwice, type OrganizationPicture, pictureOf } from '../support/organization.ts';
import { createWorld, type Person, plantedSecret, type World } from '../support/world.ts';

const oddTokens: readonly (readonly [string, Partial<Quirks>])[] = [
  ['everything as documented', {}],
  ['a refresh token that is repeated', { refreshToken: 'repeated', expiresIn: 'null' }],
  ['no new refresh token', { refreshToken: 'absent', expiresIn: 'absent', tokenForm: 'opaque' }],
  ['tokens that say nothing', { tokenForm: 'opaque', tokenType: 'BEARER', tokenStatus: 201, expiresIn: 'zero' }],
  ['a lifetime of 45 thousand years', { expiresIn: 'absurd', pkce: 'required' }],
];

interface Life {
  readonly lived: readonly LivedStep[];
  readonly pictures: readonly OrganizationPicture[];
  readonly doubles: readonly string[];
}

async function liveThrough(quirks: Partial<Quirks>, options: LifeOptions): Promise<Life> {
  const lived: LivedStep[] = [];
  const pictures: OrganizationPicture[] = [];
  const doubles = new Set<string>();
  await live(quirks, options, (world, each) => {
    lived.push(each);
    pictures.push(pictureOf(world.twilio));
    for (const double of [...mailedTwice(world.twilio), ...assignedTwice(world.twilio)]) doubles.add(double);
  });
  return { lived, pictures, doubles: [...doubles] };
}

describe.concurrent('people come, change, go and come back as with client credentials', () => {
  let withCredentials: Promise<Life> | undefined;

  test.each(oddTokens)('with %s', async (_, quirks) => {
    withCredentials ??= liveThrough({}, { quietOnly: true });

    const { lived, pictures, doubles } = await liveThrough(quirks, { grant: 'authorization_code', quietOnly: true });

    expect(lived.map(({ step, run, next }) => [step, run.report?.status, next.report?.status])).toEqual(
      Object.keys(steps).map((step) => [step, 'applied', 'converged']),
    );
    expect(doubles).toEqual([]);
    expect(pictures).toEqual((await withCredentials).pictures);
  });
});

const approver: Person = { id: 'svc', mail: 'svc@corp.example', groups: ['developers'] };
const others: readonly Person[] = ['anna', 'ben', 'carl', 'dora'].map((id) => ({ id, groups: ['developers'] }));

interface Scene extends AsyncDisposable {
  readonly world: World;
  readonly clock: SkippingClock;
}

interface SceneOptions {
  readonly grant?: 'client_credentials' | 'authorization_code';
  readonly named?: 'address' | 'sid';
}

const approverSid = `US${'a'.repeat(32)}`;

/** An organization where everybody is settled, and whose app a managed user has approved. */
async function stage({ grant = 'authorization_code', named = 'address' }: SceneOptions = {}): Promise<Scene> {
  const clock = createSkippingClock();
  const world = await createWorld({
    now: clock.now,
    seed: {
      users: [{ id: approverSid, userName: 'svc@corp.example', externalId: 'svc', displayName: 'Service' }],
      assignments: [{ user: approverSid, role: 'Developer', scope: 'Production' }],
      clients: [{ ...defaultClient, clientSecret: plantedSecret, approver: approverSid }],
    },
    sections: { guards: wideGuards },
  });
  await world.people([approver, ...others]);
  // Managed like everybody else, before the app is approved.
  expect((await reconcileInProcess(world, { clock, refresh: true })).report?.status).toBe('applied');
  if (grant === 'authorization_code') {
    await useCodeGrant(world, { approvedBy: named === 'sid' ? approverSid : ' SVC@corp.example' });
    await approve(world, clock);
  }
  return { world, clock, [Symbol.asyncDispose]: () => world[Symbol.asyncDispose]() };
}

/** `act` happens in the middle of the second change of a user. */
function atSecondChange({ twilio }: World, act: () => void): void {
  const { users } = twilio.state;
  const { replace } = users;
  let changes = 0;
  users.replace = (...given: Parameters<typeof replace>) => {
    if (++changes === 2) act();
    return replace.apply(users, given);
  };
}

const renamed = [approver, ...others.map((person) => ({ ...person, family: 'New' }))];

describe.concurrent('the person who approved', () => {
  test.each(['address', 'sid'] as const)(
    'is never changed, named by %s: not when leaving, moving or disabled',
    async (named) => {
      await using it = await stage({ named });
      const stories: (readonly Person[])[] = [
        others,
        [{ ...approver, status: 'disabled' }, ...others],
        [{ ...approver, groups: [], given: 'Else', mail: 'other@corp.example' }, ...others],
      ];

      for (const people of stories) {
        await it.world.people(people);
        const run = await reconcileInProcess(it.world, { clock: it.clock, refresh: true });

        expect([run.code, Object.keys(outcomesOf(run))]).toEqual([0, []]);
        expect(run.report?.findings).toMatchObject([
          { code: 'protected', externalId: 'svc', message: expect.stringContaining('twilio.oauth.approvedBy') },
        ]);
      }
      expect(it.world.twilio.state.users.byExternalId('svc')?.status).toBe('active');
    },
  );
});

describe.concurrent('an approval that ends', () => {
  test('in the middle of a run ends it with exit 6, says what to do, and status says since when', async () => {
    await using it = await stage();
    await it.world.people(renamed);
    atSecondChange(it.world, () => it.world.twilio.authorizations.revokeAll());

    const run = await reconcileInProcess(it.world, { clock: it.clock });
    const status = await it.world.tdsync('status');
    const asJson = await it.world.tdsync('status', '--json');
    await approve(it.world, it.clock);
    const after = await reconcileInProcess(it.world, { clock: it.clock });
    const healthy = await it.world.tdsync('status');

    expect([run.code, run.error?.code, run.error?.hint]).toEqual([
      6,
      'twilio-unauthorized',
      expect.stringContaining('tdsync authorize'),
    ]);
    expect(status.stdout).toMatch(/Authorization: .*REFUSED by Twilio since .*: run tdsync authorize/);
    expect(asJson.json()).toMatchObject({
      authorization: { refusedAt: expect.stringMatching(/Z$/), refreshedAt: expect.stringMatching(/Z$/) },
    });
    expect([after.code, after.report?.status]).toEqual([0, 'applied']);
    expect(healthy.stdout).toMatch(/Authorization: approved .*, last used /);
    expect(healthy.stdout).not.toContain('REFUSED');
  });

  test('with the deactivation of that person is told like a revoked one', async () => {
    await using it = await stage();
    it.world.twilio.administer({ action: 'set-status', user: 'svc@corp.example', status: 'inactive' });

    const run = await reconcileInProcess(it.world, { clock: it.clock });

    expect([run.code, run.error?.message, run.error?.hint]).toEqual([
      6,
      expect.stringContaining('the person who approved (twilio.oauth.approvedBy) deactivated'),
      expect.stringContaining('tdsync authorize'),
    ]);
  });
});

const grants = ['client_credentials', 'authorization_code'] as const;
const ends = ['runs out', 'is revoked before its time'] as const;

test.each(grants.flatMap((grant) => ends.map((end) => [grant, end] as const)))(
  'with %s, a token that %s in the middle of a run, and a secret that is rotated with it, are no trouble',
  async (grant, end) => {
    await using it = await stage({ grant });
    const { world, clock } = it;
    const { twilio } = world;
    await world.write('secret', plantedSecret);
    const text = await readFile(world.path('tdsync.yaml'), 'utf8');
    await world.write('tdsync.yaml', text.replace(`\${env:TWILIO_CLIENT_SECRET}`, `\${file:secret}`));
    await world.people(renamed);
    const asked = () => twilio.requests.count({ path: '/v2/token' });
    const before = asked();
    atSecondChange(world, () => {
      const clientSecret = `${plantedSecret}-2`;
      twilio.state.setClient({ ...defaultClient, clientSecret, approver: approverSid });
      writeFileSync(world.path('secret'), clientSecret);
      if (end === 'runs out') clock.advance(3_700_000);
      else twilio.tokens.revokeAll();
    });

    const run = await reconcileInProcess(world, { clock });

    expect([run.code, run.report?.status, run.error]).toEqual([0, 'applied', undefined]);
    expect(Object.values(outcomesOf(run))).toEqual(['done', 'done', 'done', 'done']);
    expect(asked() - before).toBe(2);
  },
);

test.each([
  ['repeated', 0],
  ['absent', 0],
  ['rotated', 6],
] as const)(
  'a refresh whose answer is lost is tried again; where the refresh token is %s, the run ends with %i',
  async (refreshToken, code) => {
    await using it = await stage();
    const { twilio } = it.world;
    twilio.quirks.refreshToken = refreshToken;
    twilio.faults.add({ match: { method: 'POST', path: '/v2/token' }, times: 1, fault: 'reset-after' });

    const run = await reconcileInProcess(it.world, { clock: it.clock });

    expect(run.code).toBe(code);
    // What a server ended that never saw its answer arrive, only a person can mend.
    if (code === 6) expect(run.error?.hint).toContain('tdsync authorize');
    else expect(run.report?.status).toBe('converged');
  },
);

test('processes that share the refresh token renew it one after the other, also with a server that rotates it', async () => {
  await using it = await stage();
  const { requests } = it.world.twilio;
  requests.clear();

  const runs = await Promise.all(Array.from({ length: 3 }, () => it.world.tdsync('roles', '--json')));

  expect(runs.map(({ code }) => code)).toEqual([0, 0, 0]);
  expect(requests.matching({ path: '/v2/token' }).map(({ status }) => status)).toEqual([200, 200, 200]);
});

test('doctor shows the approval and who gave it, and warns when that person cannot be protected', async () => {
  await using it = await stage();
  const look = async () => {
    const run = await it.world.tdsync('doctor', '--no-permissions', '--json');
    const { checks } = run.json<{ checks: { check: string; state: string; message: string; hint?: string }[] }>();
    return { code: run.code, checks: checks.filter(({ check }) => check.startsWith('approv')) };
  };

  const well = await look();
  await useCodeGrant(it.world, { approvedBy: 'misspelt@corp.example' });
  const misspelt = await look();
  it.world.twilio.authorizations.revokeAll();
  const ended = await look();

  expect(well).toMatchObject({
    code: 0,
    checks: [
      { check: 'approval', state: 'ok', message: expect.stringMatching(/^approved 2.*, last used 2/) },
      {
        check: 'approver',
        state: 'ok',
        message: expect.stringContaining(`svc@corp.example (${approverSid}) is active`),
      },
    ],
  });
  expect(misspelt).toMatchObject({
    code: 0,
    checks: [{ state: 'ok' }, { state: 'warning', message: expect.stringContaining('misspelt@corp.example') }],
  });
  expect(ended).toMatchObject({
    code: 1,
    checks: [{ check: 'approval', state: 'failed', hint: expect.stringContaining('tdsync authorize') }],
  });
});

test('doctor says that nobody has approved, and not that permissions are missing', async () => {
  await using it = await stage();
  await rm(it.world.path('tdsync-token.json'));

  const { code, stdout } = await it.world.tdsync('doctor', '--json');

  const { checks } = JSON.parse(stdout) as { checks: { check: string; state: string; message: string }[] };
  expect(code).toBe(1);
  expect(checks.filter(({ check }) => check === 'permission')).toMatchObject([
    { state: 'failed', message: expect.stringMatching(/^no access to Twilio: nobody has approved/) },
  ]);
});

test('a process that is killed while it waits for a new refresh token leaves the old one good and nobody locked out', async () => {
  await using it = await stage();
  const { world } = it;
  const { twilio } = world;
  twilio.requests.clear();
  twilio.faults.add({ match: { method: 'POST', path: '/v2/token' }, times: 1, fault: 'hang' });

  const killed = world.start(['roles']);
  await twilio.requests.waitFor({ path: '/v2/token' });
  killed.kill('SIGKILL');
  await killed.ended;
  const after = await world.tdsync('roles', '--json');

  expect(after.code).toBe(0);
  expect(Object.keys(await world.files()).filter((name) => name.startsWith('tdsync-token'))).toEqual([
    'tdsync-token.json',
    'tdsync-token.json.lock',
  ]);
});

test('a run that nobody approved, or whose token file others can read, makes no request at all', async () => {
  await using it = await stage();
  const file = it.world.path('tdsync-token.json');
  it.world.twilio.requests.clear();
  const before = await it.world.tdsync('roles', '--json');
  it.world.twilio.requests.clear();

  await chmod(file, 0o644);
  const loose = await it.world.tdsync('roles', '--json');
  await rm(file);
  const missing = await it.world.tdsync('roles', '--json');

  expect([before.code, loose.code, missing.code]).toEqual([0, 78, 6]);
  expect(loose.stderr).toContain('chmod 600');
  expect(missing.stderr).toContain('tdsync authorize');
  expect(it.world.twilio.requests.total).toBe(0);
});

test('the snapshot, logs and reports never hold the refresh token', async () => {
  await using it = await stage();
  const { refreshToken } = JSON.parse(await readFile(it.world.path('tdsync-token.json'), 'utf8'));

  const runs = [
    await it.world.tdsync('reconcile', '--log-level', 'debug', '--json'),
    await it.world.tdsync('doctor', '--json'),
    await it.world.tdsync('status', '--json'),
  ];
  const kept = JSON.parse(await readFile(it.world.path('tdsync-token.json'), 'utf8'));
  const snapshot = await readFile(it.world.path('tdsync.db'), 'latin1');

  expect(refreshToken).toMatch(/^refresh-/);
  expect(kept.refreshToken).not.toBe(refreshToken);
  for (const text of [...runs.map(({ stdout, stderr }) => stdout + stderr), snapshot]) {
    expect(text).not.toMatch(/refresh-[0-9a-f]{40}/);
  }
});
