import * as z from 'zod';
import { duration, flag, path, secret, text, whenObject, wholeNumber } from './values.ts';

const url = z
  .string()
  .refine(isLdapUrl, { error: 'must be ldaps://host, ldap://host or either with a port, and nothing after it' })
  .meta({ title: 'URL', description: 'The directory server.', examples: ['ldaps://ldap.corp.example'] });

function isLdapUrl(value: string): boolean {
  const parsed = /^ldaps?:\/\/[^/?#@]+\/?$/i.test(value) && URL.canParse(value) ? new URL(value) : undefined;
  return parsed !== undefined && parsed.hostname !== '';
}

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

function filter(value: string) {
  return z
    .string()
    .refine(isFilter, {
      error: 'must be an LDAP filter with balanced parentheses, e.g. (objectClass=person) (RFC 4515)',
    })
    .default(value)
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

const tls = z
  .strictObject({
    caFile: path()
      .optional()
      .meta({
        description:
          "PEM file with the authority of the server's certificate. When not set, the authorities that Node.js trusts.",
        examples: ['ca.pem'],
      }),
    startTls: flag()
      .default(false)
      .meta({ description: 'Turn an ldap:// connection into TLS before anything is sent.' }),
    minVersion: z
      .enum(['TLSv1.2', 'TLSv1.3'])
      .default('TLSv1.2')
      .meta({ description: 'Oldest version of TLS accepted.' }),
    serverName: text('host name')
      .optional()
      .meta({
        description: "Name that the server's certificate must carry, when it is not the host of the URL.",
        examples: ['ldap.corp.example'],
      }),
  })
  .prefault({})
  .meta({ description: 'How the connection is protected. The certificate is always checked.' });

const users = z
  .strictObject({
    baseDn: bases('Where people stand.', 'ou=people,dc=corp,dc=example'),
    filter: filter('(objectClass=inetOrgPerson)').meta({ description: 'Which entries are people.' }),
    scope: scope(),
    id: text('attribute').default('entryUUID').meta({
      description: 'Attribute that never changes for a person and is never given to another (RFC 4530).',
    }),
  })
  .meta({ description: 'Where people are found.' });

const groups = z
  .strictObject({
    baseDn: bases('Where groups stand.', 'ou=groups,dc=corp,dc=example'),
    filter: filter('(|(objectClass=groupOfNames)(objectClass=groupOfUniqueNames)(objectClass=posixGroup))').meta({
      description: 'Which entries are groups.',
    }),
    scope: scope(),
    name: text('attribute')
      .default('cn')
      .meta({ description: 'Attribute with the name by which rules call the group.' }),
    membership: z.enum(['member', 'uniqueMember', 'memberUid', 'memberOf']).default('member').meta({
      description:
        'Attribute that says who belongs: `member`, `uniqueMember` (DNs) or `memberUid` (login names) of the group, or `memberOf` of the person.',
    }),
    uid: text('attribute').default('uid').meta({ description: 'Attribute of a person that `memberUid` refers to.' }),
  })
  .optional()
  .meta({ description: 'Where groups are found. Needed when a role rule names a group.' });

const timeouts = z
  .strictObject({
    connect: duration().default('10s').meta({ description: 'For the connection, TLS included.' }),
    operation: duration().default('300s').meta({ description: 'For each answer of the server, e.g. one page.' }),
  })
  .prefault({})
  .meta({ description: 'How long the server may take.' });

export const ldapSource = z
  .strictObject({
    type: z.literal('ldap').meta({ description: 'An LDAP directory (RFC 4511).' }),
    url,
    bindDn: text('DN')
      .optional()
      .meta({
        description:
          'Who signs in to the directory; Active Directory also takes user@domain. When not set, the directory is asked anonymously.',
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
    pageSize: wholeNumber(1, 10_000).default(1000).meta({ description: 'Entries asked for at a time (RFC 2696).' }),
    timeouts,
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
  .refine((source) => !(source.tls?.startTls === true && /^ldaps:/i.test(source.url)), {
    path: ['tls', 'startTls'],
    error: 'is for ldap:// only: an ldaps:// connection is TLS from its start',
    when: whenObject,
  })
  .meta({
    title: 'LDAP source',
    dependentRequired: { bindDn: ['bindPassword'], bindPassword: ['bindDn'] },
  });
