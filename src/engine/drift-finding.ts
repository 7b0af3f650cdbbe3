/** How drift that is only reported, and grants that are taken over, are told. */
import type { AttributeChange, NamedGrant } from '../domain/operation.ts';
import type { Finding } from '../domain/plan.ts';
import type { DesiredUser, Grant, GrantRecord, TwilioUser } from '../domain/user.ts';
import type { GrantDiff } from './diff-grants.ts';

type NameOf = (grant: Grant) => NamedGrant;

/** Undefined when there is nothing to report. */
export function driftFinding(
  desired: DesiredUser,
  user: TwilioUser,
  attributes: readonly AttributeChange[],
  { missing, surplus }: Pick<GrantDiff, 'missing' | 'surplus'>,
  nameOf: NameOf,
): Finding | undefined {
  const what = [
    ...attributes.map(({ attribute, before, after }) => `${attribute} is ${quote(before)}, we want ${quote(after)}`),
    ...missing.map(({ grant }) => `${named(nameOf(grant))} was taken away, ${grant.because} gives it`),
    ...surplus.map(({ assignment }) => `${named(nameOf(assignment))} was given, no rule gives it`),
  ];
  if (what.length === 0) return undefined;
  const message = `changed in Twilio and left so by policy.drift: ${what.join('; ')}`;
  return { ...about(desired, user), code: 'drift', message };
}

export function stoppedByHandFinding(desired: DesiredUser, user: TwilioUser): Finding {
  const message = `${desired.attributes.userName} was deactivated in Twilio, not by us; policy.drift leaves it so`;
  return { ...about(desired, user), code: 'drift', message };
}

/** Undefined when nothing was found: what we had begun to give ourselves needs no word. */
export function takenOverFinding(
  who: Pick<Finding, 'externalId' | 'userName' | 'user'>,
  records: readonly GrantRecord[],
  nameOf: NameOf,
): Finding | undefined {
  const found = records.filter(({ origin }) => origin === 'found').map((record) => named(nameOf(record)));
  if (found.length === 0) return undefined;
  const message = `${found.join(' and ')} had been given in Twilio, and a rule gives it too: from now on it goes when the rule no longer applies to this person`;
  return { ...who, code: 'taken-over', message };
}

function about(desired: DesiredUser, user: TwilioUser) {
  return { externalId: desired.externalId, user: user.sid, userName: desired.attributes.userName };
}

function named({ roleName, scopeName }: NamedGrant): string {
  return `${roleName} in ${scopeName}`;
}

function quote(value: string | undefined): string {
  return value === undefined ? 'empty' : JSON.stringify(value);
}
