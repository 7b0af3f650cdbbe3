/** What goes wrong at Twilio, and what people change there by hand, at random. */
import type { Fault, FaultRule } from '../../src/simulator/faults.ts';
import type { Simulator } from '../../src/simulator/simulator.ts';
import { disturbedCalls } from '../support/disturbed-calls.ts';
import type { Chance } from './random.ts';

const faults: readonly Fault[] = [
  'reset-before',
  'reset-after',
  'truncate',
  'html',
  'hang-after',
  { status: 500 },
  { status: 503, effect: true },
  { status: 502, effect: true, body: '{"half":' },
  { status: 429 },
  { status: 429, headers: { 'Retry-After': '3' } },
  { status: 401 },
  { status: 403 },
  { status: 404, code: null },
  { status: 200, effect: true, body: '' },
];

export function someFault(chance: Chance): FaultRule {
  const fault = chance.pick(faults) ?? 'html';
  // Each takes as long as the time-out.
  const times = fault === 'hang-after' ? 1 : 1 + chance.whole(6);
  return { match: chance.pick(disturbedCalls), after: chance.whole(4), times, fault };
}

/** Everything, tokens included, fails: Twilio is down, or asks for nothing but patience. */
export function outage(chance: Chance): FaultRule {
  return { fault: chance.pick<Fault>(['reset-before', { status: 503 }, { status: 429 }, { status: 403 }]) ?? 'html' };
}

/** Changes something by hand in the organization; returns what, for the counts. `untouched`: addresses to leave alone. */
export function driftByHand(twilio: Simulator, untouched: ReadonlySet<string>, chance: Chance): string {
  const { users = [], assignments = [], accounts = [], roles = [] } = twilio.snapshot();
  const user = chance.pick(users.filter(({ userName }) => !untouched.has(userName)))?.id;
  const scope = accounts.find(({ name }) => name === 'Production')?.sid;
  const kind = chance.pick(['name', 'status', 'role', 'assignment'] as const);
  const wanted = chance.pick(['Developer', 'Support']);
  const role = roles.find(({ name }) => name === wanted)?.sid;
  const assignment = chance.pick(assignments)?.sid;
  if (user === undefined || scope === undefined || role === undefined || assignment === undefined) return 'nothing';
  switch (kind) {
    case 'name':
      twilio.administer({ action: 'edit-user', user, attributes: { displayName: `By hand ${chance.whole(1_000)}` } });
      return 'a name changed';
    case 'status':
      twilio.administer({ action: 'set-status', user, status: chance.happens(0.5) ? 'active' : 'inactive' });
      return 'a status set';
    case 'role':
      // The Console offers no role that is there already.
      if (assignments.some((each) => each.user === user && each.role === role && each.scope === scope))
        return 'nothing';
      twilio.administer({ action: 'assign-role', user, role, scope });
      return 'a role given';
    default:
      twilio.administer({ action: 'remove-assignment', sid: assignment });
      return 'a role taken';
  }
}
