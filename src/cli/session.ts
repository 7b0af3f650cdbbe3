/** What the commands share: configuration, logger, compiled rules, and the outside world. */
import { hostname, userInfo } from 'node:os';
import type { Rim } from '../compose.ts';
import type { Configuration } from '../config/configuration.ts';
import { configurationDigestInput } from '../config/digest-input.ts';
import { type LoadedConfiguration, loadConfiguration } from '../config/load.ts';
import { clearTextNotices } from '../config/secret-checks.ts';
import type { GuardName } from '../domain/rules.ts';
import { guardNames } from '../domain/rules.ts';
import { type CompiledRules, compileRules } from '../engine/compile.ts';
import { digest } from '../engine/digest.ts';
import { ConfigError, type ConfigIssue } from '../errors.ts';
import { systemClock } from '../ops/clock.ts';
import { createLogger } from '../ops/logger.ts';
import { createProgress } from '../ops/progress.ts';
import { rememberProxies } from '../ops/proxies.ts';
import { rememberSecret } from '../ops/redaction.ts';
import type { DirectorySource, RunStart } from '../ports.ts';
import type { GlobalOptions } from './command-line.ts';
import { complain, hasColours } from './terminal.ts';
import { UsageError } from './usage-error.ts';
import { programVersion } from './version.ts';

export interface Session {
  readonly loaded: LoadedConfiguration;
  readonly configuration: Configuration;
  readonly compiled: CompiledRules;
  /** Of the configuration's deciding part. */
  readonly digest: string;
  readonly rim: Rim;
  /** In place of the configured one. */
  readonly source?: DirectorySource;
}

export interface SessionChanges {
  /** `--policy`. */
  readonly mode?: Configuration['rules']['policy']['mode'] | undefined;
}

/** Throws ConfigError with everything that is wrong, rules included. */
export function openSession(options: GlobalOptions, changes: SessionChanges = {}): Session {
  const environment: Record<string, string | undefined> = {
    ...process.env,
    ...(options.logLevel !== undefined && { TDSYNC_LOG_LEVEL: options.logLevel }),
  };
  rememberProxies(environment);
  const loaded = loadConfiguration(configurationFile(options), environment, rememberSecret);
  const configuration = withMode(loaded.configuration, changes.mode);
  const { compiled, issues } = compileRules(configuration.rules);
  if (issues.length > 0) throw new ConfigError(issues.map((issue) => locate(issue, loaded)));
  const { level, format } = configuration.log;
  const progress = createProgress(process.stderr, systemClock, { enabled: process.stderr.isTTY === true });
  // A log line takes the place of the progress line, which is written anew after it.
  const destination = {
    write(text: string) {
      progress.clear();
      complain(text);
    },
  };
  const logger = createLogger({ level, format, destination, colour: hasColours(process.stderr) });
  for (const { path, message, hint } of clearTextNotices(configuration)) logger.warn({ path, hint }, message);
  return {
    loaded,
    configuration,
    compiled,
    digest: digest(configurationDigestInput(configuration)),
    rim: {
      serverFailures: new Map(),
      clock: systemClock,
      logger,
      progress,
      environment: process.env,
    },
  };
}

export function configurationFile({ config }: GlobalOptions): string {
  return config ?? process.env.TDSYNC_CONFIG ?? 'config/tdsync.yaml';
}

/** The attribute that holds the source's immutable key. */
export function idAttributeOf({ source }: Configuration): string {
  return source.type === 'csv' ? source.options.id : source.options.users.id;
}

function withMode(configuration: Configuration, mode: SessionChanges['mode']): Configuration {
  if (mode === undefined) return configuration;
  const { rules } = configuration;
  return { ...configuration, rules: { ...rules, policy: { ...rules.policy, mode } } };
}

/** Gives an issue the file and line of its path. */
export function locate(issue: ConfigIssue, { file, locate }: LoadedConfiguration): ConfigIssue {
  if (issue.file !== undefined) return issue;
  const line = locate(issue.path);
  return { ...issue, file, ...(line !== undefined && { line }) };
}

/** Issues found after loading, such as a role that does not exist, get their file and line as well. */
export async function locating<T>({ loaded }: Session, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new ConfigError(
      error.issues.map((issue) => locate(issue, loaded)),
      { hint: error.hint, cause: error },
    );
  }
}

/** Who runs, for the history and the lease. */
export function whoRuns(command: string): Omit<RunStart, 'at' | 'allowances' | 'configuration'> {
  return { command, host: hostname(), pid: process.pid, user: userName(), version: programVersion() };
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.getuid?.() ?? 'unknown');
  }
}

/** `GUARD` lifts a guard, `GUARD=N` raises it. Throws UsageError for an unknown guard. */
export function parseAllowances(given: readonly string[] = []): ReadonlyMap<GuardName, number> {
  return new Map(
    given.map((text) => {
      const [name = '', limit] = text.split('=', 2);
      const known = guardNames.find((each) => each === name);
      const number = limit === undefined ? Number.POSITIVE_INFINITY : Number(limit);
      if (known === undefined || (limit !== undefined && !/^\d+$/.test(limit))) {
        const message = `"${text}" is not a guard to allow; write one of ${guardNames.join(', ')}, with =N for a number`;
        throw new UsageError(`--allow: ${message}`);
      }
      return [known, number] as const;
    }),
  );
}
