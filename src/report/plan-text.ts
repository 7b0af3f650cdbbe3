import type { AttributeChange, Operation, OperationKind, Reason } from '../domain/operation.ts';
import type { Approval, Finding, GuardResult, Plan, Verdict } from '../domain/plan.ts';
import type { Bill } from '../domain/run.ts';
import { type Palette, plain, printable } from './palette.ts';
import { groupByPerson, type Person } from './people.ts';

export interface PlanTextOptions {
  readonly palette?: Palette;
  /** People listed in each group before the rest is only counted. */
  readonly most?: number;
}

/** A plan for people: who joins, moves and leaves, what changes from what to what, why, and what it costs. */
export function renderPlan(plan: Plan, verdict: Verdict, bill: Bill, options: PlanTextOptions = {}): string {
  const { palette = plain, most = 200 } = options;
  const { joiners, movers, leavers } = groupByPerson(plan.operations);
  const sections = [
    section('Joiners', joiners, palette, most),
    section('Movers', movers, palette, most),
    section('Leavers', leavers, palette, most),
    findingsText(plan.findings, palette, most),
    guardsText(verdict, palette),
    [countsText(plan), billText(bill, plan.operations.length), palette.faint(`Plan ${plan.digest}`)].join('\n'),
  ];
  const nothing =
    plan.operations.length === 0 ? [palette.strong('Nothing to do: Twilio is in step with the source.')] : [];
  return `${[...nothing, ...sections.filter((each) => each !== '')].join('\n\n')}\n`;
}

function section(title: string, people: readonly Person[], palette: Palette, most: number): string {
  if (people.length === 0) return '';
  const shown = people.slice(0, most).flatMap((person) => personLines(person, palette));
  const rest =
    people.length > most ? [palette.faint(`  … and ${people.length - most} more; --json or --out lists all`)] : [];
  return [palette.strong(`${title} (${people.length})`), ...shown, ...rest].join('\n');
}

const signs: Readonly<Record<OperationKind, string>> = {
  create: '+',
  adopt: '⇒',
  reactivate: '↺',
  update: '~',
  deactivate: '-',
  revoke: '-',
  grant: '+',
};

const verbs: Readonly<Record<OperationKind, string>> = {
  create: 'create',
  adopt: 'adopt',
  reactivate: 'reactivate',
  update: 'update',
  deactivate: 'deactivate',
  revoke: 'revoke',
  grant: 'grant',
};

/** The line that names a person carries the weightiest operation; a role change alone is a change of the person. */
function personLines(person: Person, palette: Palette): string[] {
  const main = person.operations.filter((operation) => !('grant' in operation));
  const [head] = main;
  const who = `${printable(person.userName)} (${printable(person.externalId)})`;
  const kind = head?.kind ?? 'update';
  const what = head ? `${verbs[kind]}: ${reasons[head.reason]}` : `roles: ${reasons[firstReason(person)]}`;
  const paint = paintOf(kind, palette);
  const lines = [`  ${paint(`${signs[kind]} ${who}`)}  ${palette.faint(what)}`];
  main.forEach((operation, index) => {
    if (index > 0) lines.push(`      ${palette.faint(`then ${verbs[operation.kind]}: ${reasons[operation.reason]}`)}`);
    if ('changes' in operation) lines.push(...operation.changes.map((change) => changeLine(change)));
  });
  for (const operation of person.operations) if ('grant' in operation) lines.push(grantLine(operation, palette));
  lines.push(...keptLines(person, palette));
  return lines;
}

/** What an adopted person held before and keeps. */
function keptLines({ operations }: Person, palette: Palette): string[] {
  const revoked = new Set(operations.flatMap((each) => (each.kind === 'revoke' ? [each.assignment] : [])));
  const held = operations.flatMap((each) => (each.kind === 'adopt' ? (each.holds ?? []) : []));
  return held
    .filter(({ assignment }) => !revoked.has(assignment))
    .map(({ grant: { roleName, scopeName }, because }) => {
      const why = because === undefined ? 'kept: no rule gives it' : `kept, by ${printable(because)}`;
      return `      = ${printable(roleName)} in ${printable(scopeName)}  ${palette.faint(why)}`;
    });
}

function firstReason(person: Person): Reason {
  return person.operations[0]?.reason ?? 'entitled';
}

function paintOf(kind: OperationKind, palette: Palette): (text: string) => string {
  if (kind === 'create' || kind === 'adopt' || kind === 'reactivate') return palette.added;
  return kind === 'deactivate' ? palette.removed : palette.changed;
}

function changeLine({ attribute, before, after }: AttributeChange): string {
  const name = attribute.padEnd(16);
  return before === undefined
    ? `      ${name} ${printable(after)}`
    : `      ${name} ${printable(before)} → ${printable(after)}`;
}

