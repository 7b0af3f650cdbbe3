/**
 * A golden story: a folder of `test/golden` with everything that a plan is computed from, and the plan.
 *
 * | file            | what it holds                                                                                |
 * |-----------------|----------------------------------------------------------------------------------------------|
 * | `story.yaml`    | title, the steps before the plan, and what the run after it is expected to be                |
 * | `tdsync.yaml`   | the configuration; others that a step names stand beside it                                  |
 * | `people.csv`    | the source that is planned; those of earlier steps stand beside it                           |
 * | `directory.ldif` | instead: the directory before the first step, below a unit of the story's own                |
 * | `twilio.json`   | the organization before the first step, as a seed of the simulator                           |
 * | `snapshot.json` | written: what the snapshot knows when the plan is made, which the steps brought about        |
 * | `plan.txt`      | written: the dry run, as an operator reads it                                                |
 * | `plan.json`     | written: the plan with the guards' verdict, as `--json` prints them                          |
 *
 * Steps are carried out for real, through the same code as the commands: so no state can stand in a story that no history
 * leads to.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { ExternalId, UserSid } from '../../src/domain/identity.ts';
import { type GuardName, guardNames } from '../../src/domain/rules.ts';
import type { AdministrativeAction } from '../../src/simulator/administration.ts';
import { loadSeedFile, type Seed } from '../../src/simulator/seed.ts';
import { openSnapshot, type Snapshot } from '../../src/store/snapshot.ts';
import { suffix, syncPassword } from './directory-ldif.ts';
import { createSkippingClock, historyOf, type InProcessOptions, reconcileInProcess } from './in-process.ts';
import type { Slapd } from './slapd.ts';
import type { DirectoryOfStory } from './story-in-ldap.ts';
import { createWorld, type World } from './world.ts';

/** One key says what is done; `configuration`, `people` and `ldapmodify` name files of the story. */
interface Step {
  /** A run; with guards that are let through. */
  readonly run?: { readonly people?: string; readonly configuration?: string; readonly allow?: readonly GuardName[] };
  /** What somebody does by hand in Twilio. */
  readonly console?: AdministrativeAction;
  readonly ldapmodify?: string;
  readonly release?: string;
  readonly relink?: readonly [from: string, to: string];
}

export interface Story {
  readonly name: string;
  readonly folder: string;
  readonly title: string;
  /** LDIF of the story's directory. */
  readonly directory: string | undefined;
  readonly before: readonly Step[];
  /** The plan takes the last run back, instead of following the source. */
  readonly undo: boolean;
  readonly only: readonly string[] | undefined;
  /**
   * What the run does that follows the dry run: `applied` or `converged`; `partial` when Twilio refuses something;
   * `refused`, and then the same plan is approved; `additive`, and then everything is allowed.
   */
  readonly then: 'applied' | 'converged' | 'partial' | 'refused' | 'additive';
}

const root = join(import.meta.dirname, '..', 'golden');

/** In the order of their numbers. */
export function readStories(): readonly Story[] {
  return readdirSync(root)
    .filter((name) => /^\d{3}-/.test(name))
    .sort()
    .map(readStory);
}

function readStory(name: string): Story {
  const folder = join(root, name);
  const {
    title,
    before = [],
    undo = false,
    only,
    then,
  } = parse(readFileSync(join(folder, 'story.yaml'), 'utf8')) as Story;
  const ldif = join(folder, 'directory.ldif');
  const directory = existsSync(ldif) ? readFileSync(ldif, 'utf8') : undefined;
  return { name, folder, title, directory, before, undo, only, then };
}

export interface Told {
  readonly world: World;
  readonly options: InProcessOptions;
  readonly snapshot: string;
}

const morning = Date.UTC(2026, 10, 24, 9, 15);

/**
 * Brings about the state that the story begins with. `slapd` holds the directories of all stories that have one; `instead`
 * takes the place of the files of a story that has files.
 */
