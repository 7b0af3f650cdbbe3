import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';

export const suffix = 'dc=example,dc=com';
export const peopleDn = `ou=people,${suffix}`;
export const groupsDn = `ou=groups,${suffix}`;
export const syncDn = `cn=sync,ou=services,${suffix}`;
export const syncPassword = 'sync password';
/** Sees at most 40 entries of a search, in pages of at most 20. */
export const limitedDn = `cn=limited,ou=services,${suffix}`;
export const limitedPassword = 'limited password';

/** `uid=u000017,ou=people,…` */
export function personDn(index: number): string {
  return `uid=${personUid(index)},${peopleDn}`;
}

export function personUid(index: number): string {
  return `u${String(index).padStart(6, '0')}`;
}

const givenNames = ['Ana', 'Björn', 'Chloé', 'Dmitri', 'Émile', 'Fatima', 'Güneş', 'Hiro'];

export function givenNameOf(index: number): string {
  return givenNames[index % givenNames.length] ?? '';
}

function record(dn: string, attributes: readonly (readonly [string, string])[]): string {
  const lines = attributes.map(([name, value]) =>
    /^[!-9;=-~][ -~]*$/.test(value) ? `${name}: ${value}` : `${name}:: ${Buffer.from(value).toString('base64')}`,
  );
  return `dn: ${dn}\n${lines.join('\n')}\n\n`;
}

export interface GroupSeed {
  readonly name: string;
  readonly kind: 'groupOfNames' | 'groupOfUniqueNames' | 'posixGroup';
  /** Indexes of people. */
  readonly members: readonly number[];
  /** Below `groupsDn` unless given. */
  readonly parent?: string;
}

export interface DirectorySeed {
  readonly people: number;
  readonly groups: readonly GroupSeed[];
  /** LDIF records to append. */
  readonly more?: string;
}

/** The records of a directory: suffix, organizational units, service accounts, people, groups. People carry memberOf of groupOfNames. */
export function* directoryLdif(seed: DirectorySeed): Generator<string> {
  yield record(suffix, [
    ['objectClass', 'dcObject'],
    ['objectClass', 'organization'],
    ['o', 'Example'],
    ['dc', 'example'],
  ]);
  for (const ou of ['people', 'groups', 'services', 'empty']) {
    yield record(`ou=${ou},${suffix}`, [
      ['objectClass', 'organizationalUnit'],
      ['ou', ou],
    ]);
  }
  for (const [dn, cn, password] of [
    [syncDn, 'sync', syncPassword],
    [limitedDn, 'limited', limitedPassword],
  ] as const) {
    yield record(dn, [
      ['objectClass', 'organizationalRole'],
      ['objectClass', 'simpleSecurityObject'],
      ['cn', cn],
      ['userPassword', password],
    ]);
  }
  const groupsOf = new Map<number, string[]>();
  for (const group of seed.groups) {
    if (group.kind !== 'groupOfNames') continue;
    for (const member of group.members) groupsOf.set(member, [...(groupsOf.get(member) ?? []), groupDn(group)]);
  }
  for (let index = 0; index < seed.people; index += 1) {
    const given = givenNameOf(index);
    yield record(personDn(index), [
      ['objectClass', 'inetOrgPerson'],
      ['uid', personUid(index)],
      ['cn', `${given} User${index}`],
      ['sn', `User${index}`],
      ['givenName', given],
      ['mail', `${personUid(index)}@example.com`],
      ['telephoneNumber', `+1555${String(index).padStart(7, '0')}`],
      ['title', 'Agent'],
      ['departmentNumber', String(index % 97)],
      ['employeeNumber', String(index)],
      ['entryUUID', entryUuid(index)],
      ...(groupsOf.get(index) ?? []).map((dn) => ['memberOf', dn] as const),
    ]);
  }
  for (const group of seed.groups) yield groupRecord(group);
  if (seed.more !== undefined) yield seed.more;
}

export function groupDn(group: GroupSeed): string {
  return `cn=${group.name},${group.parent ?? groupsDn}`;
}

export function entryUuid(index: number): string {
  return `00000000-0000-4000-8000-${index.toString(16).padStart(12, '0')}`;
}

function groupRecord(group: GroupSeed): string {
  const head: [string, string][] = [
    ['objectClass', group.kind],
    ['cn', group.name],
    ...(group.kind === 'posixGroup' ? [['gidNumber', '1000'] as [string, string]] : []),
  ];
  const members = group.members.map((index): [string, string] => {
    if (group.kind === 'posixGroup') return ['memberUid', personUid(index)];
    return [group.kind === 'groupOfNames' ? 'member' : 'uniqueMember', personDn(index)];
  });
  return record(groupDn(group), [...head, ...members]);
}

export async function writeLdif(file: string, records: Iterable<string>): Promise<void> {
  const stream = createWriteStream(file);
  for (const text of records) {
    if (!stream.write(text)) await once(stream, 'drain');
  }
  stream.end();
  await finished(stream);
}
