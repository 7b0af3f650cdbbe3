/**
 * Reads Twilio's answers by hand: unknown properties are ignored, absent, null and empty mean the same, and only what
 * nothing can be done without is insisted on. No schema library: this runs for each of 100,000 users.
 */
import type { AssignmentSid, ExternalId, RoleSid, ScopeSid, UserSid } from '../domain/identity.ts';
import type { Account, Role, RoleAssignment, RoleLevel, TextAttribute, TwilioUser } from '../domain/user.ts';

/** An answer that the contract does not allow. Internal to this folder: it becomes TargetContractError where the request is known. */
export class UnexpectedAnswer extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'UnexpectedAnswer';
  }
}

/** An answer that is only a part of one, or has no end: the same request may get a whole one. */
export class BrokenAnswer extends UnexpectedAnswer {}

export type WireObject = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is WireObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** No answer is this deep; what is, could not be written down again (JSON.stringify calls itself). */
const deepest = 64;
/** Shorter texts cannot be deep enough to do harm, and users are shorter. */
const harmless = 8 * 1024;

export function parseObject(text: string): WireObject {
  if (text.length > harmless && isDeep(text)) throw new UnexpectedAnswer('the body is nested too deeply');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new UnexpectedAnswer(text.trim() === '' ? 'the body is empty' : 'the body is not JSON');
  }
  if (!isObject(value)) throw new UnexpectedAnswer('the body is not a JSON object');
  return value;
}

function isDeep(text: string): boolean {
  let depth = 0;
  for (const [match] of text.matchAll(/"(?:[^"\\]|\\.)*"|[[\]{}]/gs)) {
    if (match === '[' || match === '{') depth += 1;
    else if (match === ']' || match === '}') depth -= 1;
    if (depth > deepest) return true;
  }
  return false;
}

/** Undefined for everything that is not a text with something in it. */
export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

const sidPattern = /^[A-Z]{2}[0-9a-fA-F]{32}$/;

export function sidOf(value: unknown, prefix: string): string | undefined {
  return typeof value === 'string' && value.startsWith(prefix) && sidPattern.test(value) ? value : undefined;
}

/** A SCIM user (Twilio SCIM API reference). Nothing that Twilio sends for `active` but false counts as inactive. */
export function readUser(value: unknown): TwilioUser {
  if (!isObject(value)) throw new UnexpectedAnswer('a user is not a JSON object');
  const sid = sidOf(value.id, 'US');
  if (sid === undefined) throw new UnexpectedAnswer(`a user's id is ${shown(value.id)}, not a US… SID`);
  const userName = textOf(value.userName) ?? primaryAddress(value.emails);
  if (userName === undefined) throw new UnexpectedAnswer(`user ${sid} has neither userName nor address`);
  const attributes: Partial<Record<TextAttribute, string>> & { userName: string } = { userName };
  const name = isObject(value.name) ? value.name : undefined;
  set(attributes, 'name.givenName', name?.givenName);
  set(attributes, 'name.familyName', name?.familyName);
  set(attributes, 'displayName', value.displayName);
  set(attributes, 'locale', value.locale);
  set(attributes, 'timezone', value.timezone);
  const active = value.active;
  return {
    sid: sid as UserSid,
    externalId: textOf(value.externalId) as ExternalId | undefined,
    attributes,
    active: active !== false && active !== 'false',
    version: isObject(value.meta) ? versionOf(value.meta.version) : undefined,
  };
}

function set(attributes: Partial<Record<TextAttribute, string>>, name: TextAttribute, value: unknown): void {
  if (typeof value === 'string' && value !== '') attributes[name] = value;
}

/** Printable ASCII only, because it travels in a header. */
function versionOf(value: unknown): string | undefined {
  return typeof value === 'string' && /^[\x21-\x7e]+$/.test(value) ? value : undefined;
}

function primaryAddress(emails: unknown): string | undefined {
  if (!Array.isArray(emails)) return undefined;
  const objects = emails.filter(isObject);
  return textOf((objects.find(({ primary }) => primary === true) ?? objects[0])?.value);
}

/** Undefined for a resource-based assignment, which is never ours (Twilio documentation, "Role assignment resource"). */
export function readAssignment(value: unknown): RoleAssignment | undefined {
  if (!isObject(value)) throw new UnexpectedAnswer('a role assignment is not a JSON object');
  const sid = sidOf(value.sid, 'IY');
  if (sid === undefined) throw new UnexpectedAnswer(`a role assignment's sid is ${shown(value.sid)}, not an IY… SID`);
  if (textOf(value.resource_type) !== undefined || textOf(value.resource_id) !== undefined) return undefined;
  const user = sidOf(value.identity, 'US');
  // Something other than a user may hold roles some day; it is not ours either.
  if (user === undefined && sidOf(value.identity, '') !== undefined) return undefined;
  const role = sidOf(value.role_sid, 'IX');
  const scope = sidOf(value.scope, 'OR') ?? sidOf(value.scope, 'AC');
  if (user === undefined || role === undefined || scope === undefined) {
    throw new UnexpectedAnswer(`role assignment ${sid} lacks a usable identity, role_sid or scope`);
  }
  return { sid: sid as AssignmentSid, user: user as UserSid, role: role as RoleSid, scope: scope as ScopeSid };
}

const levels: ReadonlySet<unknown> = new Set<RoleLevel>(['ORGANIZATION', 'ACCOUNT', 'SUB_ACCOUNT']);

export function readRole(value: unknown): Role {
  if (!isObject(value)) throw new UnexpectedAnswer('a role is not a JSON object');
  const sid = sidOf(value.sid, 'IX');
  if (sid === undefined) throw new UnexpectedAnswer(`a role's sid is ${shown(value.sid)}, not an IX… SID`);
  const level = value.lowest_level;
  return {
    sid: sid as RoleSid,
    name: textOf(value.friendly_name) ?? sid,
    lowestLevel: levels.has(level) ? (level as RoleLevel) : undefined,
  };
}

export function readAccount(value: unknown): Account {
  if (!isObject(value)) throw new UnexpectedAnswer('an account is not a JSON object');
  const sid = sidOf(value.account_sid, 'AC') ?? sidOf(value.sid, 'AC');
  if (sid === undefined) {
    throw new UnexpectedAnswer(`an account's account_sid is ${shown(value.account_sid)}, not an AC… SID`);
  }
  return {
    sid: sid as ScopeSid,
    name: textOf(value.friendly_name) ?? sid,
    status: textOf(value.status) ?? 'unknown',
    owner: sidOf(value.owner_sid, 'US') as UserSid | undefined,
  };
}

function shown(value: unknown): string {
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'a list' : 'an object';
  return value === undefined ? 'absent' : JSON.stringify(value).slice(0, 60);
}
