/**
 * What Twilio's documentation leaves open, one by one: people come, change, go and come back, and after each step nothing
 * is left to do. Where that cannot be, the run says so and harms nobody:
 *
 *   quirk                    why it cannot be                                     what the run does
 *   listLimit                a list that is cut proves nothing                    exit 6, nothing written
 *   listAnnounces            a list with more pages, which Twilio says it lacks   exit 6, nothing written
 *   nextPageLink: loop       pages that never end                                 exit 6, nothing written
 *   rename: 25012, 25013     the address cannot be changed                        exit 4, parked
 *   reactivation: refused    nobody can be made active again                      exit 4, parked
 *   roleCeiling              more roles than one person may hold                  exit 4, parked
 *   roleCeilingCode          the same with another code                           exit 4, parked
 */
import { describe, expect, test } from 'vitest';
import { type QuirkDefinition, type Quirks, quirkDefinitions } from '../../src/simulator/quirks.ts';
import { outcomesOf } from '../support/in-process.ts';
import { type LivedStep, live, type Step, steps } from '../support/life-cycle.ts';
import { assignedTwice, mailedTwice, type OrganizationPicture, pictureOf } from '../support/organization.ts';
import type { Sections, World } from '../support/world.ts';

const definitions: Readonly<Record<string, QuirkDefinition<unknown>>> = quirkDefinitions;

/** Values of the switches that are no choice. */
const values: Readonly<Record<string, readonly unknown[]>> = {
  nextPageHost: ['https://preview-iam.twilio.com'],
  collectionKey: ['items'],
  listLimit: [3],
  newUserHiddenReads: [1],
  newUserAssignmentRefusals: [1, 3],
  roleCeiling: [1],
  roleCeilingCode: [20400],
};

/** To be met only where a listing has several pages, or much to say. */
const ofListings = new Set([
  'nextPageHost',
  'nextPageLink',
  'pagingMeta',
  'collectionKey',
  'defaultPageSize',
  'pageTokens',
  'organizationScopeList',
  'listLimit',
  'listAnnounces',
]);

const insurmountable = ['listLimit', 'listAnnounces', 'nextPageLink="loop"', 'rename', 'reactivation', 'roleCeiling'];
const everyQuirk = Object.entries(definitions).flatMap(([name, { allowed }]) => {
  const others =
    values[name] ??
    allowed
      .split(' | ')
      .slice(1)
      .map((value) => JSON.parse(value) as unknown);
  return others.map((value) => [`${name}=${JSON.stringify(value)}`, { [name]: value } as Partial<Quirks>] as const);
});
/** Refusals, throttling and doubles, which a quiet life does not meet; they are lived with all at once. */
const unmet = new Set([
  'approval',
  'pkce',
  'refreshToken',
  'tokenErrors',
  'badClientStatus',
  'permissionRefusal',
  'rolesPermission',
  'errorKeys',
  'errorStatus',
  'errorCodes',
  'errorContentType',
  'emptyList',
  'suspendedInList',
  'suspendedShows',
  'nameMinimum',
  'createInactive',
  'patch',
  'conflictStatus',
  'duplicateStatus',
  'duplicateScimType',
  'forbiddenStatus',
  'doubleDeactivation',
  'existingAssignment',
  'missingAssignment',
  'listWithoutFilter',
  'rateLimitCode',
  'retryAfter',
  'throttledUntil',
]);
const allUnmet = Object.assign({}, ...everyQuirk.map(([, quirk]) => quirk).filter(isUnmet)) as Partial<Quirks>;
const survivable = everyQuirk.filter(
  ([title, quirk]) => !isUnmet(quirk) && !insurmountable.some((name) => title.startsWith(name)),
);

function isUnmet(quirk: Partial<Quirks>): boolean {
  return Object.keys(quirk).every((name) => unmet.has(name));
}

/** Each step of a life, as data to be compared. */
interface Life {
  readonly lived: readonly LivedStep[];
  readonly pictures: Readonly<Partial<Record<Step, OrganizationPicture>>>;
  readonly writes: number;
  readonly doubles: readonly string[];
}

