import type { GuardResult } from '../domain/plan.ts';
import { allowed, guardResult } from './guard-limit.ts';
import type { GuardInput } from './guards.ts';

const name = 'sourceShrink';

/** Both numbers can fall: entries when the source was cut, people in scope when a filter was mistyped. */
export function guardShrink(input: GuardInput): GuardResult {
  const { plan, lastRead } = input;
  const { entries, inScope, managed } = plan.counts;
  if (lastRead === undefined) {
    const emptied = managed > 0 && inScope === 0 && !input.allowances.has(name);
    return emptied
      ? guardResult(
          name,
          managed,
          0,
          `nobody is in scope, and ${managed} are managed: an empty scope is always refused`,
        )
      : guardResult(name, 0, undefined, 'no earlier complete read to compare with');
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
  const lost = Math.max(0, before - now);
  const share = before === 0 ? 0 : lost / before;
  const allowance = allowances.get(name);
  if (before > 0 && now === 0 && allowance === undefined) {
    const message = `${what} fell from ${before} to 0: an empty scope is always refused`;
    return { result: guardResult(name, lost, 0, message), share };
  }
  const { limit, arithmetic } = allowed(limits[name], allowance, before, `${before} ${what} at the last complete read`);
  const message = `${what} went from ${before} to ${now}, ${lost} fewer; ${arithmetic}`;
  return { result: guardResult(name, lost, limit, message), share };
}
