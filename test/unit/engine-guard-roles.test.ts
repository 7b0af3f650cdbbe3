import { expect, test } from 'vitest';
import type { UserSid } from '../../src/domain/identity.ts';
import type { NamedGrant, Operation } from '../../src/domain/operation.ts';
import type { GuardLimits, GuardName } from '../../src/domain/rules.ts';
import { grantKey } from '../../src/domain/user.ts';
import { type Holders, holdersOf } from '../../src/engine/guard-roles.ts';
import { guard } from '../../src/engine/guards.ts';
import { resolveWatchedRoles } from '../../src/engine/watched-roles.ts';
import {
  accounts,
  externalId,
  mainAccount,
  noLimits,
  organization,
  roles,
  twilioUser,
  userSid,
} from '../support/builders.ts';

const developer = named('1', 'Developer');
const administrator = named('2', 'Administrator');

function named(digit: string, roleName: string): NamedGrant {
  return { role: `IX${digit.repeat(32)}` as never, scope: mainAccount as never, roleName, scopeName: 'Main' };
}

function person(index: number) {
  const id = externalId(`p${index}`);
  return { externalId: id, userName: `${id}@corp.example`, user: userSid(index) };
}

function revoke(index: number, grant: NamedGrant): Operation {
  return {
    kind: 'revoke',
    id: `revoke p${index} ${grantKey(grant)}`,
    reason: 'not-entitled',
    assignment: `IY${index}` as never,
    grant,
    ...person(index),
  };
}

function deactivate(index: number): Operation {
  return { kind: 'deactivate', id: `deactivate p${index}`, reason: 'absent', ...person(index) };
}

function give(index: number, grant: NamedGrant): Operation {
  return { kind: 'grant', id: `grant p${index}`, reason: 'entitled', because: 'admins', grant, ...person(index) };
}

/** So many people hold each grant, numbered from 1. */
function heldBy(...held: readonly (readonly [NamedGrant, number])[]): Holders {
  const byKey = new Map(
    held.map(([grant, count]) => [
      grantKey(grant),
      new Set<UserSid>(Array.from({ length: count }, (_, index) => userSid(index + 1))),
    ]),
  );
  return (key) => byKey.get(key) ?? new Set();
}

interface Case {
  readonly limits?: Partial<GuardLimits>;
  readonly holders: Holders;
  readonly watched?: readonly NamedGrant[];
  readonly allow?: readonly [GuardName, number][];
}

function judge(name: GuardName, operations: readonly Operation[], given: Case) {
  const { guards } = guard({
    plan: {
      version: 1,
      basis: { configuration: '', source: '', twilio: '' },
      operations,
      findings: [],
      counts: { entries: 1_000, inScope: 1_000, managed: 1_000, unchanged: 0, gone: 0, unmanaged: 0 },
      digest: '',
    },
    limits: { ...noLimits, ...given.limits },
    allowances: new Map(given.allow ?? []),
    lastRead: undefined,
    holders: given.holders,
    watched: given.watched ?? [],
  });
  const found = guards.find((each) => each.guard === name);
  if (found === undefined) throw new Error(`no guard ${name}`);
  return found;
}

function revocations(count: number, grant: NamedGrant): readonly Operation[] {
  return Array.from({ length: count }, (_, index) => revoke(index + 1, grant));
}

test('half of the holders of a role may lose it, one more may not, however few they are among all', () => {
  const limits = { roleRevocations: { percent: 50 } };
  const holders = heldBy([developer, 10]);

  const half = judge('roleRevocations', revocations(5, developer), { limits, holders });
  const more = judge('roleRevocations', revocations(6, developer), { limits, holders });

  expect(half).toMatchObject({ measured: 5, limit: 5, passed: true });
  expect(more).toMatchObject({
    measured: 6,
    limit: 5,
    passed: false,
    message: '6 of 10 would lose Developer in Main; the limit is 5 (50 % of 10 who hold it = 5)',
  });
});

