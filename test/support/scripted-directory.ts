/** A directory of a few entries for the scripted server: it understands as much of a filter as the reading of groups asks. */
import { createLdapSource } from '../../src/sources/ldap/ldap-source.ts';
import { createTestLogger, demandOf, ldapOptions, type OptionChanges, readAll } from './ldap-reading.ts';
import { type LdapServer, type Reply, type ScriptedResult, type SeenSearch, startLdapServer } from './ldap-server.ts';

const base = 'dc=corp,dc=example';
const people = `ou=people,${base}`;
const groups = `ou=groups,${base}`;
const inChain = '1.2.840.113556.1.4.1941';

/** Where people, groups, and neither stand. */
export const places = { base, people, groups, elsewhere: `ou=elsewhere,${base}` } as const;

type Attributes = Readonly<Record<string, readonly (string | Buffer)[]>>;

export interface ScriptedEntry {
  readonly dn: string;
  readonly attributes: Attributes;
}

export type Matches = (search: SeenSearch, entry: ScriptedEntry) => boolean;

export function personDn(index: number): string {
  return `cn=p${index},${people}`;
}

export function groupDn(name: string, parent: string = groups): string {
  return `cn=${name},${parent}`;
}

export function person(index: number, more: Attributes = {}): ScriptedEntry {
  return { dn: personDn(index), attributes: { entryUUID: [`id-${index}`], mail: [`p${index}@corp.example`], ...more } };
}

export function group(
  name: string,
  members: readonly string[] = [],
  more: Attributes = {},
  parent: string = groups,
): ScriptedEntry {
  return { dn: groupDn(name, parent), attributes: { cn: [name], member: members, ...more } };
}

/** By base and scope, by class, by names in the filter, or by the chain: `chains` has who is below a group. */
export function isAmong(chains: Readonly<Record<string, readonly string[]>> = {}): Matches {
  return ({ base: from, scope, filter }, { dn, attributes }) => {
    if (scope === 'base') return dn === from;
    const text = filter.toLowerCase();
    if (!dn.endsWith(`,${from}`) || (scope === 'one' && dn.split(',')[1] !== from.split(',')[0])) return false;
    if (text.includes('(!') || text.includes('inetorgperson') !== (attributes.entryUUID !== undefined)) return false;
    const chain = Object.keys(chains).find((key) => text.includes(`:=${key.toLowerCase()})`));
    if (text.includes(inChain)) return chain !== undefined && (chains[chain] ?? []).includes(dn);
    return !text.includes('(cn=') || (attributes.cn ?? []).some((name) => text.includes(`(cn=${name})`.toLowerCase()));
  };
}

/** Answers with the entries that `matches` chooses, and of their attributes those that were asked for, or refuses. */
export function startScriptedDirectory(
  entries: readonly ScriptedEntry[],
  matches: Matches = isAmong(),
  refusal: (search: SeenSearch) => ScriptedResult | undefined = () => undefined,
): Promise<LdapServer> {
  return startLdapServer({
    search(search): readonly Reply[] {
      const refused = refusal(search);
      if (refused !== undefined) return [{ done: refused }];
      const found = entries.filter((entry) => matches(search, entry));
      return [
        ...found.map(({ dn, attributes }) => ({
          entry: dn,
          attributes: Object.fromEntries(
            Object.entries(attributes).filter(([name]) => search.attributes.includes(name.toLowerCase())),
          ),
        })),
        { done: { code: 0, ...(search.scope === 'base' ? {} : { cookie: '' }) } },
      ];
    },
  });
}

export function scriptedSource(server: LdapServer, changes: OptionChanges = {}, logger = createTestLogger()) {
  const own = { baseDn: [groups], nested: 'resolve' as const, ...changes.groups };
  return createLdapSource(ldapOptions(server.url, { ...changes, users: { baseDn: [people] }, groups: own }), logger);
}

/** DNs of the people whom a read finds in the group. */
export async function membersOf(
  server: LdapServer,
  name: string,
  changes: OptionChanges = {},
  logger = createTestLogger(),
): Promise<readonly string[]> {
  const entries = await readAll(scriptedSource(server, changes, logger), demandOf({ groups: [name] }));
  return entries.filter((entry) => entry.groups.includes(name)).map(({ location }) => location);
}
