import type { RoleSid, ScopeSid } from '../domain/identity.ts';
import type { NamedGrant } from '../domain/operation.ts';
import type { Account, Role } from '../domain/user.ts';
import type { RuleIssue } from './compile.ts';

/**
 * The roles of `guards.keepAtLeastOne` in every scope where they can be held: the organization and each account that is not closed.
 * A name that several roles have means all of them, because watching one too many does no harm.
 */
export function resolveWatchedRoles(
  names: readonly string[],
  roles: readonly Role[],
  accounts: readonly Account[] | undefined,
  organization: ScopeSid,
): { readonly watched: readonly NamedGrant[]; readonly issues: readonly RuleIssue[] } {
  const issues: RuleIssue[] = [];
  const found = names.flatMap((name, index) => {
    const matches = roles.filter((role) => role.sid === name || role.name === name);
    if (matches.length > 0) return matches;
    if (/^IX[0-9a-f]{32}$/.test(name)) return [{ sid: name as RoleSid, name, lowestLevel: undefined }];
    issues.push({
      path: `guards.keepAtLeastOne[${index}]`,
      message: `no role is named "${name}"; see \`tdsync roles\``,
    });
    return [];
  });
  const scopes = [
    { sid: organization, name: 'organization' },
    ...(accounts ?? []).filter(({ status }) => status !== 'closed'),
  ];
  const bySid = new Map(found.map((role) => [role.sid, role]));
  const watched = [...bySid.values()].flatMap((role) =>
    scopes
      .filter(({ sid }) => role.lowestLevel !== 'ORGANIZATION' || sid === organization)
      .map((scope) => ({ role: role.sid, roleName: role.name, scope: scope.sid, scopeName: scope.name })),
  );
  return { watched, issues };
}
