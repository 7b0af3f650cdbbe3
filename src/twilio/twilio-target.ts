/** The Twilio organization as the rest of the program sees it. */
import type { ScopeSid } from '../domain/identity.ts';
import type { Secret } from '../domain/secret.ts';
import type { AuthorizationStore, Clock, Logger, TargetDirectory } from '../ports.ts';
import { listAccounts } from './accounts.ts';
import { createAnswerCounts } from './answer-counts.ts';
import { createApiClient } from './api-client.ts';
import { mintByCredentials } from './client-credentials.ts';
import { createUser } from './create-user.ts';
import { deactivateUser } from './deactivate-user.ts';
import { callNames, endpointName, endpointsOf, type Generation } from './endpoints.ts';
import { createHttpClient, type ProxyEnvironment } from './http-client.ts';
import { createTokenSource } from './oauth-token.ts';
import { checkOptions } from './options.ts';
import { type PermissionProbe, probePermissions } from './probe-permissions.ts';
import { createRateGovernor } from './rate-governor.ts';
import { mintByRefreshToken } from './refresh-token.ts';
import { defaultRetryLimits, type RetryLimits } from './retry.ts';
import { assignRole, listAssignments, revokeRole } from './role-assignments.ts';
import { listRoles } from './roles.ts';
import { findUser, readUser } from './scim-users.ts';
import type { TokenEndpoint } from './token-request.ts';
import { updateUser } from './update-user.ts';
import { streamUsers } from './user-list-stream.ts';

export interface TwilioOptions {
  /** `OR…`: part of the older paths; the token is checked against it. */
  readonly organization: ScopeSid;
  readonly clientId: Secret | string;
  readonly clientSecret: Secret;
  /** Where a person's approval is kept; without one, the secret alone gives tokens. */
  readonly authorization?: AuthorizationStore | undefined;
  /** Base URLs, https except on this machine. */
  readonly endpoints: {
    readonly iam: string;
    readonly oauth: string;
    readonly accounts: string;
    /** Which paths are spoken there; default `current`. */
    readonly generation?: Generation;
  };
  /** Lets them be http on other machines too. */
  readonly insecureHttp?: boolean;
  readonly limits: {
    /** Requests to the API, tokens not counted; fractions are allowed. */
    readonly requestsPerSecond: number;
    readonly maxConcurrent: number;
    /** For connecting, for the headers, and between two pieces of a body. */
    readonly timeoutMs: number;
  };
  readonly retry?: Partial<RetryLimits>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** From 0 to below 1, for the jitter of backoffs. Without it there is none. */
  readonly random?: () => number;
  /** Where HTTP_PROXY, HTTPS_PROXY and NO_PROXY are looked up; nothing else is read from it. */
  readonly proxyEnv?: ProxyEnvironment;
}

/** Disposing waits for requests in flight and closes all connections. */
export interface TwilioTarget extends TargetDirectory, AsyncDisposable {
  /** Which of the nine permissions the app has. `chance`: 32 random hex digits. Changes nothing. */
  probePermissions(chance: string, signal: AbortSignal): Promise<readonly PermissionProbe[]>;
}

/** Makes no request yet. Throws ConfigError with everything that is wrong with the options. */
export function createTwilioTarget(options: TwilioOptions): TwilioTarget {
  checkOptions(options);
  const { organization, endpoints: bases, clock, logger, random = () => 1, proxyEnv = {} } = options;
  const endpoints = endpointsOf(bases.generation ?? 'current');
  const { timeoutMs } = options.limits;
  const limits: RetryLimits = { ...defaultRetryLimits, ...options.retry };
  const calls: Record<string, number> = {};
  const count = (endpoint: string) => {
    calls[endpoint] = (calls[endpoint] ?? 0) + 1;
  };
  const { answers, count: answered } = createAnswerCounts();
  const http = createHttpClient({ timeoutMs, proxyEnv });
  const ended = new AbortController();
  const endpoint: TokenEndpoint = {
    ...options,
    oauth: bases.oauth,
    endpoints,
    timeoutMs,
    retry: limits,
    random,
    http,
    onRequest: () => count(endpointName(endpoints.token)),
    onAnswer: (kind) => answered(endpointName(endpoints.token), kind),
    signal: ended.signal,
  };
  const { authorization } = options;
  const tokens = createTokenSource(clock, () =>
    authorization === undefined ? mintByCredentials(endpoint) : mintByRefreshToken(endpoint, authorization),
  );
  const governor = createRateGovernor(options.limits, clock);
  const api = createApiClient({ http, tokens, governor, limits, timeoutMs, clock, logger, random, count, answered });
  const iam = { api, base: bases.iam, organization, endpoints };
  return {
    listUsers: (onUser, signal, known) => streamUsers(iam, onUser, signal, known),
    readUser: (user, signal) => readUser(iam, user, signal),
    findUser: (by, signal) => findUser(iam, by, signal),
    createUser: (externalId, attributes) => createUser(iam, { externalId, attributes }),
    updateUser: (user, change, known) => updateUser(iam, user, change, known),
    deactivateUser: (user) => deactivateUser(iam, user),
    listAssignments: (by, onAssignment, signal) => listAssignments(iam, by, onAssignment, signal),
    assignRole: (user, grant) => assignRole(iam, user, grant),
    revokeRole: (assignment) => revokeRole(iam, assignment),
    listRoles: (signal) => listRoles(iam, signal),
    listAccounts: (signal) => listAccounts({ ...iam, base: bases.accounts }, signal),
    probePermissions: (chance, signal) => probePermissions(iam, chance, signal),
    calls,
    answers,
    names: callNames(endpoints),
    [Symbol.asyncDispose]: async () => {
      ended.abort();
      await tokens.idle();
      await http.close();
    },
  };
}
