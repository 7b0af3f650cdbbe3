/** Guards that look at one role in one scope at a time: who holds it now, and who would hold it after the plan. */
import type { UserSid } from '../domain/identity.ts';
import type { NamedGrant, Operation } from '../domain/operation.ts';
import type { GuardResult } from '../domain/plan.ts';
import { type GrantKey, grantKey, type RoleAssignment, type TwilioUser } from '../domain/user.ts';
import { allowed, guardResult } from './guard-limit.ts';
import type { GuardInput } from './guards.ts';

/** Active users of the organization, managed or not, by the grant that they hold; as far as its scope is listed. */
export type Holders = (grant: GrantKey) => ReadonlySet<UserSid>;

/** Looks when it is first asked: most plans take nothing away. */
export function holdersOf(
  users: Iterable<TwilioUser>,
  assignmentsOf: (user: UserSid) => readonly RoleAssignment[],
): Holders {
  let holders: Map<GrantKey, Set<UserSid>> | undefined;
  const find = () => {
    const found = new Map<GrantKey, Set<UserSid>>();
    for (const { sid, active } of users) {
      if (!active) continue;
      for (const assignment of assignmentsOf(sid)) {
        const key = grantKey(assignment);
        const known = found.get(key);
        if (known === undefined) found.set(key, new Set([sid]));
        else known.add(sid);
      }
    }
    return found;
  };
  const nobody: ReadonlySet<UserSid> = new Set();
  return (grant) => {
    holders ??= find();
    return holders.get(grant) ?? nobody;
  };
}

/** What the plan does to one role in one scope. */
interface Change {
  readonly grant: NamedGrant;
  readonly losing: ReadonlySet<UserSid>;
}

/** Refuses when too many of those who hold one role in one scope would lose it, however small their share of everybody is. */
export function guardRoles({ plan, limits, allowances, holders }: GuardInput): GuardResult {
  const name = 'roleRevocations';
  const judged = [...revocations(plan.operations).values()].map(({ grant, losing }) => {
    const held = new Set([...holders(grantKey(grant)), ...losing]).size;
    const { limit, arithmetic } = allowed(limits[name], allowances.get(name), held, `${held} who hold it`);
    const message = `${losing.size} of ${held} would lose ${named(grant)}; ${arithmetic}`;
    return { result: guardResult(name, losing.size, limit, message), share: losing.size / held };
  });
  const refusing = judged.filter(({ result }) => !result.passed);
  const [worst] = (refusing.length > 0 ? refusing : judged).sort((a, b) => b.share - a.share);
  if (worst === undefined) return guardResult(name, 0, undefined, 'nobody would lose a role');
  const others = refusing.length > 1 ? `, and ${refusing.length - 1} more roles are past their limit` : '';
  return { ...worst.result, message: `${worst.result.message}${others}` };
}

/**
 * Refuses when nobody active would hold a listed role in a scope where somebody does now. Who is deactivated loses everything,
 * also in scopes that no rule names.
 */
export function guardLastHolders({ plan, limits, allowances, holders, watched }: GuardInput): GuardResult {
  const name = 'keepAtLeastOne';
  if (limits[name].length === 0) return guardResult(name, 0, undefined, 'no role is listed');
  const deactivated = new Set(plan.operations.flatMap((each) => (each.kind === 'deactivate' ? [each.user] : [])));
  const revoked = revocations(plan.operations);
  const gaining = new Set(plan.operations.flatMap((each) => (each.kind === 'grant' ? [grantKey(each.grant)] : [])));
  const orphaned = watched.filter((grant) => {
    const key = grantKey(grant);
    const now = holders(key);
    const losing = revoked.get(key)?.losing;
    const stays = [...now].some((user) => !deactivated.has(user) && losing?.has(user) !== true);
    return now.size > 0 && !stays && !gaining.has(key);
  });
  const limit = allowances.get(name) ?? 0;
  const what = orphaned.map(named).join(' and ');
  const message =
    orphaned.length === 0
      ? 'every listed role keeps a holder'
      : `nobody would hold ${what} any more; name a successor first`;
  return guardResult(name, orphaned.length, limit, message);
}

function revocations(operations: readonly Operation[]): ReadonlyMap<GrantKey, Change> {
  const found = new Map<GrantKey, { grant: NamedGrant; losing: Set<UserSid> }>();
  for (const operation of operations) {
    if (operation.kind !== 'revoke') continue;
    const key = grantKey(operation.grant);
    const known = found.get(key);
    if (known === undefined) found.set(key, { grant: operation.grant, losing: new Set([operation.user]) });
    else known.losing.add(operation.user);
  }
  return found;
}

function named({ roleName, scopeName }: NamedGrant): string {
  return `${roleName} in ${scopeName}`;
}
