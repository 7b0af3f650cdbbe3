/**
 * What a hook is told. Numbers, codes and a digest: nobody is named, because a chat room is read by many, and a message
 * cannot be taken back. `tdsync runs ID` names everybody.
 */
import type { Delivery, NoticeEvent, NoticeFormat, Trouble } from '../domain/notice.ts';
import type { Operation } from '../domain/operation.ts';
import type { GuardResult } from '../domain/plan.ts';
import type { OperationReport, RunReport, RunStatus } from '../domain/run.ts';
import { documentJson } from './json.ts';
import { printable } from './palette.ts';
import { plural } from './plan-text.ts';

/** The run that a notice is about. */
export interface NoticeSubject {
  readonly organization: string;
  readonly host: string;
  readonly command: string;
  readonly run: string;
  readonly status: RunStatus;
  /** Milliseconds since the epoch. */
  readonly endedAt: number;
  /** Undefined when the run ended before there was a plan. */
  readonly report: RunReport | undefined;
  readonly error: { readonly code: string; readonly message: string; readonly hint: string | undefined } | undefined;
}

/** `before`: what the hook was told of last. */
export function renderNotice(
  event: NoticeEvent,
  subject: NoticeSubject,
  before: Trouble | undefined,
  format: NoticeFormat,
): Delivery {
  const body =
    format === 'slack'
      ? documentText({ text: slackText(event, subject, before) })
      : documentJson(noticeDocument(event, subject, before));
  return { event, id: `${subject.run}-${event}`, body };
}

/** For `doctor --notify`. `at`: milliseconds since the epoch. */
export function renderTestNotice(organization: string, host: string, at: number, format: NoticeFormat): Delivery {
  const id = `${new Date(at).toISOString().replaceAll(/[-:]/g, '')}-test`;
  const body =
    format === 'slack'
      ? documentText({ text: `tdsync: test message from ${slackEscaped(host)} for ${organization}. No run was made.` })
      : documentJson({ event: 'test', id, organization, host, endedAt: at });
  return { event: 'test', id, body };
}

const mostCodes = 5;
const longestMessage = 500;

function noticeDocument(event: NoticeEvent, subject: NoticeSubject, before: Trouble | undefined): object {
  const { organization, host, command, run, status, endedAt, report, error } = subject;
  return {
    event,
    id: `${run}-${event}`,
    organization,
    host,
    endedAt,
    run: { id: run, command, status },
    ...(before && { after: before.state }),
    ...(report && {
      plan: { digest: report.plan.digest, operations: kindsOf(report.plan.operations), counts: report.plan.counts },
      guards: refusing(report),
      outcomes: countBy(report.operations, ({ outcome }) => outcome.state),
      failures: topCodes(report.operations.flatMap(failureCode)),
      findings: topCodes(report.findings.map(({ code }) => code)),
    }),
    ...(error && { error: { code: error.code, message: shortened(error.message), hint: error.hint } }),
    next: nextStep(event, subject),
  };
}

function slackText(event: NoticeEvent, subject: NoticeSubject, before: Trouble | undefined): string {
  const { report, error, run, host, organization } = subject;
  const lines = [`*tdsync: ${headline(event, subject, before)}*`];
  if (event === 'refused' && report) {
    lines.push(...refusing(report).map(({ guard, message }) => `• ${guard}: ${message}`));
    lines.push(`Plan ${report.plan.digest}: ${countsText(kindsOf(report.plan.operations))}`);
  }
  if (error) lines.push(`• ${error.code}: ${shortened(error.message)}`);
  if (event === 'partial' && report) {
    lines.push(
      ...topCodes(report.operations.flatMap(failureCode)).codes.map(({ code, count }) => `• ${code}: ${count}`),
    );
  }
  const findings = topCodes((report?.findings ?? []).map(({ code }) => code));
  if (findings.count > 0) {
    const codes = findings.codes.map(({ code, count }) => `${count} ${code}`).join(', ');
    lines.push(`${plural(findings.count, 'finding')}: ${codes}`);
  }
  lines.push(nextStep(event, subject), `Run ${run} on ${host}, organization ${organization}`);
  return lines.map((line) => slackEscaped(printable(line))).join('\n');
}

function headline(event: NoticeEvent, { report, status }: NoticeSubject, before: Trouble | undefined): string {
  switch (event) {
    case 'refused':
      return report?.additive === undefined
        ? 'a plan was refused, nothing was written'
        : 'a plan was refused, only what takes nothing away was done';
    case 'failed':
      return 'a run failed';
    case 'partial':
      return report?.breaker === undefined
        ? `${plural((report?.operations ?? []).flatMap(failureCode).length, 'operation')} did not succeed`
        : 'the circuit breaker stopped a run';
    case 'recovered':
      return `recovered${before ? ` (was ${before.state})` : ''}, the run ${status === 'converged' ? 'converged' : 'was applied'}`;
  }
}

function nextStep(event: NoticeEvent, { run, report, error }: NoticeSubject): string {
  switch (event) {
    case 'refused':
      return `Read the plan with \`tdsync runs ${run}\`. If it is right: \`tdsync approve ${report?.plan.digest.slice(0, 12)}\`; if not, correct the source or the rules.`;
    case 'failed':
      return error?.hint === undefined
        ? 'The next run tries again.'
        : `The next run tries again. ${sentence(error.hint)}`;
    case 'partial':
      return report?.breaker === undefined
        ? `\`tdsync runs ${run}\` names them; what Twilio refused waits (\`tdsync retry\`), the next run plans the rest again.`
        : `\`tdsync runs ${run}\` names them; the next run tries one of them before the others.`;
    case 'recovered':
      return 'Nothing needs to be done.';
  }
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`;
}

function refusing({ verdict }: RunReport): readonly GuardResult[] {
  return verdict.guards.filter(({ passed }) => !passed);
}

function failureCode({ outcome }: OperationReport): readonly string[] {
  if (outcome.state === 'failed') return [outcome.code];
  return outcome.state === 'skipped' ? ['skipped'] : [];
}

function kindsOf(operations: readonly Operation[]): Readonly<Record<string, number>> {
  return countBy(operations, ({ kind }) => kind);
}

function countBy<T>(items: readonly T[], keyOf: (item: T) => string): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const item of items) counts[keyOf(item)] = (counts[keyOf(item)] ?? 0) + 1;
  return counts;
}

/** How many there are, and the codes that most of them have. */
function topCodes(all: readonly string[]): {
  readonly count: number;
  readonly codes: readonly { readonly code: string; readonly count: number }[];
} {
  const codes = Object.entries(countBy(all, (code) => code))
    .map(([code, count]) => ({ code, count }))
    .sort((a, b) => b.count - a.count || (a.code < b.code ? -1 : 1));
  return { count: all.length, codes: codes.slice(0, mostCodes) };
}

function countsText(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .map(([kind, count]) => `${count} ${kind}`)
    .join(', ');
}

/** One line. */
function shortened(message: string): string {
  const text = message.replaceAll(/\s+/g, ' ');
  return text.length <= longestMessage ? text : `${text.slice(0, longestMessage)} …`;
}

/** Three characters are Slack's own (Slack, "Formatting text for app surfaces": Escaping text). */
function slackEscaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** No field of ours goes with it: Slack refuses what it does not know. */
function documentText(content: { readonly text: string }): string {
  return `${JSON.stringify(content)}\n`;
}
