import * as z from 'zod';
import { presetNames } from '../ldap-presets.ts';
import { incremental } from './source-incremental.ts';
import { isEncrypted, isReadableOnTheWay, timeouts, tls, url } from './source-ldap-servers.ts';
import { flag, secret, text, whenObject, wholeNumber } from './values.ts';

/** RFC 4514: only a sign that it is a name at all; the server knows better. */
function distinguishedName() {
  return z
    .string()
    .regex(/^[^=,]+=/, { error: 'must be a distinguished name, e.g. ou=people,dc=corp,dc=example' })
    .meta({ title: 'DN' });
}

function bases(description: string, example: string) {
  return z
    .union([distinguishedName(), z.array(distinguishedName()).min(1)])
    .meta({ title: 'DN or list of DNs', description, examples: [example] });
}

function filter() {
  return z
    .string()
    .refine(isFilter, {
      error: 'must be an LDAP filter with balanced parentheses, e.g. (objectClass=person) (RFC 4515)',
    })
    .optional()
    .meta({ title: 'LDAP filter' });
}

/** Parentheses within values are written \28 and \29 (RFC 4515 section 3), so that counting them is enough. */
function isFilter(value: string): boolean {
  let depth = 0;
  for (const [index, character] of [...value].entries()) {
    depth += character === '(' ? 1 : character === ')' ? -1 : 0;
    if (depth < 0 || (depth === 0 && index !== value.length - 1)) {
      return false;
    }
  }
  return depth === 0 && value !== '';
}

function scope() {
  return z
    .enum(['sub', 'one', 'base'])
    .default('sub')
    .meta({ description: 'How deep to search: the whole tree, one level below the base, or the base itself.' });
}

const users = z
  .strictObject({
    baseDn: bases('Where people stand.', 'ou=people,dc=corp,dc=example'),
    filter: filter().meta({
      description:
        'Which entries are people. Default: `(objectClass=inetOrgPerson)`; `active-directory`: `(&(objectCategory=person)(objectClass=user))`; `389ds`: `(|(objectClass=inetOrgPerson)(objectClass=nsPerson))`.',
    }),
    scope: scope(),
    id: text('attribute').optional().meta({
      description:
        'Attribute that never changes for a person and is never given to another. Default: `entryUUID` (RFC 4530); `active-directory`: `objectGUID`; `389ds`: `nsUniqueId` (FreeIPA shows accounts `ipaUniqueID` instead).',
    }),
    disabled: z.enum(['userAccountControl', 'nsAccountLock', 'pwdAccountLockedTime', 'none']).optional().meta({
      description:
        'What marks an account that may not be used, whose person is then treated like a leaver: `userAccountControl` (its disabled bit, or `accountExpires` in the past; default of `active-directory`), `nsAccountLock` (`389ds`), `pwdAccountLockedTime` (locked by an administrator; `openldap`), or `none` (without a preset). `attributes.active` counts besides.',
    }),
  })
  .meta({ description: 'Where people are found.' });

const membershipAttribute = z.enum(['member', 'uniqueMember', 'memberUid', 'memberOf']);

const groups = z
  .strictObject({
    baseDn: bases('Where groups stand.', 'ou=groups,dc=corp,dc=example'),
    filter: filter().meta({
      description:
        'Which entries are groups, those within groups included. Default: `(|(objectClass=groupOfNames)(objectClass=groupOfUniqueNames)(objectClass=posixGroup))`; `active-directory`: `(objectClass=group)`.',
    }),
    scope: scope(),
    name: text('attribute')
      .optional()
      .meta({ description: 'Attribute with the name by which rules call the group. Default: `cn`.' }),
    membership: z
      .union([membershipAttribute, z.array(membershipAttribute).min(1)])
      .optional()
      .meta({
        title: 'one or several of `member`, `uniqueMember`, `memberUid`, or `memberOf`',
        description:
          'Attributes that say who belongs: `member`, `uniqueMember` (DNs) and `memberUid` (login names) of the group, or `memberOf` of the person. Default: `member`; `openldap` and `389ds`: the first three.',
      }),
    uid: text('attribute').optional().meta({
      description:
        'Attribute of a person that `memberUid` refers to. Default: `uid`; `active-directory`: `sAMAccountName`.',
    }),
    nested: z
      .union([flag(), z.literal('matching-rule')])
      .optional()
      .meta({
        title: 'true, false or matching-rule',
        description:
          'Whether members of a group within a group belong to both. The inner group may stand elsewhere. `matching-rule` lets Active Directory resolve it, which is slow. Default: false; `active-directory` and `389ds`: true.',
      }),
    primaryGroup: flag().optional().meta({
      description:
        "Count a person's primary group (`primaryGroupID`) among the groups. Default: false; `active-directory`: true.",
    }),
  })
  .optional()
  .meta({ description: 'Where groups are found. Needed when a role rule names a group.' });

