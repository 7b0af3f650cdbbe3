import type { GroupOptions, LdapOptions } from '../domain/ldap-options.ts';
import type { Secret } from '../domain/secret.ts';
import { parseDurationOrFail } from './durations.ts';
import { type LdapPreset, ldapPreset } from './ldap-presets.ts';
import type { ConfigurationFile } from './schema.ts';

type LdapSection = Extract<ConfigurationFile['source'], { type: 'ldap' }>;

/** How paths and secrets of the file become what the program uses. */
export interface Base {
  /** Resolves from the configuration file's folder. */
  path(relative: string): string;
  secret(value: string, path: string): Secret;
}

/** The section `source` of a file that the schema has accepted, with the preset filling in what the file leaves out. */
export function ldapOptions(source: LdapSection, base: Base): LdapOptions {
  const preset = ldapPreset(source.preset);
  const { bindDn, bindPassword, tls, groups, timeouts, incremental } = source;
  const { caFile, certFile, keyFile, serverName, insecureClearText: _, ...others } = tls;
  return {
    urls: [source.url].flat(),
    ...(bindDn === undefined ? {} : { bindDn }),
    ...(bindPassword === undefined ? {} : { bindPassword: base.secret(bindPassword, 'source.bindPassword') }),
    tls: {
      ...others,
      ...(caFile === undefined ? {} : { caFile: base.path(caFile) }),
      ...(certFile === undefined ? {} : { certFile: base.path(certFile) }),
      ...(keyFile === undefined ? {} : { keyFile: base.path(keyFile) }),
      ...(serverName === undefined ? {} : { serverName }),
    },
    users: userOptions(source.users, preset),
    ...(groups === undefined ? {} : { groups: groupOptions(groups, preset) }),
    referrals: source.referrals,
    pageSize: source.pageSize ?? preset.pageSize,
    timeouts: {
      connectMs: parseDurationOrFail(timeouts.connect),
      operationMs: parseDurationOrFail(timeouts.operation),
      readMs: parseDurationOrFail(timeouts.read),
    },
    ...(incremental === undefined
      ? {}
      : {
          incremental: { method: incremental.method, fullReadEveryMs: parseDurationOrFail(incremental.fullReadEvery) },
        }),
  };
}

function userOptions(users: LdapSection['users'], preset: LdapPreset): LdapOptions['users'] {
  const { baseDn, scope, filter, id, disabled } = users;
  return {
    baseDn: [baseDn].flat(),
    scope,
    filter: filter ?? preset.users.filter,
    id: id ?? preset.users.id,
    disabled: disabled ?? preset.users.disabled,
  };
}

function groupOptions(groups: NonNullable<LdapSection['groups']>, preset: LdapPreset): GroupOptions {
  const { baseDn, scope, filter, name, membership, uid, nested, primaryGroup } = groups;
  return {
    baseDn: [baseDn].flat(),
    scope,
    filter: filter ?? preset.groups.filter,
    name: name ?? preset.groups.name,
    membership: membership === undefined ? preset.groups.membership : [membership].flat(),
    uid: uid ?? preset.groups.uid,
    nested: nested === undefined ? preset.groups.nested : nestingOf(nested),
    primaryGroup: primaryGroup ?? preset.groups.primaryGroup,
  };
}

function nestingOf(nested: boolean | 'matching-rule'): GroupOptions['nested'] {
  if (nested === 'matching-rule') return nested;
  return nested ? 'resolve' : 'none';
}
