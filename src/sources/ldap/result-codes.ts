/** What an LDAP result code means for a read, and what a person can do about it (RFC 4511 appendix A.2). */
export interface ResultCode {
  readonly name: string;
  /** `unavailable`: the server refuses or cannot answer; `incomplete`: it answers, but not with everything. */
  readonly kind: 'unavailable' | 'incomplete';
  readonly remedy: string;
}

const unavailable = (name: string, remedy: string): ResultCode => ({ name, kind: 'unavailable', remedy });
const incomplete = (name: string, remedy: string): ResultCode => ({ name, kind: 'incomplete', remedy });

const raiseLimit =
  'raise the limit for the bind account on the server (OpenLDAP: `limits … size.prtotal=unlimited`; ' +
  'Active Directory: page size at most MaxPageSize; 389 Directory Server: nsSizeLimit and nsLookThroughLimit, ' +
  'and for pages nsPagedSizeLimit and nsPagedLookThroughLimit), ' +
  'or narrow the base or the filter';
const useTls = 'the server wants an encrypted connection: use ldaps:// or set tls.startTls';
const tryLater = 'the server is overloaded or shutting down: try again later, or use another server';

const resultCodes: ReadonlyMap<number, ResultCode> = new Map([
  [1, unavailable('operationsError', 'Active Directory says this to anonymous searches: set bindDn and bindPassword')],
  [
    2,
    unavailable('protocolError', 'the server does not accept the request: check that the URL names an LDAPv3 server'),
  ],
  [
    3,
    incomplete(
      'timeLimitExceeded',
      "raise the bind account's time limit on the server, or index the filter's attributes",
    ),
  ],
  [4, incomplete('sizeLimitExceeded', raiseLimit)],
  [7, unavailable('authMethodNotSupported', 'the server does not take simple binds: allow them for this account')],
  [8, unavailable('strongerAuthRequired', `${useTls}; it may also want bindDn and bindPassword`)],
  [
    10,
    incomplete(
      'referral',
      'the entries are on another server: set url to that server, use a base that this one holds, or set referrals to follow',
    ),
  ],
  [11, incomplete('adminLimitExceeded', raiseLimit)],
  [
    12,
    unavailable('unavailableCriticalExtension', 'the server does not offer paged results to this account (RFC 2696)'),
  ],
  [13, unavailable('confidentialityRequired', useTls)],
  [
    17,
    unavailable('undefinedAttributeType', 'an attribute of the filter is unknown to the server: check its spelling'),
  ],
  [
    18,
    unavailable('inappropriateMatching', 'the filter compares an attribute in a way that the server does not support'),
  ],
  [21, unavailable('invalidAttributeSyntax', 'a value in the filter does not suit its attribute')],
  [32, incomplete('noSuchObject', 'check the spelling of the base DN, and that the bind account may see it')],
  [33, incomplete('aliasProblem', 'an alias names an entry that does not exist: repair it, or use another base')],
  [34, unavailable('invalidDNSyntax', 'the base or bind DN is not a DN: check commas, `=` and escapes')],
  [36, incomplete('aliasDereferencingProblem', 'the bind account may not follow an alias below the base')],
  [48, unavailable('inappropriateAuthentication', 'the bind account cannot be used with a password')],
  [
    49,
    unavailable(
      'invalidCredentials',
      'check bindDn and the password that bindPassword refers to; the account may be locked or expired',
    ),
  ],
  [
    50,
    incomplete(
      'insufficientAccessRights',
      'let the bind account read and search the base, the filter attributes and the requested attributes',
    ),
  ],
  [51, unavailable('busy', tryLater)],
  [52, unavailable('unavailable', tryLater)],
  [
    53,
    unavailable(
      'unwillingToPerform',
      'the server refuses such a request for this account: its message above, or its log, says why',
    ),
  ],
  [54, incomplete('loopDetect', 'an alias or referral leads back to itself: repair it, or use another base')],
  [80, unavailable('other', "the server's log says why")],
  [
    4096,
    incomplete('e-syncRefreshRequired', 'the server has forgotten where the last read ended: everything is read again'),
  ],
]);

/** Total: an unknown code is incomplete, never success. */
export function describeResultCode(code: number): ResultCode {
  return resultCodes.get(code) ?? incomplete(`result code ${code}`, "the server's log says why");
}

/** busy, unavailable: the trouble of one server, now; everything else would be the same at another one. */
export function isServerTrouble(code: number): boolean {
  return code === 51 || code === 52;
}

/** `sizeLimitExceeded (4)`. */
export function formatResultCode(code: number): string {
  const { name } = describeResultCode(code);
  return resultCodes.has(code) ? `${name} (${code})` : name;
}