function grantLine(operation: Extract<Operation, { grant: unknown }>, palette: Palette): string {
  const { roleName, scopeName } = operation.grant;
  const what = `${signs[operation.kind]} ${printable(roleName)} in ${printable(scopeName)}`;
  const byHand = operation.reason === 'changed-in-twilio';
  if (operation.kind === 'grant') {
    const rule = `by ${printable(operation.because)}${wayTo(operation.via)}${byHand ? ', taken away in Twilio' : ''}`;
    return `      ${palette.added(what)}  ${palette.faint(rule)}`;
  }
  const why = byHand ? 'given in Twilio, no rule gives it' : reasons[operation.reason];
  return `      ${palette.removed(what)}  ${palette.faint(why)}`;
}

/** Where the way through groups begins, and how long it is. */
function wayTo(via: readonly string[] | undefined): string {
  const [first, ...others] = via ?? [];
  if (first === undefined) return '';
  return ` via ${printable(first)}${others.length > 1 ? ` and ${others.length - 1} more` : ''}`;
}

export const reasons: Readonly<Record<Reason, string>> = {
  new: 'new in the source',
  'same-external-id': 'Twilio already has this externalId',
  'same-address': 'an unmanaged user has this address',
  'changed-upstream': 'changed in the source',
  'changed-in-twilio': 'changed in Twilio',
  'changed-in-both': 'changed in the source and in Twilio',
  renamed: 'new address, same person',
  'makes-way': 'makes way for another address',
  returned: 'back in scope',
  absent: 'no longer in the source',
  'out-of-scope': 'no longer in scope',
  disabled: 'disabled in the source',
  entitled: 'a rule gives the role',
  'not-entitled': 'no rule gives the role any more',
  undone: 'undoes an earlier run',
  gone: 'Twilio lost the user',
};

export function findingsText(findings: readonly Finding[], palette: Palette, most: number): string {
  if (findings.length === 0) return '';
  const lines = findings.slice(0, most).map(({ code, externalId, userName, message }) => {
    const who = externalId === '' ? '' : `${printable(userName ?? externalId)}: `;
    return `  ${palette.changed(`! ${code}`)}  ${who}${printable(message)}`;
  });
  const rest = findings.length > most ? [palette.faint(`  … and ${findings.length - most} more`)] : [];
  return [palette.strong(`Findings (${findings.length})`), ...lines, ...rest].join('\n');
}

export function guardsText(verdict: Verdict, palette: Palette): string {
  const line = ({ guard, passed, message }: GuardResult) =>
    passed ? `  ✓ ${guard.padEnd(15)}  ${message}` : `  ${palette.removed(`✗ ${guard.padEnd(15)}  ${message}`)}`;
  const { allowed, approval } = verdict;
  const heading = !allowed
    ? palette.removed('Guards refuse this plan')
    : approval
      ? palette.changed(`Guards refuse this plan, and ${printable(approval.user)} approved it`)
      : 'Guards';
  return [palette.strong(heading), ...verdict.guards.map(line), ...(approval ? [approvalLine(approval)] : [])].join(
    '\n',
  );
}

function approvalLine({ user, host, at, reason }: Approval): string {
  const why = reason === undefined ? 'no reason given' : printable(reason);
  return `  Approved ${new Date(at).toISOString()} by ${printable(user)} on ${printable(host)}: ${why}`;
}

function countsText({ counts, operations }: Plan): string {
  const of = (kind: OperationKind) => operations.filter((operation) => operation.kind === kind).length;
  const kinds = (Object.keys(verbs) as OperationKind[]).map((kind) => ({ kind, count: of(kind) }));
  const done = kinds.filter(({ count }) => count > 0).map(({ kind, count }) => `${count} ${verbs[kind]}`);
  const { entries, inScope, managed, unchanged, unmanaged } = counts;
  const people = `${entries} ${entries === 1 ? 'entry' : 'entries'}, ${inScope} in scope; ${managed} managed, ${unchanged} unchanged, ${unmanaged} unmanaged`;
  return `People: ${people}\nOperations: ${done.length === 0 ? 'none' : done.join(', ')}`;
}

export function billText({ calls, seconds }: Bill, operations: number): string {
  if (operations === 0) return 'Bill: no call';
  const each = Object.entries(calls).map(([endpoint, count]) => `${count} × ${endpoint}`);
  const total = Object.values(calls).reduce((sum, count) => sum + count, 0);
  return `Bill: ${plural(total, 'call')}, about ${duration(seconds)} (${each.join(', ')})`;
}

export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** Seconds as people say them, rounded up. */
export function duration(seconds: number): string {
  const whole = Math.max(1, Math.ceil(seconds));
  if (whole < 60) return `${whole} s`;
  const minutes = Math.ceil(whole / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
