/** Runs that die one after the other, wherever they are: whoever comes last ends where an undisturbed run ends. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Quirks } from '../../src/simulator/quirks.ts';
import { crash, crashPoints, describePoint } from '../support/crash.ts';
import {
  createSkippingClock,
  historyOf,
  historyProblem,
  outcomesOf,
  reconcileInProcess,
} from '../support/in-process.ts';
import { type MixedChange, prepareMixedChange } from '../support/mixed-change.ts';
import { mailedTwice, pictureOf } from '../support/organization.ts';
import type { RunDocument } from '../support/world.ts';

let change: MixedChange;

beforeAll(async () => {
  change = await prepareMixedChange();
});

afterAll(() => change[Symbol.asyncDispose]());

async function undisturbed(quirks: Partial<Quirks> = {}) {
  await using world = await change.open({ quirks });
  await reconcileInProcess(world);
  return pictureOf(world.twilio);
}

const points = fc.constantFrom(...crashPoints('answered'), ...crashPoints('hang'), ...crashPoints('hang-after'));
const organizations: readonly Partial<Quirks>[] = [
  {},
  { writeBody: 'empty' },
  { externalIdOnPut: 'stored' },
  { assignmentsOnDeactivation: 'dropped' },
];

describe.concurrent('after deaths at generated points', () => {
  test.each([101, 202, 303, 404])('the last run ends where an undisturbed one ends (seed %i)', async (seed) => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(points, { minLength: 1, maxLength: 3 }),
        fc.constantFrom(...organizations),
        async (deaths, quirks) => {
          await using world = await change.open({ quirks });
          for (const point of deaths) await crash(world, point);

          const next = await reconcileInProcess(world);
          const disturbed = pictureOf(world.twilio);
          const last = await reconcileInProcess(world);

          expect(next.code, JSON.stringify(outcomesOf(next))).toBe(0);
          expect(disturbed).toEqual(await undisturbed(quirks));
          expect(mailedTwice(world.twilio)).toEqual([]);
          expect(last.report?.status).toBe('converged');
          expect(historyOf(world).map(({ summary }) => summary.status)).not.toContain('running');
          expect(historyProblem(world)).toBeUndefined();
        },
      ),
      { seed, numRuns: 4, endOnFailure: true },
    );
  });
});

describe.concurrent('after a death at', () => {
  const inDoubt = [
    { fate: 'hang-after', method: 'POST', path: '/scim/v2/Users', nth: 1 },
    { fate: 'hang-after', method: 'PUT', path: '/scim/v2/Users/{id}', nth: 6 },
    { fate: 'hang-after', method: 'POST', path: '/v2/Organizations/RoleAssignments', nth: 3 },
  ] as const;

  test.each(inDoubt.map((point) => [describePoint(point), point] as const))(
    '%s a dry run tells exactly what the next run does',
    async (_, point) => {
      await using world = await change.open();
      await crash(world, point);

      const dry = await world.tdsync('reconcile', '--dry-run', '--json');
      const next = await reconcileInProcess(world);

      const { plan } = dry.json<RunDocument>();
      expect(dry.code).toBe(0);
      expect(next.report?.plan.digest).toBe(plan.digest);
      expect(Object.keys(outcomesOf(next))).toEqual(plan.operations.map(({ id }) => id));
    },
  );

  test('the status command, the dead run still counts as running; the next run calls it interrupted', async () => {
    await using world = await change.open();
    await crash(world, { fate: 'hang-after', method: 'PUT', path: '/scim/v2/Users/{id}', nth: 2 });

    const before = await world.tdsync('runs', '--json');
    await reconcileInProcess(world);
    const after = await world.tdsync('runs', '--json');

    const states = (json: typeof before) =>
      json.json<{ runs: { status: string }[] }>().runs.map(({ status }) => status);
    expect(states(before).slice(0, 1)).toEqual(['running']);
    expect(states(after).slice(0, 2)).toEqual(['applied', 'interrupted']);
  });

  test.each([1, 2, 3])(
    'creating a user whom Twilio does not show for %i reads nobody is created or mailed twice, and two runs are enough',
    async (newUserHiddenReads) => {
      const clock = createSkippingClock();
      await using world = await change.open({ quirks: { newUserHiddenReads } });
      await crash(world, { fate: 'hang-after', method: 'POST', path: '/scim/v2/Users', nth: 1 });

      await reconcileInProcess(world, { clock });
      await reconcileInProcess(world, { clock });
      const last = await reconcileInProcess(world, { clock });

      const picture = pictureOf(world.twilio);
      const expected = await undisturbed();
      expect(picture).toEqual(expected);
      expect(mailedTwice(world.twilio)).toEqual([]);
      expect(last.report?.status).toBe('converged');
    },
  );
});
