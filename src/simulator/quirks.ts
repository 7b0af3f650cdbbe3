/**
 * Behaviours that Twilio's documentation leaves open, each with a switch. The defaults are what the documentation says,
 * and where it is silent what its neighbours say; the other values are what a careful client has to survive.
 */

/** One switch: what it decides, what it starts with, and what it accepts. */
export interface QuirkDefinition<Value> {
  readonly about: string;
  readonly initial: Value;
  /** The accepted values, for people. */
  readonly allowed: string;
  readonly accepts: (value: unknown) => boolean;
}

function choice<const Values extends readonly [unknown, ...unknown[]]>(
  about: string,
  ...values: Values
): QuirkDefinition<Values[number]> {
  const allowed = values.map((value) => JSON.stringify(value)).join(' | ');
  return { about, initial: values[0], allowed, accepts: (value) => values.includes(value) };
}

function count(about: string, initial: number): QuirkDefinition<number> {
  return { about, initial, allowed: 'an integer from 0', accepts: isCount };
}

function countOrNull(about: string): QuirkDefinition<number | null> {
  return { about, initial: null, allowed: 'an integer from 0, or null', accepts: (v) => v === null || isCount(v) };
}

function textOrNull(about: string): QuirkDefinition<string | null> {
  return { about, initial: null, allowed: 'text, or null', accepts: (v) => v === null || typeof v === 'string' };
}

