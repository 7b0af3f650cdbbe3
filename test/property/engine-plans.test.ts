import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Operation } from '../../src/domain/operation.ts';
import { type Organization, organizations, ruleset } from '../support/arbitrary-world.ts';
import { planFor } from '../support/planning.ts';
import { holds } from '../support/properties.ts';

function planOf(organization: Organization) {
  return planFor({ ...organization, rules: { ...ruleset, policy: organization.policy } });
}

function shuffle<T>(items: readonly T[], random: (max: number) => number): T[] {
  const result = [...items];
  for (let index = result.length - 1; index > 0; index--) {
    const other = random(index);
    [result[index], result[other]] = [result[other] as T, result[index] as T];
  }
  return result;
}

test('the same state in any order gives the same plan and digest', () => {
  holds(
    fc.property(organizations, fc.infiniteStream(fc.nat()), (organization, numbers) => {
      const random = (max: number) => (numbers.next().value ?? 0) % (max + 1);
      const planned = planOf(organization);

      const permuted = planOf({
        ...organization,
        entries: shuffle(organization.entries, random),
        users: shuffle(organization.users, random),
        links: shuffle(organization.links, random),
        assignments: shuffle(organization.assignments, random),
        records: shuffle(organization.records, random),
      });

      expect(permuted.plan).toEqual(planned.plan);
    }),
    2_000,
  );
});

test('nobody who is unmanaged is touched but by creation or adoption, and nobody protected at all', () => {
  holds(
    fc.property(organizations, (organization) => {
      const { operations } = planOf(organization).plan;

      const linked = new Set(organization.links.map(({ user }) => user));
      const adopted = new Set<string>();
      for (const operation of operations) {
        if (operation.kind === 'adopt') adopted.add(operation.user);
        if (!('user' in operation) || operation.user === null || operation.kind === 'adopt') continue;
        expect(linked.has(operation.user) || adopted.has(operation.user)).toBe(true);
      }
      for (const name of organization.policy.protect) {
        for (const operation of operations) {
          const shown = 'user' in operation ? organization.users.find(({ sid }) => sid === operation.user) : undefined;
          const names: unknown[] = [operation.externalId, operation.userName, shown?.sid, shown?.attributes.userName];
          expect(names).not.toContain(name);
        }
      }
    }),
    2_000,
  );
});

test('every step stands after the one that it waits for, and ids are unique', () => {
  holds(
    fc.property(organizations, (organization) => {
      const { operations } = planOf(organization).plan;

      const seen = new Set<string>();
      for (const { id, after } of operations) {
        expect(seen.has(id)).toBe(false);
        if (after !== undefined) expect(seen.has(after)).toBe(true);
        seen.add(id);
      }
    }),
    2_000,
  );
});

test('an upsert-only plan is the sync plan without removals', () => {
  const removes = ({ kind }: Operation) => kind === 'revoke' || kind === 'deactivate';
  holds(
    fc.property(organizations, (organization) => {
      const sync = planOf({ ...organization, policy: { ...organization.policy, mode: 'sync' } });
      const upsert = planOf({ ...organization, policy: { ...organization.policy, mode: 'upsert-only' } });

      expect(upsert.plan.operations).toEqual(sync.plan.operations.filter((operation) => !removes(operation)));
    }),
    2_000,
  );
});

test('a create-only plan creates people, gives them roles, and does nothing else', () => {
  holds(
    fc.property(organizations, (organization) => {
      const { operations } = planOf({ ...organization, policy: { ...organization.policy, mode: 'create-only' } }).plan;

      const created = new Set(operations.flatMap(({ kind, externalId }) => (kind === 'create' ? [externalId] : [])));
      for (const { kind, externalId } of operations) {
        expect(['create', 'grant']).toContain(kind);
        expect(created).toContain(externalId);
      }
    }),
    1_000,
  );
});

test('an account that the source disables is treated as one that an attribute disables', () => {
  holds(
    fc.property(organizations, (organization) => {
      const entries = organization.entries.map(({ problem: _, disabled: __, ...entry }) => entry);

      const bySource = planOf({ ...organization, entries: entries.map((entry) => ({ ...entry, disabled: true })) });
      const byAttribute = planOf({
        ...organization,
        entries: entries.map((entry) => ({ ...entry, attributes: { ...entry.attributes, disabled: 'yes' } })),
      });

      expect(bySource.plan).toEqual(byAttribute.plan);
      expect(bySource.plan.operations.every(({ kind }) => kind === 'revoke' || kind === 'deactivate')).toBe(true);
    }),
    1_000,
  );
});

test('nothing is done to a person of whom the source could not read everything', () => {
  holds(
    fc.property(organizations, (organization) => {
      const { operations, findings } = planOf(organization).plan;

      for (const { id, problem, disabled } of organization.entries) {
        if (problem === undefined || disabled === true || id === '') continue;
        expect(operations.map(({ externalId }) => externalId)).not.toContain(id);
        expect(findings.map(({ externalId }) => externalId)).toContain(id);
      }
    }),
    2_000,
  );
});
