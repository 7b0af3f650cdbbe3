import type { Operation } from '../domain/operation.ts';
import type { GuardResult, Plan, Verdict } from '../domain/plan.ts';
import { type GuardLimit, type GuardLimits, type GuardName, guardNames } from '../domain/rules.ts';

/**
 * Guards refuse a whole plan; they never trim one. Each counts people, not calls, and compares with an absolute number,
 * a percentage, or the smaller of both. A percentage above zero always lets one person through, so that an organization of
 * five can lose one; a source that lost everybody in scope is refused whatever the percentage.
 */
export interface GuardInput {
  readonly plan: Plan;
  readonly limits: GuardLimits;
  /** Limits raised by name for this run; `Infinity` lifts the guard. */
  readonly allowances: ReadonlyMap<GuardName, number>;
  readonly lastRead: { readonly entries: number; readonly inScope: number } | undefined;
}

export function guard(input: GuardInput): Verdict {
  const guards = guardNames.map((name) => (name === 'sourceShrink' ? shrink(input) : harm(name, input)));
  return { allowed: guards.every((result) => result.passed), guards };
}

interface Harm {
  /** Whether the operation does this harm to its person. */
  readonly does: (operation: Operation) => boolean;
  /** After "people would". */
  readonly verb: string;
}

const harms: Readonly<Record<Exclude<GuardName, 'sourceShrink'>, Harm>> = {
  deactivations: { does: ({ kind }) => kind === 'deactivate', verb: 'be deactivated' },
  revocations: { does: ({ kind }) => kind === 'revoke', verb: 'lose a role' },
  creations: { does: ({ kind }) => kind === 'create', verb: 'be created' },
  renames: { does: isRename, verb: 'get another address' },
};

function isRename(operation: Operation): boolean {
  return (
    'changes' in operation &&
    operation.kind !== 'create' &&
    operation.changes.some((change) => change.attribute === 'userName')
  );
}

function harm(name: Exclude<GuardName, 'sourceShrink'>, { plan, limits, allowances }: GuardInput): GuardResult {
  const { does, verb } = harms[name];
  const measured = new Set(plan.operations.filter(does).map((operation) => operation.externalId)).size;
  const { managed } = plan.counts;
  const { limit, arithmetic } = allowed(limits[name], allowances.get(name), managed, `${managed} managed`);
  return result(
    name,
    measured,
    limit,
    `${measured} ${measured === 1 ? 'person' : 'people'} would ${verb}; ${arithmetic}`,
  );
}

/** Both numbers can fall: entries when the source was cut, people in scope when a filter was mistyped. */
function shrink(input: GuardInput): GuardResult {
  const { plan, lastRead } = input;
  const { entries, inScope, managed } = plan.counts;
  if (lastRead === undefined) {
    const emptied = managed > 0 && inScope === 0 && !input.allowances.has('sourceShrink');
    return emptied
      ? result(
          'sourceShrink',
          managed,
          0,
          `nobody is in scope, and ${managed} are managed: an empty scope is always refused`,
        )
      : result('sourceShrink', 0, undefined, 'no earlier complete read to compare with');
  }
  const fell = [
    fall('entries', lastRead.entries, entries, input),
    fall('people in scope', lastRead.inScope, inScope, input),
  ];
  const [first, second] = fell.map(({ result: each }) => each) as [GuardResult, GuardResult];
  if (first.passed !== second.passed) return first.passed ? second : first;
  return (fell[1]?.share ?? 0) > (fell[0]?.share ?? 0) ? second : first;
}

function fall(
  what: string,
  before: number,
  now: number,
  { limits, allowances }: GuardInput,
): { readonly result: GuardResult; readonly share: number } {
  const name = 'sourceShrink';
  const lost = Math.max(0, before - now);
  const share = before === 0 ? 0 : lost / before;
  const allowance = allowances.get(name);
  if (before > 0 && now === 0 && allowance === undefined) {
    return {
      result: result(name, lost, 0, `${what} fell from ${before} to 0: an empty scope is always refused`),
      share,
    };
  }
  const { limit, arithmetic } = allowed(limits[name], allowance, before, `${before} ${what} at the last complete read`);
  const message = `${what} went from ${before} to ${now}, ${lost} fewer; ${arithmetic}`;
  return { result: result(name, lost, limit, message), share };
}

function result(guardName: GuardName, measured: number, limit: number | undefined, message: string): GuardResult {
  const bounded = limit === undefined || limit === Number.POSITIVE_INFINITY ? undefined : limit;
  return { guard: guardName, measured, limit: bounded, passed: bounded === undefined || measured <= bounded, message };
}

/** The most that may pass, and how it was reckoned. */
function allowed(
  { count, percent }: GuardLimit,
  allowance: number | undefined,
  base: number,
  baseName: string,
): { limit: number | undefined; arithmetic: string } {
  if (allowance !== undefined) {
    return allowance === Number.POSITIVE_INFINITY
      ? { limit: undefined, arithmetic: 'allowed for this run' }
      : { limit: allowance, arithmetic: `the limit is ${allowance}, allowed for this run` };
  }
  const share = percent === undefined ? undefined : percent === 0 ? 0 : Math.max(1, Math.floor((base * percent) / 100));
  const parts = [
    ...(count === undefined ? [] : [`${count}`]),
    ...(share === undefined ? [] : [`${percent} % of ${baseName} = ${share}`]),
  ];
  const limits = [count, share].filter((each) => each !== undefined);
  if (limits.length === 0) return { limit: undefined, arithmetic: `no limit (${baseName})` };
  const limit = Math.min(...limits);
  return {
    limit,
    arithmetic: `the limit is ${limit}${parts.length > 1 ? `, the smaller of ${parts.join(' and ')}` : share === undefined ? '' : ` (${parts[0]})`}`,
  };
}
