import { type Failure, refuse } from './errors.ts';
import type { EmailAddress, StoredUser } from './user-store.ts';
import { isFailure, isObject, readEmails, type UserInput } from './user-validation.ts';

const patchSchema = 'urn:ietf:params:scim:api:messages:2.0:PatchOp';

type Draft = { -readonly [Name in keyof UserInput]: UserInput[Name] };

/**
 * The attributes that a patch wants changed (RFC 7644 section 3.5.2; Twilio SCIM API reference). `replace` only; one
 * bad operation refuses all of them (25015), while an unknown path is passed over in silence, as Twilio does.
 */
export function readPatch(body: unknown, user: StoredUser): UserInput | Failure {
  if (!isObject(body)) return refuse(25015, 'the body must be a JSON object');
  if (!Array.isArray(body.schemas) || !body.schemas.includes(patchSchema)) {
    return refuse(25015, `schemas must contain ${patchSchema}`);
  }
  const operations: unknown = body.Operations;
  if (!Array.isArray(operations) || operations.length === 0) return refuse(25015, 'Operations must hold operations');

  const draft: Draft = {};
  for (const operation of operations as unknown[]) {
    const failure = applyOperation(draft, operation, user);
    if (failure !== undefined) return failure;
  }
  return withFollowingUserName(draft);
}

function applyOperation(draft: Draft, operation: unknown, user: StoredUser): Failure | undefined {
  if (!isObject(operation)) return refuse(25015, 'an operation must be an object');
  const { op, path, value } = operation;
  if (typeof op !== 'string' || op.toLowerCase() !== 'replace') return refuse(25015, `op ${JSON.stringify(op)}`);
  if (!('value' in operation)) return refuse(25015, 'an operation has no value');
  if (typeof path === 'string') return applyPath(draft, path, value, user);
  if (path !== undefined || !isObject(value))
    return refuse(25015, 'an operation without path needs an object as value');
  for (const [attribute, each] of Object.entries(value)) {
    const failure = applyPath(draft, attribute, each, user);
    if (failure !== undefined) return failure;
  }
  return undefined;
}

function applyPath(draft: Draft, path: string, value: unknown, user: StoredUser): Failure | undefined {
  switch (path) {
    case 'active':
      if (typeof value !== 'boolean') return refuse(25015, 'active must be a boolean');
      draft.active = value;
      return undefined;
    case 'userName':
    case 'displayName':
    case 'locale':
    case 'timezone':
    case 'name.givenName':
    case 'name.familyName': {
      if (value !== null && typeof value !== 'string') return refuse(25015, `${path} must be a string`);
      draft[path === 'name.givenName' ? 'givenName' : path === 'name.familyName' ? 'familyName' : path] = value;
      return undefined;
    }
    case 'name': {
      if (!isObject(value)) return refuse(25015, 'name must be an object');
      const parts = Object.entries(value).map(([part, each]) => applyPath(draft, `name.${part}`, each, user));
      return parts.find((failure) => failure !== undefined);
    }
    case 'emails': {
      const emails = readEmails(value);
      if (isFailure(emails)) return refuse(25015, emails.message);
      draft.emails = emails;
      return undefined;
    }
    default:
      return applyEmailPath(draft, path, value, user);
  }
}

/** `emails[primary eq true].value` and `emails[type eq "work"].value`. */
function applyEmailPath(draft: Draft, path: string, value: unknown, user: StoredUser): Failure | undefined {
  const match = /^emails\[(?:primary eq (true)|type eq "([^"]*)")\]\.(value|type)$/i.exec(path);
  if (match === null) return undefined;
  const [, primary, type, member] = match;
  if (typeof value !== 'string') return refuse(25015, `${path} must be a string`);
  const emails = draft.emails ?? user.emails;
  const selected = (email: EmailAddress): boolean =>
    primary === undefined ? email.type === type : email.primary === true || emails.length === 1;
  draft.emails = emails.map((email) => (selected(email) ? { ...email, [member ?? 'value']: value } : email));
  return undefined;
}

/** Documented samples change the address by the e-mail operation alone, and userName follows. */
function withFollowingUserName(draft: Draft): UserInput {
  if (draft.userName !== undefined || !draft.emails) return draft;
  const primary = draft.emails.find((email) => email.primary === true) ?? draft.emails[0];
  return primary === undefined ? draft : { ...draft, userName: primary.value };
}
