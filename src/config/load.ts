import { ConfigError, type ConfigIssue } from '../errors.ts';
import { readBounded } from './bounded-file.ts';
import type { Configuration } from './configuration.ts';
import { type ConfigDocument, nearestLine, parseConfigDocument } from './document.ts';
import { firstIssues } from './document-bounds.ts';
import { type AppliedOverride, applyEnvironment, fileVariable } from './environment.ts';
import { describeIssues, type Finding } from './issues.ts';
import { normalize } from './normalize.ts';
import { formatPath, type Path } from './paths.ts';
import { configurationSchema } from './schema.ts';
import type { Environment } from './secrets.ts';
import { strayReferences } from './stray-references.ts';

export interface LoadedConfiguration {
  readonly configuration: Configuration;
  /** As it was given. */
  readonly file: string;
  /** 1-based line of a dotted path such as `roles[0].grants[1].role`; undefined when the file does not have it. */
  locate(path: string): number | undefined;
  /** Environment variables that took the place of what the file says. */
  readonly overrides: readonly AppliedOverride[];
}

/**
 * Reads, checks and completes the configuration. No secret is read; `onRead` is told of each value that is read later.
 * Throws ConfigError with everything that is wrong: in the YAML, or else in the keys, values and environment variables.
 */
export function loadConfiguration(
  file: string,
  environment: Environment,
  onRead: (value: string) => void = () => {},
): LoadedConfiguration {
  const document = parseConfigDocument(readText(file), file);
  const { content, overrides, issues: variableIssues } = applyEnvironment(document.content, environment);
  const stray = strayReferences(content);
  // Compiling the schema takes longer than this one use of it.
  const result = configurationSchema.safeParse(content, { jitless: true });
  const found = result.success ? [] : describeIssues(result.error.issues, configurationSchema, content);
  const findings = [...stray, ...found.filter(({ path }) => !stray.some((other) => isSamePath(other.path, path)))];
  const issues = [...findings.map((finding) => located(finding, file, document, overrides)), ...variableIssues];
  if (!result.success || issues.length > 0) {
    // In the order of the file; what has no line comes last.
    throw new ConfigError(
      firstIssues(issues.toSorted((a, b) => (a.line ?? Number.MAX_VALUE) - (b.line ?? Number.MAX_VALUE))),
    );
  }
  return {
    configuration: normalize(result.data, file, environment, onRead),
    file,
    locate: document.locate,
    overrides,
  };
}

/** A rule for each of several thousand groups fits. */
const largest = 1024 * 1024;

function readText(file: string): string {
  try {
    // A broken byte would become a question mark in somebody's name or group: refused instead.
    return new TextDecoder('utf-8', { fatal: true }).decode(readBounded(file, largest));
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? '';
    const message = readFailures[code] ?? `the configuration file cannot be read (${code})`;
    const hint = `Name the file with --config FILE or the environment variable ${fileVariable}.`;
    throw new ConfigError([{ path: '', message, file }], { hint, cause });
  }
}

const readFailures: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such configuration file',
  ENOTDIR: 'there is no such configuration file',
  EACCES: 'the configuration file may not be read by this user',
  EISDIR: 'is a folder, not a configuration file',
  ERR_ENCODING_INVALID_ENCODED_DATA: 'the configuration file is not in UTF-8',
  TOO_LARGE: 'the configuration file is larger than 1 MiB',
};

/** Where a person finds what the schema found: in the file, or in the variable that took its place. */
function located(
  { path, message }: Finding,
  file: string,
  document: ConfigDocument,
  overrides: readonly AppliedOverride[],
): ConfigIssue {
  const text = formatPath(path);
  const override = overrides.find((candidate) => candidate.path === text);
  if (override !== undefined) {
    return { path: text, message: `${message} (set by the environment variable ${override.variable})` };
  }
  const line = nearestLine(path, document);
  const section = formatPath(path.slice(0, -1));
  const opener = line === undefined && overrides.find((candidate) => candidate.path.startsWith(`${section}.`));
  if (opener) {
    return { path: text, message: `${message} (because the environment variable ${opener.variable} is set)`, file };
  }
  return { path: text, message, file, ...(line === undefined ? {} : { line }) };
}

function isSamePath(a: Path, b: Path): boolean {
  return formatPath(a) === formatPath(b);
}
