import { hash } from 'node:crypto';
import { dirname, resolve } from 'node:path';
import type { ScopeSid } from '../domain/identity.ts';
import type { AttributeMappings, GuardLimit, RoleRule, Rules, ValueRule } from '../domain/rules.ts';
import type { Secret } from '../domain/secret.ts';
import type {
  Configuration,
  CsvFile,
  CsvJoin,
  CsvOptions,
  HookSettings,
  OAuthSettings,
  SourceSettings,
} from './configuration.ts';
import { parseDurationOrFail } from './durations.ts';
import { plainHookUrl, referredHookUrl } from './hook-url.ts';
import { type Base, ldapOptions } from './ldap-settings.ts';
import { listenAddress } from './listen.ts';
import type { ConfigurationFile } from './schema.ts';
import { type Environment, isSecretReference, plainValue, referredSecret } from './secrets.ts';

interface Places extends Base {
  /** May stand by reference like a secret, but outputs may show it. */
  identifier(value: string, path: string): Secret;
}

/** What the program uses, from a file that the schema has accepted. */
export function normalize(
  input: ConfigurationFile,
  file: string,
  environment: Environment,
  onRead: (value: string) => void,
): Configuration {
  const folder = dirname(resolve(file));
  const referred = (value: string, path: string, told: (value: string) => void) =>
    isSecretReference(value) ? referredSecret(value, { path, folder, environment, onRead: told }) : plainValue(value);
  const base: Places = {
    path: (relative) => resolve(folder, relative),
    secret: (value, path) => referred(value, path, onRead),
    identifier: (value, path) => referred(value, path, () => {}),
  };
  const { twilio, schedule, snapshot, server } = input;
  return {
    twilio: {
      organizationSid: twilio.organizationSid,
      oauth: oauthOf(twilio.oauth, base, dirname(base.path(snapshot.path))),
      endpoints: {
        generation: twilio.endpoints.generation,
        iam: new URL(twilio.endpoints.iam ?? iamHosts[twilio.endpoints.generation]).origin,
        oauth: new URL(twilio.endpoints.oauth).origin,
        accounts: new URL(twilio.endpoints.accounts).origin,
      },
      insecureHttp: twilio.endpoints.insecureHttp,
      limits: {
        requestsPerSecond: twilio.limits.requestsPerSecond,
        maxConcurrent: twilio.limits.maxConcurrent,
        timeoutMs: parseDurationOrFail(twilio.limits.timeout),
        maxThrottlingMs: parseDurationOrFail(twilio.limits.maxThrottling),
        maxRunTimeMs:
          twilio.limits.maxRunTime === undefined ? undefined : parseDurationOrFail(twilio.limits.maxRunTime),
      },
    },
    source: sourceOf(input.source, base),
    rules: rulesOf(input),
    breaker: input.breaker,
    schedule: schedule && {
      cron: schedule.cron,
      timezone: schedule.timezone,
      runOnStart: schedule.runOnStart,
      jitterMs: parseDurationOrFail(schedule.jitter),
    },
    snapshot: {
      path: base.path(snapshot.path),
      refreshUsersMs: parseDurationOrFail(snapshot.refreshUsers),
      refreshAssignmentsMs: parseDurationOrFail(snapshot.refreshAssignments),
      keepRunsMs: parseDurationOrFail(snapshot.keepRuns),
    },
    server: server && { ...listenAddress(server.listen), maxAgeMs: parseDurationOrFail(server.maxAge) },
    notify: input.notify.map((hook, index) => hookOf(hook, `notify[${index}]`, base)),
    log: input.log,
  };
}

/** `folder`: where the snapshot stands. */
function oauthOf(oauth: ConfigurationFile['twilio']['oauth'], base: Places, folder: string): OAuthSettings {
  const { grantType, redirectUri = '', tokenFile, approvedBy = '' } = oauth;
  const clientSecret = base.secret(oauth.clientSecret, 'twilio.oauth.clientSecret');
  const idPath = 'twilio.oauth.clientId';
  if (grantType === 'client_credentials') {
    return { grantType, clientId: base.secret(oauth.clientId, idPath), clientSecret };
  }
  // Part of the address on which a person approves (RFC 6749 section 2.2).
  const clientId = base.identifier(oauth.clientId, idPath);
  const file = tokenFile === undefined ? resolve(folder, 'tdsync-token.json') : base.path(tokenFile);
  return { grantType, clientId, clientSecret, redirectUri, tokenFile: file, approvedBy };
}

const iamHosts = { current: 'https://iam.twilio.com', preview: 'https://preview-iam.twilio.com' } as const;

