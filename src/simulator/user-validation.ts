/** What a person's record must look like, and the code with which Twilio refuses each mistake. */

import { type ErrorCode, type Failure, refuse } from './errors.ts';
import type { Quirks } from './quirks.ts';
import type { EmailAddress } from './user-store.ts';

/**
 * Lengths in characters, both ends included (schema ScimUser of the OpenAPI description), with the code for each
 * (www.twilio.com/docs/api/errors/…). Names have a second, stricter minimum on their error pages: `Quirks.nameMinimum`.
 */
const userLimits = {
  userName: { min: 2, max: 255, code: 25005 },
  externalId: { min: 2, max: 255, code: 25004 },
  givenName: { min: 0, max: 255, code: 25002 },
  familyName: { min: 0, max: 255, code: 25003 },
  displayName: { min: 0, max: 255, code: 25006 },
  emailValue: { min: 2, max: 160, code: 25011 },
  emailType: { min: 0, max: 64, code: 25006 },
} as const satisfies Record<string, { min: number; max: number; code: ErrorCode }>;

/** A request's attributes: undefined when left out, null when there to be cleared. */
export interface UserInput {
  readonly externalId?: string | null | undefined;
  readonly userName?: string | null | undefined;
  readonly displayName?: string | null | undefined;
  readonly givenName?: string | null | undefined;
  readonly familyName?: string | null | undefined;
  readonly locale?: string | null | undefined;
  readonly timezone?: string | null | undefined;
  readonly emails?: readonly EmailAddress[] | null | undefined;
  readonly active?: boolean | undefined;
  /** `meta.version`, which turns locking on for PUT. */
  readonly version?: string | undefined;
}

const userSchema = 'urn:ietf:params:scim:schemas:core:2.0:User';

/** Reads a SCIM user from a body; 25006 when it does not follow the schema. Lengths are looked at by `checkInput`. */
export function readUser(body: unknown): UserInput | Failure {
  if (!isObject(body)) return refuse(25006, 'the body must be a JSON object');
  if (body.schemas !== undefined && !(Array.isArray(body.schemas) && body.schemas.includes(userSchema))) {
    return refuse(25006, `schemas must contain ${userSchema}`);
  }
  const name = body.name ?? undefined;
  if (name !== undefined && !isObject(name)) return refuse(25006, 'name must be an object');
  const meta = body.meta ?? undefined;
  if (meta !== undefined && !isObject(meta)) return refuse(25006, 'meta must be an object');
  const texts: Record<string, unknown> = {
    externalId: body.externalId,
    userName: body.userName,
    displayName: body.displayName,
    locale: body.locale,
    timezone: body.timezone,
    'name.givenName': name?.givenName,
    'name.familyName': name?.familyName,
    'meta.version': meta?.version,
  };
  for (const [path, value] of Object.entries(texts)) {
    if (!isText(value)) return refuse(25006, `${path} must be a string`);
  }
  const active = body.active ?? undefined;
  if (active !== undefined && typeof active !== 'boolean') return refuse(25006, 'active must be a boolean');
  const emails = readEmails(body.emails);
  if (isFailure(emails)) return emails;
  return {
    externalId: asText(body.externalId),
    userName: asText(body.userName),
    displayName: asText(body.displayName),
    givenName: asText(name?.givenName),
    familyName: asText(name?.familyName),
    locale: asText(body.locale),
    timezone: asText(body.timezone),
    emails,
    active,
    version: asText(meta?.version) ?? undefined,
  };
}

export function readEmails(value: unknown): readonly EmailAddress[] | null | undefined | Failure {
  if (value === undefined || value === null) return value;
  if (!Array.isArray(value)) return refuse(25006, 'emails must be an array');
  const emails: EmailAddress[] = [];
  for (const email of value as unknown[]) {
    if (!isObject(email)) return refuse(25006, 'emails must hold objects');
    const { value: address, primary = undefined, type = undefined } = email;
    if (typeof address !== 'string') return refuse(25011, 'an email has no value');
    if (primary !== undefined && primary !== null && typeof primary !== 'boolean') {
      return refuse(25006, 'emails.primary must be a boolean');
    }
    if (!isText(type)) return refuse(25006, 'emails.type must be a string');
    emails.push({
      ...(typeof primary === 'boolean' ? { primary } : undefined),
      value: address,
      ...(typeof type === 'string' ? { type } : undefined),
    });
  }
  return emails;
}

/** Lengths of everything that the request names, and the shape of its addresses. */
export function checkInput(input: UserInput, quirks: Quirks): Failure | undefined {
  const { userName, externalId, givenName, familyName, displayName, emails } = input;
  return (
    checkLength('userName', userName) ??
    checkLength('externalId', externalId) ??
    checkLength('givenName', givenName, quirks.nameMinimum) ??
    checkLength('familyName', familyName, quirks.nameMinimum) ??
    checkLength('displayName', displayName) ??
    (emails ?? []).reduce<Failure | undefined>((found, email) => found ?? checkEmail(email), undefined)
  );
}

function checkLength(
  attribute: keyof typeof userLimits,
  value: string | null | undefined,
  stricter = 0,
): Failure | undefined {
  if (value === undefined || value === null) return undefined;
  const { min: least, max, code } = userLimits[attribute];
  const min = Math.max(least, stricter);
  const length = [...value].length;
  return length >= min && length <= max
    ? undefined
    : refuse(code, `${attribute} must have ${min} to ${max} characters, not ${length}`);
}

function checkEmail(email: EmailAddress): Failure | undefined {
  const { value } = email;
  if (!/^[^\s@]+@[^\s@]+$/.test(value)) return refuse(25011, `"${value}" is not an address`);
  return checkLength('emailValue', value) ?? checkLength('emailType', email.type);
}

/** The primary address: the one marked so, or the only one; 25010 when there is none. */
export function primaryEmail(emails: readonly EmailAddress[]): EmailAddress | Failure {
  const [first] = emails;
  if (first === undefined) return refuse(25010, 'emails must have at least one');
  if (emails.length === 1) return first;
  const marked = emails.filter((email) => email.primary === true);
  const [primary] = marked;
  return primary !== undefined && marked.length === 1
    ? primary
    : refuse(25010, `exactly one of ${emails.length} emails must be primary, not ${marked.length}`);
}

export function isFailure(value: unknown): value is Failure {
  return isObject(value) && value.kind === 'failure';
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isText(value: unknown): value is string | null | undefined {
  return value === undefined || value === null || typeof value === 'string';
}

function asText(value: unknown): string | null | undefined {
  return isText(value) ? value : undefined;
}
