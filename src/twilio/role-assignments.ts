/** Role assignments (Twilio documentation, "Role assignment resource"): list, create, delete; there is no update. */

import type { ScopeSid, UserSid } from '../domain/identity.ts';
import { type Grant, grantKey, type RoleAssignment } from '../domain/user.ts';
import { TargetAuthError, type TargetError, TargetRejectedError, TargetUnavailableError } from '../errors.ts';
import type { ApiClient, CallResult } from './api-client.ts';
import { endpoints, urlOf } from './endpoints.ts';
import { detailsOf, nameOf } from './failures.ts';
import { readPages } from './paging.ts';
import { parseObject, readAssignment, UnexpectedAnswer } from './wire.ts';

export interface AssignmentsApi {
  readonly api: ApiClient;
  /** Base URL of the IAM host. */
  readonly base: string;
}

export type AssignmentCriterion = { readonly scope: ScopeSid } | { readonly user: UserSid };

/**
 * Resolves with the number of assignments handed over. Rows of other scopes or people are left out: whether the list of
 * the organization's scope holds those of its accounts too is not documented.
 */
export async function listAssignments(
  { api, base }: AssignmentsApi,
  by: AssignmentCriterion,
  onAssignment: (assignment: RoleAssignment) => void,
  signal?: AbortSignal,
): Promise<number> {
  const endpoint = endpoints.listAssignments;
  const filter: Record<string, string> = 'scope' in by ? { Scope: by.scope } : { Identity: by.user };
  const url = urlOf(base, endpoint, '', { ...filter, PageSize: '100' });
  let count = 0;
  await readPages(
    api,
    { endpoint, url, urgency: 'scope' in by ? 'read' : 'write', signal },
    readAssignment,
    ({ sid }) => sid,
    (assignment) => {
      if ('scope' in by ? assignment.scope !== by.scope : assignment.user !== by.user) return;
      count++;
      onAssignment(assignment);
    },
  );
  return count;
}

export interface Assigned {
  readonly state: 'done' | 'already';
  readonly assignment: RoleAssignment;
  readonly requestId: string | undefined;
}

/** Refusals of the request itself: looking whether it succeeded would be a wasted call (error pages 25200 to 25203). */
const plainRefusals = new Set([25200, 25201, 25202, 25203]);
/** Tries in all while a fresh user is not yet known to this service. */
const mostSettling = 5;

/** After anything but a plain answer the person's assignments are listed before it is decided how to go on. */
export async function assignRole(assignments: AssignmentsApi, user: UserSid, grant: Grant): Promise<Assigned> {
  const { api, base } = assignments;
  const endpoint = endpoints.createAssignment;
  const asked = { endpoint, url: urlOf(base, endpoint) };
  const json = { role_sid: grant.role, scope: grant.scope, identity: user };
  let losses = 0;
  let settling = 0;
  for (;;) {
    const outcome = await unlessRejected(api.call({ ...asked, json }));
    if (outcome.result === 'done') {
      const { requestId } = outcome.answer;
      const assignment = assignmentIfThere(outcome.answer.text) ?? (await held(assignments, user, grant));
      if (assignment !== undefined) return { state: 'done', assignment, requestId };
      throw new TargetUnavailableError(
        `${nameOf(asked)}: Twilio took the role assignment, but does not show it yet`,
        detailsOf(asked, outcome.answer),
      );
    }
    const { error } = outcome;
    if (outcome.result === 'settle') {
      if (++settling >= mostSettling) throw error;
      await api.backOff(settling + 1);
      continue;
    }
    if (plainRefusals.has(error.twilioCode ?? 0)) throw error;
    if (outcome.result === 'look-first') await api.backOff(++losses, outcome.retryAfterMs);
    const found = await held(assignments, user, grant);
    if (found !== undefined) return { state: 'already', assignment: found, requestId: error.requestId };
    const again = error instanceof TargetUnavailableError && losses < api.limits.attempts;
    if (!again) throw error;
  }
}

type Rejected = { readonly result: 'rejected'; readonly error: TargetError };

async function unlessRejected(call: Promise<CallResult>): Promise<CallResult | Rejected> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof TargetRejectedError) return { result: 'rejected', error };
    throw error;
  }
}

async function held(assignments: AssignmentsApi, user: UserSid, grant: Grant): Promise<RoleAssignment | undefined> {
  let found: RoleAssignment | undefined;
  await listAssignments(assignments, { user }, (each) => {
    if (grantKey(each) === grantKey(grant)) found ??= each;
  });
  return found;
}

function assignmentIfThere(text: string): RoleAssignment | undefined {
  try {
    return readAssignment(parseObject(text));
  } catch (error) {
    if (error instanceof UnexpectedAnswer) return undefined;
    throw error;
  }
}

/**
 * A row that is missing may be answered by 204, 400, 403 or 404, so all but the first are followed by a look; but for a 404
 * with Twilio's code: without one it may be any proxy's.
 */
export async function revokeRole(
  assignments: AssignmentsApi,
  assignment: RoleAssignment,
): Promise<{ readonly state: 'done' | 'already'; readonly requestId: string | undefined }> {
  const endpoint = endpoints.deleteAssignment;
  const url = urlOf(assignments.base, endpoint, assignment.sid);
  try {
    const outcome = await assignments.api.call({ endpoint, url });
    if (outcome.result === 'done') return { state: 'done', requestId: outcome.answer.requestId };
    const { error } = outcome;
    if (outcome.result === 'absent' && error.twilioCode !== undefined) {
      return { state: 'already', requestId: error.requestId };
    }
    throw error;
  } catch (error) {
    const looks = error instanceof TargetRejectedError || (error instanceof TargetAuthError && error.status === 403);
    if (looks && !(await isThereFor(error, assignments, assignment))) {
      return { state: 'already', requestId: error.requestId };
    }
    throw error;
  }
}

/** Who may not look either is told of the first refusal. */
async function isThereFor(refusal: TargetError, assignments: AssignmentsApi, row: RoleAssignment): Promise<boolean> {
  try {
    return await isThere(assignments, row);
  } catch (error) {
    throw error instanceof TargetAuthError ? refusal : error;
  }
}

async function isThere(assignments: AssignmentsApi, { sid, user }: RoleAssignment): Promise<boolean> {
  let there = false;
  await listAssignments(assignments, { user }, (each) => {
    there ||= each.sid === sid;
  });
  return there;
}