export async function tell(story: Story, slapd: Slapd | undefined, instead?: DirectoryOfStory): Promise<Told> {
  const clock = createSkippingClock(morning);
  const seed: Seed = existsSync(join(story.folder, 'twilio.json'))
    ? loadSeedFile(join(story.folder, 'twilio.json'))
    : {};
  const world = await createWorld({ seed, now: clock.now });
  const options: InProcessOptions = {
    clock,
    asWritten: true,
    // Console changes of roles are to be seen: the mirror of assignments would be believed for a day.
    refresh: true,
    environment: {
      ...(story.directory !== undefined && slapd && { TDSYNC_SOURCE_URL: slapd.ldapsUrl }),
      ...Object.fromEntries(
        ['IAM', 'OAUTH', 'ACCOUNTS'].map((each) => [`TDSYNC_TWILIO_${each}_URL`, world.twilio.url]),
      ),
    },
  };
  const put: Put = async (from, to) => {
    const text = readFileSync(join(story.folder, from), 'utf8');
    if (instead === undefined) await world.write(to, text);
    else if (to === 'people.csv') await instead.people(text);
    else await world.write(to, instead.configuration(text));
  };
  if (slapd !== undefined && (story.directory ?? instead) !== undefined) {
    await world.write('ldap-password', syncPassword);
    await world.write('ca.pem', readFileSync(slapd.caFile));
  }
  for (const step of story.before) {
    if (step.ldapmodify === undefined) await carryOut(step, world, options, put);
    else modify(join(story.folder, step.ldapmodify), slapd);
  }
  await put('tdsync.yaml', 'tdsync.yaml');
  if (story.directory === undefined) await put('people.csv', 'people.csv');
  const last = story.undo ? { undo: historyOf(world)[0]?.summary.id ?? '' } : {};
  return {
    world,
    options: { ...options, ...last, ...(story.only && { only: story.only }) },
    snapshot: story.before.length === 0 ? '' : looking(world, knowledgeOf),
  };
}

/** A file of the story becomes the world's configuration or source. */
type Put = (from: string, to: 'tdsync.yaml' | 'people.csv') => Promise<void>;

async function carryOut(
  { run, console, release, relink }: Step,
  world: World,
  options: InProcessOptions,
  put: Put,
): Promise<void> {
  if (run !== undefined) {
    await put(run.configuration ?? 'tdsync.yaml', 'tdsync.yaml');
    if (run.people !== undefined) await put(run.people, 'people.csv');
    const { error, report } = await reconcileInProcess(world, { ...options, allow: run.allow ?? [] });
    if (error !== undefined) throw error;
    if (report?.status === 'refused')
      throw new Error(`${JSON.stringify(run)}: a guard refused what was to lead to the story`);
  }
  if (console !== undefined) world.twilio.administer(console);
  if (release !== undefined) changing(world, ({ ledger }) => ledger.release(release as ExternalId, act));
  if (relink !== undefined) {
    const [from, to] = relink as readonly [ExternalId, ExternalId];
    changing(world, ({ ledger }) => ledger.relink([{ from, to }], act));
  }
}

function modify(file: string, slapd: Slapd | undefined): void {
  // With relaxed rules an entry may be given its entryUUID, so that plans can be compared.
  const login = ['-x', '-e', 'relax', '-H', slapd?.ldapUrl ?? '', '-D', `cn=admin,${suffix}`, '-w', 'admin'];
  execFileSync('ldapmodify', [...login, '-f', file], { stdio: ['ignore', 'ignore', 'pipe'] });
}

const act = { at: morning, user: 'operator', host: 'host', reason: undefined };

/** Lets the refused plan through once, as `tdsync approve` does. */
export function approve(world: World, digest: string): void {
  changing(world, (snapshot) =>
    snapshot.approve({ digest, user: 'operator', host: 'host', at: morning, expiresAt: morning + 86_400_000 }),
  );
}

export const everyGuard: readonly GuardName[] = guardNames;

function changing(world: World, change: (snapshot: Snapshot) => void): void {
  using snapshot = openSnapshot(world.path('tdsync.db'), 'write', undefined);
  change(snapshot);
}

function looking<Result>(world: World, look: (snapshot: Snapshot) => Result): Result {
  using snapshot = openSnapshot(world.path('tdsync.db'), 'read', undefined);
  return look(snapshot);
}

/** Without what is empty. */
function knowledgeOf({ store }: Snapshot): string {
  const links = [...store.links()].map(({ externalId, user }) => ({
    externalId,
    user,
    lastApplied: store.lastApplied(externalId),
  }));
  const known = {
    links,
    grantRecords: [...store.grantRecords()],
    absences: Object.fromEntries(store.absences()),
    released: Object.fromEntries(store.released() as ReadonlyMap<UserSid, ExternalId>),
    parked: [...store.parked()],
    lastCompleteRead: store.lastCompleteRead(),
  };
  const filled = Object.entries(known).filter(([, value]) => value !== undefined && Object.keys(value).length > 0);
  return `${JSON.stringify(Object.fromEntries(filled), null, 2)}\n`;
}
