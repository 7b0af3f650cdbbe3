/**
 * Kinds of values that several sections share. Each has a `title` that names its kind in the JSON Schema and in the key
 * reference, and an error that says what would be right. Nothing is converted here: the schema describes the file as
 * people write it, `normalize.ts` turns it into what the program uses.
 *
 * An error never repeats a value that could hold a secret: a check written as `refine` never does (see `issues.ts`).
 */
import * as z from 'zod';
import { durationPattern } from '../durations.ts';
import { isLoopback } from '../loopback.ts';
import { isSecretReference, secretPattern } from '../secrets.ts';

export function text(kind = 'text') {
  return z.string().min(1).meta({ title: kind });
}

export function duration() {
  return z
    .string()
    .regex(durationPattern, { error: 'must be a number with a unit, such as 500ms, 30s, 15m, 24h or 90d' })
    .meta({ title: 'duration' });
}

/** Relative paths resolve from the configuration file's folder. */
export function path() {
  return text('path');
}

export function flag() {
  return z.boolean().meta({ title: 'true or false' });
}

export function wholeNumber(minimum: number, maximum?: number) {
  const schema = z.int().min(minimum);
  return (maximum === undefined ? schema : schema.max(maximum)).meta({ title: 'whole number' });
}

/** CEL text; compiled, and so checked, by the engine. */
export function expression() {
  return text('CEL expression');
}

export function secret() {
  return z
    .string()
    .refine(isSecretReference, {
      error: `must be a reference, \${env:NAME} or \${file:/path}: a secret itself is never accepted here`,
    })
    .meta({ title: 'secret reference', pattern: secretPattern.source });
}

/** Two capital letters and 32 hex digits; Twilio answers in lower case, and SIDs are compared as they are. */
export function sid(prefix: string) {
  return z
    .string()
    .regex(new RegExp(`^${prefix}[0-9a-f]{32}$`), { error: `must be ${prefix} followed by 32 digits 0-9 or a-f` })
    .meta({ title: `${prefix} SID` });
}

/** Tokens and people's data travel to it: HTTPS, except to this machine, or where the section says otherwise. */
export function endpoint() {
  return z
    .string()
    .refine(isEndpoint, {
      error: 'must be https://host or https://host:port without a path',
    })
    .meta({ title: 'URL' });
}

function isEndpoint(value: string): boolean {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (url === undefined || url.username !== '' || url.password !== '' || /[?#]/.test(value) || url.pathname !== '/') {
    return false;
  }
  return url.protocol === 'https:' || url.protocol === 'http:';
}

export function isReadableOnTheWay(address: string): boolean {
  const url = URL.parse(address);
  return url?.protocol === 'http:' && !isLoopback(url.hostname);
}

/** Lets a check that looks at several keys run although one of them is wrong, so that one round shows everything. */
export function whenObject(payload: { readonly value: unknown }): boolean {
  return typeof payload.value === 'object' && payload.value !== null;
}
