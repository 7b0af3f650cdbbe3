import { randomBytes } from 'node:crypto';
import type { Policy } from '../domain/rules.ts';
import type { PermissionProbe } from '../twilio/probe-permissions.ts';
import type { TwilioTarget } from '../twilio/twilio-target.ts';
import type { Check } from './doctor.ts';

/** Each of the nine permissions. What the policy has no use for may be missing. */
export async function checkPermissions(target: TwilioTarget, policy: Policy, signal: AbortSignal): Promise<Check[]> {
  const probes = await target.probePermissions(randomBytes(16).toString('hex'), signal);
  const granted = probes.filter(({ state }) => state === 'granted').map(({ permission }) => permission);
  const others = probes.filter(({ state }) => state !== 'granted').map((probe) => checkOf(probe, policy));
  if (granted.length === 0) return others;
  const message = `${granted.length} of ${probes.length} granted: ${granted.join(', ')}`;
  return [{ check: 'permission', state: 'ok', message }, ...others];
}

function checkOf({ permission, state, error }: PermissionProbe, policy: Policy): Check {
  const said = error === undefined ? 'a user of chance exists' : error.message;
  if (state === 'undecided') {
    return {
      check: 'permission',
      state: 'warning',
      message: `${permission}: could not be decided: ${said}`,
      hint: `look whether the app has ${permission} in the Twilio Console`,
    };
  }
  const isNeeded = needs(policy, permission);
  return {
    check: 'permission',
    state: isNeeded ? 'failed' : 'warning',
    message: `${permission} is missing${isNeeded ? '' : ', which this policy has no use for'}: ${said}`,
    ...(error?.hint !== undefined && { hint: error.hint }),
  };
}

function needs({ mode, leavers }: Policy, permission: string): boolean {
  switch (permission) {
    case 'managed-users/update':
      return mode !== 'create-only';
    case 'managed-users/delete':
      return mode === 'sync' && leavers === 'deactivate';
    case 'role-assignments/delete':
      return mode === 'sync';
    default:
      return true;
  }
}
