/** From a seed to a state and back. */

import { ConfigError, type ConfigIssue } from '../errors.ts';
import { defaultAccounts, defaultClient, defaultDomain, defaultOrganizationSid, defaultRoles } from './default-seed.ts';
import { resolveRole, resolveScope } from './scopes.ts';
import { issueAt, type Seed, type SeedAssignment, type SeedUser } from './seed.ts';
import { SidCounter, sidPatterns } from './sids.ts';
import { SimulatorState } from './state.ts';
import { timestamp } from './user-resource.ts';

/** Throws ConfigError with everything in the seed that contradicts itself: taken addresses, SIDs or externalIds, names that nothing has. */
export function buildState(seed: Seed, now: () => number): SimulatorState {
  const state = new SimulatorState(seed.organizationSid ?? defaultOrganizationSid);
  const issues: ConfigIssue[] = [];
  state.quota = seed.quota ?? Number.POSITIVE_INFINITY;
  for (const domain of seed.domains ?? domainsOf(seed)) state.domains.add(domain.toLowerCase());
  for (const address of seed.outsideAddresses ?? []) state.outsideAddresses.add(address.toLowerCase());
  for (const client of seed.clients ?? [defaultClient]) state.setClient(client);
  addRoles(state, seed);
  addUsers(state, seed, now, issues);
  addAccounts(state, seed, issues);
  (seed.assignments ?? []).forEach((assignment, index) => {
    const problem = addAssignment(state, assignment);
    if (problem !== undefined) issues.push(issueAt(`assignments[${index}]`, problem));
  });
  if (issues.length > 0) throw new ConfigError(issues, { hint: 'The seed of the simulator contradicts itself.' });
  return state;
}

function domainsOf(seed: Seed): ReadonlySet<string> {
  const domains = new Set([defaultDomain]);
  for (const { userName } of seed.users ?? []) {
    const at = userName.lastIndexOf('@');
    if (at >= 0) domains.add(userName.slice(at + 1).toLowerCase());
  }
  if (seed.ownerUserName?.includes('@')) domains.add(seed.ownerUserName.slice(seed.ownerUserName.lastIndexOf('@') + 1));
  return domains;
}

function addRoles(state: SimulatorState, seed: Seed): void {
  const roles = seed.roles ?? defaultRoles;
  const given = new Set(roles.map((role) => role.sid));
  const sids = new SidCounter('IX', (sid) => given.has(sid) || state.roles.has(sid));
  roles.forEach((role, order) => {
    const sid = role.sid ?? sids.next();
    state.roles.set(sid, {
      sid,
      order,
      name: role.name,
      description: role.description ?? role.name,
      productGroup: role.productGroup ?? 'GENERAL',
      highestLevel: role.highestLevel ?? 'ORGANIZATION',
      lowestLevel: role.lowestLevel ?? 'SUB_ACCOUNT',
      resourceTypes: role.resourceTypes,
    });
  });
}

function addUsers(state: SimulatorState, seed: Seed, now: () => number, issues: ConfigIssue[]): void {
  const users = seed.users ?? [];
  const given = new Set(users.map((user) => user.id).filter((id) => id !== undefined));
  const at = now();
  // Counted SIDs must not meet given ones that stand further down.
  const sids = new SidCounter('US', (sid) => given.has(sid) || state.users.has(sid));
  users.forEach((user, index) => {
    const problem = addUser(state, user, () => sids.next(), at);
    if (problem !== undefined) issues.push(issueAt(`users[${index}]`, problem));
  });
  if (seed.ownerUserName === null) return;
  const ownerUserName = seed.ownerUserName ?? `owner@${[...state.domains][0] ?? defaultDomain}`;
  if (state.users.byUserName(ownerUserName) === undefined) {
    addUser(state, { userName: ownerUserName, displayName: 'Organization Owner' }, () => sids.next(), at);
  }
  state.ownerSid = state.users.byUserName(ownerUserName)?.sid;
}

function addUser(state: SimulatorState, user: SeedUser, nextSid: () => string, at: number): string | undefined {
  const sid = user.id ?? nextSid();
  if (state.users.has(sid)) return `${sid} stands twice`;
  if (state.users.byUserName(user.userName) !== undefined) return `userName ${user.userName} stands twice`;
  if (user.externalId !== undefined && state.users.byExternalId(user.externalId) !== undefined) {
    return `externalId ${user.externalId} stands twice`;
  }
  const created = user.meta?.created ?? timestamp(at, sid);
  state.users.add({
    sid,
    externalId: user.externalId,
    userName: user.userName,
    displayName: user.displayName,
    givenName: user.name?.givenName,
    familyName: user.name?.familyName,
    emails: (user.emails ?? [{ primary: true, value: user.userName, type: 'work' }]).map((email) => ({
      value: email.value,
      ...(email.primary === undefined ? undefined : { primary: email.primary }),
      ...(email.type === undefined ? undefined : { type: email.type }),
    })),
    locale: user.locale,
    timezone: user.timezone,
    status: user.suspended === true ? 'suspended' : user.active === false ? 'inactive' : 'active',
    created,
    lastModified: user.meta?.lastModified ?? created,
    version: Number(/\d+/.exec(user.meta?.version ?? '')?.[0] ?? 1),
  });
  return undefined;
}

function addAccounts(state: SimulatorState, seed: Seed, issues: ConfigIssue[]): void {
  const accounts = seed.accounts ?? defaultAccounts;
  const given = new Set(accounts.map((account) => account.sid));
  const sids = new SidCounter('AC', (sid) => given.has(sid) || state.accounts.has(sid));
  accounts.forEach((account, order) => {
    const sid = account.sid ?? sids.next();
    const owner =
      account.owner === undefined || sidPatterns.US.test(account.owner)
        ? (account.owner ?? state.ownerSid)
        : state.users.byUserName(account.owner)?.sid;
    if (account.owner !== undefined && owner === undefined) {
      issues.push(issueAt(`accounts[${order}].owner`, `no user has the address ${account.owner}`));
    }
    if (account.parent !== undefined && !accounts.some((each) => each.sid === account.parent)) {
      issues.push(issueAt(`accounts[${order}].parent`, `no account has the SID ${account.parent}`));
    }
    const { name, status = 'active', parent } = account;
    state.accounts.set(sid, { sid, order, name, status, owner, parent });
  });
}

/** Gives a role by SIDs or names; returns what is wrong. */
export function addAssignment(state: SimulatorState, row: SeedAssignment): string | undefined {
  const user = sidPatterns.US.test(row.user) ? state.users.get(row.user) : state.users.byUserName(row.user);
  if (user === undefined) return `no user ${row.user}`;
  const scope = resolveScope(state, row.scope);
  if (scope === undefined) return `no scope ${row.scope}`;
  const role = resolveRole(state, row.role, scope);
  if (typeof role === 'string') return role;
  const sid = row.sid ?? state.nextAssignmentSid();
  if (state.assignments.has(sid)) return `${sid} stands twice`;
  state.assignments.add({
    sid,
    role: role.sid,
    scope: scope.sid,
    identity: user.sid,
    resourceType: row.resourceType ?? null,
    resourceId: row.resourceId ?? null,
    permanent: row.permanent ?? false,
  });
  return undefined;
}
