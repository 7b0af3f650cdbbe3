import type { OperationReport, RunReport, RunStatus, Unfinished } from '../domain/run.ts';
import { notDone } from './not-done.ts';
import { type Palette, plain, printable } from './palette.ts';
import { duration, type PlanTextOptions, plural, renderPlan } from './plan-text.ts';
import { breakerLines } from './quarantine.ts';
import { sourceText } from './source-text.ts';

/** A run for people: the plan, what came of it, and what to do next. */
export function renderRun(report: RunReport, options: PlanTextOptions = {}): string {
  const { palette = plain } = options;
  const plan = renderPlan(report.plan, report.verdict, report.bill, options);
  const source = report.source === undefined ? [] : [`Source: ${sourceText(report.source)}`];
  const breaker = report.breaker === undefined ? [] : [...breakerLines(report.breaker, palette), ''];
  const left = report.unfinished === undefined ? [] : [unfinishedText(report.unfinished)];
  const outcomes = outcomesText(report.operations, palette);
  return `${plan}\n${[...outcomes, ...breaker, ...source, conclusion(report, palette), ...left].join('\n')}\n`;
}

function outcomesText(operations: readonly OperationReport[], palette: Palette): string[] {
  const failed = operations.filter(({ outcome }) => outcome.state === 'failed' || outcome.state === 'skipped');
  if (failed.length === 0) return [];
  const lines = notDone(failed)
    .slice(0, 200)
    .map(({ operation, outcome, userNames }) => {
      const why = 'message' in outcome ? printable(outcome.message) : '';
      const request =
        'requestId' in outcome && outcome.requestId !== undefined ? ` [${printable(outcome.requestId)}]` : '';
      return `  ${palette.removed(`✗ ${operation.kind} ${whoText(userNames)}`)} ${outcome.state}: ${why}${request}`;
    });
  return [palette.strong(`Not done (${failed.length})`), ...lines, ''];
}

function whoText(userNames: readonly string[]): string {
  const names = [...new Set(userNames)];
  const shown = names.slice(0, 3).map(printable).join(', ');
  return names.length > 3 ? `${shown} and ${names.length - 3} more` : shown;
}

const meanings: Readonly<Record<RunStatus | 'planned', string>> = {
  planned: 'nothing was written',
  converged: 'nothing to do',
  applied: 'every operation succeeded',
  partial:
    'some operations did not succeed; what Twilio refused waits (`tdsync retry`), the next run plans the rest again',
  refused: 'a guard refuses the plan',
  failed: 'the run ended early; the next run goes on from here',
  interrupted: 'asked to stop; what was in flight is finished, the next run does the rest',
};

function conclusion(report: RunReport, palette: Palette): string {
  const { run, dryRun, status, operations, startedAt, endedAt } = report;
  const plan = report.additive ?? report.plan;
  const what = dryRun ? 'Dry run' : `Run ${run ?? ''}`.trim();
  const done = operations.filter(({ outcome }) => outcome.state === 'done' || outcome.state === 'already').length;
  const share = operations.length === 0 ? '' : `, ${done} of ${plan.operations.length} operations`;
  const calls = Object.values(report.calls).reduce((sum, count) => sum + count, 0);
  const written = status === 'refused' ? `; ${heldBackText(report)}` : '';
  const line = `${what}: ${status}, ${meanings[status]}${written}${share}; ${plural(calls, 'call')}, ${duration((endedAt - startedAt) / 1_000)}`;
  const paint = status === 'refused' || status === 'failed' ? palette.removed : palette.strong;
  const hint = status === 'refused' ? `\n${howToAllow(report)}` : '';
  return `${paint(line)}${hint}`;
}

const endings: Readonly<Record<Unfinished['because'], string>> = {
  'run-time': 'The time for a run (twilio.limits.maxRunTime) is over',
  'rate-limit':
    'Twilio asked for fewer requests for longer than twilio.limits.maxThrottling; find what else uses the credentials, or lower twilio.limits.requestsPerSecond',
};

function unfinishedText({ because, left }: Unfinished): string {
  return `${endings[because]}. What was done is kept; ${plural(left, 'operation')} left, with which the next run goes on.`;
}

/** What of a refused plan is, or would be, done all the same. */
function heldBackText({ plan, additive, dryRun }: RunReport): string {
  if (additive === undefined) return dryRun ? 'nothing would be written' : 'nothing was written';
  const kept = new Set(additive.operations.map(({ id }) => id));
  const heldBack = plan.operations.filter(({ id }) => !kept.has(id)).length;
  const done = dryRun ? 'would be done' : 'was tried';
  return `what takes nothing away ${done} (${plural(additive.operations.length, 'operation')}), ${plural(heldBack, 'operation')} held back`;
}

/** A dry run leaves nothing that could be approved: its plan is saved and applied instead. */
function howToAllow({ dryRun, verdict, plan }: RunReport): string {
  const refusing = verdict.guards.filter(({ passed }) => !passed);
  const flags = refusing.map(({ guard, measured }) => `--allow ${guard}=${measured}`).join(' ');
  const exactly = dryRun
    ? `save it with --out plan.json and apply exactly this plan with \`tdsync apply plan.json ${flags}\``
    : `let exactly this plan through with \`tdsync approve ${plan.digest.slice(0, 12)}\``;
  return `Read the plan. If it is right, run again with ${flags}, or ${exactly}; if not, correct the source or the rules.`;
}
