import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type GuardLimits, type GuardName, guardNames } from '../../src/domain/rules.ts';
import { holdersOf } from '../../src/engine/guard-roles.ts';
import { guard } from '../../src/engine/guards.ts';
import { organizations, ruleset } from '../support/arbitrary-world.ts';
import { noLimits } from '../support/builders.ts';
import { planFor } from '../support/planning.ts';
import { holds } from '../support/properties.ts';

const limited = guardNames.filter((name) => name !== 'keepAtLeastOne');
const limit = fc.record({ count: fc.nat(8), percent: fc.nat(100) }, { requiredKeys: [] });
const lastRead = fc.option(fc.record({ entries: fc.nat(10), inScope: fc.nat(10), gone: fc.nat(5) }), {
  nil: undefined,
});

test('raising a limit, or an allowance, never turns what is allowed into what is refused', () => {
  holds(
    fc.property(
      organizations,
      fc.constantFrom(...limited),
      limit,
      fc.nat(10),
      fc.nat(100),
      fc.option(fc.nat(8), { nil: undefined }),
      lastRead,
      (organization, name, low, count, percent, allowance, read) => {
        const { plan } = planFor({ ...organization, rules: { ...ruleset, policy: organization.policy } });
        const high = {
          ...(low.count !== undefined && { count: low.count + count }),
          ...(low.percent !== undefined && { percent: low.percent + percent }),
        };
        const judge = (limits: GuardLimits, allowed: number | undefined) =>
          guard({
            plan,
            limits,
            allowances: new Map<GuardName, number>(allowed === undefined ? [] : [[name, allowed]]),
            lastRead: read,
            holders: holdersOf(organization.users, (user) =>
              organization.assignments.filter((each) => each.user === user),
            ),
            watched: [],
          }).allowed;

        const before = judge({ ...noLimits, [name]: low }, allowance);
        const after = judge({ ...noLimits, [name]: high }, allowance === undefined ? undefined : allowance + count);

        if (before) expect(after).toBe(true);
      },
    ),
    2_000,
  );
});
