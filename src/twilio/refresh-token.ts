/**
 * An access token by refresh token (RFC 6749 section 6). Twilio does not say whether a refresh brings a new refresh token:
 *
 *   what comes back        what is kept          the old one
 *   a new one              the new one           may have ended
 *   the same one           the same              goes on
 *   none                   the same              goes on
 *   400, 401, 403          that it was refused   a person has to approve again
 *   no answer, 429, 5xx    nothing               goes on, and is tried again
 *
 * Several processes share the refresh token (a daemon and a command), and two that use the same one at once may lose it, as
 * a server may take the second use for a theft (RFC 9700 section 4.14). So one refreshes at a time, with what stands in the
 * store then, and a new one is kept before the access token that came with it is used.
 */
import type { Authorization, AuthorizationStore } from '../domain/authorization.ts';
import { ConfigError, TargetAuthError } from '../errors.ts';
import type { ErrorBody } from './error-body.ts';
import {
  accept,
  clientIdOf,
  type Minted,
  type Refusal,
  refreshTokenOf,
  requestToken,
  type TokenEndpoint,
} from './token-request.ts';

/** Throws what `requestToken` and the store throw; TargetAuthError when nobody has approved, or Twilio no longer believes it. */
export async function mintByRefreshToken(endpoint: TokenEndpoint, store: AuthorizationStore): Promise<Minted> {
  // Before anything is made beside a file that is not there.
  present(endpoint, store);
  return store.exclusively(async (keep) => {
    const { clock } = endpoint;
    const authorization = present(endpoint, store);
    const reply = await requestToken(endpoint, {
      grantType: 'refresh_token',
      fields: { refresh_token: authorization.refreshToken },
      refused(body, client) {
        // So that `status` can tell, long after this process has ended.
        if (body.oauthError !== 'invalid_client') keep({ refusedAt: clock.now(), ...authorization });
        return refusalOf(body, client);
      },
    });
    const at = clock.now();
    const refreshToken = refreshTokenOf(reply) ?? authorization.refreshToken;
    const { refusedAt: _, ...kept } = authorization;
    const issuedAt = refreshToken === kept.refreshToken ? kept.issuedAt : at;
    // Also when the access token turns out to be useless: the old refresh token may have ended.
    keep({ ...kept, refreshToken, issuedAt, refreshedAt: at });
    return { ...accept(endpoint, reply), besides: [...new Set([refreshToken, authorization.refreshToken])] };
  }, endpoint.signal);
}

const again = 'Run `tdsync authorize`: a person has to approve the app again.';

function present(endpoint: TokenEndpoint, store: AuthorizationStore): Authorization {
  const authorization = store.read();
  if (authorization === undefined) {
    throw new TargetAuthError(`no access to Twilio: nobody has approved the app yet, ${store.place} does not exist`, {
      // Of the token, and of no other call: it says nothing of permissions, and answers no write.
      method: 'POST',
      path: endpoint.endpoints.token.template,
      hint: 'Run `tdsync authorize` once, with the same configuration and as the same user.',
    });
  }
  const problem = misfit(authorization, endpoint);
  if (problem !== undefined) {
    const message = `${store.place} holds the approval for ${problem}`;
    throw new ConfigError([{ path: 'twilio.oauth.tokenFile', message }], {
      hint: `Name another file, correct the configuration, or give up the old approval: ${again}`,
    });
  }
  return authorization;
}

function misfit({ organization, clientId }: Authorization, endpoint: TokenEndpoint): string | undefined {
  if (organization !== endpoint.organization) {
    return `organization ${organization}, but ${endpoint.organization} is configured`;
  }
  const configured = clientIdOf(endpoint);
  return clientId === configured ? undefined : `app ${clientId}, but ${configured} is configured`;
}

/** Where the answer does not tell (RFC 6749 section 5.2), both are named. */
function refusalOf({ oauthError }: ErrorBody, client: Refusal): Refusal {
  if (oauthError === 'invalid_client') return client;
  const ended =
    'the approval may have been revoked, the person who approved (twilio.oauth.approvedBy) deactivated, or the refresh token may have expired';
  if (oauthError === 'invalid_grant') return { reason: `the refresh token was refused: ${ended}`, hint: again };
  return { reason: `the refresh token or the OAuth client was refused: ${ended}`, hint: `${again} ${client.hint}` };
}
