/** An organization in step with its source, and a day's changes that need every kind of write at once. */
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Seed } from '../../src/simulator/seed.ts';
import { createSkippingClock, reconcileInProcess } from './in-process.ts';
import { createWorld, type Person, type Sections, type World, type WorldOptions } from './world.ts';

const developers = ['developers'];
const operators = ['operators'];

const before: readonly Person[] = [
  { id: 'steady', groups: developers },
  { id: 'leaver', groups: [...developers, ...operators] },
  { id: 'mover', groups: developers },
  { id: 'married', family: 'Before' },
  { id: 'renamed', mail: 'old.name@corp.example' },
  { id: 'returner', groups: operators },
  { id: 'swap-a', mail: 'first@corp.example' },
  { id: 'swap-b', mail: 'second@corp.example' },
];

const after: readonly Person[] = [
  { id: 'steady', groups: developers },
  { id: 'mover', groups: operators },
  { id: 'married', family: 'After' },
  { id: 'renamed', mail: 'new.name@corp.example' },
  { id: 'returner', groups: developers },
  { id: 'swap-a', mail: 'second@corp.example' },
  { id: 'swap-b', mail: 'first@corp.example' },
  { id: 'adoptee', groups: developers },
  { id: 'joiner-1', groups: [...developers, ...operators] },
  { id: 'joiner-2', groups: developers },
  { id: 'joiner-3' },
];

const unlimited = { count: 1_000 };

/** Role rules and guards that let all of it through. */
export const mixedSections: Sections = {
  roles: [
    { group: 'developers', grants: [{ role: 'Developer', scope: 'Production' }] },
    {
      group: 'operators',
      grants: [
        { role: 'Support', scope: 'Production' },
        { role: 'Studio Viewer', scope: 'organization' },
      ],
    },
  ],
  guards: {
    deactivations: unlimited,
    revocations: unlimited,
    roleRevocations: unlimited,
    adoptions: unlimited,
    creations: unlimited,
    renames: unlimited,
    sourceShrink: unlimited,
  },
};

/** The state before the changes, kept so that every test starts from the same one. */
export interface MixedChange extends AsyncDisposable {
  /** A world before the changes, with the source already changed. Sections are laid over `mixedSections`. */
  open(options?: Omit<WorldOptions, 'seed'>): Promise<World>;
}

export async function prepareMixedChange(): Promise<MixedChange> {
  const folder = await mkdtemp(join(tmpdir(), 'tdsync-mixed-'));
  const database = join(folder, 'tdsync.db');
  const seed = await settle(database);
  return {
    async open({ quirks, sections, ...options } = {}) {
      const world = await createWorld({
        ...options,
        // A second assignment for what a person holds already would be given, and so be seen.
        quirks: { existingAssignment: '201-new', ...quirks },
        seed,
        sections: { ...mixedSections, ...sections },
      });
      await copyFile(database, world.path('tdsync.db'));
      await world.people(after);
      return world;
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

async function settle(database: string): Promise<Seed> {
  const clock = createSkippingClock();
  const seed = { users: [{ userName: 'adoptee@corp.example' }] };
  await using world = await createWorld({ now: clock.now, seed, sections: mixedSections });
  await world.people(before);
  await reconcileInProcess(world, { clock });
  await world.people(before.map((person) => (person.id === 'returner' ? { ...person, status: 'disabled' } : person)));
  const { code, error, report } = await reconcileInProcess(world, { clock });
  if (code !== 0)
    throw new Error(`the state before the changes could not be made: ${error?.message ?? JSON.stringify(report)}`);
  await copyFile(world.path('tdsync.db'), database);
  return world.twilio.snapshot();
}
