/** What a process can die in, and who goes on after it. */
import { readFile } from 'node:fs/promises';

import { writePlanFile } from '../../src/cli/plan-file.ts';
import { openSnapshot } from '../../src/store/snapshot.ts';
import { forgetRecords } from './eventful-history.ts';
import { dryRunInProcess, type InProcessRun, reconcileInProcess } from './in-process.ts';
import { type MixedChange, prepareMixedChange } from './mixed-change.ts';
import { type OrganizationPicture, pictureOf } from './organization.ts';
import type { World } from './world.ts';

export interface Stage {
  readonly world: World;
  /** The command that dies. */
  readonly args: readonly string[];
  /** What somebody does after it. */
  goOn(): Promise<InProcessRun>;
}

type Prepare = (world: World) => Promise<Omit<Stage, 'world'>>;

export const scenarios = {
  async reconcile(world) {
    return { args: ['reconcile'], goOn: () => reconcileInProcess(world) };
  },
  async 'reconcile, one call at a time'(world) {
    return { args: ['reconcile'], goOn: () => reconcileInProcess(world) };
  },
  async 'apply a saved plan'(world) {
    const { plan, verdict, bill, endedAt } = await dryRunInProcess(world);
    const file = world.path('plan.json');
    writePlanFile(file, { version: 1, madeAt: new Date(endedAt).toISOString(), options: {}, plan, verdict, bill });
    return { args: ['apply', file], goOn: () => reconcileInProcess(world) };
  },
  async undo(world) {
    const undo = (await reconcileInProcess(world)).report?.run ?? '';
    return { args: ['undo', undo], goOn: () => reconcileInProcess(world, { undo }) };
  },
  async 'dry run'(world) {
    return { args: ['reconcile', '--dry-run'], goOn: () => reconcileInProcess(world) };
  },
  async 'reconcile with a snapshot of an older version'(world) {
    forgetRecords(world.path('tdsync.db'));
    return { args: ['reconcile'], goOn: () => reconcileInProcess(world) };
  },
} as const satisfies Readonly<Record<string, Prepare>>;
export type ScenarioName = keyof typeof scenarios;

/** What the world is like in the end, told without what may differ between two ways to it. */
export interface End {
  readonly organization: OrganizationPicture;
  /** `externalId: address, active`, and below each the roles with who gave them. A creation whose end nobody saw is an adoption. */
  readonly managed: readonly string[];
  /** Writes that took effect, by endpoint. */
  readonly writes: Readonly<Record<string, number>>;
}

/** A day with changes of all kinds, about to be carried out the way that the scenario says. */
export interface Stages extends AsyncDisposable {
  open(scenario: ScenarioName): Promise<Stage & AsyncDisposable>;
  /** As it ends when nothing dies. */
  undisturbed(scenario: ScenarioName): Promise<End>;
}

export async function prepareStages(): Promise<Stages> {
  const change: MixedChange = await prepareMixedChange();
  const ends = new Map<ScenarioName, Promise<End>>();

  async function open(scenario: ScenarioName): Promise<Stage & AsyncDisposable> {
    const world = await change.open();
    if (scenario.endsWith('at a time')) {
      const text = await readFile(world.path('tdsync.yaml'), 'utf8');
      await world.write('tdsync.yaml', text.replace('maxConcurrent: 2', 'maxConcurrent: 1'));
    }
    const stage = await scenarios[scenario](world);
    world.twilio.requests.clear();
    return { world, ...stage, [Symbol.asyncDispose]: () => world[Symbol.asyncDispose]() };
  }

  async function undisturbed(scenario: ScenarioName): Promise<End> {
    await using stage = await open(scenario);
    const { code, error } = await stage.goOn();
    if (code !== 0) throw new Error(`${scenario} goes wrong undisturbed: ${error?.message}`);
    return endOf(stage.world);
  }

  return {
    open,
    undisturbed(scenario) {
      const known = ends.get(scenario) ?? undisturbed(scenario);
      ends.set(scenario, known);
      return known;
    },
    [Symbol.asyncDispose]: () => change[Symbol.asyncDispose](),
  };
}

export function endOf(world: World): End {
  using snapshot = openSnapshot(world.path('tdsync.db'), 'read', undefined);
  const { ledger, store } = snapshot;
  const managed = [...ledger.managed()].flatMap(({ externalId, user, userName, active }) => {
    const roles = ledger
      .grantsOf(user)
      .map((grant) => `  ${grant.role} in ${grant.scope}, ${grant.origin}, ${grant.held}`);
    const { sent, returned, active: left } = store.lastApplied(externalId) ?? {};
    const applied = JSON.stringify([sorted(sent), sorted(returned), left]);
    return [`${externalId}: ${userName}, ${active}, ${applied}`, ...roles.sort()];
  });
  const writes: Record<string, number> = {};
  for (const { write, status, method, path, body } of world.twilio.requests) {
    // Where Twilio does not keep the key, nothing shows that an adoption was sent: it is sent again.
    if (isAdoption(body)) continue;
    const endpoint = `${method} ${path}`;
    if (write && status >= 200 && status < 300) writes[endpoint] = (writes[endpoint] ?? 0) + 1;
  }
  return { organization: pictureOf(world.twilio), managed, writes };
}

function sorted(values: object | undefined): readonly (readonly [string, unknown])[] {
  return Object.entries(values ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
}

function isAdoption(body: unknown): boolean {
  return typeof body === 'object' && body !== null && 'externalId' in body && body.externalId === 'adoptee';
}
