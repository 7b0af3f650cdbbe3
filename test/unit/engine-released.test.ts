import { expect, test } from 'vitest';
import { entry, twilioUser, userSid } from '../support/builders.ts';
import { codesOf, idsOf, planFor } from '../support/planning.ts';

test('a released user is not adopted again, by key or by address, and the finding says how to', () => {
  const byKey = { ...twilioUser(1, 'ann'), externalId: 'ann' as never };

  const planned = planFor({
    entries: [entry('ann'), entry('bob')],
    users: [byKey, twilioUser(2, 'bob')],
    released: [userSid(1), userSid(2)],
  });

  expect(idsOf(planned)).toEqual([]);
  expect(codesOf(planned)).toEqual(['released ann', 'released bob']);
  expect(planned.plan.findings[0]?.message).toContain('tdsync release --undo');
});
