/** Histories of one role of one person: each step changes the source or Twilio, and a whole run follows it. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Policy } from '../../src/domain/rules.ts';
import { compileRules } from '../../src/engine/compile.ts';
import { driftOnce } from '../../src/reconcile/drift.ts';
import { reconcileOnce } from '../../src/reconcile/reconcile.ts';
import { assignment, entry, externalId, link, rules, twilioUser } from '../support/builders.ts';
import { createWorld, type World } from '../support/memory-world.ts';
import { holdsAsync } from '../support/properties.ts';

const never = new AbortController().signal;
const start = { command: 'reconcile', host: 'sync-1', pid: 1, user: 'tdsync', version: '1.0.0' };
const steps = ['rule gives', 'rule takes', 'hand gives', 'hand takes'] as const;
type Step = (typeof steps)[number];

function worldUnder(drift: Policy['drift']): World {
  const ruleset = rules({ policy: { drift } });
  return createWorld({
    rules: ruleset,
    compiled: compileRules(ruleset).compiled,
    entries: [entry('ann')],
    twilio: { users: [twilioUser(1, 'ann')] },
    snapshot: { links: [link('ann', 1)] },
  });
}

let nextByHand = 0x9000;

function take(step: Step, world: World): void {
  const { assignments } = world.twilio;
  if (step === 'rule gives') world.entries = [entry('ann', {}, ['developers'])];
  if (step === 'rule takes') world.entries = [entry('ann')];
  if (step === 'hand takes') assignments.clear();
  if (step === 'hand gives' && assignments.size === 0) {
    const made = assignment(nextByHand++, 1);
    assignments.set(made.sid, made);
  }
}

const isWanted = (world: World) => world.entries[0]?.groups.length === 1;
const isThere = (world: World) => world.twilio.assignments.size === 1;

async function run(world: World) {
  const { report } = await reconcileOnce(world.context, { start, allowances: new Map() }, never);
  return { operations: report.plan.operations, findings: report.findings.map(({ code }) => code) };
}

test('under overwrite every run ends with what the rules give, says what was changed where, and the next has nothing to do', async () => {
  await holdsAsync(
    fc.asyncProperty(fc.array(fc.constantFrom(...steps), { maxLength: 12 }), async (history) => {
      const world = worldUnder('overwrite');
      for (const step of history) {
        take(step, world);
        const drifted = (await driftOnce(world.context, {}, never)).people.length;

        const { operations } = await run(world);

        expect(isThere(world)).toBe(isWanted(world));
        const byHand = step.startsWith('hand');
        for (const { reason } of operations) expect(reason === 'changed-in-twilio').toBe(byHand);
        expect(drifted).toBe(byHand ? operations.length : 0);
        expect(await run(world)).toEqual({ operations: [], findings: [] });
      }
    }),
    600,
  );
});

test('under report no change in Twilio is taken back, each is told for as long as it stands, and changes of the rules apply', async () => {
  await holdsAsync(
    fc.asyncProperty(fc.array(fc.constantFrom(...steps), { maxLength: 12 }), async (history) => {
      const world = worldUnder('report');
      for (const step of history) {
        const before = isWanted(world);
        const inStep = before === isThere(world);
        take(step, world);
        const left = isThere(world);

        const { operations, findings } = await run(world);

        if (step.startsWith('hand')) {
          expect([isThere(world), operations]).toEqual([left, []]);
          expect(findings.includes('drift')).toBe(isWanted(world) !== left);
        } else if (inStep && before !== isWanted(world)) {
          expect([isThere(world), operations.length, findings]).toEqual([isWanted(world), 1, []]);
        }
        const standing = isThere(world) === isWanted(world) ? [] : ['drift'];
        expect(await run(world)).toEqual({ operations: [], findings: standing });
        expect((await driftOnce(world.context, {}, never)).people.map((each) => each.externalId)).toEqual(
          standing.map(() => externalId('ann')),
        );
      }
    }),
    600,
  );
});
