import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Policy } from '../../src/domain/rules.ts';
import { makePlan } from '../../src/engine/planner.ts';
import { groups, reservations, untouchable } from '../support/decision-situations.ts';
import { combinations, modes, type Row, rowsOf, type Situation, whenText } from '../support/decision-table.ts';
import { inputFor } from '../support/planning.ts';

const page = join(import.meta.dirname, '..', '..', 'docs', 'reference', 'decision-table.md');

const introduction = `# Decision table

What a run plans for one person, by what is true of them and by \`policy\`. The table is computed: a test plans every
situation with this program's engine under all 216 combinations of \`mode\`, \`leavers\`, \`confirmAbsence\`, \`drift\`,
\`adoptExisting\` and \`recreateGone\`, and compares with this page. A policy that is not named in a row makes no difference
there.

- The person's key is \`ann\`. Where more people are concerned, each operation says whose it is.
- Operations stand in the order in which they are carried out. \`–\` is nothing to do and nothing to say.
- A finding changes nothing; [what each means](../operations.md#findings), and [what the policies mean](../../config/README.md#policy).
- *Linked* is whom we created or adopted; *in scope* is who passes the filter and is not disabled.
- In this table the groups that rules name give Developer and Administrator in one account; Support is given by none.
- Guards are not in it: they look at the plan as a whole, and let it through or refuse it.
`;

function tableOf(situations: readonly Situation[]): string {
  const lines = situations.flatMap((situation) =>
    rowsOf(situation).map((row, index) => rowText(index === 0 ? situation.is : '', row)),
  );
  return [
    `| situation | policy | ${modes.map((mode) => `\`${mode}\``).join(' | ')} |`,
    '|---|---|---|---|---|',
    ...lines,
  ].join('\n');
}

function rowText(is: string, row: Row): string {
  return `| ${[is, whenText(row), ...row.cells].join(' | ')} |`;
}

/** Reservations in the rows, what is wanted in the columns; as `sync` says it, with the first value of every other policy. */
function reservationTable(): string {
  const lines = reservations.map(({ is, over }) => {
    const cells = untouchable.map(({ is: wanted, given }) => rowsOf({ is: wanted, given: over(given) })[0]?.cells[0]);
    return `| ${[is, ...cells].join(' | ')} |`;
  });
  return [
    `| reservation | ${untouchable.map(({ is }) => is).join(' | ')} |`,
    '|---|---|---|---|---|---|',
    ...lines,
  ].join('\n');
}

test('the decision table of the documentation is what the engine does', () => {
  const sections = groups.map(({ title, situations }) => `## ${title}\n\n${tableOf(situations)}\n`);
  const last = `## People who are never changed

Whatever the policies. The columns say what would be done otherwise; the finding tells that something was wanted, and is
left out where nothing was, as with \`create-only\`.

${reservationTable()}
`;
  const text = [introduction, ...sections, last].join('\n');
  if (process.env.UPDATE_GOLDEN === '1') writeFileSync(page, text);

  expect(text).toBe(readFileSync(page, 'utf8'));
});

test('nobody with a reservation gets an operation, whatever is wanted and whatever the policies', () => {
  for (const { is, over } of reservations) {
    for (const situation of untouchable) {
      const given = over(situation.given);
      const input = inputFor(given);
      for (const chosen of combinations()) {
        for (const mode of modes) {
          const { plan } = makePlan({ ...input, policy: { ...input.policy, ...chosen, mode } as Policy });
          expect(plan.operations, `${is}, ${situation.is}, ${JSON.stringify({ ...chosen, mode })}`).toEqual([]);
        }
      }
    }
  }
});
