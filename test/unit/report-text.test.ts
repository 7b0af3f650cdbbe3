import { expect, test } from 'vitest';
import type { Outcome } from '../../src/domain/run.ts';
import { reportJson } from '../../src/report/json.ts';
import { type Palette, printable } from '../../src/report/palette.ts';
import { duration, renderPlan } from '../../src/report/plan-text.ts';
import { renderRun } from '../../src/report/run-text.ts';
import { entry, link, noLimits, rules, twilioUser } from '../support/builders.ts';
import { expectGolden } from '../support/golden.ts';
import { everything, sampleReport } from '../support/sample-run.ts';

const marks: Palette = {
  added: (text) => `<added>${text}</added>`,
  changed: (text) => `<changed>${text}</changed>`,
  removed: (text) => `<removed>${text}</removed>`,
  strong: (text) => `<strong>${text}</strong>`,
  faint: (text) => `<faint>${text}</faint>`,
};

test('a dry run shows joiners, movers, leavers, findings, guards and the bill', () => {
  expectGolden('report/dry-run.txt', renderRun(sampleReport(everything)));
});

test('colours are put around what they mean and change no word', () => {
  const coloured = renderRun(sampleReport(everything), { palette: marks });

  expectGolden('report/dry-run.marked.txt', coloured);
  expect(coloured.replaceAll(/<\/?(added|changed|removed|strong|faint)>/g, '')).toBe(
    renderRun(sampleReport(everything)),
  );
});

test('a refused plan shows the arithmetic and how to let it through', () => {
  const limits = { ...noLimits, deactivations: { count: 25, percent: 10 }, renames: { count: 2 } };

  expectGolden('report/refused.txt', renderRun(sampleReport(everything, { status: 'refused' }, limits)));
});

test('a run that did not do everything lists what failed and why', () => {
  const report = sampleReport(everything, { dryRun: false, run: '20261124T091500Z-001', status: 'partial' });
  const outcomeOf = (index: number): Outcome => {
    if (index === 1) {
      return {
        state: 'failed',
        code: 'twilio-rejected',
        message: 'the domain is not verified',
        requestId: 'RQ\u009b31m',
      };
    }
    return index === 2 ? { state: 'skipped', message: 'waits for "x", which did not succeed' } : { state: 'done' };
  };
  const operations = report.plan.operations.map((operation, index) => ({ operation, outcome: outcomeOf(index) }));

  const text = renderRun({ ...report, operations });

  expectGolden('report/partial.txt', text);
});

test('a run with nothing to do says so in a few lines', () => {
  const given = { entries: [entry('ann')], users: [twilioUser(1, 'ann')], links: [link('ann', 1)] };

  expectGolden('report/converged.txt', renderRun(sampleReport(given, { status: 'converged' })));
});

test('a long plan lists so many people of each kind and counts the rest', () => {
  const { plan, verdict, bill } = sampleReport({
    entries: Array.from({ length: 5 }, (_, index) => entry(`p${index}`)),
  });

  const text = renderPlan(plan, verdict, bill, { most: 2 });

  expect(text).toContain('Joiners (5)');
  expect(text).toContain('… and 3 more; --json or --out lists all');
  expect(text.match(/create: new in the source/g)).toHaveLength(2);
});

test('a grant through groups within groups says where the way begins', () => {
  const through = (...way: readonly string[]) => {
    const { plan, verdict, bill } = sampleReport({
      entries: [{ ...entry('ann', {}, ['developers']), groupPaths: { to: () => way } }],
    });
    return renderPlan(plan, verdict, bill);
  };

  expect(through('cn=developers')).toMatch(/by developers$/m);
  expect(through('cn=emea', 'cn=developers')).toMatch(/by developers via cn=emea$/m);
  expect(through('cn=berlin', 'cn=emea', 'cn=world', 'cn=developers')).toMatch(/via cn=berlin and 2 more$/m);
});

test('terminal escapes, line breaks and marks that turn text around never reach the output', () => {
  const bad = 'x\u001b[31m\u009b2J\u202e\u2028\u0085y';
  const given = {
    entries: [
      entry(`evil${bad}`, { mail: `new@corp.example` }, [`devs${bad}`]),
      entry('dup', { mail: 'same@corp.example' }),
      { ...entry('other', { mail: 'same@corp.example' }), location: `cn=${bad}` },
    ],
    users: [twilioUser(1, 'evil', { userName: `old${bad}@corp.example`, externalId: undefined })],
    links: [{ externalId: `evil${bad}` as never, user: twilioUser(1, 'evil').sid }],
    rules: rules({ roles: [{ group: `devs${bad}`, grants: [{ role: 'Developer', scope: 'Main' }] }] }),
  };
  const report = sampleReport(given, { status: 'partial', dryRun: false });
  const operations = report.plan.operations.map((operation) => ({
    operation: { ...operation, userName: bad },
    outcome: { state: 'failed' as const, code: 'x', message: bad, requestId: bad },
  }));

  const text = renderRun({ ...report, operations });

  expect(report.plan.operations.length).toBeGreaterThan(1);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2028\u2029]/);
  expect(text).toContain('\ufffd');
});

test('ordinary names of every script pass', () => {
  for (const name of ['Zoë Ødegård', '山田太郎', 'יעל', 'O’Brien-Smith', '👩‍💻']) expect(printable(name)).toBe(name);
});

test.each([
  [0, '1 s'],
  [0.2, '1 s'],
  [59, '59 s'],
  [59.5, '1 min'],
  [61, '2 min'],
  [3_599, '1 h 0 min'],
  [3_601, '1 h 1 min'],
  [7_199, '2 h 0 min'],
])('%f seconds read %s', (seconds, text) => {
  expect(duration(seconds)).toBe(text);
});

test('the JSON of a run has a version, times in ISO 8601 and everything of the report', () => {
  const report = sampleReport(everything);

  const parsed = JSON.parse(reportJson(report)) as Record<string, unknown>;

  expect(Object.keys(parsed)).toEqual([
    'version',
    'startedAt',
    'endedAt',
    'dryRun',
    'status',
    'plan',
    'verdict',
    'operations',
    'findings',
    'calls',
    'bill',
    'notDone',
  ]);
  expect(parsed).toMatchObject({
    version: 1,
    startedAt: '2026-11-24T09:15:00.000Z',
    plan: { digest: report.plan.digest },
  });
});
