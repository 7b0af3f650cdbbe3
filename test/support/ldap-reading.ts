import type { PresetName } from '../../src/config/ldap-presets.ts';
import { ldapOptions as optionsOfFile } from '../../src/config/ldap-settings.ts';
import { ldapSource } from '../../src/config/schema/source-ldap.ts';
import type { Demand, Entry } from '../../src/domain/entry.ts';
import type { LdapOptions } from '../../src/domain/ldap-options.ts';
import type { Secret } from '../../src/domain/secret.ts';
import type { DirectorySource, Logger } from '../../src/ports.ts';

import { groupsDn, peopleDn } from './directory-ldif.ts';

export function secret(value: string): Secret {
  return { reference: 'env:LDAP_PASSWORD', read: () => value };
}

type GroupOptions = NonNullable<LdapOptions['groups']>;

export interface OptionChanges extends Partial<Omit<LdapOptions, 'users' | 'groups' | 'tls' | 'timeouts'>> {
  readonly users?: Partial<LdapOptions['users']>;
  readonly groups?: Partial<GroupOptions>;
  readonly tls?: Partial<LdapOptions['tls']>;
  readonly timeouts?: Partial<LdapOptions['timeouts']>;
}

/** Options for the tests' directories: anonymous, people by entryUUID, groups by member. */
export function ldapOptions(url: string, changes: OptionChanges = {}): LdapOptions {
  return {
    urls: [url],
    referrals: 'refuse',
    pageSize: 1000,
    ...changes,
    tls: { startTls: false, systemStore: false, ...changes.tls },
    users: {
      baseDn: [peopleDn],
      filter: '(objectClass=inetOrgPerson)',
      scope: 'sub',
      id: 'entryUUID',
      disabled: 'none',
      ...changes.users,
    },
    groups: {
      baseDn: [groupsDn],
      filter: '(objectClass=groupOfNames)',
      scope: 'sub',
      name: 'cn',
      membership: ['member'],
      uid: 'uid',
      nested: 'none',
      primaryGroup: false,
      ...changes.groups,
    },
    timeouts: { connectMs: 5_000, operationMs: 10_000, readMs: 60_000, ...changes.timeouts },
  };
}

/** What a file says that names a preset, a server and the bases, and nothing else. */
export function presetOptions(preset: PresetName, url: string, people: string, groups: string): LdapOptions {
  const source = ldapSource.parse({ type: 'ldap', preset, url, users: { baseDn: people }, groups: { baseDn: groups } });
  return optionsOfFile(source, { path: (relative) => relative, secret });
}

export function demandOf(changes: Partial<Demand> = {}): Demand {
  return { attributes: ['mail'], groups: [], allGroups: false, ...changes };
}

/** Reads to the end and keeps what came; rejects as the source does. */
export async function readAll(
  source: DirectorySource,
  demand: Demand = demandOf(),
  signal: AbortSignal = new AbortController().signal,
): Promise<readonly Entry[]> {
  const entries: Entry[] = [];
  await source.read(demand, (entry) => entries.push(entry), signal);
  return entries;
}

/** The error that a read ends with; fails when it does not. */
export async function failureOf(read: Promise<unknown>): Promise<Error & { readonly hint?: string }> {
  const outcome = await read.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (outcome instanceof Error) return outcome;
  throw new Error('the read should have failed');
}

export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly fields: object;
  readonly message: string;
}

/** A logger that remembers. */
export function createTestLogger(): Logger & { readonly lines: readonly LogLine[]; warnings(): readonly string[] } {
  const lines: LogLine[] = [];
  const at = (level: LogLine['level']) => (fields: object, message: string) => {
    lines.push({ level, fields, message });
  };
  return {
    lines,
    warnings: () => lines.filter(({ level }) => level === 'warn').map(({ message }) => message),
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
  };
}
