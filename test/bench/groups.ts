/**
 * What memberships cost when they are read: the LDAP source alone, in a process of its own.
 *
 * The directory: people, each in two of the innermost of 1,000 groups, which stand in a tree of three levels under ten that rules name.
 * Floors: `ldapsearch` of people and groups, and our own read of the same directory without nesting.
 */
import { groupDn, groupsDn, peopleDn, syncDn, syncPassword } from '../support/directory-ldif.ts';
import { ldapOptions } from '../support/ldap-reading.ts';
import { nestedLdif } from '../support/nested-ldif.ts';
import { startSlapd } from '../support/slapd.ts';
import { expectExit, type Measured, measure, median, type Row, root } from './measure.ts';

const attributes = ['mail', 'givenName', 'sn', 'title'];
const roots = 10;
const branches = 100;
const leaves = 890;
const rootNames = Array.from({ length: roots }, (_, index) => `root${index}`);

/** The peers as measured on two shared cores against a loopback OpenLDAP; their own cost, without the target's. */
const peers = {
  nested: 'Adobe UST, 10000 people: members looked up 71 s, nested 91 s',
  plain: 'Bitwarden DC, 100000 people: 41 s, 894 MiB; Adobe UST: 47 s, 414 MiB, without nesting',
};

export async function groupReads(people: number): Promise<Row[]> {
  const leafGroups = Array.from({ length: leaves }, (_, leaf) => ({
    name: `leaf${leaf}`,
    kind: 'groupOfNames' as const,
    members: peopleOf(leaf, people),
  }));
  const branch = (index: number) => ({
    rdn: `cn=branch${index}`,
    members: leafGroups.filter((_, leaf) => leaf % branches === index).map(groupDn),
  });
  const branchGroups = Array.from({ length: branches }, (_, index) => branch(index));
  const rootGroups = rootNames.map((name, index) => ({
    rdn: `cn=${name}`,
    members: branchGroups.filter((_, other) => other % roots === index).map(({ rdn }) => `${rdn},${groupsDn}`),
  }));
  const more = nestedLdif([...branchGroups, ...rootGroups]);
  const slapd = await startSlapd({ people, groups: leafGroups, more, log: false });
  try {
    const search = (base: string, filter: string, ...wanted: readonly string[]) => {
      const account = ['-x', '-LLL', '-H', slapd.ldapUrl, '-D', syncDn, '-w', syncPassword];
      return measure('ldapsearch', [...account, '-E', 'pr=1000/noprompt', '-b', base, filter, ...wanted]);
    };
    const floor = async () => {
      const users = expectExit(await search(peopleDn, '(objectClass=inetOrgPerson)', 'entryUUID', ...attributes));
      const groups = expectExit(await search(groupsDn, '(objectClass=groupOfNames)', 'cn', 'member'));
      return { ...users, seconds: users.seconds + groups.seconds };
    };
    const read = async (nested: 'none' | 'resolve', demand: object) => {
      const options = ldapOptions(slapd.ldapUrl, {
        bindDn: syncDn,
        groups: { nested },
        timeouts: { operationMs: 60_000 },
      });
      const args = [
        `${root}test/bench/ldap-read.ts`,
        JSON.stringify(options),
        JSON.stringify({ attributes, ...demand }),
      ];
      return expectExit(await measure(process.execPath, args, { env: { LDAP_PASSWORD: syncPassword } }));
    };
    const every = { groups: [], allGroups: true };
    const named = { groups: rootNames, allGroups: false };
    const results = { floor: [], all: [], plain: [], nested: [] } as Record<string, Measured[]>;
    // In turn, so that a busy moment of the machine meets them all.
    for (let round = 0; round < 5; round += 1) {
      results.floor?.push(await floor());
      results.all?.push(await read('none', every));
      results.plain?.push(await read('none', named));
      results.nested?.push(await read('resolve', named));
    }
    const middle = (name: string) => {
      let next = 0;
      return median(5, async () => results[name]?.[next++] ?? Promise.reject(new Error('nothing was measured')));
    };
    return rowsOf(people, await middle('floor'), await middle('all'), await middle('plain'), await middle('nested'));
  } finally {
    await slapd.stop();
  }
}

/** Everybody is in two leaves. */
function peopleOf(leaf: number, people: number): number[] {
  const members = new Set<number>();
  for (let index = leaf; index < people; index += leaves) members.add(index);
  for (let index = (leaf * 7 + 3) % leaves; index < people; index += leaves) members.add(index);
  return [...members];
}

function rowsOf(people: number, floor: Measured, all: Measured, plain: Measured, nested: Measured): Row[] {
  const came = (read: Measured) =>
    JSON.parse(read.stdout) as { entries: number; members: number; names: number; cpuSeconds: number };
  if (came(all).entries !== people || came(nested).members !== people || came(plain).members !== 0) {
    throw new Error(`other people than expected: ${all.stdout} ${plain.stdout} ${nested.stdout}`);
  }
  const seconds = (read: Measured) => `${read.seconds.toFixed(2)} s, CPU ${came(read).cpuSeconds.toFixed(2)} s`;
  const row = (what: string, measured: string, against: string, ratio: number | undefined, limit: number): Row => ({
    what,
    measured,
    floor: against,
    ratio: ratio?.toFixed(2) ?? '',
    wanted: `≤ ${limit}`,
    holds: (ratio ?? Number.POSITIVE_INFINITY) <= limit,
  });
  const peak = Math.max(...[all, plain, nested].map(({ mebibytes }) => mebibytes ?? Number.NaN));
  return [
    row(
      `LDAP read, ${people} people, ${came(all).names} memberships of ${roots + branches + leaves} groups`,
      seconds(all),
      `ldapsearch ${floor.seconds.toFixed(2)} s`,
      all.seconds / floor.seconds,
      3,
    ),
    row(
      `LDAP read, members of ${roots} groups that hold the others, 3 levels`,
      seconds(nested),
      `without nesting ${seconds(plain)}`,
      nested.seconds / plain.seconds,
      2,
    ),
    {
      what: '  peak memory of these reads',
      measured: `${peak.toFixed(0)} MiB`,
      floor: '',
      ratio: '',
      wanted: '< 250 MiB',
      holds: peak < 250,
    },
    ...Object.values(peers).map((said) => ({
      what: '  peers',
      measured: '',
      floor: said,
      ratio: '',
      wanted: '',
      holds: true,
    })),
  ];
}
