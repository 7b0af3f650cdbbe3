import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TargetUnavailableError } from '../../src/errors.ts';
import { organizations } from '../support/arbitrary-world.ts';
import { begin, type Life, run } from '../support/histories.ts';
import { holdsAsync } from '../support/properties.ts';

/** Twilio by addresses: SIDs of what was created in between may differ. */
function pictureOf({ world: { twilio, snapshot } }: Life) {
  const nameOf = (sid: string) => twilio.users.get(sid as never)?.attributes.userName ?? sid;
  return {
    users: [...twilio.users.values()]
      .map(({ externalId, attributes, active }) => JSON.stringify([externalId, attributes, active]))
      .sort(),
    links: [...snapshot.links].map(([externalId, user]) => `${externalId} ${nameOf(user)}`).sort(),
    grants: [...twilio.assignments.values()].map(({ user, role, scope }) => `${nameOf(user)} ${role} ${scope}`).sort(),
  };
}

test('whatever answers are lost, the runs after it come to the same end, and nothing is there twice', async () => {
  await holdsAsync(
    fc.asyncProperty(organizations, fc.array(fc.nat(20), { maxLength: 4 }), async (organization, lost) => {
      fc.pre(organization.policy.confirmAbsence === 1);
      const straight = begin(organization);
      await run(straight);
      const troubled = begin(organization);
      const { twilio } = troubled.world;

      let answered = 0;
      twilio.answer = (write) => {
        if (lost.includes(answered++)) throw new TargetUnavailableError(`${write}: no answer`, {});
      };
      await run(troubled);
      twilio.answer = () => {};
      await run(troubled);
      const last = await run(troubled);

      expect(pictureOf(troubled)).toEqual(pictureOf(straight));
      expect(last.report.plan.operations).toEqual([]);
    }),
    300,
  );
});
