/** Identifiers that must not be mixed up, and the one normalisation of addresses. */

declare const brand: unique symbol;
type Branded<Base, Name extends string> = Base & { readonly [brand]: Name };

/** The source's immutable key of a person (entryUUID, objectGUID, employee number); compared case-exactly (RFC 7643 section 3.1). */
export type ExternalId = Branded<string, 'ExternalId'>;
/** `US` + 32 hex digits: a Twilio user. */
export type UserSid = Branded<string, 'UserSid'>;
/** `IX` + 32 hex digits: a role. */
export type RoleSid = Branded<string, 'RoleSid'>;
/** `IY` + 32 hex digits: a role assignment. */
export type AssignmentSid = Branded<string, 'AssignmentSid'>;
/** `OR…` or `AC…`: where a role applies. */
export type ScopeSid = Branded<string, 'ScopeSid'>;
/** An address after `normalizeEmail`; two people have the same address exactly when these are equal. */
export type Email = Branded<string, 'Email'>;

/**
 * The one normalisation of addresses used anywhere: trimmed, lower case, NFC. Makes no judgement on validity.
 * NFC comes last, because lower-casing can undo it: H with a macron below has no composed form, h with one has.
 */
export function normalizeEmail(raw: string): Email {
  return raw.trim().normalize('NFC').toLowerCase().normalize('NFC') as Email;
}

/** Code-unit order: the same on every machine, unlike `localeCompare`. */
export function compareStrings(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
