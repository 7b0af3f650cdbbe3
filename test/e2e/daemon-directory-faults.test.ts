/**
 * What a directory goes through while a daemon lives beside it. Whatever it is: the daemon goes on, nobody loses anything,
 * people are told once that it fails and once that it is over, and the first good run does what has changed. A system that
 * fails is told from one that has nothing to do by the age of its last good run.
 */
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { readFile, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeCa, makeServerCertificate } from '../support/certificates.ts';
import { type DaemonLife, startDaemonLife } from '../support/daemon-life.ts';
import { groupsDn, peopleDn, personDn, suffix, syncDn, syncPassword } from '../support/directory-ldif.ts';
import { createSkippingClock, historyProblem, type SkippingClock } from '../support/in-process.ts';
import {
  administerDirectory,
  createLdapWorld,
  type DirectoryAdministration,
  type LdapWorld,
} from '../support/ldap-world.ts';
import { assignedTwice, mailedTwice, pictureOf } from '../support/organization.ts';
import { type ScriptedHttp, startScriptedHttp } from '../support/scripted-http.ts';
import { type Slapd, slapdIsInstalled, startSlapd } from '../support/slapd.ts';
import { createWorld, type Person, type Sections, type World } from '../support/world.ts';

const start = Date.UTC(2026, 5, 1, 12);
const watched: Sections = {
  server: { listen: '127.0.0.1:0', maxAge: '2h' },
  notify: [{ url: `\${env:HOOK_URL}` }],
};

interface Scene<Place extends World> {
  readonly world: Place;
  readonly clock: SkippingClock;
  readonly receiver: ScriptedHttp;
}

function lifeOf({ world, clock, receiver }: Scene<World>): Promise<DaemonLife> {
  return startDaemonLife(world, clock, { HOOK_URL: receiver.url });
}

function events({ receiver }: Scene<World>): readonly string[] {
  return receiver.requests.map(({ body }) => (JSON.parse(body) as { readonly event: string }).event);
}

/** Three quiet hours: nothing to do, and fresh all the same. */
async function liveQuietly(life: DaemonLife): Promise<void> {
  const runs = await life.live(4);
  const metrics = await life.metrics();

  expect(runs.slice(1).map(({ status }) => status)).toEqual(['converged', 'converged', 'converged']);
  expect(await life.ready()).toBe(200);
  expect(metrics.get('tdsync_last_run_status{status="converged"}')).toBe(1);
}

/** Three hours in which no run can be good: stale, told once, and nothing written. */
async function liveInTrouble(
  scene: Scene<World>,
  life: DaemonLife,
  status: 'failed' | 'refused',
  code?: string,
): Promise<void> {
  const before = pictureOf(scene.world.twilio);
  const good = (await life.metrics()).get('tdsync_last_good_run_timestamp_seconds');
  scene.world.twilio.requests.clear();
  const told = events(scene).length;

  const first = await life.live(1);
  const fresh = await life.ready();
  const rest = await life.live(3);
  const metrics = await life.metrics();

  expect([...first, ...rest].map((run) => [run.status, run.error?.code])).toEqual(Array(4).fill([status, code]));
  expect([fresh, await life.ready()]).toEqual([200, 503]);
  expect(metrics.get('tdsync_last_good_run_timestamp_seconds')).toBe(good);
  expect(metrics.get('tdsync_last_run_timestamp_seconds')).toBeGreaterThan(Number(good));
  expect(metrics.get(`tdsync_last_run_status{status="${status}"}`)).toBe(1);
  expect(metrics.get('tdsync_plan_refused')).toBe(status === 'refused' ? 1 : 0);
  if (code !== undefined) expect(metrics.get(`tdsync_last_run_error{code="${code}"}`)).toBe(1);
  expect(events(scene).slice(told)).toEqual([status]);
  expect(scene.world.twilio.requests.writes).toBe(0);
  expect(pictureOf(scene.world.twilio)).toEqual(before);
}

/** The first good run does what has changed meanwhile, then all is quiet again. */
async function recover(scene: Scene<World>, life: DaemonLife, first: 'applied' | 'converged'): Promise<void> {
  const told = events(scene).length;

  const runs = await life.live(2);

  expect(runs.map(({ status, error }) => [status, error])).toEqual([
    [first, undefined],
    ['converged', undefined],
  ]);
  expect(await life.ready()).toBe(200);
  expect(events(scene).slice(told)).toEqual(['recovered']);
  expect([mailedTwice(scene.world.twilio), assignedTwice(scene.world.twilio)]).toEqual([[], []]);
  expect(historyProblem(scene.world)).toBeUndefined();
}

