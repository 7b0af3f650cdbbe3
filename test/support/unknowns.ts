/**
 * What Twilio's documentation leaves open, item by item: the switches of the simulator that play every behaviour we could
 * think of, what plays the rest, and what tdsync does. docs/reference/twilio-unknowns.md is made from it.
 */
import type { SwitchName } from './switch-values.ts';

export interface Unknown {
  readonly question: string;
  readonly switches: readonly SwitchName[];
  /** What plays it besides, or instead of, a switch. */
  readonly also?: string;
  /** What tdsync does, whichever it is. */
  readonly answer: string;
}

export interface Area {
  readonly title: string;
  readonly unknowns: readonly Unknown[];
}

export const areas: readonly Area[] = [
  {
    title: 'Hosts and shapes',
    unknowns: [
      {
        question: 'Which paths and hosts an organization answers on, and which host links in answers name',
        switches: ['generations', 'nextPageHost', 'nextPageLink'],
        also: '`twilio.endpoints.generation`: the suite runs in both',
        answer:
          'Speaks the configured generation at the configured addresses. Of a link to another host only the page parameters are taken, and the token stays at home. Links that go round in a circle end the run, exit 6.',
      },
      {
        question: 'Spelling of the keys of errors, type of `status`, and whether there is a `code`',
        switches: ['errorKeys', 'errorStatus', 'errorCodes'],
        answer:
          'Reads both spellings and both types. Without a code the status decides; a role that is refused with a bare 400 is looked for, and tried again briefly, because it may be there or be too early.',
      },
      {
        question: 'Errors whose content type does not match, or whose body is HTML or empty',
        switches: ['errorContentType', 'errorBody'],
        answer: 'Never looks at the content type. Of HTML it shows the title; an empty body leaves the status.',
      },
      {
        question: 'The name of the array of a page, and whether there is `meta`',
        switches: ['collectionKey', 'pagingMeta'],
        answer:
          'Believes `meta.key`, then the documented names, then the only array that holds something. Without `meta` the page is the whole list.',
      },
      {
        question: 'Properties and values that no description names',
        switches: ['unknownProperties', 'unknownValues'],
        answer: 'Ignores the properties. A level or status that it does not know decides nothing.',
      },
      {
        question: 'Status and body of what succeeded',
        switches: ['tokenStatus', 'createStatus', 'assignStatus', 'updateStatus', 'deleteStatus', 'writeBody'],
        answer: 'Takes every 2xx for success. What a write does not return is read, several times if need be.',
      },
    ],
  },
  {
    title: 'Tokens',
    unknowns: [
      {
        question: '`expires_in` null, zero, absurd or absent; any spelling of `token_type`, or none',
        switches: ['tokenForm', 'expiresIn', 'tokenType'],
        also: 'the simulator’s limit `tokenLifetime`',
        answer:
          'Renews before the earlier of a credible `expires_in` and the `exp` of the token; one hour when neither is usable. `token_type` is not looked at.',
      },
      {
        question: 'Whether a refresh token is rotated, repeated or not returned',
        switches: ['refreshToken'],
        also: 'nothing with client credentials, which have no refresh token',
        answer: 'Keeps the newest that was handed out.',
      },
      {
        question: 'Status and keys of the refusal of a client',
        switches: ['badClientStatus', 'tokenErrors'],
        answer: 'Ends the run, exit 6, and says which reference holds the secret. Nothing is tried again.',
      },
      {
        question: 'A token that is refused before its time, and clocks that differ',
        switches: ['tokenUses', 'clockSkew'],
        answer:
          'Mints one new token per call that is refused, then gives up. Lifetimes are counted on this host’s clock, so a clock that is hours off costs nothing.',
      },
    ],
  },
  {
    title: 'Users',
    unknowns: [
      {
        question: 'Whether the list of users is whole, and what `totalResults` counts',
        switches: ['listLimit', 'totalResults', 'listAnnounces', 'emptyList'],
        answer:
          'Believes only a list that proves itself: as many as `totalResults`, no further page announced. Otherwise the run ends, exit 6, and nothing is written. A cut list whose `totalResults` is cut too cannot be told from a whole one: people beyond the cut count as gone, a finding each, and are left alone; Twilio’s own refusal (25022) keeps anybody from being created twice.',
      },
      {
        question: 'Paging parameters ignored or refused',
        switches: ['pagingParameters'],
        answer: 'Never sends them.',
      },
      {
        question: 'Inactive and suspended people in the list, and how suspension shows',
        switches: ['inactiveInList', 'suspendedInList', 'suspendedShows'],
        answer:
          'Looks up by SID whom it deactivated itself and the source wants back. Suspended people show when a write is refused; they are left alone, with a finding.',
      },
      {
        question: 'Letter case of `userName` as stored, returned and filtered',
        switches: ['userNameCase', 'userNameFilter'],
        answer: 'Compares addresses without case, and looks people up by externalId when the address finds nobody.',
      },
      {
        question: 'Whether `externalId` can be set after creation',
        switches: ['externalIdOnPut'],
        answer:
          'Sends it once, on adoption. Ignored or refused, the link is kept here all the same, and it is not sent again.',
      },
      {
        question: 'Attributes that a PUT leaves out; how an attribute without a value comes back',
        switches: ['omittedOnPut', 'omittedActiveOnPut', 'emptyText'],
        answer: 'Sends back everything that it read. Absent, null and empty are one and the same.',
      },
      {
        question: 'Attributes that Twilio writes in its own way',
        switches: ['text', 'unicode', 'localeForm', 'nameMinimum'],
        answer:
          'Compares with what Twilio returned for what was sent last, so that nothing is sent for ever. A name that Twilio finds too short is that person’s finding.',
      },
      {
        question: 'Versions, `If-Match`, `ETag`, and the status of a conflict',
        switches: ['versionForm', 'ifMatch', 'etag', 'conflictStatus'],
        answer:
          'Sends the version exactly as it was read, and reads again after a conflict, three times at most. Where there is no version the user is read before each write.',
      },
      {
        question: 'Status and `scimType` of a duplicate; status of an unverified domain and of a used-up quota',
        switches: ['duplicateStatus', 'duplicateScimType', 'forbiddenStatus'],
        answer:
          'Decides by the code. A bare 403 could be a missing permission too, and ends the run, exit 6, after everything that comes before creations is done.',
      },
      {
        question: 'Deactivating somebody twice',
        switches: ['doubleDeactivation'],
        also: 'an answer that was lost',
        answer: 'Takes 404 and 400 for done once a look shows that the person is not active.',
      },
      {
        question: 'Whether people can be reactivated, or created inactive; when mails go out; renames',
        switches: ['reactivation', 'welcomeMail', 'createInactive', 'rename'],
        answer:
          'Creates active people only. A refused reactivation or rename is that person’s finding, tried again after hours, and the rest of the run goes on.',
      },
      {
        question: 'Whether new people and new roles can be seen, and be given roles, at once',
        switches: ['newUserHiddenReads', 'newUserAssignmentRefusals', 'newAssignmentHiddenReads'],
        answer:
          'Tries a role for a new person again briefly. Somebody new whom the list lacks is a finding and left alone. A role that was given within ten minutes and that a list lacks is looked for by person before it is given again; after a lost answer it is looked for twice.',
      },
      { question: 'PATCH without a scope for it', switches: ['patch'], answer: 'Never patches.' },
    ],
  },
  {
    title: 'Roles',
    unknowns: [
      {
        question: 'Listing role assignments without a filter; sizes of pages; page tokens that go stale',
        switches: ['listWithoutFilter', 'defaultPageSize', 'pageSizeCeiling', 'pageTokens'],
        answer:
          'Always filters by scope or person, always asks for a size, and takes what it gets. A stale token starts the listing again, twice at most; no row is taken twice.',
      },
      {
        question: 'Giving a role that the person holds',
        switches: ['existingAssignment'],
        answer: 'Lists before it posts again, and takes what it finds.',
      },
      {
        question: 'Deleting a role assignment that is not there',
        switches: ['missingAssignment'],
        also: 'an answer that was lost',
        answer: 'Lists, and takes its absence for done.',
      },
      {
        question: 'Role assignments of people who are deactivated, and when they come back',
        switches: ['assignmentsOnDeactivation'],
        answer: 'Revokes what it manages first. When somebody returns, the roles are listed before any is given.',
      },
      {
        question: 'What the list of one scope holds',
        switches: ['organizationScopeList', 'accountScopeList'],
        answer: 'Keeps the rows of the scope that it asked for.',
      },
      {
        question: 'Implicit rows, such as the default organization role, that cannot be deleted',
        switches: ['implicitRows'],
        also: 'seeds with `permanent` rows',
        answer:
          'Never touches what no rule names. When a rule names such a role and no longer gives it, the refusal is that person’s finding.',
      },
      {
        question: 'Names of roles: renamed, in several families, or missing',
        switches: ['roleNames', 'rolesPermission'],
        answer:
          'A name that does not mean exactly one role ends the run before anything is written, exit 78. SIDs are believed.',
      },
      {
        question: 'The ceiling of roles, and its code',
        switches: ['roleCeiling', 'roleCeilingCode'],
        answer: 'What is refused is that person’s finding, tried again after hours.',
      },
    ],
  },
  {
    title: 'Throttling and faults',
    unknowns: [
      {
        question: 'Code of a 429, form of `Retry-After`, `throttled_until`',
        switches: ['rateLimitCode', 'retryAfter', 'throttledUntil'],
        answer: 'Pauses all calls for as long as it is told, or with growing delays when it is not.',
      },
      {
        question: 'Status and code of a missing permission',
        switches: ['permissionRefusal'],
        answer: 'Ends the run, exit 6, and names the permission of the call that was refused.',
      },
      {
        question: 'A 5xx, or no answer, after the write took effect',
        switches: [],
        also: 'the simulator’s faults, at every kind of write in each life of the suite',
        answer: 'Looks before it writes again.',
      },
      {
        question: 'The list of accounts may not be had',
        switches: ['accounts'],
        answer: 'Goes on with the SIDs of the configuration; names of accounts are then an error, exit 78.',
      },
    ],
  },
];
