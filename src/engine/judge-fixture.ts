/**
 * Asks the rules about one made-up entry, by the code that a run asks them with. Each entry stands alone, so that fixtures may
 * share addresses. Grants are compared by the names that the configuration writes: which roles there are, nobody asks.
 */
import type { Difference, Expectation, Fixture, WrittenGrant } from '../domain/fixture.ts';
import type { RoleSid, ScopeSid } from '../domain/identity.ts';
import type { Finding } from '../domain/plan.ts';
import type { RoleRule } from '../domain/rules.ts';
import { type DesiredUser, grantKey, textAttributes } from '../domain/user.ts';
import type { CompiledRules } from './compile.ts';
import { buildDesiredState } from './desired-state.ts';
import type { Entitlements } from './entitlements.ts';

/** Everything that is not as expected; empty when all is. */
export function judgeFixture(
  compiled: CompiledRules,
  rules: readonly RoleRule[],
  { entry, expected }: Fixture,
): readonly Difference[] {
  const entitlements = asWritten(rules);
  const builder = buildDesiredState(compiled, entitlements, () => false);
  builder.accept(entry);
  const { users, findings } = builder.finish();
  const [user] = users.values();
  const [found] = findings;
  // The place stands beside the fixture's name already.
  const finding = found && { ...found, message: found.message.replace(`${entry.location}: `, '') };

  if (expected.result === 'user' && user !== undefined) {
    return [...attributeDifferences(expected, user), ...grantDifferences(expected, user, entitlements)];
  }
  if (expected.result === 'finding' && finding !== undefined) return findingDifferences(expected, finding);
  if (expected.result === 'out-of-scope' && user === undefined && finding === undefined) return [];
  return [{ what: 'result', expected: expectedText(expected), actual: actualText(user, finding) }];
}

type ExpectedUser = Extract<Expectation, { result: 'user' }>;

function attributeDifferences(expected: ExpectedUser, user: DesiredUser): readonly Difference[] {
  const attributes = textAttributes.flatMap((attribute) => {
    const wanted = expected.attributes[attribute];
    const actual = user.attributes[attribute] || null;
    return wanted === undefined || wanted === actual ? [] : [{ what: attribute, expected: wanted, actual }];
  });
  if (expected.active === user.active) return attributes;
  return [...attributes, { what: 'active', expected: String(expected.active), actual: String(user.active) }];
}

function grantDifferences(
  { grants }: ExpectedUser,
  user: DesiredUser,
  { nameOf }: Entitlements,
): readonly Difference[] {
  if (grants === undefined) return [];
  const actual = new Map(
    user.grants.map((grant) => {
      const { roleName, scopeName } = nameOf(grant);
      return [grantText({ role: roleName, scope: scopeName }), grant.because] as const;
    }),
  );
  const wanted = new Set(grants.map(grantText));
  const missing = [...wanted].filter((text) => !actual.has(text));
  const surplus = [...actual].filter(([text]) => !wanted.has(text));
  return [
    ...missing.map((expected) => ({ what: 'grant', expected, actual: null })),
    ...surplus.map(([text, because]) => ({ what: 'grant', expected: null, actual: text, because })),
  ];
}

function findingDifferences(
  { code, message }: Extract<Expectation, { result: 'finding' }>,
  finding: Finding,
): readonly Difference[] {
  if (finding.code !== code) return [{ what: 'finding', expected: code, actual: findingText(finding) }];
  if (message === undefined || finding.message.includes(message)) return [];
  return [{ what: 'finding', expected: `${code} with "${message}"`, actual: findingText(finding) }];
}

function expectedText(expected: Expectation): string {
  switch (expected.result) {
    case 'out-of-scope':
      return 'out of scope';
    case 'finding':
      return `finding ${expected.code}`;
    case 'user':
      return 'a user';
  }
}

function actualText(user: DesiredUser | undefined, finding: Finding | undefined): string {
  if (user !== undefined)
    return `a user, ${user.attributes.userName || 'without address'}${user.active ? '' : ', not active'}`;
  return finding === undefined ? 'out of scope' : `finding ${findingText(finding)}`;
}

function findingText({ code, message }: Finding): string {
  return `${code}: ${message}`;
}

function grantText({ role, scope }: WrittenGrant): string {
  return `${role} in ${scope}`;
}

/** Numbers stand for names, because a name may hold what parts a key. */
function asWritten(rules: readonly RoleRule[]): Entitlements {
  const roles: string[] = [];
  const scopes: string[] = [];
  const numberOf = (names: string[], name: string) => {
    const known = names.indexOf(name);
    return String(known >= 0 ? known : names.push(name) - 1);
  };
  const resolved = rules.map(({ grants }) =>
    grants.map(({ role, scope }) => ({
      role: numberOf(roles, role) as RoleSid,
      scope: numberOf(scopes, scope) as ScopeSid,
    })),
  );
  return {
    rules: resolved,
    named: new Set(resolved.flat().map(grantKey)),
    scopes: new Set(resolved.flat().map(({ scope }) => scope)),
    nameOf: ({ role, scope }) => ({
      role,
      scope,
      roleName: roles[Number(role)] ?? role,
      scopeName: scopes[Number(scope)] ?? scope,
    }),
  };
}
