/** The clock is wrong, or is put right: between runs and during one. And a machine that was asleep. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  createSkippingClock,
  historyOf,
  historyProblem,
  reconcileInProcess,
  type SkippingClock,
} from '../support/in-process.ts';
import { type MixedChange, prepareMixedChange } from '../support/mixed-change.ts';
import { mailedTwice, type OrganizationPicture, pictureOf } from '../support/organization.ts';
import { morning, open, snapshotPath } from '../support/snapshots.ts';
import { createWorld, type Person } from '../support/world.ts';

const hour = 3_600_000;
const anna: Person = { id: 'anna', groups: ['developers'] };
const year = 365 * 24 * hour;

let change: MixedChange;
let undisturbed: OrganizationPicture;

beforeAll(async () => {
  change = await prepareMixedChange();
  await using world = await change.open();
  await reconcileInProcess(world);
  undisturbed = pictureOf(world.twilio);
});

afterAll(() => change[Symbol.asyncDispose]());

/** A clock that is moved once, when it is asked for the `nth` time. */
function movedAt(nth: number, ms: number): SkippingClock {
  const clock = createSkippingClock();
  let asked = 0;
  return {
    ...clock,
    now() {
      if (++asked === nth) clock.advance(ms);
      return clock.now();
    },
  };
}

const waited = ({ waits }: SkippingClock) => waits.reduce((sum, ms) => sum + ms, 0);

describe.concurrent('a clock that is moved', () => {
  test.each([-24 * hour, -1, 10 * hour, year])('by %i ms between two runs changes nothing', async (ms) => {
    const clock = createSkippingClock();
    await using world = await change.open({ now: clock.now });
    const known = historyOf(world).length;

    const first = await reconcileInProcess(world, { clock });
    clock.advance(ms);
    const second = await reconcileInProcess(world, { clock });
    const third = await reconcileInProcess(world, { clock });

    const ids = [third, second, first].map(({ report }) => report?.run);
    expect([first.code, second.report?.status, third.report?.status]).toEqual([0, 'converged', 'converged']);
    // What is long over may be gone after a year.
    expect(
      historyOf(world)
        .map(({ summary }) => summary.id)
        .slice(0, ms === year ? 2 : 3),
    ).toEqual(ids.slice(0, ms === year ? 2 : 3));
    expect(historyOf(world).length).toBe(ms === year ? 2 : known + 3);
    expect(historyProblem(world)).toBeUndefined();
  });

  test.each([
    ...[5, 30, 90].map((nth) => [nth, -24 * hour] as const),
    ...[5, 30, 90].map((nth) => [nth, 10 * hour] as const),
  ])('during a run, at its %i. look at the clock by %i ms, makes nobody wait', async (nth, ms) => {
    const clock = movedAt(nth, ms);
    await using world = await change.open({ now: clock.now });

    const run = await reconcileInProcess(world, { clock });
    const picture = pictureOf(world.twilio);
    const next = await reconcileInProcess(world, { clock });

    expect([run.code, next.report?.status]).toEqual([0, 'converged']);
    expect(picture).toEqual(undisturbed);
    expect(waited(clock)).toBeLessThan(60_000);
    expect(historyProblem(world)).toBeUndefined();
  });

  test('back by a day in the middle of a pause does not make it a day longer', async () => {
    let asked = 0;
    const clock = createSkippingClock();
    const setBack: SkippingClock = {
      ...clock,
      async sleep(ms, signal) {
        if (ms > 10_000 && ++asked === 1) clock.advance(-24 * hour);
        await clock.sleep(ms, signal);
      },
    };
    await using world = await change.open({ now: clock.now });
    const throttled = { status: 429, headers: { 'Retry-After': '30' } };
    world.twilio.faults.add({ match: { method: 'PUT' }, times: 1, fault: throttled });

    const run = await reconcileInProcess(world, { clock: setBack });

    expect(run.code).toBe(0);
    expect(waited(clock)).toBeLessThan(2 * hour);
    expect(pictureOf(world.twilio)).toEqual(undisturbed);
  });

  test('back by a year does not put off for a year what Twilio refused before', async () => {
    const clock = createSkippingClock();
    const refused: Person = { id: 'refused' };
    await using world = await createWorld({ now: clock.now });
    await world.people([anna, refused]);
    const rejection = { status: 400, code: 25002 };
    const match = { method: 'POST', path: '/scim/v2/Users', body: { externalId: 'refused' } };
    world.twilio.faults.add({ match, times: 1, fault: rejection });
    clock.advance(year);
    const first = await reconcileInProcess(world, { clock, allow: ['creations'] });

    clock.advance(-year);
    const second = await reconcileInProcess(world, { clock, allow: ['creations'] });

    expect([first.code, second.code]).toEqual([4, 0]);
    expect(world.twilio.state.users.byUserName('refused@corp.example')).toBeDefined();
  });

  test('back by a year ends an approval that would have held until then', () => {
    using snapshot = open(snapshotPath());
    const who = { digest: 'd', user: 'u', host: 'h' };
    snapshot.approve({ ...who, at: morning + year, expiresAt: morning + year + 24 * hour });

    const times = [morning, morning + year - hour, morning + year, morning + year + 24 * hour];

    expect(times.map((now) => snapshot.store.approval('d', now) !== undefined)).toEqual([false, true, true, false]);
  });

  test('back by a year leaves the health check in doubt about a good run that has not been yet', async () => {
    const clock = createSkippingClock();
    await using world = await createWorld({ now: clock.now });
    await world.people([anna]);
    clock.advance(year);
    await reconcileInProcess(world, { clock, allow: ['creations'] });

    const status = await world.tdsync('status', '--max-age', '2h');

    expect(status.code).toBe(1);
  });

  test('between two reads does not count an absence twice, nor forget it', async () => {
    const clock = createSkippingClock();
    const policy = { mode: 'sync', adoptExisting: true, confirmAbsence: 3 };
    await using world = await createWorld({ now: clock.now, sections: { policy } });
    await world.people([anna, { id: 'ben' }]);
    const allow = ['creations', 'deactivations', 'sourceShrink', 'revocations'] as const;
    await reconcileInProcess(world, { clock, allow });
    await world.people([anna]);

    const active: boolean[] = [];
    for (const ms of [-24 * hour, 48 * hour, -24 * hour]) {
      clock.advance(ms);
      await reconcileInProcess(world, { clock, allow });
      active.push(world.twilio.state.users.byUserName('ben@corp.example')?.status === 'active');
    }

    expect(active).toEqual([true, true, false]);
  });
});

