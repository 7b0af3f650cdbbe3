/**
 * Creating a user sends that person a mail, so it must never happen twice: an answer that was lost is followed by a
 * look-up, and a 25022 after a lost answer usually means that the lost attempt had succeeded.
 */
import { type ExternalId, normalizeEmail } from '../domain/identity.ts';
import type { TextAttributes } from '../domain/user.ts';
import { TargetConflictError, type TargetError, TargetUnavailableError } from '../errors.ts';
import type { UserResource, WriteResult } from '../ports.ts';
import { userIfThere } from './answers.ts';
import { urlOf } from './endpoints.ts';
import { detailsOf, nameOf } from './failures.ts';
import { findUser, type UsersApi } from './scim-users.ts';
import { isObject, parseObject, textOf, type WireObject } from './wire.ts';

export interface NewUser {
  readonly externalId: ExternalId;
  readonly attributes: TextAttributes & { readonly userName: string };
}

export async function createUser(users: UsersApi, person: NewUser): Promise<WriteResult> {
  const { api, endpoints } = users;
  const asked = { endpoint: endpoints.createUser, url: urlOf(users, endpoints.createUser) };
  const began = api.clock.now();
  let lost = false;
  for (let tries = 1; ; tries++) {
    const outcome = await api.call({ ...asked, json: bodyOf(person) });
    switch (outcome.result) {
      case 'done': {
        const { requestId } = outcome.answer;
        const created = userIfThere(outcome.answer) ?? (await lookUp(users, person, api.limits.attempts));
        if (created !== undefined) return { ...created, state: 'done', requestId };
        throw new TargetUnavailableError(
          `${nameOf(asked)}: Twilio created ${person.attributes.userName}, but does not show the user yet`,
          detailsOf(asked, outcome.answer),
        );
      }
      case 'look-first': {
        lost = true;
        await api.backOff(tries, outcome.retryAfterMs);
        const holder = await lookUp(users, person, 1);
        if (holder !== undefined && isOurs(holder, person, began)) return already(holder);
        if (holder !== undefined) throw taken(outcome.error, person, holder);
        if (tries >= api.limits.attempts) throw outcome.error;
        break;
      }
      case 'taken': {
        // After a lost answer the holder is most likely ours, if perhaps not visible at once.
        const holder = await lookUp(users, person, lost ? api.limits.attempts : 1);
        if (lost && holder !== undefined && isOurs(holder, person, began)) return already(holder);
        throw taken(outcome.error, person, holder);
      }
      default:
        throw outcome.error;
    }
  }
}

function already(holder: UserResource): WriteResult {
  return { ...holder, state: 'already', requestId: undefined };
}

function bodyOf({ externalId, attributes }: NewUser): WireObject {
  const { userName, displayName, locale, timezone } = attributes;
  const givenName = attributes['name.givenName'];
  const familyName = attributes['name.familyName'];
  const name = { ...(givenName !== undefined && { givenName }), ...(familyName !== undefined && { familyName }) };
  return {
    schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'],
    externalId,
    userName,
    ...(displayName !== undefined && { displayName }),
    ...(Object.keys(name).length > 0 && { name }),
    ...(locale !== undefined && { locale }),
    ...(timezone !== undefined && { timezone }),
    emails: [{ primary: true, value: userName, type: 'work' }],
    active: true,
  };
}

/** By address, then by externalId; looks again when nobody is found and `looks` are left. */
async function lookUp(users: UsersApi, person: NewUser, looks: number): Promise<UserResource | undefined> {
  const userName = normalizeEmail(person.attributes.userName);
  for (let look = 1; ; look++) {
    const found = (await findUser(users, { userName })) ?? (await findUser(users, { externalId: person.externalId }));
    if (found !== undefined || look >= looks) return found;
    await users.api.backOff(look);
  }
}

/** How far Twilio's clock and ours may be apart. */
const clockSkewMs = 300_000;

/** Our address with our externalId, or, should Twilio not keep that, with none on a user as young as our attempt. */
function isOurs({ user, resource }: UserResource, { externalId, attributes }: NewUser, began: number): boolean {
  if (normalizeEmail(user.attributes.userName) !== normalizeEmail(attributes.userName)) return false;
  if (user.externalId !== undefined) return user.externalId === externalId;
  const { meta } = parseObject(resource);
  const created = Date.parse((isObject(meta) ? textOf(meta.created) : undefined) ?? '');
  return created >= began - clockSkewMs;
}

function taken(error: TargetError, person: NewUser, holder: UserResource | undefined): TargetConflictError {
  const { userName } = person.attributes;
  const { method, path, status, twilioCode = 25022, scimType, requestId } = error;
  const details = { method, path, status, twilioCode, scimType, requestId, holder, cause: error };
  if (holder === undefined) {
    return new TargetConflictError(
      `${error.message}; no user of the organization has ${userName} or ${person.externalId}, so the address belongs to a Twilio login outside the organization`,
      {
        ...definedOnly(details),
        hint: `Invite ${userName} to the organization, or import the login, in the Twilio Console; it cannot be done by this API.`,
      },
    );
  }
  const { sid, externalId } = holder.user;
  const same = normalizeEmail(holder.user.attributes.userName) === normalizeEmail(userName);
  return new TargetConflictError(
    `${error.message}; user ${sid} has ${same ? `the address ${userName}` : `the externalId ${externalId}`}`,
    {
      ...definedOnly(details),
      hint: `Adopt ${sid}, or change its ${same ? 'address' : 'externalId'} in Twilio.`,
    },
  );
}

/** Method and path may not be given as undefined. */
function definedOnly<T extends { readonly method: string | undefined; readonly path: string | undefined }>({
  method,
  path,
  ...rest
}: T) {
  return { ...rest, ...(method !== undefined && { method }), ...(path !== undefined && { path }) };
}
