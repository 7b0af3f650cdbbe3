import { type Answer, type ExplainedRule, type Explanation, grantsOf } from '../domain/explanation.ts';
import type { ExternalId, UserSid } from '../domain/identity.ts';
import type { NamedGrant } from '../domain/operation.ts';
import type { Plan } from '../domain/plan.ts';
import type { MissingEntry, SeenEntry } from '../domain/seen-entry.ts';
import { grantKey, type LastApplied, type TextAttribute, type TextAttributes } from '../domain/user.ts';
import type { Parked } from '../ports.ts';
import { operationText } from './operation-text.ts';
import { type Palette, printable } from './palette.ts';

export interface HeldRole extends NamedGrant {
  readonly sid: string;
  /** We gave it ourselves. */
  readonly own: boolean;
  /** We may take it away. */
  readonly managed: boolean;
}

/** Everything that is known about one person. */
export interface Why {
  readonly externalId: ExternalId | undefined;
  readonly user: UserSid | undefined;
  readonly userName: string | undefined;
  readonly released: boolean;
  readonly inTwilio: { readonly active: boolean; readonly attributes: TextAttributes } | undefined;
  readonly lastApplied: LastApplied | undefined;
  readonly seen: (SeenEntry & { readonly explanation: Explanation }) | undefined;
  /** Of somebody whom the source no longer holds. */
  readonly lastEntry: (MissingEntry & { readonly used: Explanation['used'] }) | undefined;
  readonly assignments: readonly HeldRole[];
  /** Complete reads in a row that the entry was missing from. */
  readonly missing: number;
  readonly confirmAbsence: number;
  readonly parked: Parked | undefined;
  /** The newest first. */
  readonly past: readonly PastOperation[];
  readonly next: Pick<Plan, 'operations' | 'findings'>;
}

export interface PastOperation {
  readonly operation: Plan['operations'][number];
  readonly state: string;
  readonly run: string;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
}

/** For a person at a terminal; with `role` only what concerns that role. */
export function whyText(why: Why, role: string | undefined, palette: Palette): string {
  const sections = [
    heading(why, palette),
    ...(role === undefined ? [entryText(why, palette), filterText(why, palette), mappingText(why, palette)] : []),
    rolesText(why, role, palette),
    ...(role === undefined ? [waitingText(why, palette), pastText(why, palette)] : []),
    nextText(why, palette),
  ];
  return `${sections.filter((each) => each !== '').join('\n\n')}\n`;
}

function heading({ externalId, user, userName, released, inTwilio }: Why, palette: Palette): string {
  const who = printable(userName ?? externalId ?? user ?? '');
  const link =
    user === undefined
      ? 'not in Twilio, as far as the last run saw'
      : externalId === undefined
        ? `${user}, not managed${released ? ': released' : ''}`
        : `${user}, managed under the key ${printable(externalId)}`;
  const state = inTwilio === undefined ? '' : inTwilio.active ? ', active' : ', not active';
  return `${palette.strong(who)}  ${link}${state}`;
}

function entryText({ seen, lastEntry, missing }: Why, palette: Palette): string {
  const heading = palette.strong('Entry');
  if (seen !== undefined) {
    const { entry, explanation } = seen;
    return [`${heading}  ${readText(seen)}`, ...entryLines(entry, explanation.used)].join('\n');
  }
  if (lastEntry !== undefined) {
    const { entry, used } = lastEntry;
    const { run, at } = lastEntry.missing;
    return [
      `${heading}  none: the source holds no entry with this key since run ${run} at ${isoTime(at)}`,
      `  the last one     ${readText(lastEntry)}`,
      ...entryLines(entry, used),
    ].join('\n');
  }
  const why =
    missing > 0 ? 'the source holds no entry with this key' : 'no run kept an entry: none in scope has this key';
  return `${heading}\n  ${why}`;
}

function readText({ entry, run, at }: SeenEntry): string {
  return `${printable(entry.location)}, as run ${run} read it at ${isoTime(at)}`;
}

function entryLines({ groups }: SeenEntry['entry'], used: Explanation['used']): string[] {
  const values = Object.entries(used).map(
    ([name, value]) => `  ${name.padEnd(16)} ${[value].flat().map(printable).join(' | ') || '(empty)'}`,
  );
  const names = groups.length === 0 ? 'none that the rules ask for' : groups.map(printable).join(', ');
  return [...values, `  groups           ${names}`];
}

function isoTime(at: number): string {
  return new Date(at).toISOString();
}

function mark(answer: Answer, palette: Palette): string {
  return answer === true ? palette.added('✓') : palette.removed('✗');
}

function problemOf(answer: Answer): string {
  return typeof answer === 'object' ? `: ${printable(answer.problem)}` : '';
}

function filterText({ seen }: Why, palette: Palette): string {
  if (seen === undefined) return '';
  const { answer, parts } = seen.explanation.filter;
  const result = answer === true ? 'in scope' : answer === false ? 'out of scope' : 'cannot be decided';
  const lines = parts.map((part) => `  ${mark(part.answer, palette)} ${printable(part.text)}${problemOf(part.answer)}`);
  return [`${palette.strong('Filter')}  ${mark(answer, palette)} ${result}${problemOf(answer)}`, ...lines].join('\n');
}

