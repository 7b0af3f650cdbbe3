/** Reading single users (Twilio SCIM API reference). */
import { type Email, type ExternalId, normalizeEmail, type UserSid } from '../domain/identity.ts';
import type { UserResource } from '../ports.ts';
import { contractError, understand, userOf } from './answers.ts';
import type { ApiClient } from './api-client.ts';
import { type Service, urlOf } from './endpoints.ts';
import { parseObject, readUser as parseUser, UnexpectedAnswer } from './wire.ts';

/** What the calls on users stand on. */
export type UsersApi = Service<ApiClient>;

/** Undefined when Twilio does not know the user, or it is not managed by this organization (25008). */
export async function readUser(
  users: UsersApi,
  user: UserSid,
  signal?: AbortSignal,
): Promise<UserResource | undefined> {
  const { api, endpoints } = users;
  const asked = { endpoint: endpoints.readUser, url: urlOf(users, endpoints.readUser, user) };
  const outcome = await api.call({ ...asked, signal });
  if (outcome.result === 'absent') return undefined;
  if (outcome.result !== 'done') throw outcome.error;
  const found = userOf(asked, outcome.answer);
  if (found.user.sid !== user) throw contractError(asked, outcome.answer, `it is about user ${found.user.sid}`);
  return found;
}

export type Criterion = { readonly userName: Email } | { readonly externalId: ExternalId };

/** The one user with this address (in any letter case) or this externalId (exactly); Twilio's filter is not relied upon. */
export async function findUser(
  users: UsersApi,
  by: Criterion,
  signal?: AbortSignal,
): Promise<UserResource | undefined> {
  const { api, endpoints } = users;
  const endpoint = endpoints.listUsers;
  const asked = { endpoint, url: urlOf(users, endpoint, '', { filter: filterFor(by) }) };
  const answer = await api.expect({ ...asked, signal });
  const found = understand(asked, answer, () => {
    const { Resources: resources = [] } = parseObject(answer.text);
    if (!Array.isArray(resources)) throw new UnexpectedAnswer('Resources is not a list');
    return resources
      .map((resource) => ({ user: parseUser(resource), resource: JSON.stringify(resource) }))
      .filter(({ user }) => matches(by, user));
  });
  const [first] = found;
  if (found.length > 1) {
    const sids = found.map(({ user }) => user.sid).join(', ');
    throw contractError(asked, answer, `several users match ${filterFor(by)}: ${sids}`);
  }
  return first;
}

/** The value as a JSON string, which escapes `\` and `"` (RFC 7644 section 3.4.2.2). */
function filterFor(by: Criterion): string {
  return 'userName' in by
    ? `userName eq ${JSON.stringify(by.userName)}`
    : `externalId eq ${JSON.stringify(by.externalId)}`;
}

function matches(by: Criterion, user: UserResource['user']): boolean {
  return 'userName' in by
    ? normalizeEmail(user.attributes.userName) === normalizeEmail(by.userName)
    : user.externalId === by.externalId;
}
