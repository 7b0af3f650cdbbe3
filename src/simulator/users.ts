/** SCIM Users: one person at a time (Twilio SCIM API reference). The list stands in user-list.ts. */

import { type Failure, refuse } from './errors.ts';
import type { Quirks } from './quirks.ts';
import { type Answer, type Call, deleted, scimJson, type World } from './reply.ts';
import { readPatch } from './user-patch.ts';
import { userReply, versionOf } from './user-resource.ts';
import type { StoredUser } from './user-store.ts';
import { checkInput, isFailure, readUser, type UserInput } from './user-validation.ts';
import { changeUser, createUser } from './user-write.ts';

export function getUser(world: World, call: Call): Answer {
  const user = world.state.users.get(call.params[0] ?? '');
  if (user === undefined || !world.state.becomesVisible(user)) return refuse(25008);
  return userReply(200, user, world.quirks);
}

export function postUser(world: World, call: Call): Answer {
  const input = inputOf(call, readUser, world.quirks);
  if (isFailure(input)) return input;
  return written(world, world.quirks.createStatus, createUser(world, input));
}

export function putUser(world: World, call: Call): Answer {
  const { quirks } = world;
  const input = inputOf(call, readUser, quirks);
  if (isFailure(input)) return input;
  const user = changeableUser(world, call);
  if (isFailure(user)) return user;
  const expected = call.headers['if-match'] ?? input.version;
  if (!versionHolds(user, expected, quirks)) return refuse(25020, undefined, quirks.conflictStatus);
  if (typeof input.userName !== 'string') return refuse(25005);
  if (quirks.externalIdOnPut === 'refused' && input.externalId !== undefined && input.externalId !== user.externalId) {
    return { ...refuse(25006, 'externalId cannot be changed'), scimType: 'mutability' };
  }
  return written(world, quirks.updateStatus, changeUser(world, user, input, quirks.omittedOnPut));
}

export function patchUser(world: World, call: Call): Answer {
  const { quirks } = world;
  const user = changeableUser(world, call);
  if (isFailure(user)) return user;
  // Unlike PUT, only the header locks here.
  if (!versionHolds(user, call.headers['if-match'], quirks)) return refuse(25020, undefined, quirks.conflictStatus);
  const input = inputOf(call, (body) => readPatch(body, user), quirks);
  if (isFailure(input)) return input;
  return written(world, 200, changeUser(world, user, input, 'kept'));
}

/** Deactivates; nothing in this API erases a person. */
export function deleteUser(world: World, call: Call): Answer {
  const { state, quirks } = world;
  const user = changeableUser(world, call);
  if (isFailure(user)) return user;
  if (user.status === 'inactive') {
    if (quirks.doubleDeactivation === 404) return refuse(25008);
    if (quirks.doubleDeactivation === 400) return refuse(25009);
    return deleted(quirks);
  }
  const done = changeUser(world, user, { active: false }, 'kept');
  if (isFailure(done)) return done;
  state.touch();
  return deleted(quirks);
}

function inputOf(call: Call, read: (body: unknown) => UserInput | Failure, quirks: Quirks): UserInput | Failure {
  if (call.body.form !== 'json') {
    return refuse(25006, call.body.form === 'malformed' ? call.body.reason : `the body must be JSON (${scimJson})`);
  }
  const input = read(call.body.value);
  return isFailure(input) ? input : (checkInput(input, quirks) ?? input);
}

/** The person of the path, unless unknown (25008), the Organization Owner (25016) or suspended (25009). */
function changeableUser(world: World, call: Call): StoredUser | Failure {
  const user = world.state.users.get(call.params[0] ?? '');
  if (user === undefined) return refuse(25008);
  if (user.sid === world.state.ownerSid) return refuse(25016);
  return user.status === 'suspended' ? refuse(25009, 'suspended') : user;
}

function versionHolds(user: StoredUser, expected: string | undefined, quirks: Quirks): boolean {
  if (expected === undefined || expected === '*' || quirks.ifMatch === 'ignored') return true;
  const version = versionOf(user, quirks);
  return quirks.ifMatch === 'exact'
    ? expected === version
    : expected.replaceAll('"', '') === version.replaceAll('"', '');
}

function written(world: World, status: number, result: StoredUser | Failure): Answer {
  if (isFailure(result)) return result;
  return world.quirks.writeBody === 'empty' || status === 204
    ? { kind: 'reply', status }
    : userReply(status, result, world.quirks);
}
