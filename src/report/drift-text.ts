import type { Drift, DriftReport, PersonDrift } from '../domain/drift.ts';
import { type Palette, plain, printable } from './palette.ts';
import { plural } from './plan-text.ts';

/** Drift for people: who, what it was, what it is, what the source wants, and what becomes of it. */
export function renderDrift({ policy, managed, people }: DriftReport, palette: Palette = plain): string {
  if (people.length === 0) {
    return `${palette.strong('No drift')}: nothing that is managed was changed in Twilio (${managed} managed)\n`;
  }
  const total = people.reduce((sum, { drift }) => sum + drift.length, 0);
  const heading = palette.strong(`Drift (${plural(total, 'change')}, ${people.length} of ${managed} managed)`);
  return `${[heading, ...people.flatMap((person) => personLines(person, palette))].join('\n')}\n\n${fate(policy)}\n`;
}

function personLines({ userName, externalId, leftAlone, drift }: PersonDrift, palette: Palette): string[] {
  const alone = leftAlone === undefined ? '' : `  ${palette.faint(`no run changes this person: ${leftAlone}`)}`;
  const who = palette.changed(`~ ${printable(userName)} (${printable(externalId)})`);
  return [`  ${who}${alone}`, ...drift.map((each) => `      ${driftLine(each, palette)}`)];
}

function driftLine(drift: Drift, palette: Palette): string {
  const both = drift.origin === 'changed-in-both' ? ', changed in the source too' : '';
  switch (drift.kind) {
    case 'attribute': {
      const change = `${drift.attribute.padEnd(16)} ${shown(drift.before)} → ${shown(drift.now)}`;
      return `${change}  ${palette.faint(`wanted ${shown(drift.wanted)}${both}`)}`;
    }
    case 'activity':
      return drift.now
        ? `${'active'.padEnd(16)} no → yes  ${palette.faint('wanted no: has left')}`
        : `${'active'.padEnd(16)} yes → no  ${palette.faint('wanted yes')}`;
    case 'grant': {
      const what = `${printable(drift.grant.roleName)} in ${printable(drift.grant.scopeName)}`;
      return drift.now
        ? `${palette.added(`+ ${what}`)}  ${palette.faint('given in Twilio, no rule gives it')}`
        : `${palette.removed(`- ${what}`)}  ${palette.faint(`taken away in Twilio, wanted by ${printable(drift.because ?? '')}`)}`;
    }
  }
}

function shown(value: string | undefined): string {
  return value === undefined ? '(empty)' : printable(value);
}

/** Leavers are the exception: what was given back to them goes, whatever policy.drift says. */
function fate({ drift, mode }: DriftReport['policy']): string {
  if (mode === 'create-only') return 'policy.mode is create-only: runs leave all this as it is.';
  if (drift === 'report') return 'policy.drift is report: runs leave this as it is, except with people who have left.';
  const but = mode === 'upsert-only' ? ', except that policy.mode upsert-only takes nothing away' : '';
  return `policy.drift is overwrite: the next run makes it as wanted${but}.`;
}
