/** Four people of few words, from nobody to everybody, changed, gone and back: the life that a client has to survive. */
import { defaultAccounts } from '../../src/simulator/default-seed.ts';
import type { Quirks } from '../../src/simulator/quirks.ts';
import type { Seed } from '../../src/simulator/seed.ts';
import { approve, useCodeGrant } from './code-grant.ts';
import { createSkippingClock, type InProcessRun, reconcileInProcess } from './in-process.ts';
import { mixedSections } from './mixed-change.ts';
import { createWorld, type Person, type Sections, type World } from './world.ts';

/** Two spaces, a decomposed letter, capitals: what a server may write in its own way. */
const some: readonly Person[] = [
  { id: 'mover', mail: 'Mover@Corp.example', given: 'José  Luis', groups: ['developers'] },
  { id: 'leaver', given: 'Zoë', groups: ['developers', 'operators'] },
  { id: 'plain', family: 'O’Neill ' },
  { id: 'steady', groups: ['developers', 'operators'] },
];
const [mover, leaver, plain, steady] = some as readonly [Person, Person, Person, Person];

/** The source at each step; after each the organization has to settle. */
export const steps = {
  some,
  changed: [
    { ...mover, mail: 'Moved@Corp.example', groups: ['operators'] },
    leaver,
    { ...plain, given: 'Anew' },
    steady,
  ],
  gone: [{ ...plain, given: 'Anew' }, steady],
  returned: [
    { ...mover, mail: 'Moved@Corp.example', groups: ['operators'] },
    leaver,
    { ...plain, given: 'Anew' },
    steady,
  ],
} as const;
export type Step = keyof typeof steps;

const scope = defaultAccounts[0]?.sid;

const sections: Sections = {
  ...mixedSections,
  // By SID: the list of accounts may not be had.
  roles: [
    { group: 'developers', grants: [{ role: 'Developer', scope }] },
    {
      group: 'operators',
      grants: [
        { role: 'Support', scope },
        { role: 'Studio Viewer', scope: 'organization' },
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

const nobody: Seed = { domains: ['corp.example'] };

const crowd: Seed = {
  ...nobody,
  users: Array.from({ length: 120 }, (_, index) => ({ userName: `crowd-${index}@corp.example` })),
  assignments: Array.from({ length: 120 }, (_, index) => ({
    user: `crowd-${index}@corp.example`,
    role: 'Developer',
    scope: 'Production',
  })),
};

export interface LivedStep {
  readonly step: Step;
  readonly run: InProcessRun;
  /** The run after it, which reads all of Twilio anew. */
  readonly next: InProcessRun;
}

export interface LifeOptions {
  /** Laid over the life's own sections. */
  readonly sections?: Sections;
  /** Adds more unmanaged people with roles than fit one page of a listing. */
  readonly crowd?: boolean;
  /** Default: client credentials. */
  readonly grant?: 'authorization_code';
}

/** Lives through all steps in an organization that starts without them; `look` is called after each step. */
export async function live(
  quirks: Partial<Quirks>,
  options: LifeOptions,
  look: (world: World, lived: LivedStep) => void,
): Promise<void> {
  const clock = createSkippingClock();
  await using world = await createWorld({
    now: clock.now,
    quirks,
    seed: options.crowd ? crowd : nobody,
    sections: { ...sections, ...options.sections },
  });
  if (options.grant === 'authorization_code') {
    await useCodeGrant(world);
    await approve(world, clock);
  }
  for (const step of Object.keys(steps) as Step[]) {
    await world.people(steps[step]);
    const run = await reconcileInProcess(world, { clock });
    const next = await reconcileInProcess(world, { clock, refresh: true });
    look(world, { step, run, next });
  }
}
