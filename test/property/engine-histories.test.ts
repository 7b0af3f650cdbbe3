import fc from 'fast-check';
import { expect, test } from 'vitest';
import { resolveEntitlements } from '../../src/engine/entitlements.ts';
import { organizations } from '../support/arbitrary-world.ts';
import { accounts, organization, roles } from '../support/builders.ts';
import {
  begin,
  dryRun,
  type Event,
  happen,
  histories,
  type Life,
  reservedFor,
  run,
  standing,
} from '../support/histories.ts';
import { holdsAsync } from '../support/properties.ts';

/** Lives through a history: what happens, then a run that `look` looks at. */
async function live(
  history: readonly (readonly Event[])[],
  life: Life,
  look: (life: Life) => Promise<void>,
): Promise<void> {
  await look(life);
  for (const events of history) {
    for (const event of events) happen(life, event);
    await look(life);
  }
}

test('through any history, a run does exactly what the dry run before it listed, in that order', async () => {
  await holdsAsync(
    fc.asyncProperty(organizations, histories, async (some, history) => {
      await live(history, begin(some), async (life) => {
        const { snapshot, twilio } = life.world;
        const written = twilio.writes.length;
        const begun = snapshot.entries.length;
        const dry = await dryRun(life);
        expect([twilio.writes.length, snapshot.entries.length]).toEqual([written, begun]);

        const { report } = await run(life);

        expect(report.plan).toEqual(dry.plan);
        const intended = snapshot.entries.slice(begun).filter((entry) => entry.startsWith('intend '));
        expect(intended).toEqual(dry.plan.operations.map(({ id }) => `intend ${id}`));
        expect(report.operations.every(({ outcome }) => outcome.state === 'done')).toBe(true);
      });
    }),
    100,
  );
});

test('through any history, converged means converged: the next run plans nothing and writes nothing', async () => {
  await holdsAsync(
    fc.asyncProperty(organizations, histories, async (some, history) => {
      await live(history, begin(some), async (life) => {
        // Each complete read counts an absence, and the last that is needed makes a leaver.
        for (let read = 0; read < life.rules.policy.confirmAbsence; read++) await run(life);
        const { twilio } = life.world;
        const written = twilio.writes.length;

        const { report } = await run(life);

        expect(report.plan.operations).toEqual([]);
        expect([report.status, twilio.writes.length]).toEqual(['converged', written]);
      });
    }),
    100,
  );
});

test('through any history, nobody who is unmanaged, protected, released or an owner is touched, but to be adopted', async () => {
  await holdsAsync(
    fc.asyncProperty(organizations, histories, async (some, history) => {
      await live(history, begin(some), async (life) => {
        const before = standing(life);
        const linked = new Set(life.world.snapshot.links.values());
        const reserved = new Map([...before].map(([sid, { user }]) => [sid, reservedFor(life, user)]));

        const { report } = await run(life);

        const adopted = new Set(
          report.operations.flatMap(({ operation }) => (operation.kind === 'adopt' ? [operation.user] : [])),
        );
        const after = standing(life);
        for (const [sid, was] of before) {
          if (linked.has(sid) && reserved.get(sid) === undefined) continue;
          if (adopted.has(sid) && reserved.get(sid) === undefined) continue;
          expect(after.get(sid), reserved.get(sid) ?? 'unmanaged').toEqual(was);
        }
      });
    }),
    150,
  );
});

test('through any history, nobody loses a role that no rule names and that was not given by us', async () => {
  await holdsAsync(
    fc.asyncProperty(organizations, histories, async (some, history) => {
      const given = new Set(
        some.records.flatMap(({ origin, user, role, scope }) =>
          origin === 'granted' ? [`${user} ${role} ${scope}`] : [],
        ),
      );
      await live(history, begin(some), async (life) => {
        const before = standing(life);

        const { report } = await run(life);

        const named = namedBy(life);
        const after = standing(life);
        for (const [sid, was] of before) {
          const lost = was.grants.filter((grant) => !after.get(sid)?.grants.includes(grant));
          for (const grant of lost) expect(named.has(grant) || given.has(`${sid} ${grant}`)).toBe(true);
        }
        for (const { operation } of report.operations) {
          if (operation.kind !== 'grant') continue;
          const sid = operation.user ?? life.world.snapshot.links.get(operation.externalId as never);
          given.add(`${sid} ${operation.grant.role} ${operation.grant.scope}`);
        }
      });
    }),
    100,
  );
});

/** The pairs that the present rules name. */
function namedBy({ rules }: Life): ReadonlySet<string> {
  return resolveEntitlements(rules.roles, roles, accounts, organization).entitlements.named;
}
