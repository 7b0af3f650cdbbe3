/**
 * The inverse of what a run did, as a plan like any other. Only what still is as the run left it is taken back: whatever
 * somebody changed since stays, and is a finding.
 *
 * | the run did            | undone by                                             |
 * |------------------------|-------------------------------------------------------|
 * | create                 | deactivate, and revoke what it was given              |
 * | deactivate             | reactivate                                            |
 * | reactivate             | deactivate, and update to the values before           |
 * | update, adopt          | update to the values before; an adopted person stays linked, and is deactivated when adoption made them active |
 * | grant                  | revoke                                                |
 * | revoke                 | grant                                                 |
 *
 * What nobody saw the end of counts as done: where it did not take effect, Twilio shows the state before, and there is nothing to
 * take back.
 *
 * An address in between, where an undoing that died has left somebody, counts as left by the run.
 *
 * Several changes of one attribute count as one, from the first value to the last, so that an intermediate address of a
 * swap is no stop on the way back.
 */
import type { ExternalId, UserSid } from '../domain/identity.ts';
import type { AttributeChange, Operation, WriteOperation } from '../domain/operation.ts';
import type { Finding } from '../domain/plan.ts';
import { type GrantKey, grantKey, type TextAttribute, type TwilioUser } from '../domain/user.ts';
import type { Links, UserIndex } from './correlate.ts';
import { isIntermediate } from './detour.ts';
import { isSame } from './diff.ts';
import type { Draft } from './draft.ts';
import type { Knowledge } from './people.ts';

export interface UndoInput {
  /** What the run did, or may have done, in its order. */
  readonly done: readonly Operation[];
  readonly users: UserIndex;
  readonly links: Links;
  readonly knowledge: Pick<Knowledge, 'assignmentsOf'>;
}

/** One draft for each person whom the run changed, in no particular order. */
export function draftUndo(input: UndoInput): readonly Draft[] {
  const byPerson = new Map<ExternalId, Operation[]>();
  for (const operation of input.done) {
    const known = byPerson.get(operation.externalId);
    if (known === undefined) byPerson.set(operation.externalId, [operation]);
    else known.push(operation);
  }
  return [...byPerson].map(([externalId, done]) => undoPerson(externalId, done, input));
}

function undoPerson(externalId: ExternalId, done: readonly Operation[], { users, links, knowledge }: UndoInput): Draft {
  const sid = links.byExternalId.get(externalId);
  const user = sid && users.bySid.get(sid);
  const userName = user?.attributes.userName ?? done[0]?.userName ?? externalId;
  const findings: Finding[] = [];
  const keep = (message: string) =>
    findings.push({ code: 'not-undone', externalId, ...(sid !== undefined && { user: sid }), userName, message });
  const isSomebodyElse = done.some((each) => 'user' in each && each.user !== null && each.user !== sid);
  if (user === undefined || isSomebodyElse) {
    keep(`${userName} is no longer linked to the user whom the run changed, or Twilio no longer shows that user`);
    return { externalId, userName, user: sid, operations: [], findings };
  }

  const created = done.some(({ kind }) => kind === 'create');
  const activated = created || done.some((each) => 'activate' in each && each.activate);
  const stops = activated && user.active;
  const returns = done.some(({ kind }) => kind === 'deactivate') && !activated && !user.active;
  const changes = created ? [] : restored(externalId, done, user, keep);
  const write = writeBack(externalId, user, changes, returns);
  const { given, taken } = grantsOf(done);
  const held = new Map(knowledge.assignmentsOf(user.sid).map((each) => [grantKey(each), each]));
  const after = returns && write !== undefined ? { after: write.id } : {};
  const operations: Operation[] = [
    ...[...given].flatMap(([key, { grant }]): Operation[] => {
      const assignment = held.get(key);
      if (assignment === undefined) return [];
      const id = `revoke ${externalId} ${key} ${assignment.sid}`;
      return [{ ...common(id, externalId, user), kind: 'revoke', user: user.sid, assignment: assignment.sid, grant }];
    }),
    ...(stops
      ? [{ ...common(`deactivate ${externalId}`, externalId, user), kind: 'deactivate', user: user.sid } as const]
      : []),
    ...(write === undefined ? [] : [write]),
    ...[...taken].flatMap(([key, { grant }]): Operation[] => {
      if (held.has(key)) return [];
      const id = `grant ${externalId} ${key}`;
      const because = 'undo of an earlier run';
      return [{ ...common(id, externalId, user), kind: 'grant', user: user.sid, grant, because, ...after }];
    }),
  ];
  return { externalId, userName, user: user.sid, operations, findings };
}

/** The way back for every attribute that the run wrote and nobody has changed since. */
function restored(
  externalId: ExternalId,
  done: readonly Operation[],
  user: TwilioUser,
  keep: (message: string) => void,
): readonly AttributeChange[] {
  const written = new Map<TextAttribute, AttributeChange>();
  for (const operation of done) {
    if (!('changes' in operation)) continue;
    for (const change of operation.changes) {
      const first = written.get(change.attribute);
      written.set(change.attribute, first === undefined ? change : { ...change, before: first.before });
    }
  }
  return [...written.values()].flatMap(({ attribute, before, after }) => {
    const now = user.attributes[attribute];
    if (before !== undefined && isSame(attribute, before, now)) return [];
    const onTheWay = attribute === 'userName' && isIntermediate(now ?? '', externalId);
    if (!isSame(attribute, after, now) && !onTheWay) {
      keep(`${attribute} is ${quote(now)}, not ${quote(after)} as the run left it: it was changed since and stays`);
      return [];
    }
    if (before === undefined) {
      keep(`${attribute} was empty before the run, and an empty value is never written; clear it in the Console`);
      return [];
    }
    return [{ attribute, before: now, after: before }];
  });
}

function writeBack(
  externalId: ExternalId,
  user: TwilioUser,
  changes: readonly AttributeChange[],
  activate: boolean,
): WriteOperation | undefined {
  if (changes.length === 0 && !activate) return undefined;
  const kind = activate ? 'reactivate' : 'update';
  return { ...common(`${kind} ${externalId}`, externalId, user), kind, user: user.sid, changes, activate };
}

type Granting = Extract<Operation, { kind: 'grant' | 'revoke' }>;

/** Grants that the run gave and took, net of what it did both ways. */
function grantsOf(done: readonly Operation[]): {
  readonly given: ReadonlyMap<GrantKey, Granting>;
  readonly taken: ReadonlyMap<GrantKey, Granting>;
} {
  const given = new Map<GrantKey, Granting>();
  const taken = new Map<GrantKey, Granting>();
  for (const operation of done) {
    if (operation.kind !== 'grant' && operation.kind !== 'revoke') continue;
    const key = grantKey(operation.grant);
    const [here, there] = operation.kind === 'grant' ? [given, taken] : [taken, given];
    if (!there.delete(key)) here.set(key, operation);
  }
  return { given, taken };
}

function common(id: string, externalId: ExternalId, user: { readonly sid: UserSid } & Pick<TwilioUser, 'attributes'>) {
  return { id, externalId, userName: user.attributes.userName, reason: 'undone' as const };
}

function quote(value: string | undefined): string {
  return value === undefined ? 'empty' : JSON.stringify(value);
}