describe.skipIf(!slapdIsInstalled())('a daemon goes on when its LDAP directory', () => {
  const names = ['DNS:localhost', 'IP:127.0.0.1'];
  const folder = mkdtempSync(join(tmpdir(), 'tdsync-rotation-'));
  const ca = makeCa(folder, 'ca-1');
  const identity = makeServerCertificate(folder, ca, 'server', names);
  let slapd: Slapd;
  let scene: Scene<LdapWorld>;
  let life: DaemonLife;

  beforeAll(async () => {
    slapd = await startSlapd({
      people: 20,
      groups: [
        { name: 'developers', kind: 'groupOfNames', members: [0, 1, 2] },
        { name: 'operators', kind: 'groupOfNames', members: [2, 3] },
      ],
      ca,
      identity,
      log: false,
    });
    const clock = createSkippingClock(start);
    const world = await createLdapWorld(slapd, {}, {}, { now: clock.now });
    copyFileSync(ca.certFile, world.path('ca.pem'));
    scene = { world, clock, receiver: await startScriptedHttp(() => ({})) };
    await configure();
    life = await lifeOf(scene);
    await liveQuietly(life);
  });

  afterAll(async () => {
    await life[Symbol.asyncDispose]();
    await scene.world[Symbol.asyncDispose]();
    await scene.receiver.close();
    await slapd.stop();
    rmSync(folder, { recursive: true });
  });

  function configure(filter?: string): Promise<void> {
    return scene.world.connect(
      { tls: { caFile: 'ca.pem' } },
      {
        ...watched,
        guards: { creations: { count: 1_000 } },
        ...(filter !== undefined && { filter }),
      },
    );
  }

  async function change(work: (directory: DirectoryAdministration) => Promise<void>): Promise<void> {
    await using directory = await administerDirectory(slapd);
    await work(directory);
  }

  function rolesOf(index: number): readonly string[] {
    const address = `u${String(index).padStart(6, '0')}@example.com: `;
    const { assignments } = pictureOf(scene.world.twilio);
    return assignments.filter((each) => each.startsWith(address)).map((each) => each.slice(address.length));
  }

  test('cannot be reached for hours: what changed in between is done by the first run that reads it', async () => {
    await change((directory) => directory.join(`cn=developers,${groupsDn}`, personDn(4)));
    await slapd.kill();
    await liveInTrouble(scene, life, 'failed', 'source-unavailable');
    await slapd.restart();

    await recover(scene, life, 'applied');

    expect(rolesOf(4)).toEqual(['Developer in Production']);
  });

  test('answers nothing, though it takes connections', async () => {
    await scene.world.connect({ tls: { caFile: 'ca.pem' }, timeouts: { connect: '200ms' } }, { ...watched });
    await life[Symbol.asyncDispose]();
    life = await lifeOf(scene);
    slapd.signal('SIGSTOP');
    try {
      await liveInTrouble(scene, life, 'failed', 'source-unavailable');
    } finally {
      slapd.signal('SIGCONT');
    }

    await recover(scene, life, 'converged');
  });

  test('shows a certificate of another authority, until the file with the authority is replaced too', async () => {
    const newCa = makeCa(folder, 'ca-2');
    const renewed = makeServerCertificate(folder, newCa, 'renewed', names);
    copyFileSync(renewed.certFile, identity.certFile);
    copyFileSync(renewed.keyFile, identity.keyFile);
    await slapd.restart();
    await liveInTrouble(scene, life, 'failed', 'source-unavailable');
    await change((directory) => directory.leave(`cn=developers,${groupsDn}`, personDn(4)));
    copyFileSync(newCa.certFile, scene.world.path('ca.pem'));

    await recover(scene, life, 'applied');

    expect(rolesOf(4)).toEqual([]);
  });

  test('wants another password, until the file with the password has it', async () => {
    await change((directory) => directory.replace(syncDn, 'userPassword', 'rotated password'));
    await liveInTrouble(scene, life, 'failed', 'source-unavailable');
    writeFileSync(scene.world.path('ldap-password'), 'rotated password');

    await recover(scene, life, 'converged');

    await change((directory) => directory.replace(syncDn, 'userPassword', syncPassword));
    writeFileSync(scene.world.path('ldap-password'), syncPassword);
  });

  test('has lost the base in which people stand', async () => {
    await change(async (directory) => {
      await directory.add(`ou=moved,${suffix}`, { objectClass: 'organizationalUnit', ou: 'moved' });
      await directory.rename(peopleDn, `ou=people,ou=moved,${suffix}`);
    });
    await liveInTrouble(scene, life, 'failed', 'source-incomplete');
    await change((directory) => directory.rename(`ou=people,ou=moved,${suffix}`, peopleDn));

    await recover(scene, life, 'converged');
  });

  test('has lost a group of a rule', async () => {
    await change((directory) => directory.rename(`cn=operators,${groupsDn}`, `cn=former,${groupsDn}`));
    await liveInTrouble(scene, life, 'failed', 'source-incomplete');
    await change((directory) => directory.rename(`cn=former,${groupsDn}`, `cn=operators,${groupsDn}`));

    await recover(scene, life, 'converged');
  });

  test.each([
    ['whom nobody fits', 'entry.title == "Agnet"'],
    ['whom few fit', 'entry.mail <= "u000003"'],
  ])('is read with a wrong filter, %s: a guard refuses what would come of it', async (_what, filter) => {
    const usual = life;
    await configure(filter);
    life = await lifeOf(scene);
    await usual[Symbol.asyncDispose]();
    await liveInTrouble(scene, life, 'refused');
    const wrong = life;
    await configure();
    life = await lifeOf(scene);
    await wrong[Symbol.asyncDispose]();

    await recover(scene, life, 'converged');
  });
});