function isCount(value: unknown): boolean {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

/** Every switch with its first value as the default. */
export const quirkDefinitions = {
  // Tokens.
  tokenStatus: choice('Status of a token answer: 200 on v2; the older v1 description says 201.', 200, 201),
  tokenForm: choice('A JWT with exp, as observed, or text that says nothing.', 'jwt', 'opaque'),
  tokenType: choice('Spelling of token_type.', 'Bearer', 'bearer', 'BEARER'),
  expiresIn: choice(
    'expires_in: the lifetime, or something a client cannot use (an older sample shows 1438315200000).',
    'seconds',
    'null',
    'absent',
    'zero',
    'absurd',
  ),
  tokenErrors: choice('Error body of the token endpoint: Twilio keys, or those of RFC 6749.', 'twilio', 'rfc6749'),
  approval: choice('What comes of the page on which somebody approves the app.', 'given', 'denied'),
  pkce: choice('Whether an authorization without PKCE (RFC 7636) is taken.', 'optional', 'required'),
  refreshToken: choice(
    'What a refresh brings: a new refresh token, which ends the old one; the same one; or none, and the old one stays.',
    'rotated',
    'repeated',
    'absent',
  ),
  badClientStatus: choice('Status for a wrong client id or secret.', 400, 401),
  permissionRefusal: choice(
    'Status and code when the app lacks the permission for a call.',
    '403-20003',
    '401-20003',
    '401-70051',
    '403-25018',
    '403-25105',
    '403-25107',
  ),
  rolesPermission: choice(
    'Permission that lists roles: the table of scopes and the page of the Role resource disagree.',
    'roles/list',
    'role-assignments/list',
  ),

  // Shapes of answers.
  errorKeys: choice('Spelling of more_info / moreInfo; documented means by endpoint.', 'documented', 'snake', 'camel'),
  errorStatus: choice('Type of `status` in error bodies; documented: SCIM text.', 'documented', 'string', 'number'),
  errorCodes: choice('Whether error bodies carry `code`.', 'present', 'absent'),
  errorContentType: choice('Content type of error bodies.', 'documented', 'text/plain'),
  unknownProperties: choice('Adds properties that no description names.', false, true),
  createStatus: choice('Status after creating a user.', 201, 200),
  assignStatus: choice('Status after creating a role assignment.', 201, 200),
  deleteStatus: choice('Status after a delete; 200 brings a small body.', 204, 200, 202),
  writeBody: choice('Whether a successful write returns the resource.', 'resource', 'empty'),

  // Paging of assignments, roles and accounts.
  nextPageHost: textOrNull('Origin in meta.*_url instead of the one asked, e.g. https://preview-iam.twilio.com.'),
  nextPageLink: choice('next_page_url, a relative next_page_uri, or a URL that repeats itself.', 'url', 'uri', 'loop'),
  pagingMeta: choice('absent: one page without meta, however many rows.', 'present', 'absent'),
  collectionKey: textOrNull('Name of the array instead of content or roles; meta.key says it.'),
  defaultPageSize: choice('Rows per page when PageSize is not sent: the docs say 50, the description 100.', 50, 100),
  pageTokens: choice(
    'stale-after-write: a change makes page tokens handed out before invalid (25023).',
    'stable',
    'stale-after-write',
  ),

  // The list of users.
  listLimit: countOrNull('Cuts the unfiltered list after so many people.'),
  totalResults: choice('What totalResults counts when the list is cut.', 'total', 'returned'),
  listAnnounces: choice(
    'Makes the list look paged: startIndex and itemsPerPage, or a next link.',
    'nothing',
    'startIndex',
    'next',
  ),
  pagingParameters: choice(
    'startIndex and count in the query: not supported, so ignored or refused.',
    'ignored',
    'refused',
  ),
  emptyList: choice('Resources of an empty list (RFC 7644 section 3.4.2 lets it be absent).', 'array', 'absent'),
  inactiveInList: choice(
    'hidden: not in the unfiltered list; hidden-from-filters: in no list.',
    'shown',
    'hidden',
    'hidden-from-filters',
  ),
  suspendedInList: choice('As inactiveInList, for suspended people.', 'shown', 'hidden', 'hidden-from-filters'),
  suspendedShows: choice('`active` of a suspended person.', 'inactive', 'active'),
  userNameFilter: choice('Letter case in `userName eq` (RFC 7643: insensitive).', 'insensitive', 'exact'),
  newUserHiddenReads: count('Reads for which a new person stays invisible.', 0),

  // What the server makes of attributes.
  userNameCase: choice('Letter case of userName and addresses as stored.', 'kept', 'lower'),
  text: choice('White space in names and display names.', 'kept', 'trimmed', 'collapsed'),
  unicode: choice('Unicode form of names and display names.', 'kept', 'NFC', 'NFD'),
  localeForm: choice('rewritten: en-US becomes en_US.', 'kept', 'rewritten'),
  emptyText: choice('How an attribute without a value comes back.', 'absent', 'empty', 'null'),
  nameMinimum: choice('Shortest given and family name: error pages 25002/25003 say 2, the schema says 0.', 2, 0),
  createInactive: choice('`active: false` on create.', 'accepted', 'ignored', 'refused'),
  welcomeMail: choice('When a welcome mail goes out.', 'create', 'create-and-reactivate'),

  // Changing people.
  omittedOnPut: choice('Attributes left out of a PUT, which is said to replace all of them.', 'cleared', 'kept'),
  omittedActiveOnPut: choice('`active` left out of a PUT.', 'kept', 'true'),
  externalIdOnPut: choice('externalId in a PUT: not among the updatable attributes.', 'ignored', 'stored', 'refused'),
  rename: choice('A change of userName; refused is 25012, or 25013 as in older times.', 'accepted', '25012', '25013'),
  reactivation: choice('`active: true` on an inactive person.', 'accepted', 'refused'),
  patch: choice('refused: PATCH answers as for a missing permission.', 'accepted', 'refused'),
  versionForm: choice('meta.version as W/4 or W/"4".', 'plain', 'quoted'),
  etag: choice('Whether answers with one user carry an ETag.', false, true),
  ifMatch: choice('exact: If-Match must equal meta.version; lenient: quotes do not matter.', 'exact', 'lenient'),
  conflictStatus: choice('Status of a version conflict (25020).', 409, 412),
  duplicateStatus: choice('Status when userName or externalId is taken (25022).', 409, 400),
  duplicateScimType: choice('Whether 25022 carries scimType uniqueness.', false, true),
  forbiddenStatus: choice('Status of an unverified domain (25017) and a used-up quota (25007).', 400, 403),
  doubleDeactivation: choice('Deleting an inactive person.', 204, 404, 400),
  assignmentsOnDeactivation: choice(
    'Role assignments of an inactive person; hidden ones return with them.',
    'kept',
    'dropped',
    'hidden',
  ),

  // Role assignments and accounts.
  listWithoutFilter: choice(
    'Listing assignments by neither Identity nor Scope; refused is 25203.',
    'allowed',
    'refused',
  ),
  organizationScopeList: choice('Scope=OR…: rows of that scope alone, or every row.', 'own', 'all'),
  existingAssignment: choice('Posting a triple that exists.', '400', '409', '201-old', '201-new'),
  missingAssignment: choice('Deleting an assignment that does not exist.', 404, 204, 400, 403),
  newUserAssignmentRefusals: count('Tries for which a new person is not yet a managed user (25201).', 0),
  roleCeiling: count('Roles that one person can hold over all scopes.', 50),
  roleCeilingCode: countOrNull('Code of the 400 at the ceiling, which is not documented; null is 20001.'),
  accounts: choice('The accounts list, which no scope covers.', 'available', '403', '404'),

  // Throttling.
  rateLimitCode: choice('Code of a 429 for too many requests per second.', 20429, 25021, 25109, null),
  retryAfter: choice('Retry-After with a 429.', 'seconds', 'date', 'absent'),
  throttledUntil: choice('Whether a 429 carries throttled_until.', false, true),
} as const;

/** The switches of one simulator; assign to a field to change what the next request meets. */
export type Quirks = {
  -readonly [Name in keyof typeof quirkDefinitions]: (typeof quirkDefinitions)[Name] extends QuirkDefinition<
    infer Value
  >
    ? Value
    : never;
};

/** Faithful behaviour, with the given deviations. */
export function createQuirks(changes: Partial<Quirks> = {}): Quirks {
  const initial = Object.entries(quirkDefinitions).map(([name, quirk]) => [name, quirk.initial]);
  return { ...(Object.fromEntries(initial) as Quirks), ...changes };
}

/** Checks untyped changes, as they come over HTTP; returns them, or everything that is wrong with them. */
export function parseQuirks(value: unknown): { readonly changes: Partial<Quirks> } | { readonly problems: string[] } {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return { problems: ['quirks must be an object'] };
  const definitions: Readonly<Record<string, QuirkDefinition<unknown>>> = quirkDefinitions;
  const problems = Object.entries(value).flatMap(([name, wanted]) => {
    const definition = Object.hasOwn(definitions, name) ? definitions[name] : undefined;
    if (definition === undefined) return [`${name}: no such quirk`];
    return definition.accepts(wanted) ? [] : [`${name}: must be ${definition.allowed}`];
  });
  return problems.length > 0 ? { problems } : { changes: value as Partial<Quirks> };
}
