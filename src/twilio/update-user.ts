/**
 * Changing a user: read, lay the change over it, write back under the version that was read. Somebody else's write in
 * between, or a lost answer, leads back to the reading; what is found as wanted then is not written again.
 */
import type { UserSid } from '../domain/identity.ts';
import type { TwilioUser } from '../domain/user.ts';
import { TargetConflictError, TargetRejectedError } from '../errors.ts';
import type { UserChange, UserResource, WriteResult } from '../ports.ts';
import { understand, userIfThere } from './answers.ts';
import type { CallResult } from './api-client.ts';
import { urlOf } from './endpoints.ts';
import { type Asked, detailsOf, nameOf } from './failures.ts';
import { isAsWanted, replacementOf, tookEffect, usable } from './replacement.ts';
import { readUser, type UsersApi } from './scim-users.ts';

const mostConflicts = 3;

export async function updateUser(
  users: UsersApi,
  sid: UserSid,
  wanted: UserChange,
  known: string | undefined,
): Promise<WriteResult> {
  const { api, endpoints } = users;
  const asked: Asked = { endpoint: endpoints.replaceUser, url: urlOf(users, endpoints.replaceUser, sid) };
  let change = wanted;
  let current = usable(known, sid);
  // A copy that has the change already proves nothing: it may be out of date.
  if (current === undefined || isAsWanted(current.user, change)) current = await present(users, asked, sid);
  if (isAsWanted(current.user, change)) return already(current);
  let conflicts = 0;
  let losses = 0;
  for (;;) {
    const { user }: UserResource = current;
    const before = current;
    const outcome = await unlessKeyRefused(
      api.call({
        ...asked,
        json: understand(asked, undefined, () => replacementOf(before, change)),
        ifMatch: user.version,
      }),
      user,
      change,
    );
    if (outcome === undefined) {
      const { externalId: _, ...rest } = change;
      change = rest;
      if (isAsWanted(user, change)) return already(current);
      continue;
    }
    switch (outcome.result) {
      case 'done': {
        const { requestId } = outcome.answer;
        const written = userIfThere(outcome.answer) ?? (await present(users, asked, sid));
        return { ...written, state: 'done', requestId };
      }
      case 'read-again':
        if (++conflicts >= mostConflicts) {
          throw new TargetConflictError(`${outcome.error.message}; somebody else keeps changing the user`, {
            ...detailsOf(asked),
            status: outcome.error.status,
            twilioCode: outcome.error.twilioCode,
            scimType: outcome.error.scimType,
            requestId: outcome.error.requestId,
            hint: 'Find what else writes this user; the next run tries again.',
          });
        }
        current = await present(users, asked, sid);
        if (isAsWanted(current.user, change)) return already(current);
        break;
      case 'look-first':
        losses++;
        await api.backOff(losses, outcome.retryAfterMs);
        current = await present(users, asked, sid);
        if (tookEffect(current.user, change, user.version)) return already(current);
        if (losses >= api.limits.attempts) throw outcome.error;
        break;
      default:
        throw outcome.error;
    }
  }
}

/** The whole request does not follow the schema, breaks a rule, or is refused without saying why. */
const vagueCodes: ReadonlySet<number | undefined> = new Set([undefined, 20001, 25006, 25019]);

/**
 * Undefined when the refusal may be about the externalId, which is not among the attributes that Twilio says can be
 * changed (Twilio SCIM API reference): without it the rest may be taken, and the link is kept here.
 */
async function unlessKeyRefused(
  call: Promise<CallResult>,
  user: TwilioUser,
  { externalId }: UserChange,
): Promise<CallResult | undefined> {
  try {
    return await call;
  } catch (error) {
    const given = externalId !== undefined && user.externalId === undefined;
    const refused =
      error instanceof TargetRejectedError && (vagueCodes.has(error.twilioCode) || error.scimType === 'mutability');
    if (given && refused) return undefined;
    throw error;
  }
}

function already(found: UserResource): WriteResult {
  return { ...found, state: 'already', requestId: undefined };
}

async function present(users: UsersApi, asked: Asked, sid: UserSid): Promise<UserResource> {
  const found = await readUser(users, sid);
  if (found !== undefined) return found;
  throw new TargetRejectedError(`${nameOf(asked)}: the organization has no user ${sid} any more`, {
    ...detailsOf(asked),
    status: 404,
    twilioCode: 25008,
  });
}
