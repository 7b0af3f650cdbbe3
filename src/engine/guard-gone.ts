import type { GuardResult } from '../domain/plan.ts';
import { allowed, guardResult } from './guard-limit.ts';
import type { GuardInput } from './guards.ts';

const name = 'gone';

/** People who vanished from Twilio: the counterpart of a source that shrinks. */
export function guardGone({ plan, limits, allowances, lastRead }: GuardInput): GuardResult {
  const { gone, managed } = plan.counts;
  const before = lastRead?.gone;
  if (before === undefined) return guardResult(name, 0, undefined, 'no earlier complete read to compare with');
  const vanished = Math.max(0, gone - before);
  const { limit, arithmetic } = allowed(limits[name], allowances.get(name), managed, `${managed} managed`);
  const known = before === 0 ? '' : `, beside ${before} who were gone before`;
  const who = vanished === 1 ? '1 person in scope has' : `${vanished} people in scope have`;
  return guardResult(name, vanished, limit, `${who} vanished from Twilio${known}; ${arithmetic}`);
}
