/** A call to the API: token, governor, attempts and errors put together, so that what stands above sees only what came of it. */
import type { AnswerKind } from '../domain/run.ts';
import type { TargetError } from '../errors.ts';
import { TargetContractError, TargetUnavailableError } from '../errors.ts';
import type { Clock, Logger } from '../ports.ts';
import { answerKind } from './answer-counts.ts';
import { contractError } from './answers.ts';
import { AttemptFailure, withRetries } from './attempts.ts';
import { type Endpoint, endpointName } from './endpoints.ts';
import { headersWithoutSecrets, parseErrorBody } from './error-body.ts';
import { answered, detailsOf, endpointHint, errorOf, networkErrorOf } from './failures.ts';
import type { BodySink, HttpAnswer, HttpClient } from './http-client.ts';
import { NetworkFailure } from './network-failure.ts';
import type { TokenSource } from './oauth-token.ts';
import type { Passage, RateGovernor, Urgency } from './rate-governor.ts';
import { backoffMs, type Decision, decide, type RetryLimits } from './retry.ts';
import { retryAfterMs } from './retry-after.ts';

export interface ApiRequest {
  readonly endpoint: Endpoint;
  readonly url: URL;
  readonly json?: object | undefined;
  /** `If-Match`, exactly as `meta.version` was read. */
  readonly ifMatch?: string | undefined;
  /** Opened anew for each attempt. */
  readonly openSink?: (() => BodySink) | undefined;
  /** Default `write`: it belongs to an operation, or to one person's state. */
  readonly urgency?: Urgency | undefined;
  /** Reads only: a write that was sent is waited for. */
  readonly signal?: AbortSignal | undefined;
}

/** Decisions that the caller of a call carries out. */
type Handed = 'look-first' | 'read-again' | 'taken' | 'absent' | 'settle';

export type CallResult =
  | { readonly result: 'done'; readonly answer: HttpAnswer }
  | { readonly result: Handed; readonly error: TargetError; readonly retryAfterMs: number | undefined };

