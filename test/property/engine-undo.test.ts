import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { TwilioUser } from '../../src/domain/user.ts';
import { indexUsers } from '../../src/engine/correlate.ts';
import { draftUndo } from '../../src/engine/undo.ts';
import { organizations, ruleset } from '../support/arbitrary-world.ts';
import { linksOf, planFor } from '../support/planning.ts';
import { holds } from '../support/properties.ts';

test('nothing is undone of a plan that was never carried out', () => {
  holds(
    fc.property(organizations, (organization) => {
      const { plan } = planFor({ ...organization, rules: { ...ruleset, policy: organization.policy } });
      const users = indexUsers(organization.users);
      const linked = plan.operations.filter(
        ({ kind }) => kind === 'update' || kind === 'deactivate' || kind === 'revoke',
      );

      const drafts = draftUndo({
        done: linked,
        users,
        links: linksOf(organization.links),
        knowledge: { assignmentsOf: (user) => organization.assignments.filter((each) => each.user === user) },
      });

      const operations = drafts.flatMap((draft) => draft.operations);
      expect(operations.filter(({ kind }) => kind !== 'reactivate')).toEqual([]);
      // A reactivation belongs to somebody who was inactive before.
      const inactive = new Set(organization.users.filter(({ active }: TwilioUser) => !active).map(({ sid }) => sid));
      expect(operations.every((each) => 'user' in each && each.user !== null && inactive.has(each.user))).toBe(true);
    }),
    1_000,
  );
});
