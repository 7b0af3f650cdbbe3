/**
 * Active Directory answers every refused bind with invalidCredentials (49) and puts the reason into the message, as a Windows error
 * in hexadecimal: `80090308: LdapErr: DSID-0C090446, comment: AcceptSecurityContext error, data 52e, v3839`. The errors are those of
 * MS-ERREF section 2.2.
 */
const reasons: ReadonlyMap<string, string> = new Map([
  ['525', 'the account does not exist: check bindDn, which may be a DN, user@domain or DOMAIN\\user'],
  ['52e', 'name or password is wrong: check bindDn and what bindPassword refers to'],
  [
    '52f',
    'the account may not sign in under its restrictions: see its logon hours, computers and authentication policy',
  ],
  ['530', 'the account may not sign in at this hour: see its logon hours'],
  ['531', 'the account may not sign in from this computer: see its list of computers (Log On To)'],
  ['532', 'the password has expired: set a new one, and let passwords of this service account not expire'],
  ['533', 'the account is disabled: enable it'],
  ['568', 'the account is in too many groups to sign in'],
  ['701', 'the account has expired: move its expiry date'],
  ['773', 'the password must be changed before it can be used: set it anew without "must change at next logon"'],
  ['775', 'the account is locked after wrong passwords: unlock it, and see who else uses it with an old password'],
]);

/** What to do about a refused bind, when the server's message carries a code of Active Directory that is known. */
export function activeDirectoryRemedy(message: string): string | undefined {
  const code = /\bdata ([0-9a-f]{1,8})\b/i.exec(message)?.[1];
  return code === undefined ? undefined : reasons.get(code.toLowerCase());
}