export interface ApiClient {
  /** Throws TargetError for what no caller can mend, or the signal's reason. */
  call(request: ApiRequest): Promise<CallResult>;
  /** As `call`, where only success will do. */
  expect(request: ApiRequest): Promise<HttpAnswer>;
  /** Waits before the caller's own attempt number `failures + 1`. */
  backOff(failures: number, retryAfterMs?: number): Promise<void>;
  readonly limits: RetryLimits;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface ApiClientParts {
  readonly http: HttpClient;
  readonly tokens: TokenSource;
  readonly governor: RateGovernor;
  readonly limits: RetryLimits;
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: () => number;
  readonly count: (endpoint: string) => void;
  readonly answered: (endpoint: string, kind: AnswerKind) => void;
}

/** The server works through the whole organization before it answers the user list. */
const listPatience = 4;

export function createApiClient(parts: ApiClientParts): ApiClient {
  const { tokens, governor, limits, clock, logger, random } = parts;

  async function call(request: ApiRequest): Promise<CallResult> {
    let used = '';
    let refusedAt = 0;
    try {
      const answer = await withRetries(
        (number) =>
          governor.schedule(
            async (passage) => {
              used = await readyToken(tokens, passage, request.signal);
              const refused: Passage['refused'] = (refusal) => {
                refusedAt = clock.now();
                passage.refused(refusal);
              };
              return attempt(parts, request, { ...passage, refused }, used, number);
            },
            request.urgency ?? 'write',
            request.signal,
          ),
        {
          limits,
          clock,
          random,
          // The governor makes everybody wait, this call included.
          wait: (ms) => {
            logger.warn(
              { endpoint: endpointName(request.endpoint), ms, perSecond: governor.pace },
              'Twilio asks for fewer requests; all calls pause',
            );
            governor.hold(refusedAt, ms);
            return Promise.resolve();
          },
          renewToken: () => tokens.drop(used),
          signal: request.signal,
        },
      );
      return { result: 'done', answer };
    } catch (error) {
      if (!(error instanceof AttemptFailure)) throw error;
      if (!isHanded(error.decision)) throw error.error;
      return { result: error.decision, error: error.error, retryAfterMs: error.retryAfterMs };
    }
  }

  return {
    call,
    async expect(request) {
      const outcome = await call(request);
      if (outcome.result !== 'done') throw outcome.error;
      return outcome.answer;
    },
    backOff: (failures, asked = 0) => clock.sleep(Math.max(asked, backoffMs(failures, limits, random))),
    limits,
    clock,
    logger,
  };
}

function isHanded(decision: Decision): decision is Handed {
  return ['look-first', 'read-again', 'taken', 'absent', 'settle'].includes(decision);
}

/** A token, then a turn; a token that ended during a long wait is renewed, and then the turn is over too. */
async function readyToken(tokens: TokenSource, passage: Passage, signal: AbortSignal | undefined) {
  for (;;) {
    const token = await tokens.bearer(signal);
    await passage.start();
    if (tokens.holds(token)) return token;
  }
}

async function attempt(
  parts: ApiClientParts,
  request: ApiRequest,
  passage: Passage,
  token: string,
  number: number,
): Promise<HttpAnswer> {
  const { endpoint, url, json } = request;
  const { clock, logger, limits } = parts;
  parts.count(endpointName(endpoint));
  const began = clock.now();
  const line = { method: endpoint.method, path: endpoint.template, attempt: number };
  let answer: HttpAnswer;
  try {
    answer = await parts.http.send({
      method: endpoint.method,
      url,
      headers: headersOf(request, token),
      body: json === undefined ? undefined : JSON.stringify(json),
      timeoutMs: request.openSink === undefined ? parts.timeoutMs : listPatience * parts.timeoutMs,
      sink: request.openSink?.(),
      signal: request.signal,
    });
  } catch (error) {
    if (!(error instanceof NetworkFailure)) throw error;
    parts.answered(endpointName(endpoint), 'none');
    logger.debug({ ...line, durationMs: clock.now() - began, networkError: error.code }, 'Twilio request failed');
    throw lost(request, error);
  }
  const secrets = [token, ...parts.tokens.besides()];
  answer = headersWithoutSecrets(answer, secrets);
  const { status, requestId } = answer;
  logger.debug({ ...line, status, durationMs: clock.now() - began, requestId }, 'Twilio request');
  const body = status >= 200 && status < 300 ? {} : parseErrorBody(answer.text, secrets);
  const decision = decide(endpoint.kind, { status, twilioCode: body.code, scimType: body.scimType });
  parts.answered(endpointName(endpoint), answerKind(status, decision));
  const asked = retryAfterMs(answer.retryAfter, body.throttledUntil, clock.now(), limits.maxRetryAfterMs);
  // A 503 that says when to come back asks all callers to stay away, though it decides otherwise about this call.
  const refused = decision === 'wait' || (status === 503 && asked !== undefined);
  if (refused) passage.refused({ holdMs: asked ?? 0, tooManyAtOnce: body.code === 20429 });
  else passage.accepted();
  if (decision === 'done' && isWhole(request, answer)) return answer;
  if (decision === 'done') throw notWhole(request, answer);
  throw new AttemptFailure(decision, errorOf(decision, request, answer, body), asked);
}

/** Whether the body may be Twilio's: JSON, or, from a write, nothing. Lists that stream are judged by their sink. */
function isWhole({ endpoint, openSink }: ApiRequest, { text }: HttpAnswer): boolean {
  if (openSink !== undefined || (text === '' && endpoint.kind !== 'read')) return true;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Success in a form that is not Twilio's: half of an answer, or somebody in between who never passed the request on. */
function notWhole(request: ApiRequest, answer: HttpAnswer): AttemptFailure {
  const { kind } = request.endpoint;
  const decision = decide(kind, { network: 'lost' }) as Exclude<Decision, 'done'>;
  if (kind !== 'read') {
    const said = `${answered(request, answer, {})} with a body that is not JSON; whether it took effect is not known`;
    return new AttemptFailure(decision, new TargetUnavailableError(said, detailsOf(request, answer)), undefined);
  }
  const problem = answer.text.trim() === '' ? 'the body is empty' : 'the body is not JSON';
  return new AttemptFailure(decision, contractError(request, answer, problem, endpointHint(request)), undefined);
}

function lost(request: ApiRequest, failure: NetworkFailure): AttemptFailure {
  const { kind } = request.endpoint;
  if (failure.code === 'BODY_TOO_LARGE' && kind === 'read') {
    const error = new TargetContractError(networkErrorOf(request, failure, false).message, detailsOf(request));
    return new AttemptFailure('give-up', error, undefined);
  }
  const decision = decide(kind, { network: failure.reach }) as Exclude<Decision, 'done'>;
  return new AttemptFailure(decision, networkErrorOf(request, failure, kind !== 'read'), undefined);
}

function headersOf({ endpoint, json, ifMatch }: ApiRequest, token: string): Record<string, string> {
  const type = endpoint.template.includes('/scim/') ? 'application/scim+json' : 'application/json';
  return {
    authorization: `Bearer ${token}`,
    accept: type === 'application/json' ? type : `${type}, application/json`,
    ...(json !== undefined && { 'content-type': type }),
    ...(ifMatch !== undefined && { 'if-match': ifMatch }),
  };
}
