/**
 * What became of operations whose end nobody saw, told by what Twilio shows now. What would have been remembered of them is
 * remembered after all; otherwise our own change would look like somebody else's for ever.
 *
 * | begun               | Twilio shows                           | remembered                          |
 * |---------------------|----------------------------------------|-------------------------------------|
 * | update, reactivate  | a value as it was to be written        | that we sent it, and Twilio's form  |
 * | reactivate          | an active user                         | that we left it active              |
 * | deactivate          | an inactive user, or none              | that we left it inactive            |
 * | grant               | the role                               | that we gave it                     |
 * | revoke              | no such assignment                     | nothing of it any more              |
 * | create, adopt       |                                        | the next adoption sees to it        |
 *
 * What shows no trace did not happen, and is planned anew like anything else.
 */
import type { ExternalId, UserSid } from '../domain/identity.ts';
import type { Effect } from '../domain/journal.ts';
import type { Operation, WriteOperation } from '../domain/operation.ts';
import { type GrantRecord, grantKey, type LastApplied, type RoleAssignment, type TwilioUser } from '../domain/user.ts';
import type { Links, UserIndex } from './correlate.ts';
import { isSame } from './diff.ts';

export interface SettleInput {
  /** Operations that may or may not have taken effect, oldest first. */
  readonly unfinished: readonly Operation[];
  readonly users: UserIndex;
  readonly links: Links;
  readonly assignmentsOf: (user: UserSid) => readonly RoleAssignment[];
  readonly lastApplied: (externalId: ExternalId) => LastApplied | undefined;
}

export interface Settled {
  readonly effects: readonly Effect[];
  /** Those of the snapshot, and what was settled over them. */
  lastApplied(externalId: ExternalId): LastApplied | undefined;
  records(known: Iterable<GrantRecord>): readonly GrantRecord[];
}

export function settle({ unfinished, users, links, assignmentsOf, lastApplied }: SettleInput): Settled {
  const applied = new Map<ExternalId, LastApplied>();
  const given = new Map<string, RoleAssignment>();
  const taken = new Map<string, Extract<Operation, { kind: 'revoke' }>>();
  const known = (externalId: ExternalId) => applied.get(externalId) ?? lastApplied(externalId);

  for (const operation of unfinished) {
    const { externalId } = operation;
    const sid = links.byExternalId.get(externalId);
    if (sid === undefined || ('user' in operation && operation.user !== null && operation.user !== sid)) continue;
    const user = users.bySid.get(sid);
    const last = known(externalId);
    switch (operation.kind) {
      case 'update':
      case 'reactivate':
        if (user !== undefined) applied.set(externalId, afterWrite(operation, user, last));
        break;
      case 'deactivate':
        if (user === undefined || !user.active)
          applied.set(externalId, { sent: {}, returned: {}, ...last, active: false });
        break;
      case 'grant': {
        const held = assignmentsOf(sid).find((each) => grantKey(each) === grantKey(operation.grant));
        if (held !== undefined) given.set(held.sid, held);
        break;
      }
      case 'revoke':
        if (!assignmentsOf(sid).some((each) => each.sid === operation.assignment))
          taken.set(operation.assignment, operation);
        break;
      default:
        break;
    }
  }

  return {
    effects: [
      ...[...applied].map(([externalId, each]): Effect => ({ effect: 'applied', externalId, applied: each })),
      ...[...taken.values()].map(({ assignment, user, grant: { role, scope } }): Effect => {
        return { effect: 'revoked', assignment, user, grant: { role, scope } };
      }),
      ...[...given.values()].map((assignment): Effect => ({ effect: 'assigned', assignment, origin: 'granted' })),
    ],
    lastApplied: known,
    records(before) {
      const left = [...before].filter(({ sid }) => !taken.has(sid));
      const recorded = new Set(left.map(({ sid }) => sid));
      const added = [...given.values()].filter(({ sid }) => !recorded.has(sid));
      return [...left, ...added.map((each): GrantRecord => ({ ...each, origin: 'granted' }))];
    },
  };
}

function afterWrite(
  { changes, activate }: WriteOperation,
  user: TwilioUser,
  last: LastApplied | undefined,
): LastApplied {
  const seen = changes.filter(({ attribute, after }) => isSame(attribute, after, user.attributes[attribute]));
  return {
    sent: { ...last?.sent, ...Object.fromEntries(seen.map(({ attribute, after }) => [attribute, after])) },
    returned: {
      ...last?.returned,
      ...Object.fromEntries(seen.map(({ attribute }) => [attribute, user.attributes[attribute]])),
    },
    active: (activate && user.active) || (last?.active ?? user.active),
  };
}
