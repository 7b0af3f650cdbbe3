/**
 * What people do in the Twilio Console behind the program's back: the API offers none of it, yet a directory sync has to
 * survive all of it (www.twilio.com/docs/iam/organizations/managed-users, …/domains).
 */

import { z } from 'zod';
import { addAssignment } from './build-state.ts';
import type { SimulatorState } from './state.ts';
import { timestamp } from './user-resource.ts';
import type { StoredUser, UserAttributes } from './user-store.ts';

const user = z.string();
const text = z.string().nullable().optional();

export const administrativeActionSchema = z.discriminatedUnion('action', [
  /** Changes attributes of a person; null clears one. A new userName also becomes the primary address. */
  z.strictObject({
    action: z.literal('edit-user'),
    user,
    attributes: z.strictObject({
      userName: z.string().optional(),
      externalId: text,
      displayName: text,
      givenName: text,
      familyName: text,
      locale: text,
      timezone: text,
    }),
  }),
  z.strictObject({ action: z.literal('set-status'), user, status: z.enum(['active', 'inactive', 'suspended']) }),
  /** The person leaves the organization and keeps the login: invisible from now on, the address stays taken. */
  z.strictObject({ action: z.literal('remove-user'), user }),
  /** The login is erased: the address is free again. */
  z.strictObject({ action: z.literal('delete-user'), user }),
  z.strictObject({ action: z.literal('transfer-ownership'), user }),
  z.strictObject({ action: z.literal('verify-domain'), domain: z.string() }),
  /** The proof of a domain lapsed for 30 days: its people leave the organization. */
  z.strictObject({ action: z.literal('lapse-domain'), domain: z.string() }),
  z.strictObject({ action: z.literal('assign-role'), user, role: z.string(), scope: z.string() }),
  z.strictObject({ action: z.literal('remove-assignment'), sid: z.string() }),
  z.strictObject({ action: z.literal('rename-role'), role: z.string(), name: z.string().min(1) }),
]);

/** `user` is a SID or an address, `role` a SID or a name, `scope` as in a seed. */
export type AdministrativeAction = z.infer<typeof administrativeActionSchema>;

/** Carries out an action; returns what hindered it, if anything did. `now`: milliseconds since the epoch. */
export function administer(state: SimulatorState, action: AdministrativeAction, now: number): string | undefined {
  const problem = 'user' in action ? withUser(state, action, now) : withoutUser(state, action);
  if (problem === undefined) state.touch();
  return problem;
}

type UserAction = Extract<AdministrativeAction, { user: string }>;

function withUser(state: SimulatorState, action: UserAction, now: number): string | undefined {
  const found = state.users.get(action.user) ?? state.users.byUserName(action.user);
  if (found === undefined) return `no user ${action.user}`;
  switch (action.action) {
    case 'edit-user':
      return edit(state, found, action.attributes, now);
    case 'set-status':
      state.users.replace(found, { status: action.status, ...stamp(found, now) });
      return undefined;
    case 'remove-user':
      leave(state, found);
      return undefined;
    case 'delete-user':
      leave(state, found);
      state.outsideAddresses.delete(found.userName.toLowerCase());
      return undefined;
    case 'transfer-ownership':
      state.ownerSid = found.sid;
      return undefined;
    case 'assign-role':
      return addAssignment(state, { user: found.sid, role: action.role, scope: action.scope });
  }
}

function withoutUser(state: SimulatorState, action: Exclude<AdministrativeAction, UserAction>): string | undefined {
  switch (action.action) {
    case 'verify-domain':
      state.domains.add(action.domain.toLowerCase());
      return undefined;
    case 'lapse-domain':
      return lapse(state, action.domain.toLowerCase());
    case 'remove-assignment': {
      const assignment = state.assignments.get(action.sid);
      if (assignment === undefined) return `no assignment ${action.sid}`;
      state.assignments.remove(assignment);
      return undefined;
    }
    case 'rename-role': {
      const role = state.roles.get(action.role) ?? [...state.roles.values()].find((each) => each.name === action.role);
      if (role === undefined) return `no role ${action.role}`;
      state.roles.set(role.sid, { ...role, name: action.name });
      return undefined;
    }
  }
}

type Edits = Extract<AdministrativeAction, { action: 'edit-user' }>['attributes'];

function edit(state: SimulatorState, user: StoredUser, edits: Edits, now: number): string | undefined {
  const { userName, ...others } = edits;
  const holder = userName === undefined ? undefined : state.users.byUserName(userName);
  if (holder !== undefined && holder.sid !== user.sid) return `userName ${userName} is taken`;
  const namesake = others.externalId == null ? undefined : state.users.byExternalId(others.externalId);
  if (namesake !== undefined && namesake.sid !== user.sid) return `externalId ${others.externalId} is taken`;
  const changes: Partial<UserAttributes> = Object.fromEntries(
    Object.entries(others).map(([name, value]) => [name, value ?? undefined]),
  );
  const emails = user.emails.map((email) =>
    userName !== undefined && (email.primary === true || user.emails.length === 1)
      ? { ...email, value: userName }
      : email,
  );
  state.users.replace(user, { ...changes, userName: userName ?? user.userName, emails, ...stamp(user, now) });
  return undefined;
}

function leave(state: SimulatorState, user: StoredUser): void {
  for (const assignment of [...state.assignments.ofIdentity(user.sid)]) state.assignments.remove(assignment);
  state.users.remove(user);
  state.outsideAddresses.add(user.userName.toLowerCase());
  if (state.ownerSid === user.sid) state.ownerSid = undefined;
}

function lapse(state: SimulatorState, domain: string): string | undefined {
  if (!state.domains.delete(domain)) return `domain ${domain} is not verified`;
  for (const user of [...state.users]) if (user.userName.toLowerCase().endsWith(`@${domain}`)) leave(state, user);
  return undefined;
}

function stamp(user: StoredUser, now: number): Pick<StoredUser, 'version' | 'lastModified'> {
  return { version: user.version + 1, lastModified: timestamp(now, user.sid) };
}
