/** What `tdsync authorize` asks of Twilio, on a connection of its own. */
import type { Authorization } from '../domain/authorization.ts';
import { authorizationUrl, type Challenge, codeFrom, redeemCode } from './authorization-code.ts';
import { createHttpClient } from './http-client.ts';
import { checkOptions } from './options.ts';
import { defaultRetryLimits } from './retry.ts';
import type { TokenEndpoint } from './token-request.ts';
import type { TwilioOptions } from './twilio-target.ts';

export interface Redeemed {
  readonly authorization: Authorization;
  /** Whether the access token said which organization it is for; another one than the configured is refused. */
  readonly namesOrganization: boolean;
}

export interface Authorizing extends AsyncDisposable {
  /** The page on which a person approves. */
  url(challenge: Challenge): URL;
  /** Tokens for what the browser was sent back with. Throws TargetError; nothing is kept. */
  redeem(address: string, challenge: Challenge): Promise<Redeemed>;
}

/** Throws ConfigError with everything that is wrong with the options. */
export function createAuthorizing(
  options: TwilioOptions & { readonly redirectUri: string; readonly signal: AbortSignal },
): Authorizing {
  checkOptions(options);
  const { redirectUri, random = () => 1, proxyEnv = {} } = options;
  const { timeoutMs } = options.limits;
  const http = createHttpClient({ timeoutMs, proxyEnv });
  const endpoint: TokenEndpoint = {
    ...options,
    oauth: options.endpoints.oauth,
    timeoutMs,
    retry: defaultRetryLimits,
    random,
    http,
    onRequest: () => {},
  };
  return {
    url: (challenge) => authorizationUrl(endpoint, redirectUri, challenge),
    redeem: async (address, challenge) =>
      redeemCode(endpoint, redirectUri, codeFrom(address, redirectUri, challenge), challenge),
    [Symbol.asyncDispose]: () => http.close(),
  };
}