async function liveThrough(quirks: Partial<Quirks>, sections: Sections = {}): Promise<Life> {
  const crowd = Object.keys(quirks).some((name) => ofListings.has(name));
  const lived: LivedStep[] = [];
  const pictures: Partial<Record<Step, OrganizationPicture>> = {};
  const doubles = new Set<string>();
  let writes = 0;
  const look = (world: World, each: LivedStep) => {
    lived.push(each);
    pictures[each.step] = pictureOf(world.twilio);
    for (const double of [...mailedTwice(world.twilio), ...assignedTwice(world.twilio)]) doubles.add(double);
    writes = world.twilio.requests.writes;
  };
  await live(quirks, { sections, crowd }, look);
  return { lived, pictures, writes, doubles: [...doubles] };
}

describe.concurrent('people come, change, go and come back', () => {
  const lives = [
    ['everything as documented', {}],
    ['all that a quiet life does not meet', allUnmet],
    ...survivable,
  ] as const;

  test.each(lives)('with %s', async (_, quirks) => {
    const { lived, pictures, doubles } = await liveThrough(quirks);

    expect(lived.map(({ step, run }) => [step, run.code, run.report?.status])).toEqual(
      Object.keys(steps).map((step) => [step, 0, 'applied']),
    );
    for (const { step, next } of lived) {
      expect([step, next.code, next.report?.status, outcomesOf(next)]).toEqual([step, 0, 'converged', {}]);
      // Whom Twilio does not list yet is a finding until it does.
      if (!('newUserHiddenReads' in quirks)) expect([step, next.report?.findings]).toEqual([step, []]);
    }
    expect(doubles).toEqual([]);
    const roles = (step: Step) => pictures[step]?.assignments.filter((each) => !each.startsWith('crowd-')).length;
    expect([roles('some'), roles('changed'), roles('gone'), roles('returned')]).toEqual([7, 8, 3, 8]);
  });
});

describe.concurrent('nobody is harmed', () => {
  test.each([
    { listLimit: 3 },
    { listAnnounces: 'startIndex' },
    { listAnnounces: 'next' },
    { nextPageLink: 'loop' },
  ] as const)('when what Twilio lists proves nothing (%o)', async (quirks) => {
    const { lived, writes } = await liveThrough(quirks);

    expect(lived.flatMap(({ run, next }) => [run.code, next.code])).toEqual([6, 6, 6, 6, 6, 6, 6, 6]);
    expect(lived.map(({ run }) => run.error?.code)).toEqual(lived.map(() => 'twilio-contract'));
    expect(writes).toBe(0);
  });

  test.each([
    { rename: '25012' },
    { rename: '25013' },
    { reactivation: 'refused' },
    { roleCeiling: 1 },
    { roleCeiling: 1, roleCeilingCode: 20400 },
  ] as const)(
    'when Twilio refuses some of it (%o): it is parked, and the run after it writes nothing',
    async (quirks) => {
      const { lived, doubles } = await liveThrough(quirks);

      expect(lived.map(({ run }) => run.code)).toContain(4);
      expect(lived.map(({ run }) => run.code).filter((code) => code !== 0 && code !== 4)).toEqual([]);
      expect(lived.map(({ next }) => [next.code, next.report?.status])).toEqual(lived.map(() => [0, 'converged']));
      expect(doubles).toEqual([]);
    },
  );

  test.each([1, 2, 3, 5])(
    'when a new person is not shown for %i reads and the gone are created anew',
    async (reads) => {
      const policy = { mode: 'sync', recreateGone: true };

      const { lived, pictures, doubles } = await liveThrough({ newUserHiddenReads: reads }, { policy });

      const codes = lived.flatMap(({ run, next }) => [run.code, next.code]);
      expect(codes.filter((code) => code !== 0 && code !== 4)).toEqual([]);
      expect(codes.slice(-4)).toEqual([0, 0, 0, 0]);
      expect(lived.at(-1)?.next.report?.status).toBe('converged');
      expect(doubles).toEqual([]);
      expect(pictures.returned?.users).toHaveLength(5);
    },
  );
});
