/**
 * The calls this client makes, in the two generations in which Twilio describes the organization APIs:
 *
 *               current (documentation pages)             preview (OpenAPI description, SDK `previewIam`)
 *   host        iam.twilio.com                            preview-iam.twilio.com
 *   users       /scim/v2/Users                            /Organizations/{organization}/scim/Users
 *   assignments /v2/Organizations/RoleAssignments         /Organizations/{organization}/RoleAssignments
 *   roles       /v2/Organizations/Roles                   none: roles are named by their IX… SIDs
 *   token       /v2/token on oauth.twilio.com             /v1/token, answered with 201
 *   accounts    as preview: no page of the current generation describes them
 */
import { InternalError } from '../errors.ts';
import type { CallNames } from '../ports.ts';

/** What a failed attempt may lead to depends on what the call does, not on its URL. */
export type CallKind = 'read' | 'create-user' | 'replace-user' | 'delete' | 'create-assignment' | 'token';

export interface Endpoint {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Path with `{id}` and `{organization}` for the variable parts; counted and logged under this name. */
  readonly template: string;
  readonly kind: CallKind;
  /** Permission of the organization OAuth app (Twilio documentation, "Organization OAuth apps"); undefined where none is documented. */
  readonly permission: string | undefined;
}

export type Generation = 'current' | 'preview';

interface Paths {
  readonly token: string;
  readonly users: string;
  readonly assignments: string;
  readonly roles: string | undefined;
}

const paths: Readonly<Record<Generation, Paths>> = {
  current: {
    token: '/v2/token',
    users: '/scim/v2/Users',
    assignments: '/v2/Organizations/RoleAssignments',
    roles: '/v2/Organizations/Roles',
  },
  preview: {
    token: '/v1/token',
    users: '/Organizations/{organization}/scim/Users',
    assignments: '/Organizations/{organization}/RoleAssignments',
    roles: undefined,
  },
};

function endpointsAt({ token, users, assignments, roles }: Paths) {
  const user = `${users}/{id}`;
  const listRoles = { method: 'GET', template: roles ?? '', kind: 'read', permission: 'roles/list' } as const;
  return {
    token: { method: 'POST', template: token, kind: 'token', permission: undefined },
    /** A page for a person's browser. */
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
    /** Undefined where the generation has no list of roles. */
    listRoles: roles === undefined ? undefined : listRoles,
    listAccounts: {
      method: 'GET',
      template: '/Organizations/{organization}/Accounts',
      kind: 'read',
      permission: undefined,
    },
  } as const satisfies Record<string, Endpoint | undefined>;
}

export type Endpoints = ReturnType<typeof endpointsAt>;

const generations: Readonly<Record<Generation, Endpoints>> = {
  current: endpointsAt(paths.current),
  preview: endpointsAt(paths.preview),
};

export function endpointsOf(generation: Generation): Endpoints {
  return generations[generation];
}

/** `GET /scim/v2/Users/{id}`: how a call is counted, billed and logged. */
export function endpointName(endpoint: Endpoint): string {
  return `${endpoint.method} ${endpoint.template}`;
}

/** What the bill of a plan calls its calls. */
export function callNames(endpoints: Endpoints): CallNames {
  return {
    createUser: endpointName(endpoints.createUser),
    replaceUser: endpointName(endpoints.replaceUser),
    deactivateUser: endpointName(endpoints.deactivateUser),
    listAssignments: endpointName(endpoints.listAssignments),
    createAssignment: endpointName(endpoints.createAssignment),
    deleteAssignment: endpointName(endpoints.deleteAssignment),
  };
}

/** The permission that a call needs, by method and path template; undefined where Twilio documents none. */
export function requestPermission(method: string, template: string): string | undefined {
  const every = Object.values(generations).flatMap((endpoints): (Endpoint | undefined)[] => Object.values(endpoints));
  return every.find((each) => each?.method === method && each.template === template)?.permission;
}

/** Where a service stands: its base URL, which may have a path of its own, and what fills `{organization}`. */
interface Place {
  readonly base: string;
  readonly organization: string;
}

/** What the calls on one service stand on. */
export interface Service<Api> extends Place {
  readonly api: Api;
  readonly endpoints: Endpoints;
}

export function urlOf(
  { base, organization }: Place,
  { template }: Endpoint,
  id = '',
  query: Readonly<Record<string, string>> = {},
): URL {
  // `..` would lead to another resource, encoded or not.
  if (!/^\w*$/.test(id)) throw new InternalError(`${JSON.stringify(id)} is no SID to ask for`);
  const url = new URL(base);
  const path = template
    .replace('{organization}', encodeURIComponent(organization))
    .replace('{id}', encodeURIComponent(id));
  url.pathname = url.pathname.replace(/\/+$/, '') + path;
  // Percent-encoded by hand: `+` for a blank is form encoding, which not every server undoes in a SCIM filter.
  url.search = Object.entries(query)
    .map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
    .join('&');
  url.hash = '';
  return url;
}
