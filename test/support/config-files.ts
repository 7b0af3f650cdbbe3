import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type LoadedConfiguration, loadConfiguration } from '../../src/config/load.ts';
import { ConfigError } from '../../src/errors.ts';

/** A folder of its own for a test, gone when the test ends. */
export function createConfigFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'tdsync-config-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

export function writeConfig(text: string): string {
  const file = join(createConfigFolder(), 'tdsync.yaml');
  writeFileSync(file, text);
  return file;
}

export function load(text: string, environment: Record<string, string> = {}): LoadedConfiguration {
  return loadConfiguration(writeConfig(text), environment);
}

/** What is wrong, as `line path: message`, without the file's name. */
export function issuesOf(text: string, environment: Record<string, string> = {}): readonly string[] {
  return errorOf(() => load(text, environment)).issues.map(
    ({ line, path, message }) => `${line ?? '-'} ${path}: ${message}`,
  );
}

export function errorOf(work: () => unknown): ConfigError {
  try {
    work();
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error('nothing was wrong');
}

export const sections = {
  twilio: `twilio:
  organizationSid: OR00000000000000000000000000000001
  oauth: { clientId: "\${env:CLIENT_ID}", clientSecret: "\${env:CLIENT_SECRET}" }
`,
  csv: `source: { type: csv, users: people.csv, id: employeeId }
`,
  ldap: `source: { type: ldap, url: "ldaps://ldap.corp.example", users: { baseDn: "dc=corp,dc=example" } }
`,
  attributes: `attributes: { userName: mail }
`,
  policy: `policy: { mode: sync }
`,
};

/** The least that is accepted: lines 1–3 twilio, 4 source, 5 attributes, 6 policy; more sections begin on line 7. */
export function minimal(more = '', changed: Partial<typeof sections> = {}): string {
  const { twilio, csv, attributes, policy } = { ...sections, ...changed };
  return `${twilio}${csv}${attributes}${policy}${more}`;
}
