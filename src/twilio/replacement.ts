/**
 * The body of a PUT, which replaces the whole user (Twilio SCIM API reference): what was read, with the change laid over
 * it. What the change does not name is sent as it was read, because Twilio does not say what happens to attributes left out.
 */
import type { UserSid } from '../domain/identity.ts';
import { normalizeEmail } from '../domain/identity.ts';
import { type TextAttribute, type TwilioUser, textAttributes } from '../domain/user.ts';
import type { UserChange, UserResource } from '../ports.ts';
import { isObject, parseObject, readUser, textOf, UnexpectedAnswer, type WireObject } from './wire.ts';

const userSchema = 'urn:ietf:params:scim:schemas:core:2.0:User';

/** Throws UnexpectedAnswer when `resource` is not a user. */
export function replacementOf({ user, resource }: UserResource, change: UserChange): WireObject {
  const read = parseObject(resource);
  const body: Record<string, unknown> = {};
  // Null and absent mean the same (RFC 7643 section 2.5), but a null may fail a schema check.
  for (const [name, value] of Object.entries(read)) if (value !== null) body[name] = value;
  // Read-only, and `meta` is sent for its version alone: left in the body it turns locking on.
  delete body.id;
  delete body.meta;
  body.schemas = Array.isArray(read.schemas) ? read.schemas : [userSchema];
  body.userName = user.attributes.userName;
  if (user.version !== undefined) body.meta = { version: user.version };
  if (user.externalId === undefined) {
    delete body.externalId;
    if (change.externalId !== undefined) body.externalId = change.externalId;
  }
  if (change.active !== undefined) body.active = change.active;
  const name: Record<string, unknown> = isObject(read.name) ? { ...read.name } : {};
  for (const attribute of textAttributes) {
    const value = change.attributes[attribute];
    if (value !== undefined) place(body, name, attribute, value);
  }
  // An empty name that was read back would be refused (Twilio error pages 25002, 25003).
  for (const [part, value] of Object.entries(name)) if (value === null || value === '') delete name[part];
  if (Object.keys(name).length > 0) body.name = name;
  else delete body.name;
  body.emails = emailsOf(read.emails, user.attributes.userName, change.attributes.userName);
  return body;
}

function place(body: Record<string, unknown>, name: Record<string, unknown>, attribute: TextAttribute, value: string) {
  if (attribute.startsWith('name.')) name[attribute.slice('name.'.length)] = value;
  else body[attribute] = value;
}

/** userName and the primary address change together (error page 25014); other addresses and all types stay. */
function emailsOf(read: unknown, before: string, after: string | undefined): readonly WireObject[] {
  const emails = Array.isArray(read) ? read.filter(isObject) : [];
  if (emails.length === 0) return [{ primary: true, value: after ?? before, type: 'work' }];
  if (after === undefined) return emails;
  const old = normalizeEmail(before);
  const same = (email: WireObject, address: string) => normalizeEmail(textOf(email.value) ?? '') === address;
  const primary =
    emails.find((email) => email.primary === true) ?? emails.find((email) => same(email, old)) ?? emails[0];
  return emails.flatMap((email) => {
    if (email === primary) return [{ ...email, primary: true, value: after }];
    // The new primary address was a secondary one before: not twice.
    return same(email, normalizeEmail(after)) ? [] : [email];
  });
}

/** True when nothing is left to write. */
export function isAsWanted(user: TwilioUser, change: UserChange): boolean {
  if (change.active !== undefined && user.active !== change.active) return false;
  if (change.externalId !== undefined && user.externalId === undefined) return false;
  return attributesAreAsWanted(user, change);
}

function attributesAreAsWanted(user: TwilioUser, { attributes }: UserChange): boolean {
  return textAttributes.every((name) => {
    const wanted = attributes[name];
    if (wanted === undefined) return true;
    const actual = user.attributes[name];
    if (name === 'userName') return actual !== undefined && normalizeEmail(actual) === normalizeEmail(wanted);
    return actual === wanted;
  });
}

/** After a lost answer: as wanted, where an externalId that Twilio did not take does not count against a version that moved on. */
export function tookEffect(user: TwilioUser, change: UserChange, versionSent: string | undefined): boolean {
  if (isAsWanted(user, change)) return true;
  const { externalId: _, ...rest } = change;
  return versionSent !== undefined && user.version !== versionSent && isAsWanted(user, rest);
}

/** The resource as last seen, when it is enough to replace the user without reading it first. */
export function usable(known: string | undefined, sid: UserSid): UserResource | undefined {
  if (known === undefined) return undefined;
  try {
    const value = parseObject(known);
    const user = readUser(value);
    const emails = value.emails;
    const whole = user.sid === sid && user.version !== undefined && Array.isArray(emails) && emails.length > 0;
    return whole ? { user, resource: known } : undefined;
  } catch (error) {
    if (error instanceof UnexpectedAnswer) return undefined;
    throw error;
  }
}
