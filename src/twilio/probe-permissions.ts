/**
 * Which of the nine permissions the app has, found out by requests that cannot take effect: they name users, roles and
 * assignments that do not exist, by SIDs made of chance, or lack what Twilio requires. A permission is looked at before the
 * request is carried out, so whoever gets to hear what is wrong with the request has it.
 *
 *   permission               request                                    cannot take effect because
 *   managed-users/list       GET a filter on an externalId of chance    it reads
 *   managed-users/read       GET a user of chance                       it reads
 *   managed-users/update     PUT that user, without userName            no such user, no such version, and userName is required
 *   managed-users/delete     DELETE that user                           no such user, as the GET has shown
 *   managed-users/create     POST a user without userName and emails    both are required
 *   role-assignments/list    GET those of the user of chance            it reads
 *   role-assignments/create  POST with role and identity of chance      no such role, no such user
 *   role-assignments/delete  DELETE an assignment of chance             no such assignment
 *   roles/list               GET one page of roles                      it reads
 *
 *   answer                                        means
 *   2xx, 400, 404, 409, 412                       granted
 *   401, 403, or a code for missing permissions   missing
 *   403 with 20003 on the last DELETE             either: some servers say so of a row that is not there
 *   anything else                                 not decided
 *
 * Reads stand between the others, because Twilio counts failures in a row (70005).
 */
import type { ScopeSid } from '../domain/identity.ts';
import {
  TargetAuthError,
  TargetContractError,
  TargetError,
  TargetRejectedError,
  TargetUnavailableError,
} from '../errors.ts';
import type { ApiClient } from './api-client.ts';
import { type Endpoint, endpoints, urlOf } from './endpoints.ts';

export interface PermissionProbe {
  readonly permission: string;
  readonly state: 'granted' | 'missing' | 'undecided';
  /** What makes it so; undefined when granted. */
  readonly error?: TargetError;
}

interface Probe {
  readonly endpoint: Endpoint & { readonly permission: string };
  readonly id?: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly json?: object;
  readonly ifMatch?: string;
}

const userSchema = 'urn:ietf:params:scim:schemas:core:2.0:User';

/** `chance`: 32 hex digits that nobody has used. */
function probes(chance: string, organization: ScopeSid): readonly Probe[] {
  const user = `US${chance}`;
  const assignment = { role_sid: `IX${chance}`, scope: organization, identity: user };
  return [
    { endpoint: endpoints.listUsers, query: { filter: `externalId eq "${chance}"` } },
    { endpoint: endpoints.readUser, id: user },
    // No version is below 1.
    { endpoint: endpoints.replaceUser, id: user, ifMatch: 'W/0', json: { schemas: [userSchema], id: user } },
    { endpoint: endpoints.listAssignments, query: { Identity: user, PageSize: '1' } },
    { endpoint: endpoints.deactivateUser, id: user },
    { endpoint: endpoints.createUser, json: { schemas: [userSchema] } },
    { endpoint: endpoints.listRoles, query: { PageSize: '1' } },
    { endpoint: endpoints.createAssignment, json: assignment },
    { endpoint: endpoints.deleteAssignment, id: `IY${chance}` },
  ];
}

/** Throws TargetError when there is no token, and the signal's reason. */
export async function probePermissions(
  { api, base }: { readonly api: ApiClient; readonly base: string },
  organization: ScopeSid,
  chance: string,
  signal: AbortSignal,
): Promise<readonly PermissionProbe[]> {
  const found: PermissionProbe[] = [];
  let isSomebody = false;
  for (const { endpoint, id, query, ...request } of probes(chance, organization)) {
    signal.throwIfAborted();
    const { permission } = endpoint;
    if (isSomebody && id?.startsWith('US')) {
      found.push({ permission, state: 'undecided' });
      continue;
    }
    try {
      const url = urlOf(base, endpoint, id, query);
      const reads = endpoint.kind === 'read' && { signal };
      const outcome = await api.call({ endpoint, url, ...request, ...reads });
      const { result } = outcome;
      if (result === 'look-first' && outcome.error instanceof TargetUnavailableError) throw outcome.error;
      // Beyond all chance; then that user is left alone.
      isSomebody ||= endpoint === endpoints.readUser && result === 'done';
      found.push({ permission, state: 'granted' });
    } catch (error) {
      if (!(error instanceof TargetError) || error.path?.endsWith(endpoints.token.template)) throw error;
      found.push(judge(permission, endpoint, error));
    }
  }
  return found;
}

function judge(permission: string, endpoint: Endpoint, error: TargetError): PermissionProbe {
  if (error instanceof TargetAuthError) {
    const isAmbiguous =
      endpoint === endpoints.deleteAssignment &&
      error.status === 403 &&
      (error.twilioCode ?? 20003) === 20003 &&
      !error.message.split('; the OAuth app may lack', 1)[0]?.includes(permission);
    // 25100: no such organization, which says nothing of permissions.
    const isUndecided = isAmbiguous || error.twilioCode === 25100;
    return { permission, state: isUndecided ? 'undecided' : 'missing', error };
  }
  const isAboutRequest =
    error instanceof TargetRejectedError || (error instanceof TargetContractError && error.status === 400);
  return isAboutRequest ? { permission, state: 'granted' } : { permission, state: 'undecided', error };
}
