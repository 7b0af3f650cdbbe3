import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { UserSid } from '../../src/domain/identity.ts';
import type { GuardLimit } from '../../src/domain/rules.ts';
import { organizations } from '../support/arbitrary-world.ts';
import { administrator, developer, noLimits } from '../support/builders.ts';
import { begin, happen, histories, type Life, run, standing } from '../support/histories.ts';
import { holdsAsync } from '../support/properties.ts';

const limit: fc.Arbitrary<GuardLimit> = fc.record({ count: fc.nat(4), percent: fc.nat(60) }, { requiredKeys: [] });
const limits = fc.record({
  deactivations: limit,
  revocations: limit,
  renames: limit,
  creations: limit,
  adoptions: limit,
});

/** By the words of the documentation: a number, a percentage of managed people of which at least one, the smaller of both. */
function most({ count, percent }: GuardLimit, managed: number): number {
  const share =
    percent === undefined ? undefined : percent === 0 ? 0 : Math.max(1, Math.floor((managed * percent) / 100));
  return Math.min(count ?? Number.POSITIVE_INFINITY, share ?? Number.POSITIVE_INFINITY);
}

test('no run does more harm than the guards let, whatever the input', async () => {
  await holdsAsync(
    fc.asyncProperty(
      organizations,
      histories,
      limits,
      fc.constantFrom('stop' as const, 'additive' as const),
      async (organization, history, chosen, onRefusal) => {
        const life = begin(organization, { guards: { ...noLimits, ...chosen }, onRefusal });
        for (const events of [[], ...history]) {
          for (const event of events) happen(life, event);
          const managed = life.world.snapshot.links.size;
          const before = standing(life);

          await run(life, { guarded: true });

          const { deactivated, stripped, renamed, created } = harmSince(before, life);
          expect(deactivated).toBeLessThanOrEqual(most(chosen.deactivations, managed));
          expect(stripped).toBeLessThanOrEqual(most(chosen.revocations, managed));
          expect(renamed).toBeLessThanOrEqual(most(chosen.renames, managed));
          expect(created).toBeLessThanOrEqual(most(chosen.creations, managed));
          // Whoever creates people also links them; the others were adopted.
          expect(life.world.snapshot.links.size - managed - created).toBeLessThanOrEqual(
            most(chosen.adoptions, managed),
          );
        }
      },
    ),
    150,
  );
});

test('a refused run takes nothing from anybody, and changes nothing at all unless the configuration asks for the rest', async () => {
  await holdsAsync(
    fc.asyncProperty(
      organizations,
      histories,
      limits,
      fc.constantFrom('stop' as const, 'additive' as const),
      async (organization, history, chosen, onRefusal) => {
        const life = begin(organization, { guards: { ...noLimits, ...chosen }, onRefusal });
        for (const events of [[], ...history]) {
          for (const event of events) happen(life, event);
          const before = standing(life);

          const { report } = await run(life, { guarded: true });

          if (report.verdict.allowed) continue;
          const { deactivated, stripped } = harmSince(before, life);
          expect([deactivated, stripped]).toEqual([0, 0]);
          if (onRefusal === 'stop') expect(standing(life)).toEqual(before);
        }
      },
    ),
    150,
  );
});

/** People, counted by what became of them in Twilio, not by what the plan says. */
function harmSince(before: ReturnType<typeof standing>, life: Life) {
  const after = standing(life);
  const harm = { deactivated: 0, stripped: 0, renamed: 0, created: after.size - before.size };
  for (const [sid, was] of before) {
    const is = after.get(sid);
    if (was.user.active && is?.user.active === false) harm.deactivated++;
    if (was.grants.some((grant) => is?.grants.includes(grant) !== true)) harm.stripped++;
    if (was.user.attributes.userName !== is?.user.attributes.userName) harm.renamed++;
  }
  return harm;
}

test('no run takes more holders from a role than its guard lets, and a role that is kept never loses its last active holder', async () => {
  const kept = ['Developer', 'Administrator'];
  const keptSids: readonly string[] = [developer, administrator];
  await holdsAsync(
    fc.asyncProperty(organizations, histories, limit, async (organization, history, chosen) => {
      const life = begin(organization, { guards: { ...noLimits, roleRevocations: chosen, keepAtLeastOne: kept } });
      for (const events of [[], ...history]) {
        for (const event of events) happen(life, event);
        const before = holdersOf(standing(life));

        await run(life, { guarded: true });

        const after = standing(life);
        const left = holdersOf(after);
        for (const [grant, holders] of before) {
          const lost = [...holders].filter((sid) => after.get(sid)?.grants.includes(grant) !== true);
          expect(lost.length).toBeLessThanOrEqual(most(chosen, holders.size));
          if (keptSids.includes(grant.split(' ')[0] ?? '')) expect(left.get(grant)?.size ?? 0).toBeGreaterThan(0);
        }
      }
    }),
    150,
  );
});

/** Active people by the role and scope that they hold. */
function holdersOf(people: ReturnType<typeof standing>): ReadonlyMap<string, ReadonlySet<UserSid>> {
  const found = new Map<string, Set<UserSid>>();
  for (const [sid, { user, grants }] of people) {
    if (!user.active) continue;
    for (const grant of grants) found.set(grant, (found.get(grant) ?? new Set()).add(sid));
  }
  return found;
}
