/** The part of a refused plan that takes nothing away: the plan that `upsert-only` would make of the same state. */
import type { Verdict } from '../domain/plan.ts';
import type { GuardName, Policy } from '../domain/rules.ts';

/** Guards against loss: what they refuse can be held back, and the rest be done. */
const againstLoss: ReadonlySet<GuardName> = new Set([
  'deactivations',
  'revocations',
  'roleRevocations',
  'sourceShrink',
  'keepAtLeastOne',
]);

/** Whether a plan is refused for what it takes away, and for nothing else. */
export function takesAway(verdict: Verdict): boolean {
  return !verdict.allowed && !addsTooMuch(verdict);
}

/** Whether a plan adds or renames more than it may, or stands on a Twilio that lost people: no leaving out makes that right. */
export function addsTooMuch({ guards }: Verdict): boolean {
  return guards.some(({ guard, passed }) => !passed && !againstLoss.has(guard));
}

export function additivePolicy(policy: Policy): Policy {
  return policy.mode === 'sync' ? { ...policy, mode: 'upsert-only' } : policy;
}
