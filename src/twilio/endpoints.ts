/**
 * The calls this client makes, as Twilio documents them for the current generation of the organization APIs
 * (IAM: SCIM API reference, Role assignment resource, Role resource; the accounts list is in the OpenAPI description only).
 */

import { InternalError } from '../errors.ts';

/** What a failed attempt may lead to depends on what the call does, not on its URL. */
export type CallKind = 'read' | 'create-user' | 'replace-user' | 'delete' | 'create-assignment' | 'token';

export interface Endpoint {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Path with `{id}` for the variable part; counted and logged under this name. */
  readonly template: string;
  readonly kind: CallKind;
  /** Permission of the organization OAuth app (Twilio documentation, "Organization OAuth apps"); undefined where none is documented. */
  readonly permission: string | undefined;
}

const users = '/scim/v2/Users';
const user = '/scim/v2/Users/{id}';
const assignments = '/v2/Organizations/RoleAssignments';

export const endpoints = {
  token: { method: 'POST', template: '/v2/token', kind: 'token', permission: undefined },
  authorize: { method: 'GET', template: '/v2/authorize', kind: 'token', permission: undefined },
  listUsers: { method: 'GET', template: users, kind: 'read', permission: 'managed-users/list' },
  readUser: { method: 'GET', template: user, kind: 'read', permission: 'managed-users/read' },
  createUser: { method: 'POST', template: users, kind: 'create-user', permission: 'managed-users/create' },
  replaceUser: { method: 'PUT', template: user, kind: 'replace-user', permission: 'managed-users/update' },
  deactivateUser: { method: 'DELETE', template: user, kind: 'delete', permission: 'managed-users/delete' },
  listAssignments: { method: 'GET', template: assignments, kind: 'read', permission: 'role-assignments/list' },
  createAssignment: {
    method: 'POST',
    template: assignments,
    kind: 'create-assignment',
    permission: 'role-assignments/create',
  },
  deleteAssignment: {
    method: 'DELETE',
    template: `${assignments}/{id}`,
    kind: 'delete',
    permission: 'role-assignments/delete',
  },
  listRoles: { method: 'GET', template: '/v2/Organizations/Roles', kind: 'read', permission: 'roles/list' },
  listAccounts: { method: 'GET', template: '/Organizations/{id}/Accounts', kind: 'read', permission: undefined },
} as const satisfies Record<string, Endpoint>;

/** `GET /scim/v2/Users/{id}`: how a call is counted, billed and logged. */
export function endpointName(endpoint: Endpoint): string {
  return `${endpoint.method} ${endpoint.template}`;
}

/** The permission that a call needs, by method and path template; undefined where Twilio documents none. */
export function requestPermission(method: string, template: string): string | undefined {
  return Object.values(endpoints).find((each) => each.method === method && each.template === template)?.permission;
}

/** `base` (which may have a path of its own) followed by the endpoint's path with `id` in place of `{id}`. */
export function urlOf(base: string, endpoint: Endpoint, id = '', query: Readonly<Record<string, string>> = {}): URL {
  // `..` would lead to another resource, encoded or not.
  if (!/^\w*$/.test(id)) throw new InternalError(`${JSON.stringify(id)} is no SID to ask for`);
  const url = new URL(base);
  url.pathname = url.pathname.replace(/\/+$/, '') + endpoint.template.replace('{id}', encodeURIComponent(id));
  // Percent-encoded by hand: `+` for a blank is form encoding, which not every server undoes in a SCIM filter.
  url.search = Object.entries(query)
    .map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
    .join('&');
  url.hash = '';
  return url;
}
