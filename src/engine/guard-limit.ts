import type { GuardResult } from '../domain/plan.ts';
import type { GuardLimit, GuardName } from '../domain/rules.ts';

/** The most that may pass, and how it was reckoned: half a sentence. */
export interface Allowed {
  /** Undefined when nothing is too much. */
  readonly limit: number | undefined;
  readonly arithmetic: string;
}

/**
 * An allowance for this run counts alone; else the smaller of the number and the share of `base`. A share above zero always lets
 * one through, so that an organization of five can lose one.
 */
export function allowed(
  { count, percent }: GuardLimit,
  allowance: number | undefined,
  base: number,
  baseName: string,
): Allowed {
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

export function guardResult(
  guard: GuardName,
  measured: number,
  limit: number | undefined,
  message: string,
): GuardResult {
  const bounded = limit === undefined || limit === Number.POSITIVE_INFINITY ? undefined : limit;
  return { guard, measured, limit: bounded, passed: bounded === undefined || measured <= bounded, message };
}