describe('a daemon goes on when its CSV file', () => {
  const people: readonly Person[] = Array.from({ length: 12 }, (_, index) => ({
    id: `p${index}`,
    groups: index < 3 ? ['developers'] : [],
  }));
  const joined: readonly Person[] = [...people, { id: 'new', groups: ['developers'] }];
  let scene: Scene<World>;
  let life: DaemonLife;

  beforeAll(async () => {
    const clock = createSkippingClock(start);
    const world = await createWorld({ sections: watched, now: clock.now });
    await world.people(people);
    scene = { world, clock, receiver: await startScriptedHttp(() => ({})) };
    life = await lifeOf(scene);
    await liveQuietly(life);
  });

  afterAll(async () => {
    await life[Symbol.asyncDispose]();
    await scene.world[Symbol.asyncDispose]();
    await scene.receiver.close();
  });

  /** The file as `people` writes it, and half of it: up to a place within a row, or to the end of one. */
  async function writeHalf(within: 'a row' | 'the list'): Promise<void> {
    const { world } = scene;
    await world.people(people);
    const rows = (await readFile(world.path('people.csv'), 'utf8')).split('\r\n');
    const kept = rows.slice(0, 5).join('\r\n');
    await world.write('people.csv', within === 'a row' ? kept.slice(0, -9) : `${kept}\r\n`);
  }

  test('is missing for hours, and comes back with somebody more', async () => {
    await rm(scene.world.path('people.csv'));
    await liveInTrouble(scene, life, 'failed', 'source-unavailable');
    await scene.world.people(joined);

    await recover(scene, life, 'applied');

    expect(pictureOf(scene.world.twilio).assignments).toContain('new@corp.example: Developer in Production');
  });

  test('is half written, up to the middle of a row', async () => {
    await writeHalf('a row');
    await liveInTrouble(scene, life, 'failed', 'source-incomplete');
    await scene.world.people(joined);

    await recover(scene, life, 'converged');
  });

  test('is half written, up to the end of a row: only a guard can see it', async () => {
    await writeHalf('the list');
    await liveInTrouble(scene, life, 'refused');
    await scene.world.people(joined);

    await recover(scene, life, 'converged');
  });

  test('is replaced by another in one step, at each run', async () => {
    const { world } = scene;
    const statuses: unknown[] = [];
    for (const list of [people, joined, people]) {
      await rename(world.path('people.csv'), world.path('current.csv'));
      await world.people(list);
      await rename(world.path('people.csv'), world.path('next.csv'));
      await rename(world.path('current.csv'), world.path('people.csv'));
      await rename(world.path('next.csv'), world.path('people.csv'));
      statuses.push(...(await life.live(1)).map(({ status }) => status));
    }

    expect(statuses).toEqual(['applied', 'applied', 'applied']);
    expect(pictureOf(world.twilio).users).toContainEqual(
      expect.objectContaining({ userName: 'new@corp.example', active: false }),
    );
    expect(mailedTwice(world.twilio)).toEqual([]);
  });
});
