/**
 * From the attributes of a request to a stored person: merge, normalise, judge, store. Create, PUT and PATCH differ
 * only in what they merge with, so the rules that hold for all of them stand here once.
 */

import { type Failure, refuse } from './errors.ts';
import type { Quirks } from './quirks.ts';
import type { World } from './reply.ts';
import { timestamp } from './user-resource.ts';
import type { EmailAddress, StoredUser, UserAttributes } from './user-store.ts';
import { isFailure, primaryEmail, type UserInput } from './user-validation.ts';

/** Stores a new person and sends the welcome mail. The input has passed `checkInput`. */
export function createUser(world: World, input: UserInput): StoredUser | Failure {
  const { state, quirks, now } = world;
  if (typeof input.userName !== 'string') return refuse(25005);
  if (input.active === false && quirks.createInactive === 'refused') return refuse(25006, 'active must be true');
  const inactive = input.active === false && quirks.createInactive === 'accepted';
  const attributes = merge(undefined, { ...input, active: !inactive }, 'cleared', quirks);
  const failure = judge(world, attributes, undefined);
  if (failure !== undefined) return failure;
  if (state.users.size >= state.quota) return refuse(25007, `${state.quota} users`, quirks.forbiddenStatus);

  const sid = state.nextUserSid();
  const created = timestamp(now(), sid);
  const user = state.users.add({ sid, ...attributes, created, lastModified: created, version: 1 });
  if (quirks.newUserHiddenReads > 0) state.hiddenReads.set(sid, quirks.newUserHiddenReads);
  if (quirks.implicitRows === 'listed') state.giveDefaultRole(user);
  if (quirks.newUserAssignmentRefusals > 0) state.assignmentRefusals.set(sid, quirks.newUserAssignmentRefusals);
  state.sendMail(user.userName, 'created', now());
  state.touch();
  return user;
}

/** Changes a person whose state allows it. The input has passed `checkInput`. */
export function changeUser(world: World, user: StoredUser, input: UserInput, omitted: Omitted): StoredUser | Failure {
  const { state, quirks, now } = world;
  if (input.active === true && user.status === 'inactive' && quirks.reactivation === 'refused') return refuse(25009);
  const attributes = merge(user, input, omitted, quirks);
  const failure = judge(world, attributes, user);
  if (failure !== undefined) return failure;

  const changed = state.users.replace(user, {
    ...attributes,
    lastModified: timestamp(now(), user.sid),
    version: user.version + 1,
  });
  if (user.status !== changed.status) {
    if (changed.status === 'inactive') state.afterDeactivation(changed, quirks);
    else if (quirks.welcomeMail === 'create-and-reactivate') state.sendMail(changed.userName, 'reactivated', now());
  }
  state.touch();
  return changed;
}

/** What becomes of attributes that a request does not name. */
type Omitted = Quirks['omittedOnPut'];

function merge(old: StoredUser | undefined, input: UserInput, omitted: Omitted, quirks: Quirks): UserAttributes {
  const pick = (wanted: string | null | undefined, before: string | undefined): string | undefined =>
    wanted === undefined ? (omitted === 'kept' ? before : undefined) : (wanted ?? undefined);
  const text = (wanted: string | null | undefined, before: string | undefined): string | undefined =>
    normalizeText(pick(wanted, before), quirks);
  const defaults = omitted === 'defaulted' ? { locale: 'en-GB', timezone: 'Etc/UTC' } : undefined;
  const emails = input.emails === undefined ? (omitted === 'kept' ? (old?.emails ?? []) : []) : (input.emails ?? []);
  return {
    externalId: mergeExternalId(old, input, quirks),
    userName: normalizeAddress(pick(input.userName, old?.userName) ?? '', quirks),
    displayName: text(input.displayName, old?.displayName),
    givenName: text(input.givenName, old?.givenName),
    familyName: text(input.familyName, old?.familyName),
    emails: emails.map((email) => ({ ...email, value: normalizeAddress(email.value, quirks) })),
    locale: normalizeLocale(pick(input.locale, old?.locale) ?? defaults?.locale, quirks),
    timezone: pick(input.timezone, old?.timezone) ?? defaults?.timezone,
    status: mergeStatus(old, input.active, omitted, quirks),
  };
}

function mergeExternalId(old: StoredUser | undefined, input: UserInput, quirks: Quirks): string | undefined {
  if (old === undefined) return input.externalId ?? undefined;
  return input.externalId === undefined || quirks.externalIdOnPut !== 'stored'
    ? old.externalId
    : (input.externalId ?? undefined);
}

function mergeStatus(
  old: StoredUser | undefined,
  active: boolean | undefined,
  omitted: Omitted,
  quirks: Quirks,
): UserAttributes['status'] {
  if (active !== undefined) return active ? 'active' : 'inactive';
  if (old === undefined || (omitted !== 'kept' && quirks.omittedActiveOnPut === 'true')) return 'active';
  return old.status;
}

/** Rules over the whole record and its neighbours. */
function judge(world: World, next: UserAttributes, old: StoredUser | undefined): Failure | undefined {
  const { state, quirks } = world;
  if (next.userName === '') return refuse(25005);
  const primary = primaryEmail(next.emails);
  if (isFailure(primary)) return primary;
  if (!sameAddress(primary.value, next.userName)) return refuse(25014, `"${primary.value}" is not "${next.userName}"`);
  if (old === undefined || !sameAddress(old.userName, next.userName)) {
    const failure = judgeAddress(world, primary, old);
    if (failure !== undefined) return failure;
  }
  const holder = next.externalId === undefined ? undefined : state.users.byExternalId(next.externalId);
  return holder === undefined || holder.sid === old?.sid ? undefined : taken('externalId', quirks);
}

function judgeAddress(world: World, primary: EmailAddress, old: StoredUser | undefined): Failure | undefined {
  const { state, quirks } = world;
  const address = primary.value.toLowerCase();
  if (old !== undefined && quirks.rename !== 'accepted') return refuse(quirks.rename === '25012' ? 25012 : 25013);
  const domain = address.slice(address.lastIndexOf('@') + 1);
  if (!state.domains.has(domain)) return refuse(25017, domain, quirks.forbiddenStatus);
  const holder = state.users.byUserName(address);
  const free = holder === undefined || holder.sid === old?.sid;
  return free && !state.outsideAddresses.has(address) ? undefined : taken('userName', quirks);
}

function taken(attribute: 'userName' | 'externalId', quirks: Quirks): Failure {
  const failure = refuse(25022, attribute, quirks.duplicateStatus);
  return quirks.duplicateScimType ? { ...failure, scimType: 'uniqueness' } : failure;
}

function sameAddress(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

function normalizeAddress(value: string, quirks: Quirks): string {
  return quirks.userNameCase === 'lower' ? value.toLowerCase() : value;
}

function normalizeText(value: string | undefined, quirks: Quirks): string | undefined {
  if (value === undefined) return undefined;
  const trimmed = quirks.text === 'kept' ? value : value.trim();
  const spaced = quirks.text === 'collapsed' ? trimmed.replace(/\s+/g, ' ') : trimmed;
  const text = quirks.unicode === 'kept' ? spaced : spaced.normalize(quirks.unicode);
  return text === '' ? undefined : text;
}

function normalizeLocale(value: string | undefined, quirks: Quirks): string | undefined {
  return quirks.localeForm === 'rewritten' ? value?.replace('-', '_') : value;
}
