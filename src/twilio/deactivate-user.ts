/** Deactivating: DELETE, which does not erase (Twilio SCIM API reference). Whether a second one succeeds is not documented. */
import type { UserSid } from '../domain/identity.ts';
import { TargetConflictError, TargetRejectedError } from '../errors.ts';
import { contractError } from './answers.ts';
import { urlOf } from './endpoints.ts';
import { readUser, type UsersApi } from './scim-users.ts';

export interface Deactivated {
  readonly state: 'done' | 'already';
  readonly requestId: string | undefined;
}

/** The organization's owner, who may not be deactivated: nobody needs to look. 25009 may mean suspended or inactive. */
const ownerCode = 25016;

export async function deactivateUser(users: UsersApi, sid: UserSid): Promise<Deactivated> {
  const endpoint = users.endpoints.deactivateUser;
  const asked = { endpoint, url: urlOf(users, endpoint, sid) };
  const refused = await users.api.call(asked).catch((error: unknown) => {
    const looks =
      error instanceof TargetRejectedError && (error.status === 400 || error.status === 409 || error.status === 412);
    if (!looks || error.twilioCode === ownerCode) throw error;
    return { result: 'rejected' as const, error };
  });
  if (refused.result === 'done') return { state: 'done', requestId: refused.answer.requestId };
  const { error } = refused;
  const found = await readUser(users, sid);
  // Inactive, or gone altogether: either way nobody can sign in.
  if (found === undefined || !found.user.active) return { state: 'already', requestId: error.requestId };
  if (refused.result === 'absent') {
    throw contractError(asked, undefined, `deleting ${sid} gives 404, but reading it shows an active user`);
  }
  if (error.status === 400) throw error;
  throw new TargetConflictError(error.message, {
    method: endpoint.method,
    path: asked.url.pathname,
    status: error.status,
    twilioCode: error.twilioCode,
    scimType: error.scimType,
    requestId: error.requestId,
    cause: error,
  });
}
