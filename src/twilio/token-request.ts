/**
 * One answer of the token endpoint, whatever the grant (Twilio documentation, "OAuth access token"; it takes
 * client_secret_post only).
 */

import type { ScopeSid } from '../domain/identity.ts';
import { objectIn } from '../domain/json-object.ts';
import type { AnswerKind } from '../domain/run.ts';
import type { Secret } from '../domain/secret.ts';
import { TargetAuthError, TargetContractError, type TargetError } from '../errors.ts';
import type { Clock, Logger } from '../ports.ts';
import { readClaims, renewalTime } from './access-token.ts';
import { answerKind } from './answer-counts.ts';
import { AttemptFailure, withRetries } from './attempts.ts';
import { type Endpoints, urlOf } from './endpoints.ts';
import { type ErrorBody, forMessage, headersWithoutSecrets, parseErrorBody } from './error-body.ts';
import { type Asked, answered, detailsOf, endpointHint, errorOf, nameOf, networkErrorOf } from './failures.ts';
import type { HttpAnswer, HttpClient } from './http-client.ts';
import { NetworkFailure } from './network-failure.ts';
import { type Decision, decide, type RetryLimits } from './retry.ts';
import { retryAfterMs } from './retry-after.ts';

export interface OAuthClient {
  readonly clientId: Secret | string;
  readonly clientSecret: Secret;
}

export interface TokenEndpoint extends OAuthClient {
  readonly organization: ScopeSid;
  /** Base URL. */
  readonly oauth: string;
  readonly endpoints: Endpoints;
  readonly timeoutMs: number;
  readonly retry: RetryLimits;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: () => number;
  readonly http: HttpClient;
  /** Called before each request. */
  readonly onRequest: () => void;
  /** Called when it has come to something. */
  readonly onAnswer?: (kind: AnswerKind) => void;
  /** Aborts when nobody will want a token any more: a long wait on 429 must not hold the process. */
  readonly signal?: AbortSignal | undefined;
}

/** What a grant adds to the request, and what it makes of a refusal. */
export interface TokenGrant {
  readonly grantType: 'client_credentials' | 'authorization_code' | 'refresh_token';
  readonly fields: Readonly<Record<string, string>>;
  /** Why Twilio may have refused, and what to do; `client` is the usual answer. */
  readonly refused: (body: ErrorBody, client: Refusal) => Refusal;
}

export interface Refusal {
  readonly reason: string;
  readonly hint: string;
}

export interface Minted {
  readonly token: string;
  /** Milliseconds since the epoch. */
  readonly renewAt: number;
  /** Secrets that belong to it, such as refresh tokens: whoever answers may know them too. */
  readonly besides?: readonly string[];
}

/** A 2xx answer, not looked into yet. */
export interface TokenReply {
  readonly fields: Readonly<Record<string, unknown>>;
  readonly asked: Asked;
  readonly answer: HttpAnswer;
}

/** Throws TargetError; ConfigError when a secret cannot be read; the signal's reason. */
export async function requestToken(endpoint: TokenEndpoint, grant: TokenGrant): Promise<TokenReply> {
  const { clock, random, retry, signal } = endpoint;
  const { oauth: base, organization, endpoints } = endpoint;
  const asked: Asked = { endpoint: endpoints.token, url: urlOf({ base, organization }, endpoints.token) };
  try {
    return await withRetries((number) => attempt(endpoint, grant, asked, number), {
      limits: retry,
      clock,
      random,
      wait: (ms) => clock.sleep(ms, signal),
      renewToken: () => undefined,
      signal,
      keepsAnswer: true,
    });
  } catch (error) {
    throw error instanceof AttemptFailure ? error.error : error;
  }
}

async function attempt(endpoint: TokenEndpoint, grant: TokenGrant, asked: Asked, number: number): Promise<TokenReply> {
  const { clock, logger } = endpoint;
  // Read for each attempt, so that a rotated secret is found without a restart.
  const form = {
    grant_type: grant.grantType,
    client_id: clientIdOf(endpoint),
    client_secret: endpoint.clientSecret.read(),
    ...grant.fields,
  };
  endpoint.onRequest();
  const began = clock.now();
  const secrets = secretsIn(endpoint, form);
  const answer = headersWithoutSecrets(await send(endpoint, asked, new URLSearchParams(form).toString()), secrets);
  const { status, requestId } = answer;
  const line = { method: 'POST', path: asked.endpoint.template, grant: grant.grantType };
  logger.debug({ ...line, status, durationMs: clock.now() - began, requestId, attempt: number }, 'Twilio request');
  const body = status < 300 ? {} : parseErrorBody(answer.text, secrets);
  const decision = decide('token', { status, twilioCode: body.code });
  endpoint.onAnswer?.(answerKind(status, decision));
  if (decision === 'done') {
    const fields = objectIn(answer.text);
    // Half of an answer, or a page of somebody in between: the next one may be whole.
    // A new refresh token is kept in any case.
    if (fields.access_token === undefined && fields.refresh_token === undefined) {
      throw new AttemptFailure('retry', withoutToken(asked, answer), undefined);
    }
    return { fields, asked, answer };
  }
  const error =
    decision === 'stop' ? refused(endpoint, grant, asked, answer, body) : errorOf(decision, asked, answer, body);
  const wait = retryAfterMs(answer.retryAfter, body.throttledUntil, clock.now(), endpoint.retry.maxRetryAfterMs);
  throw new AttemptFailure(decision, error, wait);
}

