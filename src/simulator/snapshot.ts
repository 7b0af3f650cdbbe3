import type { AssignmentStore } from './assignment-store.ts';
import type { Seed, SeedUser } from './seed.ts';
import type { SimulatorState } from './state.ts';
import type { StoredUser } from './user-store.ts';

/** The present state as a seed that builds it again: explicit throughout, in the order in which things came. */
export function snapshotOf(state: SimulatorState): Seed {
  const owner = state.ownerSid === undefined ? undefined : state.users.get(state.ownerSid);
  return {
    organizationSid: state.organizationSid,
    domains: [...state.domains],
    ownerUserName: owner?.userName ?? null,
    ...(Number.isFinite(state.quota) ? { quota: state.quota } : undefined),
    users: Array.from(state.users, seedUser),
    assignments: seedAssignments(state.assignments),
    roles: [...state.roles.values()].map(({ order: _, resourceTypes, ...role }) => ({
      ...role,
      ...(resourceTypes === undefined ? undefined : { resourceTypes: [...resourceTypes] }),
    })),
    accounts: [...state.accounts.values()].map(({ order: _, owner: ownedBy, parent, ...account }) => ({
      ...account,
      ...present({ owner: ownedBy, parent }),
    })),
    outsideAddresses: [...state.outsideAddresses],
    clients: [...state.clients.values()].map(({ previousSecret, approver, permissions, redirectUris, ...client }) => ({
      ...client,
      ...present({ previousSecret, approver }),
      ...(redirectUris.length > 0 ? { redirectUris: [...redirectUris] } : undefined),
      permissions: [...permissions],
    })),
  };
}

function seedUser(user: StoredUser): SeedUser {
  const { externalId, userName, displayName, givenName, familyName, locale, timezone, status } = user;
  const hasName = givenName !== undefined || familyName !== undefined;
  return {
    id: user.sid,
    userName,
    ...present({ externalId, displayName }),
    ...(hasName ? { name: present({ givenName, familyName }) } : undefined),
    emails: user.emails.map((email) => ({ ...email })),
    active: status === 'active',
    ...(status === 'suspended' ? { suspended: true } : undefined),
    ...present({ locale, timezone }),
    meta: { created: user.created, lastModified: user.lastModified, version: `W/${user.version}` },
  };
}

function seedAssignments(assignments: AssignmentStore): Seed['assignments'] {
  return assignments.all().map(({ sid, identity, role, scope, resourceType, resourceId, permanent }) => ({
    sid,
    user: identity,
    role,
    scope,
    ...(resourceType === null ? undefined : { resourceType, resourceId }),
    ...(permanent ? { permanent } : undefined),
  }));
}

/** Without the members that have no value. */
function present<T extends Record<string, string | undefined>>(members: T): { [Key in keyof T]?: string } {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as {
    [Key in keyof T]?: string;
  };
}
