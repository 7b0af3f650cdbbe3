/** Which role may be given where (Twilio page "Types of roles", `lowest_level` of the Role resource). */

import type { Level, SimulatorState, StoredRole } from './state.ts';

export interface Scope {
  readonly sid: string;
  readonly level: Level;
}

const rank: Readonly<Record<Level, number>> = { ORGANIZATION: 0, ACCOUNT: 1, SUB_ACCOUNT: 2 };

/** The organization or one of its accounts, by SID; undefined for anything else and for closed accounts. */
export function findScope(state: SimulatorState, sid: string): Scope | undefined {
  if (sid === state.organizationSid) return { sid, level: 'ORGANIZATION' };
  const account = state.accounts.get(sid);
  if (account === undefined || account.status === 'closed') return undefined;
  return { sid, level: account.parent === undefined ? 'ACCOUNT' : 'SUB_ACCOUNT' };
}

export function mayBeGiven(role: StoredRole, scope: Scope): boolean {
  return rank[scope.level] >= rank[role.highestLevel] && rank[scope.level] <= rank[role.lowestLevel];
}

/** By SID, an account's name, or `organization`. */
export function resolveScope(state: SimulatorState, name: string): Scope | undefined {
  if (name === 'organization') return findScope(state, state.organizationSid);
  const byName = [...state.accounts.values()].find((account) => account.name === name);
  return findScope(state, byName?.sid ?? name);
}

/** By SID or by a name that is unique among the roles for this scope; text says what is wrong. */
export function resolveRole(state: SimulatorState, name: string, scope: Scope): StoredRole | string {
  const bySid = state.roles.get(name);
  if (bySid !== undefined) return bySid;
  const named = [...state.roles.values()].filter((role) => role.name === name);
  const [role, other] = named.filter((each) => mayBeGiven(each, scope));
  if (role !== undefined && other === undefined) return role;
  if (other !== undefined) return `several roles are named ${name}; use the SID`;
  return named.length === 0 ? `no role ${name}` : `role ${name} cannot be given at ${scope.sid}`;
}
