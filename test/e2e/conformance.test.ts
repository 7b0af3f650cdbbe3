/**
 * What Twilio's documentation leaves open (docs/reference/twilio-unknowns.md): under every behaviour people come, change, go
 * and come back, everything goes wrong once, and after each step nothing is left to do. What is lived through:
 *
 *   worst    every switch at once is not as documented; as many lives as it takes to have every such value in one
 *   alone    each value by itself                                     only with CONFORMANCE=all
 *   pairs    every pair of values of two switches, in some 60 lives   only with CONFORMANCE=all
 *
 * each in both generations of the API, and the first two with both grants too. Where it cannot end well the run says so and harms nobody:
 *
 *   listLimit, listAnnounces   a list that is not whole proves nothing          exit 6, nothing written
 *   nextPageLink: loop         pages that never end                             exit 6, nothing written
 *   roleNames                  a name that means no role, or several            exit 78, nothing written
 *   rename, reactivation       what Twilio refuses for ever                     exit 4, parked
 *   roleCeiling                more roles than one person may hold              exit 4, parked
 *   implicitRows               a role that nobody can take, named by a rule     exit 4, parked
 *   totalResults: returned     a cut list that looks whole                      people beyond the cut are left alone
 */
import { describe, expect, test } from 'vitest';
import type { Quirks } from '../../src/simulator/quirks.ts';
import type { LifeOptions } from '../support/life-cycle.ts';
import { complaints, type Life, liveThrough } from '../support/lived.ts';
import { alone, pairs, type Setting, worst } from '../support/switch-values.ts';

const all = process.env.CONFORMANCE === 'all';
const generations = ['current', 'preview'] as const;
const grant = 'authorization_code';

async function endsWell({ quirks }: Setting, options: LifeOptions): Promise<void> {
  expect(complaints(await liveThrough(quirks, options))).toEqual([]);
}

describe.each(generations)('in the %s generation people come, change, go and come back', (generation) => {
  test('with everything as documented', () => endsWell({ title: '', quirks: {} }, { generation }));

  test('with everything as documented, and access by approval', () =>
    endsWell({ title: '', quirks: {} }, { generation, grant }));

  // Tokens are not a matter of the generation, so that the short form pairs them off, and lives each life once.
  const mine = worst.filter((_, index) => all || index % 2 === generations.indexOf(generation));
  if (all || generation === 'current') {
    describe.concurrent('with nothing as documented', () => {
      test.each(mine)('$title', (setting) => endsWell(setting, { generation }));
    });
  }
  if (all || generation === 'preview') {
    describe.concurrent('with nothing as documented, and access by approval', () => {
      test.each(mine)('$title', (setting) => endsWell(setting, { generation, grant }));
    });
  }

  if (!all) return;

  describe.concurrent('with one thing not as documented', () => {
    test.each(alone)('$title', (setting) => endsWell(setting, { generation }));
  });

  describe.concurrent('with every pair of behaviours', () => {
    test.each(pairs)('$title', (setting) => endsWell(setting, { generation }));
  });
});

/** Exit codes of all runs, those after each step among them. */
function codesOf({ lived }: Life): readonly number[] {
  return [...new Set(lived.flatMap(({ run, next }) => [run.code, next.code]))].sort();
}

describe.concurrent.each(all ? generations : (['current'] as const))(
  'in the %s generation nobody is harmed',
  (generation) => {
    const quietly = (quirks: Partial<Quirks>, sections = {}) =>
      liveThrough(quirks, { generation, sections, quietOnly: true });

    test.each([
      { listLimit: 3 },
      { listAnnounces: 'startIndex' },
      { listAnnounces: 'next' },
      { nextPageLink: 'loop' },
    ] as const)('when what Twilio lists proves nothing (%o)', async (quirks) => {
      const life = await quietly(quirks);

      expect(codesOf(life)).toEqual([6]);
      expect(life.lived.map(({ run }) => run.error?.code)).toEqual(life.lived.map(() => 'twilio-contract'));
      expect(life.writes).toBe(0);
    });

    test.each([
      { rename: '25012' },
      { rename: '25013' },
      { reactivation: 'refused' },
      { roleCeiling: 1 },
      { roleCeiling: 1, roleCeilingCode: 20400 },
      { roleCeiling: 1, errorBody: 'empty' },
      { reactivation: 'refused', errorBody: 'html' },
    ] as const)(
      'when Twilio refuses some of it (%o): it is parked, and the run after it writes nothing',
      async (quirks) => {
        const life = await quietly(quirks);

        expect(life.lived.map(({ run }) => run.code)).toContain(4);
        expect(codesOf(life)).toEqual([0, 4]);
        expect(life.lived.map(({ next, lateWrites }) => [next.code, lateWrites])).toEqual(life.lived.map(() => [0, 0]));
        expect(life.harm).toEqual([]);
      },
    );

    test('when a rule names a role that Twilio gives everybody and nobody can take', async () => {
      const role = 'IX00000000000000000000000000000203';
      const life = await quietly(
        { implicitRows: 'listed' },
        { roles: [{ group: 'developers', grants: [{ role, scope: 'organization' }] }] },
      );

      expect(life.lived.map(({ run }) => run.code)).toContain(4);
      expect(codesOf(life)).toEqual([0, 4]);
      // Of who has just come the run after it learns what they hold, and a change is tried once more; then they wait.
      expect(life.lived.slice(2).map(({ next, lateWrites }) => [next.code, lateWrites])).toEqual(Array(2).fill([0, 0]));
      expect(life.harm).toEqual([]);
    });

    test('when a list that is cut looks whole', async () => {
      for (const recreateGone of [false, true]) {
        const policy = { mode: 'sync', recreateGone };
        const life = await quietly({ listLimit: 9, totalResults: 'returned' }, { policy });

        expect(codesOf(life).filter((code) => code !== 0 && code !== 4)).toEqual([]);
        expect(life.harm).toEqual([]);
      }
    });

    test.each([1, 2, 3, 5])(
      'when a new person is not shown for %i reads and the gone are created anew',
      async (reads) => {
        const policy = { mode: 'sync', recreateGone: true };

        const life = await quietly({ newUserHiddenReads: reads }, { policy });

        expect(codesOf(life).filter((code) => code !== 0 && code !== 4)).toEqual([]);
        expect(life.lived.at(-1)?.next.report?.status).toBe('converged');
        expect(life.harm).toEqual([]);
      },
    );
  },
);

test.each(['renamed', 'duplicated', 'missing'] as const)(
  'a role whose name is %s ends the run before anything is written',
  async (roleNames) => {
    const roles = [{ group: 'developers', grants: [{ role: 'Studio Viewer', scope: 'organization' }] }];

    const life = await liveThrough({ roleNames }, { sections: { roles }, quietOnly: true });

    expect(codesOf(life)).toEqual([78]);
    expect(life.writes).toBe(0);
  },
);
