/** LDIF of groups that hold groups, for the tests' directories. */
import { groupsDn } from './directory-ldif.ts';

export interface NestedSeed {
  /** The relative name, `cn=…`; attributes of it that are not `cn` must be given in `more`. */
  readonly rdn: string;
  readonly members: readonly string[];
  /** Below `groupsDn` unless given. */
  readonly parent?: string;
  /** `groupOfNames` unless given. */
  readonly classes?: readonly string[];
  /** `member` unless given. */
  readonly attribute?: string;
  readonly more?: readonly string[];
}

function nestedDn(group: Pick<NestedSeed, 'rdn' | 'parent'>): string {
  return `${group.rdn},${group.parent ?? groupsDn}`;
}

export function nestedLdif(groups: readonly NestedSeed[]): string {
  return groups
    .map((group) =>
      [
        `dn: ${nestedDn(group)}`,
        ...(group.classes ?? ['groupOfNames']).map((name) => `objectClass: ${name}`),
        ...group.members.map((member) => `${group.attribute ?? 'member'}: ${member}`),
        ...(group.more ?? []),
      ].join('\n'),
    )
    .map((record) => `${record}\n\n`)
    .join('');
}

export function unitLdif(dn: string): string {
  return `dn: ${dn}\nobjectClass: organizationalUnit\n\n`;
}
