/** The approval of a person, step by step: address of the page, what comes back, tokens for the code (RFC 6749 section 4.1). */
import { hash, timingSafeEqual } from 'node:crypto';
import type { Authorization } from '../domain/authorization.ts';
import { TargetAuthError, TargetContractError } from '../errors.ts';
import { readClaims } from './access-token.ts';
import { endpoints, urlOf } from './endpoints.ts';
import { type ErrorBody, forMessage } from './error-body.ts';
import { detailsOf, nameOf } from './failures.ts';
import { accept, clientIdOf, type Refusal, refreshTokenOf, requestToken, type TokenEndpoint } from './token-request.ts';

/** What stays here while the browser is away. Made for one approval from 32 random bytes each. */
export interface Challenge {
  readonly state: string;
  /** RFC 7636 section 4.1: 43 characters of base64url. */
  readonly verifier: string;
}

export function createChallenge(randomBytes: (size: number) => Buffer): Challenge {
  return { state: randomBytes(32).toString('base64url'), verifier: randomBytes(32).toString('base64url') };
}

/** The page on which a person approves, with a PKCE challenge of method S256 (RFC 7636 section 4.3). */
export function authorizationUrl(
  { oauth, ...client }: Pick<TokenEndpoint, 'oauth' | 'clientId' | 'clientSecret'>,
  redirectUri: string,
  { state, verifier }: Challenge,
): URL {
  return urlOf(oauth, endpoints.authorize, '', {
    client_id: clientIdOf(client),
    response_type: 'code',
    scope: 'offline_access',
    redirect_uri: redirectUri,
    state,
    code_challenge: hash('sha256', verifier, 'base64url'),
    code_challenge_method: 'S256',
  });
}

const startAnew = 'Run `tdsync authorize` again, and use the address that it prints then.';

/**
 * The code in the address that the browser was sent back to (RFC 6749 section 4.1.2). Throws TargetAuthError when it is not
 * the answer to this request, or says that the app was not approved.
 */
export function codeFrom(address: string, redirectUri: string, { state }: Challenge): string {
  const url = URL.parse(address.trim());
  const expected = new URL(redirectUri);
  if (url === null || url.origin !== expected.origin || url.pathname !== expected.pathname) {
    throw new TargetAuthError(`authorize: what came back is not an address below ${redirectUri}`, {
      hint: 'Copy the whole address from the browser, as it stands after the approval, from https:// or http:// to its end.',
    });
  }
  const given = url.searchParams;
  if (!isSame(given.getAll('state'), state)) {
    throw new TargetAuthError('authorize: the answer has another state than the request: it belongs to another one', {
      hint: `${startAnew} If nobody else was authorizing, somebody may have tried to pass you an approval of theirs.`,
    });
  }
  const error = given.get('error');
  if (error !== null) {
    const description = given.get('error_description');
    const said = description === null ? forMessage(error) : `${forMessage(error)}: ${forMessage(description)}`;
    throw new TargetAuthError(`authorize: the app was not approved (${said})`, { hint: hintFor(error) });
  }
  const [code, ...others] = given.getAll('code');
  if (code === undefined || code === '' || others.length > 0) {
    throw new TargetAuthError('authorize: the answer holds neither one code nor an error', { hint: startAnew });
  }
  return code;
}

/** In the same time for every state that is as long (RFC 6749 section 10.12). */
function isSame(given: readonly string[], state: string): boolean {
  const [first = '', ...others] = given;
  const [a, b] = [Buffer.from(first), Buffer.from(state)];
  return others.length === 0 && a.length === b.length && timingSafeEqual(a, b);
}

function hintFor(error: string): string {
  switch (error) {
    case 'access_denied':
      return 'Somebody refused, or may not approve: it takes an Organization Owner or Admin who does not sign in by SSO. Then run `tdsync authorize` again.';
    case 'temporarily_unavailable':
    case 'server_error':
      return 'Run `tdsync authorize` again later.';
    default:
      return 'Check the grant type and the redirect URL of the app in the Twilio Console against twilio.oauth, then run `tdsync authorize` again.';
  }
}

/**
 * Tokens for the code; nothing is kept yet. Throws TargetError. Asked once only: a code serves once, so a second try after
 * a lost answer would be refused, and would end what the first one gave (RFC 6749 section 4.1.2).
 */
export async function redeemCode(
  endpoint: TokenEndpoint,
  redirectUri: string,
  code: string,
  { verifier }: Challenge,
): Promise<{ readonly authorization: Authorization; readonly namesOrganization: boolean }> {
  const reply = await requestToken(
    { ...endpoint, retry: { ...endpoint.retry, attempts: 1 } },
    {
      grantType: 'authorization_code',
      fields: { code, redirect_uri: redirectUri, code_verifier: verifier },
      refused: refusalOf,
    },
  );
  const { token } = accept(endpoint, reply);
  const { asked, answer } = reply;
  const refreshToken = refreshTokenOf(reply);
  if (refreshToken === undefined) {
    throw new TargetContractError(`${nameOf(asked)}: Twilio answered ${answer.status} without a refresh_token`, {
      ...detailsOf(asked, answer),
      hint: 'Check that the app has the grant type Authorization code, or use grantType: client_credentials.',
    });
  }
  const at = endpoint.clock.now();
  const { organization } = endpoint;
  const clientId = clientIdOf(endpoint);
  return {
    authorization: { organization, clientId, refreshToken, authorizedAt: at, issuedAt: at, refreshedAt: at },
    namesOrganization: readClaims(token).organization !== undefined,
  };
}

function refusalOf({ oauthError }: ErrorBody, client: Refusal): Refusal {
  if (oauthError === 'invalid_client') return client;
  const reason = 'the code was refused: it lives five minutes and serves once, for the redirect URL it was asked with';
  return oauthError === 'invalid_grant'
    ? { reason, hint: startAnew }
    : { reason: `${reason}; or the OAuth client was`, hint: `${startAnew} ${client.hint}` };
}
