/**
 * What an organization holds, as data: the state to start from, and what a snapshot of the present state says.
 *
 * People are SCIM users as Twilio shows them, so that a list answer or a stored resource can be put in as it is;
 * everything else has the names of this program's domain types. What is left out gets a default or a counted SID.
 */

import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { ConfigError, type ConfigIssue } from '../errors.ts';
import { permissionNames } from './permissions.ts';
import { sidPatterns } from './sids.ts';

const email = z.object({ value: z.string(), primary: z.boolean().optional(), type: z.string().optional() });

const user = z.strictObject({
  /** `US…`; counted when left out. */
  id: z.string().regex(sidPatterns.US).optional(),
  externalId: z.string().min(1).optional(),
  userName: z.string().min(1),
  displayName: z.string().optional(),
  name: z.object({ givenName: z.string().optional(), familyName: z.string().optional() }).optional(),
  /** Left out: one primary work address equal to userName. */
  emails: z.array(email).min(1).optional(),
  /** Default true. */
  active: z.boolean().optional(),
  /** Suspended people refuse every change; wins over `active`. */
  suspended: z.boolean().optional(),
  locale: z.string().optional(),
  timezone: z.string().optional(),
  schemas: z.array(z.string()).optional(),
  meta: z
    .looseObject({
      created: z.string().optional(),
      lastModified: z.string().optional(),
      version: z.string().optional(),
    })
    .optional(),
});

const assignment = z.strictObject({
  /** `IY…`; counted when left out. */
  sid: z.string().regex(sidPatterns.IY).optional(),
  /** `US…` or an address. */
  user: z.string(),
  /** `IX…` or a role's name. */
  role: z.string(),
  /** `OR…`, `AC…`, an account's name, or `organization`. */
  scope: z.string(),
  resourceType: z.string().nullable().optional(),
  resourceId: z.string().nullable().optional(),
  /** An implicit row, which cannot be deleted. */
  permanent: z.boolean().optional(),
});

const level = z.enum(['ORGANIZATION', 'ACCOUNT', 'SUB_ACCOUNT']);

const role = z.strictObject({
  sid: z.string().regex(sidPatterns.IX).optional(),
  name: z.string().min(1),
  description: z.string().optional(),
  productGroup: z.string().optional(),
  /** The widest scope where the role may be given; default ORGANIZATION. Twilio does not show it. */
  highestLevel: level.optional(),
  /** The narrowest, `lowest_level`; default SUB_ACCOUNT. */
  lowestLevel: level.optional(),
  /** Makes it a resource-based role. */
  resourceTypes: z.array(z.string()).min(1).optional(),
});

const account = z.strictObject({
  sid: z.string().regex(sidPatterns.AC).optional(),
  name: z.string().min(1),
  status: z.enum(['active', 'suspended', 'pending_closure', 'closed']).optional(),
  /** `US…` or an address; default the Organization Owner. */
  owner: z.string().optional(),
  /** Makes it a subaccount of this account: a valid scope that no list shows. */
  parent: z.string().optional(),
});

const client = z.strictObject({
  clientId: z.string().regex(sidPatterns.OQ),
  clientSecret: z.string().min(1),
  /** The secret before rotation, while its grace period lasts. */
  previousSecret: z.string().min(1).optional(),
  /** Registered redirect URLs of an app with the authorization-code grant. */
  redirectUris: z.array(z.url()).optional(),
  /** Who approves the app: `US…` or an address; default the Organization Owner. */
  approver: z.string().optional(),
  /** Default: all nine. */
  permissions: z.array(z.enum(permissionNames)).optional(),
});

const seed = z.strictObject({
  organizationSid: z.string().regex(sidPatterns.OR).optional(),
  /** Verified e-mail domains; default corp.example and those of the people. */
  domains: z.array(z.string().min(1)).optional(),
  /** The Organization Owner, added when not among the people; default owner@ the first domain; null for none. */
  ownerUserName: z.string().min(1).nullable().optional(),
  /** Most people that the organization may hold (25007); default unlimited. */
  quota: z.int().min(0).optional(),
  users: z.array(user).optional(),
  assignments: z.array(assignment).optional(),
  /** Replaces the default catalogue. */
  roles: z.array(role).optional(),
  /** Replaces the two default accounts. */
  accounts: z.array(account).optional(),
  /** Addresses that belong to logins outside the organization: taken (25022), yet invisible. */
  outsideAddresses: z.array(z.string()).optional(),
  clients: z.array(client).min(1).optional(),
});

type DeepReadonly<T> = T extends (infer Item)[]
  ? readonly DeepReadonly<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]: DeepReadonly<T[Key]> }
    : T;

export type Seed = DeepReadonly<z.infer<typeof seed>>;
export type SeedUser = DeepReadonly<z.infer<typeof user>>;
export type SeedAssignment = DeepReadonly<z.infer<typeof assignment>>;
export type SeedRole = DeepReadonly<z.infer<typeof role>>;
export type SeedAccount = DeepReadonly<z.infer<typeof account>>;
export type SeedClient = DeepReadonly<z.infer<typeof client>>;

export { client as seedClientSchema };

/** Checks a seed of unknown origin. Throws ConfigError with every problem and its path; `file` names where it came from. */
export function parseSeed(value: unknown, file?: string): Seed {
  const result = seed.safeParse(value);
  if (result.success) return result.data;
  throw new ConfigError(
    result.error.issues.map((issue) => issueAt(formatPath(issue.path), issue.message, file)),
    { hint: 'A snapshot of a running simulator (GET /_simulator/state) shows the whole format.' },
  );
}

/** Reads a JSON seed file. Throws ConfigError when it cannot be read or does not hold a seed. */
export function loadSeedFile(file: string): Seed {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw new ConfigError([issueAt('', `cannot read the seed: ${messageOf(cause)}`, file)], { cause });
  }
  let value: unknown;
  try {
    value = JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (cause) {
    throw new ConfigError([{ ...issueAt('', messageOf(cause), file), ...lineOf(messageOf(cause), text) }], { cause });
  }
  return parseSeed(value, file);
}

export function issueAt(path: string, message: string, file?: string): ConfigIssue {
  return file === undefined ? { path, message } : { path, message, file };
}

/** The parser names a position, and leaves it out when the text ends too early. */
function lineOf(message: string, text: string): { readonly line?: number } {
  const position = /at position (\d+)/.exec(message)?.[1];
  const end = position === undefined ? text.length : Number(position);
  return { line: text.slice(0, end).split('\n').length };
}

function formatPath(path: readonly PropertyKey[]): string {
  return path
    .map((part, i) => (typeof part === 'number' ? `[${part}]` : `${i > 0 ? '.' : ''}${String(part)}`))
    .join('');
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
