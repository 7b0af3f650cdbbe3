/** Faults of every kind at generated requests, reads and tokens included: sooner or later the end is that of an undisturbed run. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Fault, FaultRule } from '../../src/simulator/faults.ts';
import type { Quirks } from '../../src/simulator/quirks.ts';
import { disturbedCalls } from '../support/disturbed-calls.ts';
import { createSkippingClock, outcomesOf, reconcileInProcess } from '../support/in-process.ts';
import { type MixedChange, prepareMixedChange } from '../support/mixed-change.ts';
import { mailedTwice, type OrganizationPicture, pictureOf } from '../support/organization.ts';

const hour = 3_600_000;
const patience = { environment: { TDSYNC_TWILIO_TIMEOUT: '500ms' } };

const endpoints = fc.constantFrom(...disturbedCalls);

const effect = fc.boolean();
const faults: fc.Arbitrary<Fault> = fc.oneof(
  fc.constantFrom<Fault>('reset-before', 'reset-after', 'truncate', 'html'),
  fc.record({ status: fc.constantFrom(500, 502, 503, 504), effect }),
  fc.record({
    status: fc.constantFrom(500, 503),
    effect,
    body: fc.constantFrom('', 'no JSON', '{"half":', '[]', 'null'),
  }),
  fc.record({
    status: fc.constant(429),
    headers: fc.constantFrom({}, { 'Retry-After': '3' }, { 'Retry-After': 'soon' }),
  }),
  fc.record({ status: fc.constantFrom(401, 403) }),
  fc.constant({ status: 404, code: null }),
  fc.record({
    status: fc.constantFrom(200, 201, 204),
    effect: fc.constant(true),
    body: fc.constantFrom('', 'no JSON', '{}'),
  }),
);

/** 409 to a creation means that the address is taken, which is for people to settle. */
const conflicts = fc.record({
  match: fc.constant({ method: 'PUT', path: '/scim/v2/Users/{id}' }),
  fault: fc.record({ status: fc.constantFrom(409, 412) }),
});
const troubles = fc.oneof(
  { weight: 9, arbitrary: fc.record({ match: endpoints, fault: faults }) },
  { weight: 1, arbitrary: conflicts },
);

const rules: fc.Arbitrary<FaultRule> = fc
  .tuple(troubles, fc.nat(6), fc.integer({ min: 1, max: 6 }))
  .map(([trouble, after, times]) => ({ ...trouble, after, times }));

const organizations = fc.constantFrom<Partial<Quirks>>({}, { writeBody: 'empty' }, { userNameFilter: 'exact' });

let change: MixedChange;
let undisturbed: OrganizationPicture;

beforeAll(async () => {
  change = await prepareMixedChange();
  await using world = await change.open();
  await reconcileInProcess(world);
  undisturbed = pictureOf(world.twilio);
});

afterAll(() => change[Symbol.asyncDispose]());

describe.concurrent('after faults at generated requests', () => {
  test.each([11, 22, 33, 44, 55])('nothing is done twice and nothing is left out (seed %i)', async (seed) => {
    const property = fc.asyncProperty(
      fc.array(rules, { minLength: 1, maxLength: 4 }),
      organizations,
      async (faulty, quirks) => {
        const clock = createSkippingClock();
        await using world = await change.open({ now: clock.now, quirks });
        world.twilio.faults.add(...faulty);

        const first = await reconcileInProcess(world, { clock, ...patience });
        const second = await reconcileInProcess(world, { clock, ...patience });
        world.twilio.faults.clear();
        // What was refused waits for two hours at most after two refusals.
        clock.advance(2 * hour);
        const third = await reconcileInProcess(world, { clock });
        const fourth = await reconcileInProcess(world, { clock });
        const last = await reconcileInProcess(world, { clock });

        for (const run of [first, second]) expect([0, 4, 6]).toContain(run.code);
        expect([third.code, fourth.code, last.code], JSON.stringify(outcomesOf(third))).toEqual([0, 0, 0]);
        expect(mailedTwice(world.twilio)).toEqual([]);
        expect(pictureOf(world.twilio)).toEqual(undisturbed);
        expect([last.report?.status, last.report?.findings]).toEqual(['converged', []]);
      },
    );

    await fc.assert(property, { seed, numRuns: 12 });
  });
});
