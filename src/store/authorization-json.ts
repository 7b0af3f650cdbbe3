import type { Authorization } from '../domain/authorization.ts';
import type { ScopeSid } from '../domain/identity.ts';
import { objectIn } from '../domain/json-object.ts';

const times = ['authorizedAt', 'issuedAt', 'refreshedAt'] as const;

/** The text of the file: one JSON document, with times for people. */
export function renderAuthorization({ refusedAt, ...authorization }: Authorization): string {
  const { organization, clientId, refreshToken } = authorization;
  const document = {
    version: 1,
    organization,
    clientId,
    refreshToken,
    ...Object.fromEntries(times.map((name) => [name, new Date(authorization[name]).toISOString()])),
    ...(refusedAt !== undefined && { refusedAt: new Date(refusedAt).toISOString() }),
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

/** Undefined when the text is anything else. */
export function parseAuthorization(text: string): Authorization | undefined {
  const { version, organization, clientId, refreshToken, ...rest } = objectIn(text);
  const [authorizedAt, issuedAt, refreshedAt] = times.map((name) => parseTime(rest[name]));
  const refusedAt = parseTime(rest.refusedAt);
  if (version !== 1 || typeof organization !== 'string' || typeof clientId !== 'string') return undefined;
  if (typeof refreshToken !== 'string' || refreshToken === '') return undefined;
  if (authorizedAt === undefined || issuedAt === undefined || refreshedAt === undefined) return undefined;
  return {
    organization: organization as ScopeSid,
    clientId,
    refreshToken,
    authorizedAt,
    issuedAt,
    refreshedAt,
    ...(refusedAt !== undefined && { refusedAt }),
  };
}

function parseTime(value: unknown): number | undefined {
  const time = typeof value === 'string' ? Date.parse(value) : Number.NaN;
  return Number.isNaN(time) ? undefined : time;
}
