import type { Configuration } from '../config/configuration.ts';
import { normalizeEmail, type UserSid } from '../domain/identity.ts';
import type { TargetDirectory } from '../ports.ts';
import { readApproval } from './approval.ts';
import type { Check } from './doctor.ts';

/** The refresh token and its ages, and whether the person whose approval it is can be protected. Nothing for other grants. */
export async function checkApproval(
  { twilio: { oauth } }: Configuration,
  target: TargetDirectory,
  signal: AbortSignal,
): Promise<Check[]> {
  const approval = readApproval(oauth);
  if (oauth.grantType !== 'authorization_code' || approval === undefined) return [];
  const { text, hint } = approval;
  if (hint !== undefined) return [{ check: 'approval', state: 'failed', message: text, hint }];
  return [{ check: 'approval', state: 'ok', message: text }, await checkApprover(oauth.approvedBy, target, signal)];
}

async function checkApprover(approvedBy: string, target: TargetDirectory, signal: AbortSignal): Promise<Check> {
  const found = await (/^US[0-9a-f]{32}$/.test(approvedBy)
    ? target.readUser(approvedBy as UserSid, signal)
    : target.findUser({ userName: normalizeEmail(approvedBy) }, signal));
  const check = 'approver';
  if (found === undefined) {
    return {
      check,
      state: 'warning',
      message: `twilio.oauth.approvedBy: Twilio shows no user ${approvedBy} in this organization`,
      hint: 'write the address or SID of the user who approved: otherwise a run could deactivate that user, and lose its own access',
    };
  }
  const { sid, active, attributes } = found.user;
  const who = `${attributes.userName} (${sid})`;
  if (active) return { check, state: 'ok', message: `${who} is active, and is never changed` };
  return {
    check,
    state: 'failed',
    message: `${who}, on whose approval the access rests, is not active`,
    hint: 'activate the user, or let another one approve: `tdsync authorize`, and twilio.oauth.approvedBy',
  };
}
