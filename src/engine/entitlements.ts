import { compareStrings, type RoleSid, type ScopeSid } from '../domain/identity.ts';
import type { NamedGrant } from '../domain/operation.ts';
import type { RoleRule } from '../domain/rules.ts';
import { type Account, type DesiredGrant, type Grant, type GrantKey, grantKey, type Role } from '../domain/user.ts';
import type { RuleIssue } from './compile.ts';

/** Role rules with names resolved to SIDs. */
export interface Entitlements {
  /** Grants of each role rule, by the rule's index. */
  readonly rules: readonly (readonly Grant[])[];
  /** Every pair that the configuration names: these, and those that we assigned ourselves, may be revoked. */
  readonly named: ReadonlySet<GrantKey>;
  /** Scopes whose assignments must be known. */
  readonly scopes: ReadonlySet<ScopeSid>;
  nameOf(grant: Grant): NamedGrant;
}

/**
 * Resolves role and account names. Unknown and ambiguous names are issues, never guesses: a wrong role is a security fault.
 * `accounts` is undefined when this application may not list them; then only SIDs can name account scopes.
 */
export function resolveEntitlements(
  rules: readonly RoleRule[],
  roles: readonly Role[],
  accounts: readonly Account[] | undefined,
  organization: ScopeSid,
): { entitlements: Entitlements; issues: readonly RuleIssue[] } {
  const issues: RuleIssue[] = [];
  const resolved = rules.map((rule, ruleIndex) =>
    rule.grants.flatMap((grant, grantIndex) => {
      const path = `roles[${ruleIndex}].grants[${grantIndex}]`;
      const scope = resolveScope(grant.scope, accounts, organization);
      if ('problem' in scope) {
        issues.push({ path: `${path}.scope`, message: scope.problem });
        return [];
      }
      const role = resolveRole(grant.role, roles, scope.sid === organization);
      if ('problem' in role) {
        issues.push({ path: `${path}.role`, message: role.problem });
        return [];
      }
      return [{ role: role.sid, scope: scope.sid }];
    }),
  );

  const roleNames = new Map(roles.map((role) => [role.sid, role.name]));
  const scopeNames = new Map((accounts ?? []).map((account) => [account.sid, account.name]));
  scopeNames.set(organization, 'organization');
  return {
    issues,
    entitlements: {
      rules: resolved,
      named: new Set(resolved.flat().map(grantKey)),
      scopes: new Set(resolved.flat().map((grant) => grant.scope)),
      nameOf: ({ role, scope }) => ({
        role,
        scope,
        roleName: roleNames.get(role) ?? role,
        scopeName: scopeNames.get(scope) ?? scope,
      }),
    },
  };
}

/** A role rule that applies to somebody, and why. */
export interface AppliedRule {
  readonly rule: number;
  readonly because: string;
  readonly via?: readonly string[] | undefined;
}

/** The grants of all rules that apply, each once, in a stable order, with the first rule as its reason. */
export function collectGrants(entitlements: Entitlements, applied: readonly AppliedRule[]): readonly DesiredGrant[] {
  if (applied.length === 0) return noGrants;
  const grants = new Map<GrantKey, DesiredGrant>();
  for (const { rule, because, via } of applied) {
    for (const grant of entitlements.rules[rule] ?? []) {
      const key = grantKey(grant);
      if (!grants.has(key)) grants.set(key, { ...grant, because, ...(via !== undefined && { via }) });
    }
  }
  return [...grants.entries()].sort(([a], [b]) => compareStrings(a, b)).map(([, grant]) => grant);
}

const noGrants: readonly DesiredGrant[] = [];

type Resolved<Sid> = { readonly sid: Sid } | { readonly problem: string };

function resolveScope(
  name: string,
  accounts: readonly Account[] | undefined,
  organization: ScopeSid,
): Resolved<ScopeSid> {
  if (name === 'organization' || name === organization) return { sid: organization };
  if (/^AC[0-9a-f]{32}$/.test(name)) return { sid: name as ScopeSid };
  if (/^OR[0-9a-f]{32}$/.test(name)) return { problem: `${name} is another organization` };
  if (accounts === undefined) {
    return {
      problem: `the account "${name}" cannot be looked up, because Twilio refuses the list of accounts to this application; write its SID (AC…)`,
    };
  }
  const matches = accounts.filter((account) => account.name === name);
  if (matches.length > 1) {
    return { problem: `${matches.length} accounts are named "${name}" (${list(matches)}); write the SID` };
  }
  const [match] = matches;
  return match ? { sid: match.sid } : { problem: `no account is named "${name}"${near(name, accounts)}` };
}

/** General rule of Twilio's Roles resource: `lowest_level` is the narrowest scope in which a role may be given. */
function resolveRole(name: string, roles: readonly Role[], inOrganization: boolean): Resolved<RoleSid> {
  const bySid = roles.find((role) => role.sid === name);
  if (bySid?.lowestLevel === 'ORGANIZATION' && !inOrganization) return { problem: organizationOnly(bySid.name) };
  if (/^IX[0-9a-f]{32}$/.test(name)) return { sid: name as RoleSid };
  const named = roles.filter((role) => role.name === name);
  const fitting = inOrganization ? named : named.filter((role) => role.lowestLevel !== 'ORGANIZATION');
  if (fitting.length > 1) {
    return { problem: `${fitting.length} roles are named "${name}" (${list(fitting)}); write the SID` };
  }
  const [match] = fitting;
  if (match) return { sid: match.sid };
  return named.length > 0
    ? { problem: organizationOnly(name) }
    : { problem: `no role is named "${name}"${near(name, roles)}; see \`tdsync roles\`` };
}

function organizationOnly(name: string): string {
  return `the role "${name}" can only be given in the organization`;
}

function list(items: readonly { readonly sid: string }[]): string {
  return items.map((item) => item.sid).join(', ');
}

function near(name: string, items: readonly { readonly name: string }[]): string {
  const wanted = name.trim().toLowerCase();
  const match = items.find((item) => item.name.trim().toLowerCase() === wanted);
  return match ? ` (there is "${match.name}")` : '';
}