function mappingText({ seen, inTwilio, lastApplied }: Why, palette: Palette): string {
  if (seen === undefined) return '';
  const lines = seen.explanation.attributes.map(({ attribute, rule, value, problem }) => {
    const now = attribute === 'active' ? inTwilio && String(inTwilio.active) : inTwilio?.attributes[attribute];
    const sent = attribute === 'active' ? undefined : lastApplied?.sent[attribute as TextAttribute];
    const wanted =
      problem === undefined ? printable(value ?? '(empty: left as it is)') : palette.removed(printable(problem));
    const isSame = value === undefined || now === value;
    const twilio =
      inTwilio === undefined || isSame ? '' : palette.changed(`  Twilio has ${printable(now ?? '(empty)')}`);
    const applied =
      sent === undefined || sent === value || isSame ? '' : palette.faint(`, we last sent ${printable(sent)}`);
    return `  ${attribute.padEnd(16)} ${wanted}${twilio}${applied}${rule === '' ? '' : palette.faint(`  by ${printable(rule)}`)}`;
  });
  return [palette.strong('Mapping'), ...lines].join('\n');
}

function isMeant({ role, roleName, scope, scopeName }: NamedGrant, wanted: string | undefined): boolean {
  return wanted === undefined || [role, roleName, scope, scopeName].some((name) => name === wanted);
}

function rolesText({ seen, assignments }: Why, role: string | undefined, palette: Palette): string {
  const rules = (seen?.explanation.rules ?? []).filter(({ grants }) => grants.some((grant) => isMeant(grant, role)));
  const lines = rules.flatMap((rule) => ruleLines(rule, role, palette));
  const wanted = seen === undefined ? new Set<string>() : grantsOf(seen.explanation);
  const held = assignments
    .filter((each) => isMeant(each, role))
    .map((each) => {
      const origin = each.own ? 'given by us' : 'not given by us';
      const fate = wanted.has(grantKey(each)) ? 'wanted' : each.managed ? 'not wanted' : 'none of ours, left alone';
      return `  has ${printable(each.roleName)} in ${printable(each.scopeName)}  ${palette.faint(`${origin}, ${fate}, ${each.sid}`)}`;
    });
  if (lines.length + held.length === 0) {
    return role === undefined
      ? ''
      : `${palette.strong('Roles')}\n  no rule gives "${printable(role)}", and the person does not have it`;
  }
  return [palette.strong('Roles'), ...lines, ...held].join('\n');
}

function ruleLines(
  { rule, group, when, applies, because, via, grants }: ExplainedRule,
  role: string | undefined,
  palette: Palette,
): string[] {
  const names = grants
    .filter((grant) => isMeant(grant, role))
    .map(({ roleName, scopeName }) => `${printable(roleName)} in ${printable(scopeName)}`);
  const condition = [...(group === undefined ? [] : [group]), ...(when === undefined ? [] : [when])]
    .map(printable)
    .join(' and ');
  const way = via.length > 1 ? [palette.faint(`      by way of ${via.map(printable).join(' → ')}`)] : [];
  const text = applies ? names.join(', ') : palette.faint(`${names.join(', ')}: ${printable(because ?? '')}`);
  return [`  ${mark(applies, palette)} rule ${rule}, ${condition || 'everybody'}: ${text}`, ...way];
}

function waitingText({ missing, confirmAbsence, parked }: Why, palette: Palette): string {
  const lines: string[] = [];
  if (missing > 0) lines.push(`  missing from ${missing} of ${confirmAbsence} complete reads in a row`);
  if (parked !== undefined) {
    const until = parked.retryAt === undefined ? 'until something changes' : `until ${isoTime(parked.retryAt)}`;
    lines.push(
      `  refused by Twilio ${parked.attempts === 1 ? 'once' : `${parked.attempts} times`} since ${new Date(parked.since).toISOString()}, waits ${until}: ${printable(parked.message)}`,
      `  \`tdsync retry ${printable(parked.externalId)}\` lets the next run try again`,
    );
  }
  return lines.length === 0 ? '' : [palette.strong('Waiting'), ...lines].join('\n');
}

function pastText({ past }: Why, palette: Palette): string {
  if (past.length === 0) return '';
  const lines = past.map(({ operation, state, run, startedAt }) => {
    return `  ${isoTime(startedAt)}  ${operationText(operation)}, ${state}  ${palette.faint(`run ${run}`)}`;
  });
  return [palette.strong('Last changes'), ...lines].join('\n');
}

function nextText({ next: { operations, findings } }: Why, palette: Palette): string {
  const heading = `${palette.strong('Next run')}${palette.faint('  from what the last one saw; guards are asked for everybody together')}`;
  const lines = [
    ...operations.map((operation) => `  ${operationText(operation)}`),
    ...findings.map(({ code, message }) => `  ${palette.changed(`! ${code}`)}  ${printable(message)}`),
  ];
  return [heading, ...(lines.length === 0 ? ['  nothing to do'] : lines)].join('\n');
}