describe.concurrent('a machine that was asleep', () => {
  test.each([8, 40, 70])(
    'for a night, from the %i. look at the clock on: tokens are old, connections dead',
    async (nth) => {
      const clock = createSkippingClock();
      let asked = 0;
      await using world = await change.open({ now: clock.now });
      const asleep: SkippingClock = {
        ...clock,
        now() {
          if (++asked === nth) {
            clock.advance(10 * hour);
            world.twilio.tokens.revokeAll();
            world.twilio.faults.add({ times: 2, fault: 'reset-before' });
          }
          return clock.now();
        },
      };

      const run = await reconcileInProcess(world, { clock: asleep });
      const picture = pictureOf(world.twilio);
      const next = await reconcileInProcess(world, { clock: asleep });

      expect([run.code, next.report?.status]).toEqual([0, 'converged']);
      expect(picture).toEqual(undisturbed);
      expect(mailedTwice(world.twilio)).toEqual([]);
    },
  );

  test('in the middle of a call of a daemon: it goes on when it wakes, and does nothing twice', async () => {
    await using world = await createWorld({
      sections: { schedule: { cron: '* * * * * *' }, guards: { creations: { count: 9 } } },
    });
    await world.people([anna]);
    world.twilio.faults.add({ match: { method: 'POST', path: '/scim/v2/Users' }, times: 1, fault: 'hang-after' });

    const daemon = world.start(['daemon']);
    await world.twilio.requests.waitFor({ method: 'POST', path: '/scim/v2/Users' });
    daemon.kill('SIGSTOP');
    world.twilio.tokens.revokeAll();
    world.twilio.faults.add({ times: 2, fault: 'reset-before' });
    daemon.kill('SIGCONT');
    await world.twilio.requests.waitFor({ method: 'POST', path: '/v2/Organizations/RoleAssignments' });
    await daemon.line('run ended');
    daemon.kill('SIGTERM');
    const { code } = await daemon.ended;

    expect(code).toBe(0);
    expect(mailedTwice(world.twilio)).toEqual([]);
    expect(pictureOf(world.twilio).assignments).toEqual(['anna@corp.example: Developer in Production']);
    expect(historyProblem(world)).toBeUndefined();
  });
});
