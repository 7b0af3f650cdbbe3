/**
 * The life that a client has to survive: a few people come, change, go and come back, and then everything goes wrong once.
 *
 *   some, changed, gone, returned   quiet: each ends `applied`, and the run after it finds nothing to do
 *   troubled                        records that Twilio refuses, an address that is taken elsewhere, somebody suspended
 *   unanswered                      every kind of write takes effect once without an answer, under a low rate limit
 *   overtaken                       somebody else writes while we believe our copy
 *   unauthorized                    a wrong secret, then a missing permission
 *   calm                            the troubles are gone, and everything has to be as it should
 */
import { defaultAccounts, defaultRoles } from '../../src/simulator/default-seed.ts';
import type { Quirks } from '../../src/simulator/quirks.ts';
import type { Seed } from '../../src/simulator/seed.ts';
import type { Generation } from '../../src/twilio/endpoints.ts';
import { approve, useCodeGrant } from './code-grant.ts';
import { createSkippingClock, type InProcessRun, reconcileInProcess, type SkippingClock } from './in-process.ts';
import { mixedSections } from './mixed-change.ts';
import { troubles } from './troubles.ts';
import { createWorld, type Person, type Sections, type World } from './world.ts';

/** Two spaces, a decomposed letter, capitals: what a server may write in its own way. */
const some: readonly Person[] = [
  { id: 'mover', mail: 'Mover@Corp.example', given: 'José  Luis', groups: ['developers'] },
  { id: 'leaver', given: 'Zoë', groups: ['developers', 'operators'] },
  { id: 'plain', family: 'O’Neill ' },
  { id: 'steady', groups: ['developers', 'operators'] },
  { id: 'adoptee', groups: ['developers'] },
];
const [mover, leaver, plain, steady, adoptee] = some as readonly [Person, Person, Person, Person, Person];
const moved: Person = { ...mover, mail: 'Moved@Corp.example', groups: ['operators'] };
const changed: Person = { ...plain, given: 'Anew' };

/** The source at each step; after each the organization has to settle. */
export const steps = {
  some,
  changed: [moved, leaver, changed, steady, adoptee],
  gone: [changed, steady, adoptee],
  returned: [moved, leaver, changed, steady, adoptee],
} as const satisfies Record<string, readonly Person[]>;

const scope = defaultAccounts[0]?.sid;
const sidOf = (role: string) => defaultRoles.find(({ name }) => name === role)?.sid;

/** Accounts by SID, because their list may not be had; roles by SID where their names cannot be looked up. */
function sectionsFor(bySid: boolean): Sections {
  const role = (name: string) => (bySid ? sidOf(name) : name);
  return {
    ...mixedSections,
    roles: [
      { group: 'developers', grants: [{ role: role('Developer'), scope }] },
      {
        group: 'operators',
        grants: [
          { role: role('Support'), scope },
          { role: role('Studio Viewer'), scope: 'organization' },
        ],
      },
    ],
    attributes: {
      userName: 'mail',
      'name.givenName': 'givenName',
      'name.familyName': 'sn',
      locale: '= "en-US"',
      timezone: '= "Europe/Lisbon"',
    },
  };
}

/** People whom the source does not know, with more roles than a small page holds, and one whom it does. */
const seed: Seed = {
  domains: ['corp.example'],
  outsideAddresses: ['outsider@corp.example'],
  users: [
    ...Array.from({ length: 6 }, (_, index) => ({ userName: `crowd-${index}@corp.example` })),
    { userName: 'Adoptee@corp.example', displayName: 'Kept', timezone: 'Asia/Tokyo' },
  ],
  assignments: Array.from({ length: 6 }, (_, index) => [
    { user: `crowd-${index}@corp.example`, role: 'Developer', scope: 'Production' },
    { user: `crowd-${index}@corp.example`, role: 'Studio Viewer', scope: 'organization' },
  ]).flat(),
};

/** Small pages, so that each listing has several. */
const always: Partial<Quirks> = { pageSizeCeiling: 4 };

export interface LivedStep {
  readonly step: string;
  readonly run: InProcessRun;
  /** The run after it, which reads all of Twilio anew. */
  readonly next: InProcessRun;
  /** Writes that the run after it sent. */
  readonly lateWrites: number;
}

export interface LifeOptions {
  /** Default `current`. */
  readonly generation?: Generation;
  /** Laid over the life's own sections. */
  readonly sections?: Sections;
  /** Default: client credentials. */
  readonly grant?: 'authorization_code';
  /** Ends after the quiet steps. */
  readonly quietOnly?: boolean;
}

/** What the steps of a life are taken with. */
export interface Stage {
  readonly world: World;
  readonly clock: SkippingClock;
  readonly generation: Generation;
  reconcile(options?: Parameters<typeof reconcileInProcess>[1]): Promise<InProcessRun>;
}

/** As many runs as a new person may be invisible for: such people are left alone meanwhile. */
async function toldEverywhere({ reconcile }: Stage, { newUserHiddenReads = 0 }: Partial<Quirks>): Promise<void> {
  for (let read = 0; read < newUserHiddenReads; read++) await reconcile({ refresh: true });
}

/** Lives through all steps in an organization that starts without its people; `look` is called after each step. */
export async function live(
  quirks: Partial<Quirks>,
  { generation = 'current', grant, sections = {}, quietOnly = false }: LifeOptions,
  look: (world: World, lived: LivedStep) => void,
): Promise<void> {
  const clock = createSkippingClock();
  const bySid = generation === 'preview' || (quirks.roleNames ?? 'documented') !== 'documented';
  await using world = await createWorld({
    now: clock.now,
    monotonic: clock.now,
    quirks: { ...always, generations: generation, ...quirks },
    seed,
    sections: { ...sectionsFor(bySid), ...sections },
    generation,
  });
  if (grant === 'authorization_code') {
    await useCodeGrant(world);
    await approve(world, clock);
  }
  const stage: Stage = {
    world,
    clock,
    generation,
    reconcile: (options) => reconcileInProcess(world, { clock, ...options }),
  };
  const settled = async (step: string, run: InProcessRun) => {
    const before = world.twilio.requests.writes;
    const next = await stage.reconcile({ refresh: true });
    look(world, { step, run, next, lateWrites: world.twilio.requests.writes - before });
  };
  for (const [step, people] of Object.entries(steps)) {
    await world.people(people);
    const run = await stage.reconcile();
    await toldEverywhere(stage, quirks);
    await settled(step, run);
  }
  if (quietOnly) return;
  for (const [step, trouble] of Object.entries(troubles)) {
    const run = await trouble(stage, steps.returned);
    await toldEverywhere(stage, quirks);
    await settled(step, run);
  }
  // Refused records wait for up to a day.
  clock.advance(25 * 3_600_000);
  await world.people(steps.returned);
  await stage.reconcile({ refresh: true });
  clock.advance(25 * 3_600_000);
  await settled('calm', await stage.reconcile({ refresh: true }));
}