test('the only holder of a role may lose it, unless the role must keep one', () => {
  const operations = [revoke(1, administrator)];
  const holders = heldBy([administrator, 1]);

  const share = judge('roleRevocations', operations, { limits: { roleRevocations: { percent: 50 } }, holders });
  const last = judge('keepAtLeastOne', operations, {
    limits: { keepAtLeastOne: ['Administrator'] },
    holders,
    watched: [administrator],
  });

  expect(share.passed).toBe(true);
  expect(last).toMatchObject({
    measured: 1,
    limit: 0,
    passed: false,
    message: 'nobody would hold Administrator in Main any more; name a successor first',
  });
});

test('the role that loses the greatest share speaks for all, and a refusing one before it', () => {
  const limits = { roleRevocations: { count: 3 } };
  const holders = heldBy([developer, 100], [administrator, 2]);
  const operations = [...revocations(4, developer), ...revocations(2, administrator)];

  const result = judge('roleRevocations', operations, { limits, holders });

  expect(result).toMatchObject({ measured: 4, passed: false, message: expect.stringContaining('Developer in Main') });
});

test.each([
  ['is deactivated', [deactivate(1)], false],
  ['loses it', [revoke(1, administrator)], false],
  ['loses it while somebody else gets it', [revoke(1, administrator), give(7, administrator)], true],
  ['loses another role', [revoke(1, developer)], true],
])('when the last administrator %s', (_what, operations, passed) => {
  const holders = heldBy([administrator, 1], [developer, 1]);

  const result = judge('keepAtLeastOne', operations, {
    limits: { keepAtLeastOne: ['Administrator'] },
    holders,
    watched: [administrator],
  });

  expect(result.passed).toBe(passed);
});

test('of two administrators one may go; a role that nobody holds is not missed', () => {
  const limits = { keepAtLeastOne: ['Administrator'] };

  const oneOfTwo = { limits, holders: heldBy([administrator, 2]), watched: [administrator] };
  const nobody = { limits, holders: heldBy(), watched: [administrator] };

  expect(judge('keepAtLeastOne', [deactivate(1)], oneOfTwo).passed).toBe(true);
  expect(judge('keepAtLeastOne', [deactivate(1), revoke(2, administrator)], oneOfTwo).passed).toBe(false);
  expect(judge('keepAtLeastOne', [deactivate(1)], nobody).passed).toBe(true);
});

test('the last holder may go when that is allowed by name', () => {
  const given = {
    limits: { keepAtLeastOne: ['Administrator'] },
    holders: heldBy([administrator, 1]),
    watched: [administrator],
  };

  const result = judge('keepAtLeastOne', [deactivate(1)], { ...given, allow: [['keepAtLeastOne', 1]] });

  expect(result.passed).toBe(true);
});

test('holders are the active users, managed or not', () => {
  const inactive = { ...twilioUser(2, 'bob'), active: false };
  const assignmentsOf = (user: UserSid) => [{ sid: `IY${user}` as never, user, ...administrator }];

  const holders = holdersOf([twilioUser(1, 'ann'), inactive], assignmentsOf);

  expect([...holders(grantKey(administrator))]).toEqual([userSid(1)]);
  expect([...holders(grantKey(developer))]).toEqual([]);
});

test('a listed role is watched in the organization and in every account that is not closed, and an unknown one is an error', () => {
  const [account] = accounts;
  const closed = { ...account, sid: `AC${'9'.repeat(32)}` as never, status: 'closed' } as (typeof accounts)[number];

  const { watched, issues } = resolveWatchedRoles(
    ['Administrator', 'Emperor'],
    roles,
    [...accounts, closed],
    organization,
  );

  expect(issues).toEqual([{ path: 'guards.keepAtLeastOne[1]', message: expect.stringContaining('"Emperor"') }]);
  expect(watched.map(({ scope }) => scope)).toContain(accounts[0]?.sid);
  expect(watched.map(({ scope }) => scope)).not.toContain(closed.sid);
});
