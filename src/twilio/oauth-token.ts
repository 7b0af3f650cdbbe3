/**
 * The bearer token: minted when needed, by one caller for all, kept until shortly before it ends
 * (Twilio documentation, "OAuth access token"; the token endpoint takes client_secret_post only).
 */
import type { ScopeSid } from '../domain/identity.ts';
import type { Secret } from '../domain/secret.ts';
import { TargetAuthError, TargetContractError, type TargetError } from '../errors.ts';
import type { Clock, Logger } from '../ports.ts';
import { readClaims, renewalTime } from './access-token.ts';
import { AttemptFailure, withRetries } from './attempts.ts';
import { endpoints, urlOf } from './endpoints.ts';
import { forMessage, parseErrorBody } from './error-body.ts';
import { type Asked, answered, detailsOf, endpointHint, errorOf, nameOf, networkErrorOf } from './failures.ts';
import type { HttpAnswer, HttpClient } from './http-client.ts';
import { NetworkFailure } from './network-failure.ts';
import { type Decision, decide, type RetryLimits } from './retry.ts';
import { retryAfterMs } from './retry-after.ts';

export interface TokenOptions {
  readonly organization: ScopeSid;
  readonly clientId: Secret | string;
  readonly clientSecret: Secret;
  readonly oauth: string;
  readonly timeoutMs: number;
  readonly retry: RetryLimits;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: () => number;
  readonly http: HttpClient;
  /** Called before each request. */
  readonly onRequest: () => void;
  /** Aborts when nobody will want a token any more: a long wait on 429 must not hold the process. */
  readonly signal?: AbortSignal | undefined;
}

export interface TokenSource {
  /** A token that holds for a while yet. Throws TargetError; ConfigError when a secret cannot be read; the signal's reason. */
  bearer(signal?: AbortSignal): Promise<string>;
  /** False when the token was dropped or is to be renewed. */
  holds(token: string): boolean;
  /** Twilio refused it. A newer one, minted meanwhile for another call, stays. */
  drop(token: string): void;
}

interface Minted {
  readonly token: string;
  /** Milliseconds since the epoch. */
  readonly renewAt: number;
}

export function createTokenSource(options: TokenOptions): TokenSource {
  const { clock } = options;
  let current: Minted | undefined;
  let minting: Promise<Minted> | undefined;

  function fresh(): Promise<Minted> {
    minting ??= mint(options)
      .then((minted) => {
        current = minted;
        return minted;
      })
      .finally(() => {
        minting = undefined;
      });
    return minting;
  }

  return {
    async bearer(signal) {
      if (current !== undefined && clock.now() < current.renewAt) return current.token;
      return (await unlessAborted(fresh(), signal)).token;
    },
    holds: (token) => current?.token === token && clock.now() < current.renewAt,
    drop(token) {
      if (current?.token === token) current = undefined;
    },
  };
}

/** The mint goes on for the others when one caller no longer wants it. */
async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = () => reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

async function mint(options: TokenOptions): Promise<Minted> {
  const { clock, random, retry, signal } = options;
  const asked: Asked = { endpoint: endpoints.token, url: urlOf(options.oauth, endpoints.token) };
  try {
    return await withRetries((number) => attempt(options, asked, number), {
      limits: retry,
      clock,
      random,
      wait: (ms) => clock.sleep(ms, signal),
      renewToken: () => undefined,
      signal,
    });
  } catch (error) {
    throw error instanceof AttemptFailure ? error.error : error;
  }
}

async function attempt(options: TokenOptions, asked: Asked, number: number): Promise<Minted> {
  const { clock, logger, http } = options;
  // Read for each attempt, so that a rotated secret is found without a restart.
  const clientId = typeof options.clientId === 'string' ? options.clientId : options.clientId.read();
  const secret = options.clientSecret.read();
  const form = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: clientId,
    client_secret: secret,
  });
  options.onRequest();
  const began = clock.now();
  let answer: HttpAnswer;
  try {
    answer = await http.send({
      method: 'POST',
      url: asked.url,
      headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
      body: form.toString(),
      timeoutMs: options.timeoutMs,
    });
  } catch (error) {
    if (!(error instanceof NetworkFailure)) throw error;
    const decision = decide('token', { network: error.reach }) as Exclude<Decision, 'done'>;
    throw new AttemptFailure(decision, networkErrorOf(asked, error, false), undefined);
  }
  const { status, requestId } = answer;
  logger.debug(
    {
      method: 'POST',
      path: asked.endpoint.template,
      status,
      durationMs: clock.now() - began,
      requestId,
      attempt: number,
    },
    'Twilio request',
  );
  const body = status < 300 ? {} : parseErrorBody(answer.text);
  const decision = decide('token', { status, twilioCode: body.code });
  if (decision === 'done') return accept(options, asked, answer);
  const shown = {
    ...body,
    ...(body.message !== undefined && { message: body.message.replaceAll(secret, '[secret]') }),
  };
  const error = decision === 'stop' ? refused(options, asked, answer, shown) : errorOf(decision, asked, answer, shown);
  const wait = retryAfterMs(answer.retryAfter, body.throttledUntil, clock.now(), options.retry.maxRetryAfterMs);
  throw new AttemptFailure(decision, error, wait);
}

function refused(
  options: TokenOptions,
  asked: Asked,
  answer: HttpAnswer,
  body: ReturnType<typeof parseErrorBody>,
): TargetError {
  const said = answered(asked, answer, body);
  const details = detailsOf(asked, answer, body);
  if (![400, 401, 403].includes(answer.status)) {
    return new TargetContractError(said, { ...details, hint: endpointHint(asked) });
  }
  const references = [options.clientId, options.clientSecret].map((each) =>
    typeof each === 'string' ? each : each.reference,
  );
  return new TargetAuthError(`${said}; the OAuth client was refused`, {
    ...details,
    hint: `Check twilio.oauth.clientId (${references[0]}) and twilio.oauth.clientSecret (${references[1]}): the app may have been deleted, or its secret rotated.`,
  });
}

function accept(options: TokenOptions, asked: Asked, answer: HttpAnswer): Minted {
  const fields = parseObject(answer.text);
  const token = fields.access_token;
  if (typeof token !== 'string' || token === '') {
    const error = new TargetContractError(
      `${nameOf(asked)}: Twilio answered ${answer.status} without an access_token`,
      {
        ...detailsOf(asked, answer),
        hint: endpointHint(asked),
      },
    );
    // Half of an answer, or somebody in between: the next one may be whole.
    throw new AttemptFailure('retry', error, undefined);
  }
  const claims = readClaims(token);
  const { organization } = options;
  if (claims.organization !== undefined && claims.organization.toLowerCase() !== organization.toLowerCase()) {
    throw new TargetAuthError(
      `${nameOf(asked)}: the token is for organization ${forMessage(claims.organization)}, but ${organization} is configured`,
      {
        ...detailsOf(asked, answer),
        hint: 'Use the OAuth app of the configured organization, or correct twilio.organizationSid.',
      },
    );
  }
  return { token, renewAt: renewalTime(options.clock.now(), fields.expires_in, claims) };
}

function parseObject(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
  } catch {
    return {};
  }
}
