import type { Role } from '../domain/user.ts';
import type { ApiClient } from './api-client.ts';
import { type Service, urlOf } from './endpoints.ts';
import { readPages } from './paging.ts';
import { readRole } from './wire.ts';

/**
 * Every role of the organization (Twilio documentation, "Role resource"; 1,000 is the largest page). Undefined where the
 * generation of the API has no such list.
 */
export async function listRoles(
  service: Service<ApiClient>,
  signal: AbortSignal,
): Promise<readonly Role[] | undefined> {
  const endpoint = service.endpoints.listRoles;
  if (endpoint === undefined) return undefined;
  const url = urlOf(service, endpoint, '', { PageSize: '1000' });
  const roles: Role[] = [];
  await readPages(
    service.api,
    { endpoint, url, urgency: 'read', signal },
    readRole,
    ({ sid }) => sid,
    (role) => {
      roles.push(role);
    },
  );
  return roles;
}
