import type { Role } from '../domain/user.ts';
import type { ApiClient } from './api-client.ts';
import { endpoints, urlOf } from './endpoints.ts';
import { readPages } from './paging.ts';
import { readRole } from './wire.ts';

/** Every role of the organization (Twilio documentation, "Role resource"; 1,000 is the largest page). */
export async function listRoles(api: ApiClient, base: string, signal: AbortSignal): Promise<readonly Role[]> {
  const endpoint = endpoints.listRoles;
  const url = urlOf(base, endpoint, '', { PageSize: '1000' });
  const roles: Role[] = [];
  await readPages(
    api,
    { endpoint, url, urgency: 'read', signal },
    readRole,
    ({ sid }) => sid,
    (role) => {
      roles.push(role);
    },
  );
  return roles;
}
