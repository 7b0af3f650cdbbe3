/**
 * A golden story whose source is a CSV file, told with a directory: the same people in OpenLDAP, changed by the directory's own
 * operations where the story has another file, and the same rules. The plan must be the story's plan.
 *
 * | in the story                   | in the directory                                                           |
 * |--------------------------------|----------------------------------------------------------------------------|
 * | a row                          | an inetOrgPerson; `employeeNumber` is the key, an empty field is no attribute |
 * | `type`, `status`               | `employeeType`, `title`, in the rules too                                   |
 * | `groups`                       | groupOfNames; somebody who is nobody's entry keeps an empty one             |
 * | a key that stands twice, or none | an entry of its own all the same: only the DN must be unique              |
 */
import { Attribute, Change, type Client } from 'ldapts';
import { suffix } from './directory-ldif.ts';
import type { Slapd } from './slapd.ts';

/** Attributes of one entry, each with its values in order. */
type Values = Readonly<Record<string, readonly string[]>>;
type Tree = ReadonlyMap<string, Values>;

const csvSource =
  'source: { type: csv, users: people.csv, id: employeeId, groups: { column: groups, separator: ";" } }';
const attributeNames: Readonly<Record<string, string>> = {
  employeeId: 'employeeNumber',
  type: 'employeeType',
  status: 'title',
};
/** A group must have a member. */
const nobody = `cn=nobody,${suffix}`;

export interface DirectoryOfStory {
  /** The story's configuration, with this directory as its source. */
  configuration(yaml: string): string;
  /** Changes the directory so that it holds the people of this file. */
  people(csv: string): Promise<void>;
  /** DN of the entry that stands for a line of the last file, 1-based. */
  dnOfLine(line: number): string;
}

export async function layOut(client: Client, slapd: Pick<Slapd, 'ldapsUrl'>, name: string): Promise<DirectoryOfStory> {
  const base = `ou=${name},${suffix}`;
  const [people, groups] = [`ou=people,${base}`, `ou=groups,${base}`];
  for (const dn of [base, people, groups]) {
    await client.add(dn, { objectClass: 'organizationalUnit', ou: dn.slice(3, dn.indexOf(',')) });
  }
  let held: Tree = new Map();
  let dns: readonly string[] = [];
  return {
    configuration(yaml) {
      if (!yaml.includes(csvSource)) throw new Error(`${name}: the source of this story has no counterpart`);
      const source = [
        `source: { type: ldap, url: "${slapd.ldapsUrl}", bindDn: "cn=sync,ou=services,${suffix}",`,
        `  bindPassword: "\${file:ldap-password}", tls: { caFile: ca.pem },`,
        `  users: { baseDn: "${people}", filter: (objectClass=inetOrgPerson), id: employeeNumber },`,
        `  groups: { baseDn: "${groups}", filter: (objectClass=groupOfNames) } }`,
      ].join('\n');
      return yaml
        .replace(csvSource, source)
        .replaceAll(/\bentry\.(type|status)\b/g, (_, attribute: string) => `entry.${attributeNames[attribute]}`);
    },
    async people(csv) {
      const rows = rowsOf(csv);
      dns = dnsOf(rows, people);
      const tree = treeOf(rows, dns, groups);
      await change(client, held, tree);
      held = tree;
    },
    dnOfLine: (line) => dns[line - 2] ?? `line ${line}`,
  };
}

type Row = Readonly<Record<string, string>>;

/** The files of the stories quote nothing. */
function rowsOf(csv: string): readonly Row[] {
  const [header = '', ...lines] = csv.trimEnd().split('\n');
  const names = header.split(',');
  return lines.map((line) => Object.fromEntries(line.split(',').map((value, index) => [names[index] ?? '', value])));
}

function dnsOf(rows: readonly Row[], base: string): readonly string[] {
  const used = new Set<string>();
  return rows.map(({ employeeId = '' }, index) => {
    const uid = employeeId === '' || used.has(employeeId) ? `row${index}` : employeeId;
    used.add(uid);
    return `uid=${uid},${base}`;
  });
}

function treeOf(rows: readonly Row[], dns: readonly string[], base: string): Tree {
  const tree = new Map<string, Values>();
  const members = new Map<string, string[]>([
    ['developers', [nobody]],
    ['support', [nobody]],
  ]);
  rows.forEach(({ groups = '', ...row }, index) => {
    const dn = dns[index] ?? '';
    const values = Object.entries(row).flatMap(([name, value]) =>
      value === '' ? [] : [[attributeNames[name] ?? name, [value]] as const],
    );
    const uid = dn.slice(4, dn.indexOf(','));
    tree.set(dn, { objectClass: ['inetOrgPerson'], uid: [uid], cn: [uid], ...Object.fromEntries(values) });
    for (const group of groups.split(';').filter((each) => each !== '')) {
      members.set(group, [...(members.get(group) ?? [nobody]), dn]);
    }
  });
  for (const [group, member] of members) {
    tree.set(`cn=${group},${base}`, { objectClass: ['groupOfNames'], cn: [group], member });
  }
  return tree;
}

/** By the operations that an administrator has: delete, add, and modify what differs. */
async function change(client: Client, from: Tree, to: Tree): Promise<void> {
  for (const dn of from.keys()) if (!to.has(dn)) await client.del(dn);
  for (const [dn, values] of to) {
    const before = from.get(dn);
    if (before === undefined) {
      await client.add(dn, Object.fromEntries(Object.entries(values).map(([name, each]) => [name, [...each]])));
      continue;
    }
    const names = [...new Set([...Object.keys(before), ...Object.keys(values)])];
    const changes = names
      .filter((name) => JSON.stringify(before[name]) !== JSON.stringify(values[name]))
      .map((type) => {
        const modification = new Attribute({ type, values: [...(values[type] ?? [])] });
        return new Change({ operation: 'replace', modification });
      });
    if (changes.length > 0) await client.modify(dn, changes);
  }
}