function sourceOf(source: ConfigurationFile['source'], base: Base): SourceSettings {
  return source.type === 'csv'
    ? { type: 'csv', options: csvOptions(source, base) }
    : { type: 'ldap', options: ldapOptions(source, base) };
}

type CsvSource = Extract<ConfigurationFile['source'], { type: 'csv' }>;

function csvOptions(source: CsvSource, base: Base): CsvOptions {
  const { users, join, memberships, groups, delimiter, encoding, trailer, maxAge, expectRowsFrom } = source;
  const { thousandsSeparator } = source;
  return {
    users: Array.isArray(users) ? users.map((file) => csvFile(file, base)) : csvFile(users, base),
    id: source.id,
    minRows: source.minRows,
    ...(join === undefined ? {} : { join: join.map((file) => csvJoin(file, base)) }),
    ...(memberships === undefined ? {} : { memberships: csvFile(memberships, base) }),
    ...(thousandsSeparator === undefined ? {} : { thousandsSeparator }),
    ...(groups === undefined ? {} : { groups }),
    ...(delimiter === undefined ? {} : { delimiter }),
    ...(encoding === undefined ? {} : { encoding }),
    ...(trailer === undefined ? {} : { trailer }),
    ...(maxAge === undefined ? {} : { maxAgeMs: parseDurationOrFail(maxAge) }),
    ...(expectRowsFrom === undefined ? {} : { expectRowsFrom: base.path(expectRowsFrom) }),
  };
}

function csvFile(file: NonNullable<CsvSource['memberships']>, base: Base): CsvFile {
  return typeof file === 'string' ? base.path(file) : { ...file, folder: base.path(file.folder) };
}

function csvJoin(
  { file, id, required, delimiter, encoding, trailer }: NonNullable<CsvSource['join']>[number],
  base: Base,
): CsvJoin {
  return {
    file: csvFile(file, base),
    required,
    ...(id === undefined ? {} : { id }),
    ...(delimiter === undefined ? {} : { delimiter }),
    ...(encoding === undefined ? {} : { encoding }),
    ...(trailer === undefined ? {} : { trailer }),
  };
}

function hookOf(
  { url, secret, on, format, timeout }: ConfigurationFile['notify'][number],
  path: string,
  base: Base,
): HookSettings {
  return {
    key: hash('sha256', `${format} ${url}`).slice(0, 16),
    url: isSecretReference(url) ? referredHookUrl(base.secret(url, `${path}.url`), `${path}.url`) : plainHookUrl(url),
    ...(secret === undefined ? {} : { secret: base.secret(secret, `${path}.secret`) }),
    on,
    format,
    timeoutMs: parseDurationOrFail(timeout),
  };
}

function rulesOf(input: ConfigurationFile): Rules {
  const { keepAtLeastOne, onRefusal, ...limits } = input.guards;
  const { approvedBy } = input.twilio.oauth;
  return {
    organization: input.twilio.organizationSid as ScopeSid,
    filter: input.filter,
    attributes: attributesOf(input.attributes),
    roles: input.roles.map(roleRule),
    policy: approvedBy === undefined ? input.policy : { ...input.policy, approver: approvedBy },
    guards: {
      deactivations: limit(limits.deactivations),
      revocations: limit(limits.revocations),
      roleRevocations: limit(limits.roleRevocations),
      creations: limit(limits.creations),
      renames: limit(limits.renames),
      adoptions: limit(limits.adoptions),
      sourceShrink: limit(limits.sourceShrink),
      gone: limit(limits.gone),
      keepAtLeastOne,
    },
    onRefusal,
  };
}

function attributesOf(attributes: ConfigurationFile['attributes']): AttributeMappings {
  const mapped = Object.entries<string | undefined>(attributes).flatMap(([name, text]) =>
    text === undefined ? [] : [[name, valueRule(text)] as const],
  );
  return Object.fromEntries(mapped);
}

function valueRule(text: string): ValueRule {
  const trimmed = text.trim();
  return trimmed.startsWith('=') ? { expression: trimmed.slice(1).trim() } : { attribute: trimmed };
}

function roleRule({ group, when, grants }: ConfigurationFile['roles'][number]): RoleRule {
  return { ...(group === undefined ? {} : { group }), ...(when === undefined ? {} : { when }), grants };
}

function limit({ count, percent }: ConfigurationFile['guards']['creations']): GuardLimit {
  return { ...(count === undefined ? {} : { count }), ...(percent === undefined ? {} : { percent }) };
}
