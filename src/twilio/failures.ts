/** Turns what came of an attempt into the error that a caller sees when it is not tried again. */
import {
  RateLimitedError,
  TargetAuthError,
  TargetConflictError,
  TargetContractError,
  type TargetDetails,
  type TargetError,
  TargetRejectedError,
  TargetUnavailableError,
} from '../errors.ts';
import type { Endpoint } from './endpoints.ts';
import type { ErrorBody } from './error-body.ts';
import { forMessage } from './error-body.ts';
import type { HttpAnswer } from './http-client.ts';
import type { NetworkFailure } from './network-failure.ts';
import type { Decision } from './retry.ts';

/** What the messages need to know of a request. */
export interface Asked {
  readonly endpoint: Endpoint;
  readonly url: URL;
}

export function detailsOf({ endpoint, url }: Asked, answer?: HttpAnswer, body: ErrorBody = {}): TargetDetails {
  return {
    method: endpoint.method,
    path: url.pathname,
    status: answer?.status,
    twilioCode: body.code,
    scimType: body.scimType,
    requestId: answer?.requestId,
  };
}

export function nameOf({ endpoint, url }: Asked): string {
  return `${endpoint.method} ${url.pathname}`;
}

/** A sentence with everything that Twilio's support asks for. */
export function answered(asked: Asked, answer: HttpAnswer, body: ErrorBody): string {
  const facts = [
    ...(body.code === undefined ? [] : [`code ${body.code}`]),
    ...(answer.requestId === undefined ? [] : [`request ${answer.requestId}`]),
  ];
  const inBrackets = facts.length === 0 ? '' : ` (${facts.join(', ')})`;
  return `${nameOf(asked)}: Twilio answered ${answer.status}${inBrackets}${body.message === undefined ? '' : `: ${body.message}`}`;
}

export function errorOf(
  decision: Exclude<Decision, 'done'>,
  asked: Asked,
  answer: HttpAnswer,
  body: ErrorBody,
): TargetError {
  const said = answered(asked, answer, body);
  const details = detailsOf(asked, answer, body);
  switch (decision) {
    case 'wait':
      return new RateLimitedError(`${said}; it kept doing so for as long as this program is prepared to wait`, {
        ...details,
        hint: 'Lower twilio.limits.requestsPerSecond, or find what else uses the same credentials, then run again.',
      });
    case 'new-token':
      return new TargetAuthError(`${said}, with a newly minted token too${eitherOr(asked)}`, {
        ...details,
        hint: authHint(asked, body),
      });
    case 'stop':
      return new TargetAuthError(withPermission(said, asked, body), { ...details, hint: authHint(asked, body) });
    case 'retry':
      return new TargetUnavailableError(said, details);
    case 'look-first':
      return answer.status >= 500
        ? new TargetUnavailableError(`${said}; whether it took effect is not known`, details)
        : new TargetConflictError(said, details);
    case 'taken':
    case 'read-again':
      return new TargetConflictError(said, details);
    case 'settle':
      return new TargetRejectedError(said, details);
    case 'absent':
    case 'give-up':
      return refusal(said, asked, answer, details);
  }
}

/** Codes that blame the value asked for, so that a look-up of one person may end in them. */
const valueCodes = new Set([25001, 25004, 25005]);

function refusal(said: string, asked: Asked, answer: HttpAnswer, details: TargetDetails): TargetError {
  if (answer.status < 400) {
    const to = answer.location === undefined ? '' : ` to ${forMessage(hostOf(answer.location, asked.url.href))}`;
    return new TargetContractError(`${said}: a redirect${to}, which is not followed with a token`, {
      ...details,
      hint: endpointHint(asked),
    });
  }
  const anyPath = !asked.endpoint.template.includes('{id}');
  if (answer.status === 404 && anyPath && details.twilioCode === undefined) {
    return new TargetContractError(said, { ...details, hint: endpointHint(asked) });
  }
  const aboutValue = details.twilioCode !== undefined && valueCodes.has(details.twilioCode);
  if (asked.endpoint.kind === 'read' && anyPath && !aboutValue) return new TargetContractError(said, details);
  return new TargetRejectedError(said, details);
}

export function endpointHint({ url }: Asked): string {
  return `Check twilio.endpoints: ${url.host} does not answer like Twilio's API there.`;
}

function hostOf(location: string, base: string): string {
  return URL.parse(location, base)?.host ?? 'somewhere unreadable';
}

function withPermission(said: string, { endpoint }: Asked, { code }: ErrorBody): string {
  if (code === 25100 || endpoint.permission === undefined) return said;
  return `${said}; the OAuth app may lack the permission ${endpoint.permission}`;
}

/** Twilio's 401 does not tell one from the other (error page 20003). */
function eitherOr({ endpoint }: Asked): string {
  const revoked = ': the access was revoked';
  return endpoint.permission === undefined
    ? revoked
    : `${revoked}, or the OAuth app lacks the permission ${endpoint.permission}`;
}

/** Where to mend it, by code (Twilio documentation, error pages 25018, 25100, 25105, 25107; "Organization OAuth apps"). */
function authHint({ endpoint }: Asked, { code }: ErrorBody): string {
  if (code === 25100) return 'Check twilio.organizationSid against the organization in the Twilio Console.';
  const organization =
    code === 25107 ? ' Check too that the app belongs to the organization of twilio.organizationSid.' : '';
  if (endpoint.permission === undefined) return `Check the OAuth app in the Twilio Console.${organization}`;
  const also = endpoint.permission === 'roles/list' ? ' and role-assignments/list' : '';
  return `In the Twilio Console, open the organization's OAuth apps and grant ${endpoint.permission}${also} to the app of twilio.oauth.clientId, then run again.${organization}`;
}

export function networkErrorOf(asked: Asked, failure: NetworkFailure, unknownEffect: boolean): TargetError {
  const { host } = asked.url;
  const details: TargetDetails = { ...detailsOf(asked), cause: failure };
  const what = forMessage(failure.message);
  const reason = what.includes(failure.code) ? what : `${what} (${failure.code})`;
  if (failure.reach === 'tls') {
    return new TargetUnavailableError(`${nameOf(asked)}: TLS with ${host} failed: ${reason}`, {
      ...details,
      hint: 'If a proxy or a private CA stands in between, name its CA file in the environment variable NODE_EXTRA_CA_CERTS; check the host name too.',
    });
  }
  if (failure.reach === 'unsent') {
    return new TargetUnavailableError(`${nameOf(asked)}: cannot reach ${host}: ${reason}`, {
      ...details,
      hint: 'Check the network, the name service, the proxy settings and twilio.endpoints.',
    });
  }
  const effect = unknownEffect ? '; whether it took effect is not known' : '';
  return new TargetUnavailableError(`${nameOf(asked)}: no answer from ${host}: ${reason}${effect}`, details);
}