async function send({ http, timeoutMs, onAnswer }: TokenEndpoint, asked: Asked, body: string): Promise<HttpAnswer> {
  const headers = { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' };
  try {
    return await http.send({ method: 'POST', url: asked.url, headers, body, timeoutMs });
  } catch (error) {
    if (!(error instanceof NetworkFailure)) throw error;
    onAnswer?.('none');
    const decision = decide('token', { network: error.reach }) as Exclude<Decision, 'done'>;
    throw new AttemptFailure(decision, networkErrorOf(asked, error, false), undefined);
  }
}

export function clientIdOf({ clientId }: OAuthClient): string {
  return typeof clientId === 'string' ? clientId : clientId.read();
}

/** What a server may repeat of what it was sent. An id that stands in the configuration as it is is no secret. */
function secretsIn({ clientId }: OAuthClient, form: Readonly<Record<string, string>>): readonly string[] {
  const plain = typeof clientId === 'string' || clientId.reference === form.client_id;
  const names = ['client_secret', 'refresh_token', 'code', 'code_verifier', ...(plain ? [] : ['client_id'])];
  return names.flatMap((name) => form[name] ?? []);
}

function refused(
  endpoint: TokenEndpoint,
  grant: TokenGrant,
  asked: Asked,
  answer: HttpAnswer,
  body: ErrorBody,
): TargetError {
  const said = answered(asked, answer, body);
  const details = detailsOf(asked, answer, body);
  if (![400, 401, 403].includes(answer.status)) {
    return new TargetContractError(said, { ...details, hint: endpointHint(asked) });
  }
  const { reason, hint } = grant.refused(body, clientRefusal(endpoint));
  return new TargetAuthError(`${said}; ${reason}`, { ...details, hint });
}

function clientRefusal({ clientId, clientSecret }: OAuthClient): Refusal {
  const id = typeof clientId === 'string' ? clientId : clientId.reference;
  return {
    reason: 'the OAuth client was refused',
    hint: `Check twilio.oauth.clientId (${id}) and twilio.oauth.clientSecret (${clientSecret.reference}): the app may have been deleted, or its secret rotated.`,
  };
}

function withoutToken(asked: Asked, answer: HttpAnswer): TargetContractError {
  return new TargetContractError(`${nameOf(asked)}: Twilio answered ${answer.status} without an access_token`, {
    ...detailsOf(asked, answer),
    hint: endpointHint(asked),
  });
}

/** The access token of a reply. Throws TargetContractError without one, TargetAuthError when it is another organization's. */
export function accept({ organization, clock }: TokenEndpoint, { fields, asked, answer }: TokenReply): Minted {
  const token = fields.access_token;
  if (typeof token !== 'string' || token === '') {
    throw withoutToken(asked, answer);
  }
  if (!/^[\x21-\x7e]{1,16384}$/.test(token)) {
    throw new TargetContractError(`${nameOf(asked)}: Twilio answered with an access_token that fits no header`, {
      ...detailsOf(asked, answer),
      hint: endpointHint(asked),
    });
  }
  const claims = readClaims(token);
  if (claims.organization !== undefined && claims.organization.toLowerCase() !== organization.toLowerCase()) {
    throw new TargetAuthError(
      `${nameOf(asked)}: the token is for organization ${forMessage(claims.organization)}, but ${organization} is configured`,
      {
        ...detailsOf(asked, answer),
        hint: 'Use the OAuth app of the configured organization, or correct twilio.organizationSid.',
      },
    );
  }
  return { token, renewAt: renewalTime(clock.now(), fields.expires_in, claims) };
}

/** Undefined where none came: null, absent or empty. */
export function refreshTokenOf({ fields }: TokenReply): string | undefined {
  const token = fields.refresh_token;
  return typeof token === 'string' && token !== '' ? token : undefined;
}
