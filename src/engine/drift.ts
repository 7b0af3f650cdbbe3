/**
 * Drift alone: what somebody changed in Twilio of people who are linked, whatever the policy does about it.
 *
 * | what                        | as we left it        | now         | listed when                                       |
 * |-----------------------------|----------------------|-------------|---------------------------------------------------|
 * | attribute                   | what Twilio answered | differs     | the source wants a third value, or still the old  |
 * | activity of who is in scope | active               | inactive    | always                                            |
 * | activity of who has left    | deactivated          | active      | always                                            |
 * | grant that a rule gives     | there                | not there   | always (see diff-grants.ts)                       |
 * | managed grant by no rule    | not there, not ours  | there       | always                                            |
 *
 * What Twilio and the source agree upon is no drift, however it came about. A user who is gone is a finding of each run.
 */
import type { Drift, PersonDrift } from '../domain/drift.ts';
import { compareStrings } from '../domain/identity.ts';
import type { NamedGrant } from '../domain/operation.ts';
import type { Policy } from '../domain/rules.ts';
import { type DesiredUser, type Grant, type TwilioUser, textAttributes } from '../domain/user.ts';
import { choose, namesOf } from './choose.ts';
import { type CorrelateInput, correlate, type Situation } from './correlate.ts';
import { isSame, originOf } from './diff.ts';
import { diffGrants, managedAssignments, splitDrift } from './diff-grants.ts';
import { type Knowledge, untouchable } from './people.ts';
import { isSettled } from './settled.ts';

export interface DriftInput extends CorrelateInput {
  readonly policy: Policy;
  readonly knowledge: Knowledge;
  readonly nameOf: (grant: Grant) => NamedGrant;
  /** externalIds, normalised addresses or user SIDs; undefined means everybody. */
  readonly only?: ReadonlySet<string> | undefined;
}

/** People with drift, by externalId. */
export function findDrift(input: DriftInput): readonly PersonDrift[] {
  const { users, policy, knowledge } = input;
  const chosen = choose(input.only, users);
  const isUntouchable = untouchable(policy, knowledge);
  const found: PersonDrift[] = [];
  for (const situation of correlate(input)) {
    if (situation.is !== 'linked' && situation.is !== 'leaver') continue;
    const person = whoIs(situation);
    if (!chosen(person)) continue;
    const drift =
      situation.is === 'linked' ? driftOf(situation.desired, situation.user, input) : driftOfLeaver(situation, input);
    if (drift.length === 0) continue;
    const off = isUntouchable(person.externalId, namesOf(person, users), person.user);
    found.push({ ...person, ...(off !== undefined && { leftAlone: off.code }), drift });
  }
  return found.sort((a, b) => compareStrings(a.externalId, b.externalId));
}

type Linked = Extract<Situation, { is: 'linked' }>;
type Leaver = Extract<Situation, { is: 'leaver' }>;

function whoIs(situation: Linked | Leaver) {
  const { user } = situation;
  return situation.is === 'linked'
    ? { externalId: situation.desired.externalId, userName: situation.desired.attributes.userName, user: user.sid }
    : { externalId: situation.externalId, userName: user.attributes.userName, user: user.sid };
}

function driftOf(desired: DesiredUser, user: TwilioUser, { knowledge, nameOf }: DriftInput): readonly Drift[] {
  if (isSettled(desired, user, knowledge)) return [];
  const last = knowledge.lastApplied(desired.externalId);
  const found: Drift[] = [];
  if (!user.active && last?.active === true) found.push({ ...activity, before: true, now: false, wanted: true });
  for (const attribute of textAttributes) {
    const wanted = desired.attributes[attribute];
    const now = user.attributes[attribute];
    if (wanted === undefined || isSame(attribute, wanted, now)) continue;
    const origin = originOf(attribute, wanted, now, last);
    if (origin === undefined || origin === 'changed-upstream') continue;
    found.push({ kind: 'attribute', attribute, before: last?.returned[attribute], now, wanted, origin });
  }
  const { missing, surplus } = splitDrift(diffGrants(desired, user, knowledge), 'report').drifted;
  for (const { grant } of missing) {
    const { because } = grant;
    found.push({ ...changedGrant(nameOf(grant)), before: true, now: false, wanted: true, because });
  }
  for (const { assignment } of surplus) found.push(givenByHand(nameOf(assignment)));
  return found;
}

function driftOfLeaver({ externalId, user }: Leaver, { knowledge, nameOf }: DriftInput): readonly Drift[] {
  const isBack = user.active && knowledge.lastApplied(externalId)?.active === false;
  const given = managedAssignments(user, knowledge).filter(({ sid }) => knowledge.recordOf(sid) === undefined);
  return [
    ...(isBack ? [{ ...activity, before: false, now: true, wanted: false }] : []),
    ...given.map((assignment) => givenByHand(nameOf(assignment))),
  ];
}

const activity = { kind: 'activity', origin: 'changed-in-twilio' } as const;

function changedGrant({ role, scope, roleName, scopeName }: NamedGrant) {
  return { kind: 'grant', grant: { role, scope, roleName, scopeName }, origin: 'changed-in-twilio' } as const;
}

function givenByHand(grant: NamedGrant): Drift {
  return { ...changedGrant(grant), before: false, now: true, wanted: false };
}
