/**
 * Paths of the API, and who answers them. Both generations are served at once: the documented one, and the older one, whose
 * paths name the organization, which has no list of roles, and whose pages of assignments hold 100 rows by default.
 */

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
  /** With `{id}` for variable parts, and `{organization}`, which the server checks for all of them. */
  readonly template: string;
  /** Undefined for the accounts, which only the older host has, and which both generations use. */
  readonly generation: 'current' | 'preview' | undefined;
  readonly family: Family;
  readonly operations: ReadonlyMap<string, Operation>;
}

interface Found {
  readonly route: Route;
  readonly params: readonly string[];
  /** As the path names it. */
  readonly organization: string | undefined;
}

export const tokenPaths: readonly string[] = ['/v2/token', '/v1/token'];

const routes = [
  ...usersAndAssignments('current', '/scim/v2/Users', '/v2/Organizations/RoleAssignments'),
  route('current', '/v2/Organizations/Roles', 'service-read', { GET: ['roles/list', listRoles] }),
  ...usersAndAssignments(
    'preview',
    '/Organizations/{organization}/scim/Users',
    '/Organizations/{organization}/RoleAssignments',
  ),
  route(undefined, '/Organizations/{organization}/Accounts', 'service-read', { GET: [undefined, listAccounts] }),
  route(undefined, '/Organizations/{organization}/Accounts/{id}', 'service-read', { GET: [undefined, getAccount] }),
];

function usersAndAssignments(generation: 'current' | 'preview', users: string, assignments: string) {
  return [
    route(generation, users, 'scim', {
      GET: ['managed-users/list', listUsers],
      POST: ['managed-users/create', postUser],
    }),
    route(generation, `${users}/{id}`, 'scim', {
      GET: ['managed-users/read', getUser],
      PUT: ['managed-users/update', putUser],
      PATCH: ['managed-users/update', patchUser],
      DELETE: ['managed-users/delete', deleteUser],
    }),
    route(generation, assignments, 'service-read', {
      GET: ['role-assignments/list', listAssignments],
      POST: ['role-assignments/create', postAssignment],
    }),
    route(generation, `${assignments}/{id}`, 'service-read', {
      DELETE: ['role-assignments/delete', deleteAssignment],
    }),
  ];
}

function route(
  generation: Route['generation'],
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
  const pattern = new RegExp(
    `^${template.replace('{organization}', '(?<organization>[^/]+)').replace('{id}', '(?<id>[^/]+)')}$`,
  );
  return { generation, template, family, operations, pattern };
}

function permissionFor(permission: PermissionName, quirks: Quirks): PermissionName {
  return permission === 'roles/list' ? quirks.rolesPermission : permission;
}

export function findRoute(path: string): Found | undefined {
  for (const each of routes) {
    const match = each.pattern.exec(path);
    if (match === null) continue;
    const { organization, id } = match.groups ?? {};
    return {
      route: each,
      params: id === undefined ? [] : [decode(id)],
      organization: organization === undefined ? undefined : decode(organization),
    };
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
