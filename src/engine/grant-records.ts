/** What we remember of grants, set against what Twilio shows. */
import type { AssignmentSid, UserSid } from '../domain/identity.ts';
import { type Grant, type GrantKey, type GrantRecord, grantKey, type RoleAssignment } from '../domain/user.ts';

export interface GrantKnowledge {
  /** The record of an assignment that Twilio shows. */
  recordOf(assignment: AssignmentSid): GrantRecord | undefined;
  /** Records whose assignment Twilio no longer shows, by `holderKey`. */
  readonly lost: ReadonlyMap<HolderKey, GrantRecord>;
  /** Grants that a run began to make and whose end nobody saw, by `holderKey`: when they are there, they are ours. */
  readonly begunGrants: ReadonlySet<HolderKey>;
  /** True for an assignment whose grant the configuration names, or that we made ourselves: only these are ever revoked. */
  isManaged(assignment: RoleAssignment): boolean;
}

/** One string per person and grant. */
export type HolderKey = string;
export function holderKey(user: UserSid, grant: Grant): HolderKey {
  return `${user} ${grantKey(grant)}`;
}

export function knowGrants(
  records: Iterable<GrantRecord>,
  assignmentsOf: (user: UserSid) => readonly RoleAssignment[],
  /** Pairs that the configuration names. */
  named: ReadonlySet<GrantKey>,
  begunGrants: ReadonlySet<HolderKey>,
): GrantKnowledge {
  const shown = new Map<AssignmentSid, GrantRecord>();
  const lost = new Map<HolderKey, GrantRecord>();
  for (const record of records) {
    if (assignmentsOf(record.user).some(({ sid }) => sid === record.sid)) shown.set(record.sid, record);
    else lost.set(holderKey(record.user, record), record);
  }
  return {
    recordOf: (assignment) => shown.get(assignment),
    lost,
    begunGrants,
    isManaged: (assignment) => named.has(grantKey(assignment)) || shown.get(assignment.sid)?.origin === 'granted',
  };
}
