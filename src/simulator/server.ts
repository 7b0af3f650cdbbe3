/**
 * The way of a request: counted by the limits on arrival, delayed, met by a fault, authorized, answered, recorded.
 *
 *   step        refuses with        applies to the OAuth service
 *   limits      429                 no
 *   latency     -                   yes
 *   fault       whatever it says    yes
 *   token       401                 no
 *   permission  403                 no
 *   handler     its own codes       yes
 */

import type { IncomingMessage, ServerResponse } from 'node:http';
import { authorizePath, getAuthorize } from './authorize.ts';
import { parseBody, readBody } from './body.ts';
import { errorReply, type Failure, type Family, refuse } from './errors.ts';
import { faultReply } from './fault-reply.ts';
import { describeFault, type Fault, type FaultyRequest, takesEffect } from './faults.ts';
import type { Machine } from './machine.ts';
import { postToken } from './oauth.ts';
import { missingPermission } from './permissions.ts';
import { maskSecrets } from './recorder.ts';
import type { Answer, Body, Call, Reply } from './reply.ts';
import { send } from './respond.ts';
import { findRoute, type Operation, type Route, templateOf, tokenPaths } from './routes.ts';
import { sidOf } from './sids.ts';
import { type Delay, type Spoiling, spoils } from './spoil.ts';
import { tooManyConcurrent, tooManyRequests } from './throttle.ts';
import { isFailure } from './user-validation.ts';

const largestBody = 1 << 20;

/** A request on its way. */
interface Passage {
  readonly call: Call;
  readonly template: string;
  /** Of the OAuth service. */
  readonly token: boolean;
  readonly route: Route | undefined;
  /** As the path names it; undefined where the token says it. */
  readonly organization: string | undefined;
  readonly operation: Operation | undefined;
  readonly family: Family;
}

/** Answers requests of the API; `delay` waits out the latency. */
export function createApi(machine: Machine, delay: Delay) {
  return async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const at = machine.monotonic();
    const number = machine.nextRequest();
    const requestId = sidOf('RQ', number);
    response.setHeader('Twilio-Request-Id', requestId);
    const token = isOAuth(pathOf(request));
    const throttled = token ? undefined : admit(machine, at, response);

    const body = await bodyOf(request);
    if (body === undefined) return;
    const passage = passageOf(request, token, body);
    const { call, template, family } = passage;
    if (machine.limits.latency > 0) await delay(machine.limits.latency);

    const fault = throttled === undefined ? machine.faults.take(faultyOf(passage)) : undefined;
    let status = 0;
    if (fault !== undefined) {
      status = await playFault(machine, passage, fault, response, delay);
    } else {
      const reply = toReply(throttled ?? answer(machine, passage), family, machine);
      status = reply.status;
      await send(response, reply);
    }
    machine.requests.add({
      number,
      method: call.method,
      path: template,
      rawPath: call.path,
      query: Object.fromEntries(call.query),
      body: body.form === 'json' ? body.value : body.form === 'urlencoded' ? maskSecrets(body.value) : undefined,
      status,
      at,
      endedAt: machine.monotonic(),
      write: call.method !== 'GET' && !token,
      requestId,
      fault: fault === undefined ? undefined : describeFault(fault),
    });
  };
}

/** Takes the request into account; the 429 when it is one too many. */
function admit(machine: Machine, at: number, response: ServerResponse): Failure | undefined {
  const { requestsPerSecond, maxConcurrent } = machine.limits;
  if (maxConcurrent !== null && machine.inFlight >= maxConcurrent) return tooManyConcurrent(machine);
  const retryIn = machine.window.arrive(at, requestsPerSecond);
  if (retryIn !== undefined) return tooManyRequests(machine, retryIn);
  machine.inFlight++;
  response.setHeader('Twilio-Concurrent-Requests', machine.inFlight);
  response.once('close', () => machine.inFlight--);
  return undefined;
}

