/** The process dies after a write took effect and before anybody knows: at every write of a day with all kinds of changes. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { crash, crashPoints, describePoint } from '../support/crash.ts';
import { historyOf, historyProblem, outcomesOf, reconcileInProcess } from '../support/in-process.ts';
import { type MixedChange, prepareMixedChange } from '../support/mixed-change.ts';
import { mailedTwice, type OrganizationPicture, pictureOf } from '../support/organization.ts';

let change: MixedChange;
let undisturbed: OrganizationPicture;

beforeAll(async () => {
  change = await prepareMixedChange();
  await using world = await change.open();
  await reconcileInProcess(world);
  undisturbed = pictureOf(world.twilio);
});

afterAll(() => change[Symbol.asyncDispose]());

describe.concurrent('the next run ends where an undisturbed one ends, after a death at', () => {
  test.each(crashPoints('hang-after').map((point) => [describePoint(point), point] as const))(
    '%s',
    async (_, point) => {
      await using world = await change.open();
      await crash(world, point);

      const next = await reconcileInProcess(world);
      const disturbed = pictureOf(world.twilio);
      const last = await reconcileInProcess(world);

      const [, , killed] = historyOf(world);
      expect(next.code, JSON.stringify(outcomesOf(next))).toBe(0);
      expect(disturbed).toEqual(undisturbed);
      expect(mailedTwice(world.twilio)).toEqual([]);
      expect(last.report?.status).toBe('converged');
      expect(killed?.summary.status).toBe('interrupted');
      const unrecorded = killed?.operations.filter(({ state }) => state === 'intended') ?? [];
      expect(unrecorded.length).toBeGreaterThan(0);
      expect(unrecorded.map(({ checkedBy }) => checkedBy)).toEqual(unrecorded.map(() => next.report?.run));
      expect(historyProblem(world)).toBeUndefined();
    },
  );
});
