import { expect, test } from 'vitest';
import type { RoleSid } from '../../src/domain/identity.ts';
import { grantKey, type Role } from '../../src/domain/user.ts';
import { collectGrants, resolveEntitlements } from '../../src/engine/entitlements.ts';
import {
  accounts,
  administrator,
  developer,
  mainAccount,
  organization,
  otherAccount,
  roles,
} from '../support/builders.ts';

function resolve(
  role: string,
  scope: string,
  given: { roles?: readonly Role[]; accounts?: typeof accounts | null } = {},
) {
  const known = given.accounts === null ? undefined : (given.accounts ?? accounts);
  return resolveEntitlements([{ group: 'g', grants: [{ role, scope }] }], given.roles ?? roles, known, organization);
}

test('role and account are resolved by exact name', () => {
  const { entitlements, issues } = resolve('Developer', 'Main');

  expect(issues).toEqual([]);
  expect(entitlements.rules).toEqual([[{ role: developer, scope: mainAccount }]]);
  expect(entitlements.nameOf({ role: developer, scope: mainAccount })).toMatchObject({
    roleName: 'Developer',
    scopeName: 'Main',
  });
});

test.each([
  ['organization', organization],
  [organization, organization],
  [otherAccount, otherAccount],
])('the scope %s needs no list of accounts', (scope, sid) => {
  const { entitlements } = resolve('Developer', scope, { accounts: null });

  expect([...entitlements.scopes]).toEqual([sid]);
});

test('a SID that no list shows keeps its SID as its name', () => {
  const { entitlements } = resolve(`IX${'f'.repeat(32)}`, `AC${'e'.repeat(32)}`, { accounts: null });
  const [grant] = entitlements.rules[0] ?? [];

  expect(grant && entitlements.nameOf(grant)).toMatchObject({
    roleName: `IX${'f'.repeat(32)}`,
    scopeName: `AC${'e'.repeat(32)}`,
  });
});

test.each([
  ['an unknown role', 'Developr', 'Main', 'roles[0].grants[0].role', 'no role is named "Developr"; see `tdsync roles`'],
  ['a role in other letters', 'developer', 'Main', 'roles[0].grants[0].role', '(there is "Developer")'],
  ['an unknown account', 'Developer', 'Mein', 'roles[0].grants[0].scope', 'no account is named "Mein"'],
  ['an account in other letters', 'Developer', 'main ', 'roles[0].grants[0].scope', '(there is "Main")'],
  ['another organization', 'Developer', `OR${'f'.repeat(32)}`, 'roles[0].grants[0].scope', 'is another organization'],
  [
    'an organization role in an account',
    'Standard User',
    'Main',
    'roles[0].grants[0].role',
    'only be given in the organization',
  ],
])('%s is an issue and never a guess', (_what, role, scope, path, message) => {
  const { issues, entitlements } = resolve(role, scope);

  expect(issues).toEqual([{ path, message: expect.stringContaining(message) }]);
  expect(entitlements.named.size).toBe(0);
});

test('an organization role given by SID in an account is an issue as well', () => {
  const { issues } = resolve(roles[3]?.sid ?? '', 'Main');

  expect(issues).toEqual([
    { path: 'roles[0].grants[0].role', message: expect.stringContaining('in the organization') },
  ]);
});

test('a role whose lowest level is an account may be given in the organization', () => {
  expect(resolve('Administrator', 'organization').issues).toEqual([]);
});

test('a role whose level is not known here is not refused for it', () => {
  const odd: Role = { sid: `IX${'9'.repeat(32)}` as RoleSid, name: 'Odd', lowestLevel: undefined };

  expect(resolve('Odd', 'Main', { roles: [odd] }).issues).toEqual([]);
});

test('a name that several roles or accounts have is an issue that lists their SIDs', () => {
  const twin: Role = { sid: `IX${'8'.repeat(32)}` as RoleSid, name: 'Developer', lowestLevel: 'SUB_ACCOUNT' };
  const [main] = accounts;

  const role = resolve('Developer', 'Main', { roles: [...roles, twin] });
  const scope = resolve('Developer', 'Main', { accounts: main ? [main, { ...main, sid: otherAccount }] : [] });

  expect(role.issues[0]?.message).toContain(`2 roles are named "Developer" (${developer}, ${twin.sid}); write the SID`);
  expect(scope.issues[0]?.message).toContain('2 accounts are named "Main"');
});

test('of two roles with one name, the one that fits an account is meant there', () => {
  const twin: Role = { sid: `IX${'8'.repeat(32)}` as RoleSid, name: 'Developer', lowestLevel: 'ORGANIZATION' };

  expect(resolve('Developer', 'Main', { roles: [...roles, twin] }).entitlements.rules).toEqual([
    [{ role: developer, scope: mainAccount }],
  ]);
});

test('an account name cannot be resolved when Twilio refuses the list, and the issue says what to write', () => {
  const { issues } = resolve('Developer', 'Main', { accounts: null });

  expect(issues[0]?.message).toContain('write its SID (AC…)');
});

test('grants of several rules are joined, each once, with the first rule as the reason', () => {
  const { entitlements } = resolveEntitlements(
    [
      { group: 'a', grants: [{ role: 'Developer', scope: 'Main' }] },
      {
        group: 'b',
        grants: [
          { role: 'Administrator', scope: 'Main' },
          { role: 'Developer', scope: 'Main' },
        ],
      },
    ],
    roles,
    accounts,
    organization,
  );

  const grants = collectGrants(entitlements, [
    { rule: 0, because: 'a' },
    { rule: 1, because: 'b' },
  ]);

  expect(grants).toEqual([
    { role: developer, scope: mainAccount, because: 'a' },
    { role: administrator, scope: mainAccount, because: 'b' },
  ]);
  expect(entitlements.named).toEqual(new Set(grants.map(grantKey)));
});
