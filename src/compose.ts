/** The only place where adapters meet. */

import type { Configuration, SourceSettings } from './config/configuration.ts';
import type { ScopeSid } from './domain/identity.ts';
import type { SourceCache } from './domain/source-cache.ts';
import type { CompiledRules } from './engine/compile.ts';
import { ConfigError } from './errors.ts';
import { checkProxies } from './ops/proxies.ts';
import { rememberSecret } from './ops/redaction.ts';
import type { AuthorizationStore, Clock, DirectorySource, Hook, Logger, Progress } from './ports.ts';
import type { Context } from './reconcile/context.ts';
import type { Outside } from './sources/ldap/servers.ts';
import type { Snapshot } from './store/snapshot.ts';
import type { TwilioTarget } from './twilio/twilio-target.ts';

/** What the outside world gives: time, places to write to, and proxies. */
export interface Rim {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly progress: Progress;
  /** When each directory server failed last, by URL; as long as the process lives, which has many runs as a daemon. */
  readonly serverFailures: Map<string, number>;
  /** For proxies (HTTPS_PROXY, NO_PROXY …). */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

export interface Composition extends AsyncDisposable {
  readonly context: Context;
  readonly snapshot: Snapshot;
  readonly target: TwilioTarget;
}

/** Adapters are imported when they are needed: a command pays for what it uses. */
export async function compose(
  configuration: Configuration,
  compiled: CompiledRules,
  digest: string,
  rim: Rim,
  mode: 'write' | 'read',
  /** In place of the configured one. */
  givenSource?: DirectorySource,
): Promise<Composition> {
  const { rules, twilio } = configuration;
  const [{ openSnapshot }, target] = await Promise.all([
    import('./store/snapshot.ts'),
    composeTarget(configuration, rim),
  ]);
  const snapshot = openSnapshot(configuration.snapshot.path, mode, rules.organization);
  const memory = { cache: snapshot.sourceCache, confirmAbsence: rules.policy.confirmAbsence };
  const source = await (givenSource ??
    composeSource(configuration.source, rim, memory).catch((error: unknown) => {
      snapshot.close();
      throw error;
    }));
  if (mode === 'write' && source.incremental === undefined) snapshot.sourceCache.clear();
  for (const notice of snapshot.notices) rim.logger.warn({ path: configuration.snapshot.path }, notice);
  const context: Context = {
    rules,
    compiled,
    configuration: digest,
    source,
    target,
    store: snapshot.store,
    journal: snapshot.journal,
    clock: rim.clock,
    logger: rim.logger,
    progress: rim.progress,
    refreshUsersMs: configuration.snapshot.refreshUsersMs,
    refreshAssignmentsMs: configuration.snapshot.refreshAssignmentsMs,
    requestsPerSecond: twilio.limits.requestsPerSecond,
    breaker: configuration.breaker,
    maxConcurrent: twilio.limits.maxConcurrent,
    maxRunTimeMs: twilio.limits.maxRunTimeMs,
  };
  return {
    context,
    snapshot,
    target,
    async [Symbol.asyncDispose]() {
      snapshot.close();
      await target[Symbol.asyncDispose]();
    },
  };
}

export async function composeTarget({ twilio }: Configuration, rim: Rim): Promise<TwilioTarget> {
  checkProxies(rim.environment);
  const { createTwilioTarget } = await import('./twilio/twilio-target.ts');
  const { oauth } = twilio;
  return createTwilioTarget({
    ...targetOptions(twilio, rim),
    ...(oauth.grantType === 'authorization_code' && {
      authorization: await composeAuthorizationStore(oauth.tokenFile, rim),
    }),
  });
}

function targetOptions({ organizationSid, oauth, endpoints, insecureHttp, limits }: Configuration['twilio'], rim: Rim) {
  return {
    organization: organizationSid as ScopeSid,
    clientId: oauth.clientId,
    clientSecret: oauth.clientSecret,
    endpoints,
    insecureHttp,
    limits,
    retry: { rateLimitBudgetMs: limits.maxThrottlingMs },
    clock: rim.clock,
    logger: rim.logger,
    random: Math.random,
    proxyEnv: rim.environment,
  };
}

export async function composeAuthorizationStore(tokenFile: string, { clock }: Rim): Promise<AuthorizationStore> {
  const { createAuthorizationFile } = await import('./store/authorization-file.ts');
  return createAuthorizationFile(tokenFile, clock, rememberSecret);
}

/** For `tdsync authorize`. Throws ConfigError unless the configured grant needs a person. */
export async function composeAuthorizing({ twilio }: Configuration, rim: Rim, signal: AbortSignal) {
  const { oauth } = twilio;
  if (oauth.grantType !== 'authorization_code') {
    const message = `is ${oauth.grantType}: the secret of the app is enough, and nobody has to approve it`;
    throw new ConfigError([{ path: 'twilio.oauth.grantType', message }], {
      hint: 'Set `grantType: authorization_code`, `redirectUri` and `approvedBy` if the app has that grant type.',
    });
  }
  const { createAuthorizing } = await import('./twilio/authorizing.ts');
  const authorizing = createAuthorizing({ ...targetOptions(twilio, rim), redirectUri: oauth.redirectUri, signal });
  return { oauth, authorizing, store: await composeAuthorizationStore(oauth.tokenFile, rim) };
}

/** Without a memory every read is full. */
export async function composeSource(
  settings: SourceSettings,
  rim: Rim,
  memory?: { readonly cache: SourceCache; readonly confirmAbsence: number },
): Promise<DirectorySource> {
  if (settings.type === 'csv') {
    const { createCsvSource } = await import('./sources/csv/csv-source.ts');
    return createCsvSource(settings.options, rim.clock, rim.logger);
  }
  const { createLdapSource } = await import('./sources/ldap/ldap-source.ts');
  return createLdapSource(settings.options, rim.logger, { ...ldapOutside(rim), ...(memory && { memory }) });
}

/** Chance, time and memory for the LDAP source; names are looked up as the system says. */
export function ldapOutside({ clock, serverFailures }: Rim): Outside {
  return { random: Math.random, now: () => clock.now(), failures: serverFailures };
}

export async function composeHooks({ notify }: Configuration, rim: Rim): Promise<readonly Hook[]> {
  if (notify.length === 0) return [];
  checkProxies(rim.environment);
  const { createHook } = await import('./ops/notify.ts');
  return notify.map((settings) => createHook(settings, rim));
}
