/** Paths of the API, and who answers them. */

import { getAccount, listAccounts } from './accounts.ts';
import type { Family } from './errors.ts';
import type { PermissionName } from './permissions.ts';
import type { Quirks } from './quirks.ts';
import type { Answer, Call, World } from './reply.ts';
import { deleteAssignment, listAssignments, postAssignment } from './role-assignments.ts';
import { listRoles } from './roles.ts';
import { listUsers } from './user-list.ts';
import { deleteUser, getUser, patchUser, postUser, putUser } from './users.ts';

export interface Operation {
  /** Undefined where no permission is documented: any token will do. */
  readonly permission: ((quirks: Quirks) => PermissionName) | undefined;
  readonly family: Family;
  readonly handle: (world: World, call: Call) => Answer;
}

export interface Route {
  /** With `{id}` for variable parts. */
  readonly template: string;
  readonly family: Family;
  readonly operations: ReadonlyMap<string, Operation>;
}

interface Found {
  readonly route: Route;
  readonly params: readonly string[];
}

export const tokenPaths: readonly string[] = ['/v2/token', '/v1/token'];

const routes = [
  route('/scim/v2/Users', 'scim', {
    GET: ['managed-users/list', listUsers],
    POST: ['managed-users/create', postUser],
  }),
  route('/scim/v2/Users/{id}', 'scim', {
    GET: ['managed-users/read', getUser],
    PUT: ['managed-users/update', putUser],
    PATCH: ['managed-users/update', patchUser],
    DELETE: ['managed-users/delete', deleteUser],
  }),
  route('/v2/Organizations/RoleAssignments', 'service-read', {
    GET: ['role-assignments/list', listAssignments],
    POST: ['role-assignments/create', postAssignment],
  }),
  route('/v2/Organizations/RoleAssignments/{id}', 'service-read', {
    DELETE: ['role-assignments/delete', deleteAssignment],
  }),
  route('/v2/Organizations/Roles', 'service-read', { GET: ['roles/list', listRoles] }),
  route('/Organizations/{id}/Accounts', 'service-read', { GET: [undefined, listAccounts] }),
  route('/Organizations/{id}/Accounts/{id}', 'service-read', { GET: [undefined, getAccount] }),
];

function route(
  template: string,
  family: Family,
  methods: Readonly<Record<string, readonly [PermissionName | undefined, Operation['handle']]>>,
): Route & { readonly pattern: RegExp } {
  const operations = new Map<string, Operation>();
  for (const [method, [permission, handle]] of Object.entries(methods)) {
    operations.set(method, {
      permission: permission === undefined ? undefined : (quirks) => permissionFor(permission, quirks),
      family: family === 'service-read' && method !== 'GET' ? 'service-write' : family,
      handle,
    });
  }
  const pattern = new RegExp(`^${template.replaceAll('{id}', '([^/]+)')}$`);
  return { template, family, operations, pattern };
}

function permissionFor(permission: PermissionName, quirks: Quirks): PermissionName {
  return permission === 'roles/list' ? quirks.rolesPermission : permission;
}

export function findRoute(path: string): Found | undefined {
  for (const each of routes) {
    const match = each.pattern.exec(path);
    if (match !== null) return { route: each, params: match.slice(1).map(decode) };
  }
  return undefined;
}

/** The template of a path that no route has: SIDs replaced. */
export function templateOf(path: string): string {
  return path.replace(/\/[A-Z]{2}[0-9a-fA-F]{32}(?=\/|$)/g, '/{id}');
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