export const ldapSource = z
  .strictObject({
    type: z.literal('ldap').meta({ description: 'An LDAP directory (RFC 4511).' }),
    preset: z
      .enum(presetNames)
      .optional()
      .meta({
        description: 'Kind of directory: sets what is right for it where the keys below are left out.',
        examples: ['active-directory'],
      }),
    url,
    bindDn: text('DN')
      .optional()
      .meta({
        description:
          'Who signs in to the directory; Active Directory also takes user@domain and DOMAIN\\user. When not set: who `tls.certFile` says, else nobody (anonymous).',
        examples: ['cn=sync,ou=services,dc=corp,dc=example'],
      }),
    bindPassword: secret()
      .optional()
      .meta({
        description: 'Password of `bindDn`.',
        examples: [`\${file:/run/secrets/ldap_password}`],
      }),
    tls,
    users,
    groups,
    referrals: z.enum(['refuse', 'ignore', 'follow']).default('refuse').meta({
      description:
        'What to do about parts of the tree that are on another server: refuse the read as incomplete, go on without them (but never without a whole base), or ask that server too, with the same bind and no weaker TLS.',
    }),
    pageSize: wholeNumber(1, 10_000).optional().meta({
      description: 'Entries asked for at a time (RFC 2696); less when the server refuses so many. Default: 1000.',
    }),
    timeouts,
    incremental,
  })
  .refine((source) => source.bindDn === undefined || source.bindPassword !== undefined, {
    path: ['bindPassword'],
    error: 'is required with bindDn',
    when: whenObject,
  })
  .refine((source) => source.bindPassword === undefined || source.bindDn !== undefined, {
    path: ['bindDn'],
    error: 'is required with bindPassword',
    when: whenObject,
  })
  .refine((source) => !(source.tls?.startTls === true && [source.url].flat().some(isEncrypted)), {
    path: ['tls', 'startTls'],
    error: 'is for ldap:// only: an ldaps:// connection is TLS from its start',
    when: whenObject,
  })
  .refine((source) => source.tls?.startTls === true || new Set([source.url].flat().map(isEncrypted)).size === 1, {
    path: ['url'],
    error: 'mixes ldaps:// and ldap://: who disturbs the encrypted servers would get to see the password',
    when: whenObject,
  })
  .refine(
    ({ bindPassword, tls, url }) =>
      bindPassword === undefined ||
      tls?.startTls === true ||
      tls?.insecureClearText === true ||
      ![url].flat().some(isReadableOnTheWay),
    {
      path: ['url'],
      error:
        'would send the password of bindDn in clear text: use ldaps://, or set tls.startTls to true (tls.insecureClearText: true lets it through)',
      when: whenObject,
    },
  )
  .refine((source) => (source.tls?.certFile === undefined) === (source.tls?.keyFile === undefined), {
    path: ['tls', 'certFile'],
    error: 'and keyFile belong together: give both or neither',
    when: whenObject,
  })
  .refine(
    (source) =>
      ![source.groups?.membership ?? []].flat().includes('memberOf') || [source.groups?.membership].flat().length === 1,
    {
      path: ['groups', 'membership'],
      error: 'memberOf of the person cannot be combined with attributes of the group',
      when: whenObject,
    },
  )
  .refine((source) => source.incremental === undefined || source.referrals !== 'follow', {
    path: ['incremental'],
    error: 'cannot be combined with referrals: follow, because one server does not tell what changed on another',
    when: whenObject,
  })
  .meta({
    title: 'LDAP source',
    dependentRequired: { bindDn: ['bindPassword'], bindPassword: ['bindDn'] },
  });