/** Undefined when the client went away before its request was whole. */
async function bodyOf(request: IncomingMessage): Promise<Body | undefined> {
  if (request.method === 'GET') return { form: 'none' };
  const bytes = await readBody(request, largestBody);
  if (bytes !== undefined) return parseBody(bytes, request.headers['content-type']);
  return request.complete ? { form: 'malformed', reason: `the body has more than ${largestBody} bytes` } : undefined;
}

function passageOf(request: IncomingMessage, token: boolean, body: Body): Passage {
  const path = pathOf(request);
  const method = request.method ?? 'GET';
  const found = token ? undefined : findRoute(path);
  const operation = found?.route.operations.get(method);
  const call: Call = {
    method,
    path,
    params: found?.params ?? [],
    query: new URLSearchParams(request.url?.slice(path.length + 1) ?? ''),
    headers: request.headers,
    body,
    origin: `http://${request.headers.host ?? 'localhost'}`,
  };
  return {
    call,
    template: found?.route.template ?? templateOf(path),
    token,
    route: found?.route,
    organization: found?.organization,
    operation,
    family: token ? 'oauth' : (operation?.family ?? found?.route.family ?? 'service-read'),
  };
}

/** What the API says when nothing goes wrong on the way. */
function answer(machine: Machine, passage: Passage): Answer {
  const { call, token, route, operation, organization } = passage;
  if (token) return answerOAuth(machine, call);
  const { generations } = machine.quirks;
  const served = generations === 'both' || route?.generation === undefined || route.generation === generations;
  if (route === undefined || !served) return refuse(20404, call.path);
  const client = machine.tokens.authenticate(machine, call.headers.authorization);
  if (isFailure(client)) return client;
  if (machine.tokenIsSpent()) return refuse(20003, 'the access token was revoked');
  if (organization !== undefined && organization !== machine.state.organizationSid) return refuse(25107);
  if (operation === undefined) return refuse(20004, `${call.method} ${call.path}`);
  const permission = operation.permission?.(machine.quirks);
  const refused = call.method === 'PATCH' && machine.quirks.patch === 'refused';
  if (permission !== undefined && (refused || !client.permissions.has(permission))) {
    return missingPermission(permission, machine.quirks);
  }
  return operation.handle(machine, call);
}

function answerOAuth(machine: Machine, call: Call): Answer {
  const [method, handle] =
    call.path === authorizePath ? (['GET', getAuthorize] as const) : (['POST', postToken] as const);
  return call.method === method ? handle(machine, call) : refuse(20004);
}

function isOAuth(path: string): boolean {
  return path === authorizePath || tokenPaths.includes(path);
}

function toReply(result: Answer, family: Family, machine: Machine): Reply {
  return result.kind === 'failure' ? errorReply(result, family, machine.quirks) : result;
}

function faultyOf({ call, template }: Passage): FaultyRequest {
  const { method, query, body } = call;
  return { method, path: template, query, body: 'value' in body ? body.value : undefined };
}

/** Carries out the request if the fault says so, then what the client gets to see; returns the status sent, 0 for none. */
async function playFault(
  machine: Machine,
  passage: Passage,
  fault: Fault,
  response: ServerResponse,
  delay: Delay,
): Promise<number> {
  const real = takesEffect(fault) ? toReply(answer(machine, passage), passage.family, machine) : undefined;
  if (real !== undefined && typeof fault === 'string' && fault in spoils) {
    // Not waited for: what never ends would never be recorded.
    spoils[fault as Spoiling](response, real, delay).catch(() => response.destroy());
    return fault === 'reset-after' || fault === 'reset-head' ? 0 : real.status;
  }
  switch (fault) {
    case 'hang':
    case 'hang-after':
      return 0;
    case 'reset-before':
      response.socket?.resetAndDestroy();
      return 0;
    default: {
      const reply = faultReply(fault as Parameters<typeof faultReply>[0], passage.family, machine.quirks);
      await send(response, reply);
      return reply.status;
    }
  }
}

function pathOf(request: IncomingMessage): string {
  const url = request.url ?? '/';
  const end = url.indexOf('?');
  return end < 0 ? url : url.slice(0, end);
}
