import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Plan } from '../../src/domain/plan.ts';
import { compileRules } from '../../src/engine/compile.ts';
import { applyPlan } from '../../src/reconcile/apply.ts';
import { propose } from '../../src/reconcile/propose.ts';
import { type Organization, organizations, ruleset } from '../support/arbitrary-world.ts';
import { createWorld, type World } from '../support/memory-world.ts';
import { holdsAsync } from '../support/properties.ts';

const { compiled } = compileRules(ruleset);
const never = new AbortController().signal;

function worldOf(
  { policy, entries, ...state }: Organization,
  normalize = (_name: string, value: string) => value,
): World {
  const { users, assignments, links, records, applied } = state;
  return createWorld({
    rules: { ...ruleset, policy },
    compiled,
    entries,
    twilio: { users, assignments, normalize },
    // A second read in a row must not make a leaver of somebody whose absence is pending.
    snapshot: { links, records, applied, absences: {} },
    maxConcurrent: 3,
  });
}

function plan(world: World) {
  return propose(world.context, { allowances: new Map(), keepMirror: true }, never);
}

/** Applies the plan, or its first so many operations. Everything must succeed: Twilio in memory refuses what is not valid. */
async function apply(world: World, made: Plan, most = Number.POSITIVE_INFINITY): Promise<void> {
  const operations = made.operations.slice(0, most);
  const parking = { parked: new Map(), waiting: new Set<never>() };
  const { operations: reports, fatal } = await applyPlan('run', { ...made, operations }, parking, world.context, never);
  expect(fatal).toBeUndefined();
  for (const { outcome } of reports) expect(outcome.state).toBe('done');
}

/** Twilio as people see it: SIDs of what was created in between may differ. */
function picture({ twilio, snapshot }: World) {
  const nameOf = (sid: string) => twilio.users.get(sid as never)?.attributes.userName ?? sid;
  return {
    users: [...twilio.users.values()]
      .map(({ externalId, attributes, active }) => ({ externalId, attributes, active }))
      .sort(byText),
    links: [...snapshot.links].map(([externalId, user]) => `${externalId} ${nameOf(user)}`).sort(),
    grants: [...twilio.assignments.values()].map(({ user, role, scope }) => `${nameOf(user)} ${role} ${scope}`).sort(),
  };
}

function byText(a: unknown, b: unknown): number {
  return JSON.stringify(a) < JSON.stringify(b) ? -1 : 1;
}

test('after a plan is applied there is nothing left to plan', async () => {
  await holdsAsync(
    fc.asyncProperty(organizations, async (organization) => {
      const world = worldOf(organization);

      await apply(world, (await plan(world)).plan);
      const again = await plan(world);

      expect(again.plan.operations).toEqual([]);
    }),
    1_500,
  );
});

test('what Twilio makes of a value does not keep the plan from coming to an end', async () => {
  const normalize = (name: string, value: string) => (name === 'userName' ? value.toUpperCase() : `${value} (checked)`);
  await holdsAsync(
    fc.asyncProperty(organizations, async (organization) => {
      const world = worldOf(organization, normalize);

      await apply(world, (await plan(world)).plan);
      const again = await plan(world);

      expect(again.plan.operations).toEqual([]);
    }),
    500,
  );
});

test('stopping after any operation and running again comes to the same end', async () => {
  await holdsAsync(
    fc.asyncProperty(organizations, fc.nat(), async (organization, cut) => {
      // create-only never gives roles to people who are there, so a run that stops before the roles of a new person is not made up for.
      fc.pre(organization.policy.mode !== 'create-only');
      const straight = worldOf(organization);
      const whole = await plan(straight);
      await apply(straight, whole.plan);

      const stopped = worldOf(organization);
      const first = await plan(stopped);
      await apply(stopped, first.plan, cut % (first.plan.operations.length + 1));
      await apply(stopped, (await plan(stopped)).plan);

      expect(picture(stopped)).toEqual(picture(straight));
      expect((await plan(stopped)).plan.operations).toEqual([]);
    }),
    1_000,
  );
});

test('attributes that the mapping does not own survive every write', async () => {
  await holdsAsync(
    fc.asyncProperty(organizations, async (organization) => {
      const world = worldOf(organization);

      await apply(world, (await plan(world)).plan);

      for (const { sid, attributes } of organization.users) {
        expect(world.twilio.users.get(sid)?.attributes.displayName).toBe(attributes.displayName);
      }
    }),
    500,
  );
});

test('a source without entries removes nothing past the guards', async () => {
  await holdsAsync(
    fc.asyncProperty(organizations, async (organization) => {
      const world = worldOf({ ...organization, entries: [] });

      const { plan: made, verdict } = await plan(world);

      if (made.operations.length > 0) expect(verdict.allowed).toBe(false);
    }),
    500,
  );
});
