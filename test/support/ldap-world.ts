/** A world whose source is a real directory server, and the changes that people make there. */
import { Attribute, Change, Client } from 'ldapts';
import { groupsDn, peopleDn, suffix, syncDn, syncPassword } from './directory-ldif.ts';
import type { Slapd } from './slapd.ts';
import { createWorld, type Sections, type World, type WorldOptions } from './world.ts';

type Values = Readonly<Record<string, string | readonly string[]>>;

/** Keys of the section `source`; users, groups and tls are laid over the defaults one level deep. */
export interface SourceChanges {
  readonly preset?: string;
  readonly url?: string | readonly string[];
  readonly bindDn?: string;
  readonly password?: string;
  readonly tls?: object;
  readonly users?: object;
  readonly groups?: object;
  readonly timeouts?: object;
  readonly pageSize?: number;
  readonly incremental?: object;
  readonly referrals?: string;
}

export interface LdapWorld extends World {
  /** Writes tdsync.yaml: the source with these changes, and sections laid over the others. */
  connect(changes?: SourceChanges, sections?: Sections): Promise<void>;
}

/** Nobody leaves out of scope unnoticed, and small directories may change as a whole. */
const wide = { count: 1_000 };

export async function createLdapWorld(
  slapd: Pick<Slapd, 'ldapsUrl' | 'caFile'>,
  changes: SourceChanges = {},
  given: Sections = {},
  options: WorldOptions = {},
): Promise<LdapWorld> {
  const world = await createWorld({ ...options, seed: { domains: ['example.com'] } });
  const connect = async (source: SourceChanges = {}, sections: Sections = {}) => {
    const { password = syncPassword, users, groups, tls, ...others } = source;
    await world.write('ldap-password', password);
    await world.configure({
      source: {
        type: 'ldap',
        url: slapd.ldapsUrl,
        bindDn: syncDn,
        bindPassword: `\${file:ldap-password}`,
        tls: { caFile: slapd.caFile, ...tls },
        users: { baseDn: peopleDn, ...users },
        groups: { baseDn: groupsDn, ...groups },
        ...others,
      },
      filter: 'entry.employeeType != "contractor"',
      attributes: {
        userName: 'mail',
        'name.givenName': 'givenName',
        'name.familyName': 'sn',
        displayName: 'cn',
        active: '= entry.title != "On leave"',
      },
      roles: [
        { group: 'developers', grants: [{ role: 'Developer', scope: 'Production' }] },
        { group: 'operators', grants: [{ role: 'Support', scope: 'Production' }] },
      ],
      guards: {
        deactivations: wide,
        revocations: wide,
        roleRevocations: wide,
        creations: wide,
        renames: wide,
        sourceShrink: wide,
      },
      ...sections,
    });
  };
  await connect(changes, given);
  return { ...world, connect };
}

/** What an administrator does in the directory. */
export interface DirectoryAdministration extends AsyncDisposable {
  add(dn: string, attributes: Values): Promise<void>;
  replace(dn: string, attribute: string, ...values: readonly string[]): Promise<void>;
  join(groupDn: string, memberDn: string): Promise<void>;
  leave(groupDn: string, memberDn: string): Promise<void>;
  rename(dn: string, newDn: string): Promise<void>;
  remove(dn: string): Promise<void>;
}

export async function administerDirectory(slapd: Slapd): Promise<DirectoryAdministration> {
  const client = new Client({ url: slapd.ldapUrl });
  await client.bind(`cn=admin,${suffix}`, 'admin');
  const modify = (dn: string, operation: 'add' | 'delete' | 'replace', type: string, values: readonly string[]) =>
    client.modify(dn, new Change({ operation, modification: new Attribute({ type, values: [...values] }) }));
  return {
    add: (dn, attributes) =>
      client.add(
        dn,
        Object.fromEntries(Object.entries(attributes).map(([name, value]) => [name, [value].flat() as string[]])),
      ),
    replace: (dn, attribute, ...values) => modify(dn, 'replace', attribute, values),
    join: (groupDn, memberDn) => modify(groupDn, 'add', 'member', [memberDn]),
    leave: (groupDn, memberDn) => modify(groupDn, 'delete', 'member', [memberDn]),
    rename: (dn, newDn) => client.modifyDN(dn, newDn),
    remove: (dn) => client.del(dn),
    [Symbol.asyncDispose]: () => client.unbind(),
  };
}
