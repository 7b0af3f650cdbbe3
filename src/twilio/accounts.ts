import type { ScopeSid } from '../domain/identity.ts';
import type { Account } from '../domain/user.ts';
import { TargetError } from '../errors.ts';
import type { ApiClient } from './api-client.ts';
import { endpoints, urlOf } from './endpoints.ts';
import { readPages } from './paging.ts';
import { readAccount } from './wire.ts';

/**
 * Accounts of the organization, which only Twilio's older host lists and for which no permission is documented. An extra
 * that fails softly: undefined for every refusal and every outage, except when no token is to be had at all.
 */
export async function listAccounts(
  api: ApiClient,
  base: string,
  organization: ScopeSid,
  signal: AbortSignal,
): Promise<readonly Account[] | undefined> {
  const endpoint = endpoints.listAccounts;
  const url = urlOf(base, endpoint, organization, { PageSize: '100' });
  const accounts: Account[] = [];
  try {
    await readPages(
      api,
      { endpoint, url, urgency: 'read', signal },
      readAccount,
      ({ sid }) => sid,
      (account) => {
        accounts.push(account);
      },
    );
    return accounts;
  } catch (error) {
    const soft =
      error instanceof TargetError && error.path !== undefined && !error.path.endsWith(endpoints.token.template);
    if (!soft) throw error;
    const { status, twilioCode, requestId, message } = error;
    api.logger.warn(
      { status, twilioCode, requestId, reason: message },
      'the accounts cannot be listed; scopes need their AC… SIDs, and owners of accounts must stand in policy.protect',
    );
    return undefined;
  }
}
