/**
 * A Twilio organization in memory, strict where a plan could be wrong: an address or externalId used twice, a role assigned
 * twice and a user who does not exist are errors of the test, not answers. Only for tests of order and of whole plans;
 * the contract of the real service is tested against the simulator.
 */

import { type AssignmentSid, type ExternalId, normalizeEmail, type UserSid } from '../../src/domain/identity.ts';
import {
  type Account,
  type Role,
  type RoleAssignment,
  type TextAttributes,
  type TwilioUser,
  textAttributes,
} from '../../src/domain/user.ts';
import { TargetConflictError } from '../../src/errors.ts';
import type { TargetDirectory, WriteResult } from '../../src/ports.ts';
import { callNames, endpointsOf } from '../../src/twilio/endpoints.ts';
import { assignmentSid, accounts as someAccounts, roles as someRoles, userSid } from './builders.ts';

export interface TwilioState {
  readonly users: readonly TwilioUser[];
  readonly assignments?: readonly RoleAssignment[];
  readonly roles?: readonly Role[];
  readonly accounts?: readonly Account[] | undefined;
  /** Addresses of logins outside the organization. */
  readonly outside?: readonly string[];
  /** What Twilio makes of a value that is sent. */
  readonly normalize?: (attribute: keyof TextAttributes, value: string) => string;
  /** Whether a user gets an externalId after creation. */
  readonly keepsExternalIds?: boolean;
}

export interface MemoryTwilio extends TargetDirectory {
  readonly users: Map<UserSid, TwilioUser>;
  readonly assignments: Map<AssignmentSid, RoleAssignment>;
  /** Every write as `kind SID-or-address`, in the order in which they began. */
  readonly writes: string[];
  /** Called before each write takes effect: may wait, or throw as Twilio would. */
  before: (write: string) => Promise<void> | void;
  /** Called after a write took effect: throwing loses the answer. */
  answer: (write: string) => void;
}

export function createMemoryTwilio(state: TwilioState): MemoryTwilio {
  const { roles = someRoles, outside = [], normalize = (_attribute, value) => value, keepsExternalIds = true } = state;
  const accounts = 'accounts' in state ? state.accounts : someAccounts;
  const users = new Map(state.users.map((user) => [user.sid, user]));
  const assignments = new Map((state.assignments ?? []).map((each) => [each.sid, each]));
  const calls: Record<string, number> = {};
  let nextUser = 0x1000;
  let nextAssignment = 0x1000;

  function stored(sent: TextAttributes): TextAttributes {
    return Object.fromEntries(
      textAttributes.flatMap((attribute) => {
        const value = sent[attribute];
        return value === undefined ? [] : [[attribute, normalize(attribute, value)]];
      }),
    );
  }

  function put(user: TwilioUser): TwilioUser {
    const address = normalizeEmail(user.attributes.userName);
    for (const other of users.values()) {
      if (other.sid === user.sid) continue;
      if (normalizeEmail(other.attributes.userName) === address) {
        throw new Error(`${user.sid} would have the address ${address} of ${other.sid}`);
      }
      if (user.externalId !== undefined && other.externalId === user.externalId) {
        throw new Error(`${user.sid} would have the externalId ${user.externalId} of ${other.sid}`);
      }
    }
    users.set(user.sid, user);
    return user;
  }

  function known(sid: UserSid): TwilioUser {
    const user = users.get(sid);
    if (user === undefined) throw new Error(`Twilio has no user ${sid}`);
    return user;
  }

  async function write<T>(what: string, effect: () => T): Promise<T> {
    twilio.writes.push(what);
    await twilio.before(what);
    const result = effect();
    twilio.answer(what);
    return result;
  }

  function resource(user: TwilioUser): WriteResult {
    return { user, resource: JSON.stringify(user), state: 'done', requestId: undefined };
  }

  const twilio: MemoryTwilio = {
    users,
    assignments,
    writes: [],
    calls,
    names: callNames(endpointsOf('current')),
    answers: {},
    before: () => {},
    answer: () => {},

    async listUsers(onUser) {
      calls.listUsers = (calls.listUsers ?? 0) + 1;
      for (const user of users.values()) onUser(user, JSON.stringify(user));
      return users.size;
    },
    async readUser(sid) {
      const user = users.get(sid);
      return user && { user, resource: JSON.stringify(user) };
    },
    async findUser(by) {
      for (const user of users.values()) {
        const hit =
          'userName' in by
            ? normalizeEmail(user.attributes.userName) === by.userName
            : user.externalId === by.externalId;
        if (hit) return { user, resource: JSON.stringify(user) };
      }
      return undefined;
    },
    createUser: (externalId, attributes) =>
      write(`create ${attributes.userName}`, () => {
        if (outside.includes(attributes.userName)) {
          throw new TargetConflictError(`the address ${attributes.userName} is taken`, {
            status: 409,
            twilioCode: 25022,
          });
        }
        const sent = stored(attributes);
        return resource(
          put({
            sid: userSid(nextUser++),
            externalId,
            attributes: { ...sent, userName: sent.userName ?? attributes.userName },
            active: true,
            version: 'W/1',
          }),
        );
      }),
    updateUser: (sid, { attributes, active, externalId }) =>
      write(`update ${sid}`, () => {
        const user = known(sid);
        const own: ExternalId | undefined = user.externalId ?? (keepsExternalIds ? externalId : undefined);
        return resource(
          put({
            ...user,
            externalId: own,
            attributes: { ...user.attributes, ...stored(attributes) },
            active: active ?? user.active,
          }),
        );
      }),
    deactivateUser: (sid) =>
      write(`deactivate ${sid}`, () => {
        put({ ...known(sid), active: false });
        return { state: 'done' as const, requestId: undefined };
      }),
    async listAssignments(by, onAssignment) {
      calls.listAssignments = (calls.listAssignments ?? 0) + 1;
      let count = 0;
      for (const each of assignments.values()) {
        if ('user' in by ? each.user !== by.user : each.scope !== by.scope) continue;
        onAssignment(each);
        count++;
      }
      return count;
    },
    assignRole: (user, grant) =>
      write(`assign ${user}`, () => {
        known(user);
        for (const each of assignments.values()) {
          if (each.user === user && each.role === grant.role && each.scope === grant.scope) {
            throw new Error(`${user} would hold ${grant.role} in ${grant.scope} twice`);
          }
        }
        const assignment: RoleAssignment = { sid: assignmentSid(nextAssignment++), user, ...grant };
        assignments.set(assignment.sid, assignment);
        return { state: 'done' as const, assignment, requestId: undefined };
      }),
    revokeRole: ({ sid, user }) =>
      write(`revoke ${user}`, () => {
        if (!assignments.delete(sid)) throw new Error(`Twilio has no assignment ${sid}`);
        return { state: 'done' as const, requestId: undefined };
      }),
    async listRoles() {
      return roles;
    },
    async listAccounts() {
      return accounts;
    },
  };
  return twilio;
}
