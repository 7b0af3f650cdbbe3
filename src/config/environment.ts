/**
 * Environment variables that override the file, so that one image with one file serves every stage.
 * A variable that is set to nothing counts as not set, as container tools pass on variables that the stage lacks.
 */
import { resolve } from 'node:path';
import type { ConfigIssue } from '../errors.ts';
import { type Path, splitPath, valueAt } from './paths.ts';
import type { Environment } from './secrets.ts';
import { suggest } from './suggest.ts';

export interface OverrideVariable {
  readonly name: string;
  /** Dotted path of the key. */
  readonly key: string;
  /** A path resolves from the working directory, unlike one in the file. */
  readonly kind: 'text' | 'number' | 'flag' | 'path';
  /** The only type of source that has the key. */
  readonly source?: 'csv' | 'ldap';
}

export const overrideVariables: readonly OverrideVariable[] = [
  { name: 'TDSYNC_LOG_LEVEL', key: 'log.level', kind: 'text' },
  { name: 'TDSYNC_LOG_FORMAT', key: 'log.format', kind: 'text' },
  { name: 'TDSYNC_SNAPSHOT_PATH', key: 'snapshot.path', kind: 'path' },
  { name: 'TDSYNC_SCHEDULE_CRON', key: 'schedule.cron', kind: 'text' },
  { name: 'TDSYNC_SCHEDULE_TIMEZONE', key: 'schedule.timezone', kind: 'text' },
  { name: 'TDSYNC_SCHEDULE_RUN_ON_START', key: 'schedule.runOnStart', kind: 'flag' },
  { name: 'TDSYNC_SCHEDULE_JITTER', key: 'schedule.jitter', kind: 'text' },
  { name: 'TDSYNC_SERVER_LISTEN', key: 'server.listen', kind: 'text' },
  { name: 'TDSYNC_SOURCE_USERS', key: 'source.users', kind: 'path', source: 'csv' },
  { name: 'TDSYNC_SOURCE_MEMBERSHIPS', key: 'source.memberships', kind: 'path', source: 'csv' },
  { name: 'TDSYNC_SOURCE_URL', key: 'source.url', kind: 'text', source: 'ldap' },
  { name: 'TDSYNC_SOURCE_BIND_DN', key: 'source.bindDn', kind: 'text', source: 'ldap' },
  { name: 'TDSYNC_TWILIO_ORGANIZATION_SID', key: 'twilio.organizationSid', kind: 'text' },
  { name: 'TDSYNC_TWILIO_REQUESTS_PER_SECOND', key: 'twilio.limits.requestsPerSecond', kind: 'number' },
  { name: 'TDSYNC_TWILIO_MAX_CONCURRENT', key: 'twilio.limits.maxConcurrent', kind: 'number' },
  { name: 'TDSYNC_TWILIO_TIMEOUT', key: 'twilio.limits.timeout', kind: 'text' },
  { name: 'TDSYNC_TWILIO_MAX_THROTTLING', key: 'twilio.limits.maxThrottling', kind: 'text' },
  { name: 'TDSYNC_TWILIO_MAX_RUN_TIME', key: 'twilio.limits.maxRunTime', kind: 'text' },
  { name: 'TDSYNC_TWILIO_GENERATION', key: 'twilio.endpoints.generation', kind: 'text' },
  { name: 'TDSYNC_TWILIO_IAM_URL', key: 'twilio.endpoints.iam', kind: 'text' },
  { name: 'TDSYNC_TWILIO_OAUTH_URL', key: 'twilio.endpoints.oauth', kind: 'text' },
  { name: 'TDSYNC_TWILIO_ACCOUNTS_URL', key: 'twilio.endpoints.accounts', kind: 'text' },
];

/** Names the configuration file; read by the command line. */
export const fileVariable = 'TDSYNC_CONFIG';

/** Kubernetes puts these into every container beside a service that is called `tdsync`. */
const serviceLink = /^TDSYNC_(?:SERVICE_(?:HOST|PORT)(?:_\w+)?|PORT(?:_\d+_\w+)?)$/;

export interface AppliedOverride {
  readonly variable: string;
  /** Dotted path of the key that it sets. */
  readonly path: string;
}

/** The file's content with overrides in place. `issues` name variables that mean nothing here. */
export interface Overridden {
  readonly content: unknown;
  readonly overrides: readonly AppliedOverride[];
  readonly issues: readonly ConfigIssue[];
}

export function applyEnvironment(content: unknown, environment: Environment): Overridden {
  const issues = unknownVariables(content, environment);
  const overrides: AppliedOverride[] = [];
  let changed = content;
  for (const variable of overrideVariables) {
    const text = environment[variable.name] ?? '';
    const type = valueAt(content, ['source', 'type']);
    if (text === '') continue;
    if (variable.source !== undefined && variable.source !== type) {
      const message = `is set, but only a source of type ${variable.source} has ${variable.key}`;
      issues.push({ path: '', message: `environment variable ${variable.name} ${message}` });
      continue;
    }
    changed = withValue(changed, splitPath(variable.key), typedValue(variable, text));
    overrides.push({ variable: variable.name, path: variable.key });
  }
  return { content: changed, overrides, issues };
}

/** What the schema would take; a text that is no number or flag stays one, for the schema to refuse. */
function typedValue(variable: OverrideVariable, text: string): unknown {
  switch (variable.kind) {
    case 'path':
      return resolve(text);
    case 'number':
      return /^\d+(?:\.\d+)?$/.test(text) ? Number(text) : text;
    case 'flag':
      return text === 'true' || text === 'false' ? text === 'true' : text;
    case 'text':
      return text;
  }
}

/** A copy with the value in place. Where the file has something else than a section, the schema will say so. */
function withValue(node: unknown, path: Path, value: unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  if (node !== undefined && node !== null && (typeof node !== 'object' || Array.isArray(node))) return node;
  const fields = { ...(node as Record<string, unknown> | null | undefined) };
  return { ...fields, [key]: withValue(fields[key], rest, value) };
}

function unknownVariables(content: unknown, environment: Environment): ConfigIssue[] {
  const known = new Set([fileVariable, ...overrideVariables.map(({ name }) => name), ...referredVariables(content)]);
  return Object.keys(environment)
    .filter((name) => name.startsWith('TDSYNC_') && environment[name] !== undefined)
    .filter((name) => !known.has(name) && !serviceLink.test(name))
    .sort()
    .map((name) => {
      const meant = suggest(name, [...known]);
      const advice = meant === undefined ? 'config/README.md lists those there are' : `did you mean ${meant}?`;
      return { path: '', message: `environment variable ${name} has no meaning; ${advice}` };
    });
}

/** Variables that the file itself refers to for its secrets may be called what people like. */
function* referredVariables(value: unknown): Generator<string> {
  if (typeof value === 'string') {
    const name = /^\$\{env:(\w+)\}$/.exec(value)?.[1];
    if (name !== undefined) yield name;
  } else if (typeof value === 'object' && value !== null) {
    for (const child of Object.values(value)) yield* referredVariables(child);
  }
}
