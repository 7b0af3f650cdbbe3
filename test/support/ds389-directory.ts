/**
 * What the tests' 389 Directory Server holds, twice over: people and groups as a plain directory has them (`ou=people`, groups of unique
 * names, RFC 2307 groups), and as FreeIPA lays them out (`cn=accounts`, groups that are groupOfNames and posixGroup at once).
 */
export const suffix = 'dc=corp,dc=example';
export const plainPeople = `ou=people,${suffix}`;
export const plainGroups = `ou=groups,${suffix}`;
export const ipaUsers = `cn=users,cn=accounts,${suffix}`;
export const ipaGroups = `cn=groups,cn=accounts,${suffix}`;

/** The part of FreeIPA's schema that people and groups need, with its object identifiers. */
export const ipaSchema: readonly string[] = [
  "attributeTypes: ( 2.16.840.1.113730.3.8.3.1 NAME 'ipaUniqueID' EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )",
  "objectClasses: ( 2.16.840.1.113730.3.8.4.12 NAME 'ipaObject' AUXILIARY MUST ipaUniqueID )",
  "objectClasses: ( 2.16.840.1.113730.3.8.4.3 NAME 'nestedGroup' SUP groupOfNames STRUCTURAL MAY memberOf )",
  "objectClasses: ( 2.16.840.1.113730.3.8.4.4 NAME 'ipaUserGroup' SUP nestedGroup STRUCTURAL )",
];

export function ipaUniqueId(index: number): string {
  return `6d2f8f40-0000-11ee-8000-${index.toString(16).padStart(12, '0')}`;
}

export function uidOf(index: number): string {
  return `p${String(index).padStart(3, '0')}`;
}

export const plainPerson = (index: number) => `uid=${uidOf(index)},${plainPeople}`;
export const ipaUser = (index: number) => `uid=${uidOf(index)},${ipaUsers}`;

function record(dn: string, attributes: Readonly<Record<string, string | readonly string[]>>): string {
  const lines = Object.entries(attributes).flatMap(([name, values]) =>
    [values].flat().map((value) => `${name}: ${value}`),
  );
  return `dn: ${dn}\n${lines.join('\n')}\n\n`;
}

function container(dn: string): string {
  const [, type = '', name = ''] = /^([a-z]+)=([^,]+)/.exec(dn) ?? [];
  return record(dn, { objectClass: type === 'ou' ? 'organizationalUnit' : 'nsContainer', [type]: name });
}

const posix = { uidNumber: '2000', gidNumber: '2000', homeDirectory: '/nowhere' };

function person(index: number): Readonly<Record<string, string | readonly string[]>> {
  const uid = uidOf(index);
  return { uid, cn: `Person ${index}`, givenName: `Given${index}`, sn: `Family${index}`, mail: `${uid}@example.com` };
}

/** Every tenth, as `dsidm user create` makes people: of other classes, without a surname. */
export const isMadeByDsidm = (index: number) => index % 10 === 9;

function dsidmPerson(index: number): Readonly<Record<string, string | readonly string[]>> {
  const { uid = '', cn = '', mail = '' } = person(index);
  return {
    objectClass: ['nsPerson', 'nsAccount', 'nsOrgPerson', 'posixAccount'],
    uid,
    cn,
    mail,
    displayName: cn,
    ...posix,
  };
}

function plainAttributes(index: number): Readonly<Record<string, string | readonly string[]>> {
  return { objectClass: ['inetOrgPerson', 'inetUser'], ...person(index), employeeNumber: String(index) };
}

/** In both layouts the same people, and groups of the same names with the same direct members. */
export function directory(people: number): string {
  const indexes = Array.from({ length: people }, (_, index) => index);
  return [
    record(suffix, { objectClass: 'domain', dc: 'corp' }),
    ...[plainPeople, plainGroups, `ou=services,${suffix}`, `cn=accounts,${suffix}`, ipaUsers, ipaGroups].map(container),
    ...[`cn=etc,${suffix}`, `cn=sysaccounts,cn=etc,${suffix}`].map(container),
    ...indexes.map((index) =>
      record(plainPerson(index), isMadeByDsidm(index) ? dsidmPerson(index) : plainAttributes(index)),
    ),
    record(`cn=developers,${plainGroups}`, {
      objectClass: 'groupOfNames',
      cn: 'developers',
      member: [plainPerson(0), plainPerson(1)],
    }),
    record(`cn=platform,${plainGroups}`, {
      objectClass: 'groupOfUniqueNames',
      cn: 'platform',
      uniqueMember: [plainPerson(1), plainPerson(2)],
    }),
    record(`cn=operators,${plainGroups}`, {
      objectClass: ['groupOfNames', 'posixGroup'],
      cn: 'operators',
      gidNumber: '3000',
      memberUid: [uidOf(2), uidOf(3)],
    }),
    ...indexes.map((index) =>
      record(ipaUser(index), {
        objectClass: ['inetOrgPerson', 'inetUser', 'posixAccount', 'ipaObject'],
        ...person(index),
        ...posix,
        ipaUniqueID: ipaUniqueId(index),
      }),
    ),
    ipaGroup('developers', 1000, [ipaUser(0), ipaUser(1)]),
    ipaGroup('platform', 1001, [`cn=developers,${ipaGroups}`, ipaUser(2)]),
    ipaGroup('empty', 1002, []),
  ].join('');
}

function ipaGroup(name: string, number: number, member: readonly string[]): string {
  return record(`cn=${name},${ipaGroups}`, {
    objectClass: ['groupOfNames', 'nestedGroup', 'ipaUserGroup', 'ipaObject', 'posixGroup'],
    cn: name,
    gidNumber: String(number),
    ipaUniqueID: ipaUniqueId(number),
    member,
  });
}

/** An account with a password, and what it may do. */
export function account(dn: string, password: string, more: Readonly<Record<string, string>> = {}): string {
  const [, uid = ''] = /^uid=([^,]+)/.exec(dn) ?? [];
  return record(dn, { objectClass: ['account', 'simpleSecurityObject'], uid, userPassword: password, ...more });
}

/** What FreeIPA shows to every account that has signed in, as far as it concerns people and groups. */
export const ipaPermissions = [
  [
    ipaUsers,
    'objectClass || uid || cn || sn || givenName || displayName || mail || memberOf || ipaUniqueID || nsAccountLock',
  ],
  [ipaGroups, 'objectClass || cn || gidNumber || ipaUniqueID || member || memberOf || memberUid'],
]
  .map(
    ([dn, attributes]) =>
      `dn: ${dn}\nchangetype: modify\nadd: aci\naci: (targetattr = "${attributes}")(version 3.0; acl "read"; allow (read, search, compare) userdn = "ldap:///all";)\n\n`,
  )
  .join('');
