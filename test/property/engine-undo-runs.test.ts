import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { UserSid } from '../../src/domain/identity.ts';
import { textAttributes } from '../../src/domain/user.ts';
import { organizations } from '../support/arbitrary-world.ts';
import { begin, happen, histories, run, standing } from '../support/histories.ts';
import { holdsAsync } from '../support/properties.ts';

test('undoing a run gives everybody back what they were and held before it, or says for whom it does not', async () => {
  await holdsAsync(
    fc.asyncProperty(organizations, histories, async (organization, history) => {
      const life = begin(organization);
      for (const events of history) {
        await run(life);
        for (const event of events) happen(life, event);
      }
      const before = standing(life);
      const { report } = await run(life);
      const done = report.operations.map(({ operation }) => operation);

      const undone = await run(life, { undo: { run: 'run', done } });

      const after = standing(life);
      const said = (sid: UserSid, attribute: string) =>
        undone.report.findings.some(
          ({ user, code, message }) =>
            user === sid && (code === 'not-undone' ? message.startsWith(`${attribute} `) : attribute === 'userName'),
        );
      for (const [sid, was] of before) {
        const is = after.get(sid);
        for (const attribute of textAttributes) {
          if (said(sid, attribute)) continue;
          expect([sid, is?.user.attributes[attribute]]).toEqual([sid, was.user.attributes[attribute]]);
        }
        expect([sid, is?.user.active, is?.grants]).toEqual([sid, was.user.active, was.grants]);
      }
      for (const [sid, { user, grants }] of after) {
        if (!before.has(sid)) expect([user.active, grants]).toEqual([false, []]);
      }
    }),
    200,
  );
});
