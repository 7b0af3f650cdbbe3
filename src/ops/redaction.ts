/**
 * Three nets between what is said and where it is written. `redacted` goes by names: whatever stands under a key that holds
 * secrets is replaced, however deep. `scrubbed` goes by looks, over the finished line: it catches a token within a message or
 * an error of somebody else's library. `withoutKnownSecrets` goes by value: what was read as a secret is taken out in any form.
 */
import { secretForms } from '../domain/secret.ts';

const censored = '[redacted]';

/** Keys as they are after `client_secret`, `client-secret` and `clientSecret` have become one. */
const secretKey = /(?:authorization|secret|password|passwd|passphrase|token|apikey|privatekey|cookie|codeverifier)$/;

/** What is logged is small; deeper than this it is a mistake, or a circle. */
const deepest = 8;

/** A copy fit for the log: secrets replaced, errors reduced to what a person needs. */
export function redacted(value: unknown, depth = 0): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (depth > deepest) return '[too deep]';
  if (value instanceof Error) return errorFields(value, depth);
  if ('toJSON' in value && typeof value.toJSON === 'function') return redacted(value.toJSON(), depth + 1);
  if (Array.isArray(value)) return value.map((item) => redacted(item, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([key, field]) => [key, isSecret(key, field) ? censored : redacted(field, depth + 1)]),
  );
}

/** Absent values are kept: that a password is missing is what somebody may be looking for. */
function isSecret(key: string, value: unknown): boolean {
  return (
    value !== undefined && value !== null && value !== '' && secretKey.test(key.toLowerCase().replaceAll(/[-_]/g, ''))
  );
}

/** Never the other properties of an error: libraries hang requests, headers and bodies there. */
function errorFields(error: Error, depth: number): Record<string, unknown> {
  const { code, hint, requestId, status } = error as Error & Record<string, unknown>;
  return {
    type: error.name,
    message: error.message,
    ...definedFields({ code, hint, status, requestId }),
    ...(error.stack === undefined ? {} : { stack: error.stack }),
    ...(error.cause === undefined ? {} : { cause: redacted(error.cause, depth + 1) }),
  };
}

function definedFields(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** A finished line without what looks like a token, a password in a URL or a secret in a form (RFC 6750, RFC 3986, RFC 6749). */
export function scrubbed(line: string): string {
  return withoutKnownSecrets(line)
    .replaceAll(/\b(Bearer|Basic) [\w.~+/=-]{8,}/gi, `$1 ${censored}`)
    .replaceAll(/\beyJ[\w-]{8,}\.[\w-]+\.[\w-]*/g, censored)
    .replaceAll(/:\/\/[^\s"'\\/@]+@/g, `://${censored}@`)
    .replaceAll(/\b(client_secret|refresh_token|access_token|code_verifier|password)=[^\s"'\\&]+/gi, `$1=${censored}`);
}

/** Secrets that this process has read, the latest last. Rotated ones stay for a while: answers about them may still come. */
const known = new Set<string>();
const mostKnown = 64;
let forms: RegExp | undefined;

/** Called with each secret when it is read. */
export function rememberSecret(value: string): void {
  if (known.has(value)) return;
  known.add(value);
  for (const oldest of [...known].slice(0, -mostKnown)) known.delete(oldest);
  const all = [...known].flatMap(secretForms).sort((a, b) => b.length - a.length);
  forms =
    all.length === 0 ? undefined : new RegExp(all.map((form) => form.replaceAll(/[^\w\s]/g, '\\$&')).join('|'), 'g');
}

/** For tests that run several commands in one process. */
export function forgetSecrets(): void {
  known.clear();
  forms = undefined;
}

/** The text without any secret that was read. What is shorter than six characters is not looked for. */
export function withoutKnownSecrets(text: string): string {
  return forms === undefined ? text : text.replaceAll(forms, censored);
}
