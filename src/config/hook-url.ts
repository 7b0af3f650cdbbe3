import type { Secret } from '../domain/secret.ts';
import { ConfigError } from '../errors.ts';
import { isLoopback } from './loopback.ts';

/** What is told says how an organization is run: HTTPS, except to this machine. Nothing reads a user and password in it. */
export function isHookUrl(value: string): boolean {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (url === undefined || url.username !== '' || url.password !== '') return false;
  return url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname));
}

/** A URL that stands in the file itself; printed without its path, in which such URLs have their tokens. */
export function plainHookUrl(value: string): Secret {
  return { reference: `${new URL(value).origin}/…`, read: () => value };
}

/** Checks what the reference leads to whenever it is read. Neither message repeats it. */
export function referredHookUrl(secret: Secret, path: string): Secret {
  const { reference, file } = secret;
  return {
    reference,
    ...(file !== undefined && { file }),
    read() {
      const value = secret.read();
      if (isHookUrl(value)) return value;
      const message = `${reference}: is not an https:// URL without user and password (http:// only for this machine)`;
      throw new ConfigError([{ path, message }], {
        hint: 'Put the URL there as the receiver gave it, and nothing else.',
      });
    },
  };
}
