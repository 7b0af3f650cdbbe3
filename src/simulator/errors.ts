import type { Quirks } from './quirks.ts';
import type { Reply } from './reply.ts';

/** Which error body an endpoint answers with; the description gives role writes another spelling than role lists. */
export type Family = 'scim' | 'service-read' | 'service-write' | 'oauth';

type ScimType = 'invalidFilter' | 'uniqueness' | 'mutability' | 'invalidValue' | 'invalidSyntax';

/** A request refused; `errorReply` gives it the body that its endpoint uses. */
export interface Failure {
  readonly kind: 'failure';
  readonly status: number;
  readonly code: number | undefined;
  readonly message: string;
  readonly scimType?: ScimType | undefined;
  /** Error code of RFC 6749, where the Twilio code does not tell. */
  readonly oauth?: 'invalid_grant' | 'unauthorized_client';
  readonly headers?: Readonly<Record<string, string>>;
  /** Extra members of the body. */
  readonly extra?: Readonly<Record<string, unknown>>;
}

interface KnownError {
  readonly status: number;
  readonly message: string;
  readonly scimType?: ScimType;
}

/** Codes of the organization API and the generic ones it uses (Twilio error dictionary, www.twilio.com/docs/api/errors). */
const knownErrors = {
  20001: { status: 400, message: 'Invalid request' },
  20003: { status: 401, message: 'Authenticate' },
  20004: { status: 405, message: 'Method not allowed' },
  20404: { status: 404, message: 'The requested resource was not found' },
  20429: { status: 429, message: 'Too many requests' },
  25001: { status: 400, message: 'Invalid filter', scimType: 'invalidFilter' },
  25002: { status: 400, message: 'Invalid given name', scimType: 'invalidValue' },
  25003: { status: 400, message: 'Invalid family name', scimType: 'invalidValue' },
  25004: { status: 400, message: 'Invalid externalId length', scimType: 'invalidValue' },
  25005: { status: 400, message: 'userName is missing or has an invalid length', scimType: 'invalidValue' },
  25006: { status: 400, message: 'The request does not follow the schema', scimType: 'invalidSyntax' },
  25007: { status: 400, message: 'The quota of managed users is reached' },
  25008: { status: 404, message: 'User not found' },
  25009: { status: 400, message: "The user's state does not allow updates" },
  25010: { status: 400, message: 'The primary email is missing', scimType: 'invalidValue' },
  25011: { status: 400, message: 'The primary email is invalid', scimType: 'invalidValue' },
  25012: { status: 400, message: 'The email cannot be changed' },
  25013: { status: 400, message: 'Changing userName is not supported', scimType: 'mutability' },
  25014: { status: 400, message: 'The primary email must match userName', scimType: 'invalidValue' },
  25015: { status: 400, message: 'The patch is malformed', scimType: 'invalidSyntax' },
  25016: { status: 400, message: 'The Organization Owner cannot be updated', scimType: 'mutability' },
  25017: { status: 400, message: 'The email domain is not verified by the organization' },
  25019: { status: 400, message: 'A business rule is violated' },
  25020: { status: 409, message: 'The version does not match the current version of the user' },
  25022: { status: 409, message: 'A user with this userName or externalId exists already' },
  25023: { status: 400, message: 'The page token is invalid' },
  25100: { status: 404, message: 'Organization not found' },
  25101: { status: 404, message: 'Account not found' },
  25107: { status: 403, message: 'No authorization for this organization' },
  25200: { status: 400, message: 'Invalid scope: must be the organization or an account that it manages' },
  25201: { status: 400, message: 'Invalid identity: must be a managed user' },
  25202: { status: 400, message: 'Invalid role' },
  25203: { status: 400, message: 'Identity or Scope is required' },
} as const satisfies Record<number, KnownError>;
export type ErrorCode = keyof typeof knownErrors;

/** The refusal that a documented code stands for; `detail` says what exactly, `status` where the status is unsettled. */
export function refuse(code: ErrorCode, detail?: string, status?: number): Failure {
  const known: KnownError = knownErrors[code];
  return {
    kind: 'failure',
    status: status ?? known.status,
    code,
    message: detail === undefined ? known.message : `${known.message}: ${detail}`,
    scimType: known.scimType,
  };
}

/** The body and content type with which an endpoint of this family refuses. */
export function errorReply(failure: Failure, family: Family, quirks: Quirks): Reply {
  const { status, extra } = failure;
  const code = quirks.errorCodes === 'absent' ? undefined : failure.code;
  const moreInfo = code === undefined ? undefined : `https://www.twilio.com/docs/errors/${code}`;
  const shownStatus = (quirks.errorStatus === 'documented' ? family === 'scim' : quirks.errorStatus === 'string')
    ? String(status)
    : status;
  const info = { [moreInfoKey(family, quirks)]: moreInfo };
  let body: object;
  if (family === 'oauth' && quirks.tokenErrors === 'rfc6749') {
    body = { error: status < 500 ? oauthError(failure) : 'server_error', error_description: failure.message };
  } else if (family === 'scim') {
    body = {
      schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'],
      detail: failure.message,
      status: shownStatus,
      scimType: failure.scimType,
      code,
      ...info,
      ...extra,
    };
  } else {
    body = { code, message: failure.message, ...info, status: shownStatus, ...extra };
  }
  // The description gives errors of role writes the content type of SCIM, though the body is Twilio's.
  const documented = family === 'scim' || family === 'service-write' ? 'application/scim+json' : 'application/json';
  const contentType = quirks.errorContentType === 'documented' ? documented : quirks.errorContentType;
  return { kind: 'reply', status, contentType, body: JSON.stringify(body), headers: failure.headers };
}

function moreInfoKey(family: Family, quirks: Quirks): 'moreInfo' | 'more_info' {
  if (quirks.errorKeys !== 'documented') return quirks.errorKeys === 'camel' ? 'moreInfo' : 'more_info';
  return family === 'scim' || family === 'service-write' ? 'moreInfo' : 'more_info';
}

/** RFC 6749 section 5.2. */
function oauthError(failure: Failure): string {
  if (failure.oauth !== undefined) return failure.oauth;
  if (failure.code === 20003) return 'invalid_client';
  return failure.message.includes('grant_type') ? 'unsupported_grant_type' : 'invalid_request';
}
