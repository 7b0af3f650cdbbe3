import fc from 'fast-check';
import { expect, test } from 'vitest';
import { entry, link, policy, twilioUser } from '../support/builders.ts';
import { begin, run, standing } from '../support/histories.ts';
import { holdsAsync } from '../support/properties.ts';

const people = ['p1', 'p2', 'p3', 'p4', 'p5', 'p6', 'p7', 'p8'];
const kinds = fc.constantFrom('linked', 'linked', 'linked', 'by key', 'joiner', 'inactive');

test('renaming people in any permutation ends with everyone at their address, once, and in one run', async () => {
  await holdsAsync(
    fc.asyncProperty(
      fc.shuffledSubarray([...people, 'n1', 'n2', 'n3'], { minLength: 8 }),
      fc.array(kinds, { minLength: 8, maxLength: 8 }),
      fc.nat(8),
      async (addresses, kindOf, count) => {
        const chosen = people.slice(0, count);
        // Whoever is not among the chosen is not there, and the address is free.
        const isThere = (index: number) => kindOf[index] !== 'joiner';
        const life = begin({
          policy,
          entries: chosen.map((id, index) => entry(id, { mail: `${addresses[index]}@corp.example` })),
          users: chosen.flatMap((id, index) =>
            isThere(index) ? [twilioUser(index + 10, id, { active: kindOf[index] !== 'inactive' })] : [],
          ),
          links: chosen.flatMap((id, index) =>
            isThere(index) && kindOf[index] !== 'by key' ? [link(id, index + 10)] : [],
          ),
          assignments: [],
          records: [],
          applied: {},
        });
        const before = standing(life);

        const first = await run(life);
        const second = await run(life);

        const users = [...standing(life).values()].map(({ user }) => user);
        const shown = users.map(({ externalId, attributes }) => `${externalId} ${attributes.userName}`);
        expect(shown.sort()).toEqual(chosen.map((id, index) => `${id} ${addresses[index]}@corp.example`).sort());
        for (const [sid, { user }] of before) {
          expect(life.world.twilio.users.get(sid)?.externalId).toBe(user.externalId);
        }
        expect(first.report.findings).toEqual([]);
        expect(second.report.status).toBe('converged');
      },
    ),
    500,
  );
});
