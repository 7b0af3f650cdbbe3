/** A directory and an organization in step: what does a run cost that finds nothing to do? Floor: ldapsearch of the same attributes. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { groupsDn, peopleDn, personUid, syncDn, syncPassword } from '../support/directory-ldif.ts';
import { startSlapd } from '../support/slapd.ts';
import { expectExit, measure, median, type Row, tdsync } from './measure.ts';
import { credentials, sid, startOrganization, twilioSection } from './organization.ts';

const attributes = ['uid', 'mail', 'givenName', 'sn', 'title', 'departmentNumber'];

export async function ldapConverged(people: number): Promise<Row[]> {
  const folder = mkdtempSync(join(tmpdir(), 'tdsync-bench-ldap-'));
  const members = Array.from({ length: people }, (_, index) => index);
  const groups = [
    { name: 'twilio-users', kind: 'groupOfNames' as const, members: members.filter((index) => index % 10 === 0) },
  ];
  const slapd = await startSlapd({ people, groups, log: false });
  const floorArgs = ['-x', '-LLL', '-H', slapd.ldapUrl, '-D', syncDn, '-w', syncPassword, '-E', 'pr=1000/noprompt'];
  // The same two searches as ours: people, and the members of the group that the rules name.
  const search = (base: string, filter: string, ...wanted: readonly string[]) =>
    measure('ldapsearch', [...floorArgs, '-b', base, filter, ...wanted]);
  const floor = async () => {
    const users = expectExit(await search(peopleDn, '(objectClass=inetOrgPerson)', ...attributes));
    const members = expectExit(await search(groupsDn, '(cn=twilio-users)', 'cn', 'member'));
    return { ...users, seconds: users.seconds + members.seconds };
  };
  const first = await floor();
  const simulator = await startOrganization(folder, seedOf(first.stdout));
  try {
    writeFileSync(join(folder, 'tdsync.yaml'), configuration(slapd.ldapUrl, simulator.url));
    const env = { ...credentials, LDAP_PASSWORD: syncPassword };
    const run = (...args: string[]) => measure(tdsync, ['-c', 'tdsync.yaml', ...args], { cwd: folder, env });
    expectExit(await run('reconcile', '--allow', 'creations', '--allow', 'adoptions'));
    const before = await simulator.counts();
    const ours = await median(3, async () => expectExit(await run('reconcile', '--detailed-exitcode')));
    const after = await simulator.counts();
    if (!ours.stdout.includes('converged')) throw new Error(`not converged:\n${ours.stdout.slice(0, 3_000)}`);
    const floors = await median(3, floor);
    const calls = Object.entries(after).map(
      ([endpoint, count]) => [endpoint, count - (before[endpoint] ?? 0)] as const,
    );
    return rowsOf(
      people,
      ours,
      floors,
      calls.filter(([, count]) => count > 0),
    );
  } finally {
    await simulator.stop();
    await slapd.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

function rowsOf(
  people: number,
  ours: { seconds: number; mebibytes: number | undefined },
  floor: { seconds: number },
  calls: readonly (readonly [string, number])[],
): Row[] {
  const ratio = ours.seconds / floor.seconds;
  const peak = ours.mebibytes ?? Number.NaN;
  const perRun = calls.map(([endpoint, count]) => [endpoint, count / 3] as const);
  const total = perRun.reduce((sum, [, count]) => sum + count, 0);
  return [
    {
      what: `converged run, ${people} people in LDAP`,
      measured: `${ours.seconds.toFixed(2)} s`,
      floor: `ldapsearch ${floor.seconds.toFixed(2)} s`,
      ratio: ratio.toFixed(2),
      wanted: '≤ 4',
      holds: ratio <= 4,
    },
    {
      what: '  its peak memory',
      measured: `${peak.toFixed(0)} MiB`,
      floor: '',
      ratio: '',
      wanted: '≤ 300 MiB',
      holds: peak <= 300,
    },
    {
      what: '  its API calls',
      measured: perRun.map(([endpoint, count]) => `${count} × ${endpoint}`).join(', '),
      floor: '',
      ratio: '',
      wanted: 'user list and token',
      holds: total === 2,
    },
  ];
}

/** The organization as it would be after an earlier run, from what the directory just said. */
function seedOf(ldif: string) {
  const users = ldif
    .split(/\n\n/)
    .map((record) => record.replaceAll('\n ', ''))
    .filter((record) => record.startsWith('dn:'))
    .map((record, index) => {
      const value = (name: string): string => {
        const [, colon, text = ''] = new RegExp(`^${name}:(:?) (.*)$`, 'm').exec(record) ?? [];
        return colon === ':' ? Buffer.from(text, 'base64').toString() : text;
      };
      const [givenName, familyName, mail] = [value('givenName'), value('sn'), value('mail')];
      return {
        id: sid('US', index + 1),
        externalId: value('uid'),
        userName: mail,
        displayName: `${givenName} ${familyName}`,
        name: { givenName, familyName },
      };
    });
  const assignments = users
    .filter(({ externalId }) => Number(externalId.slice(1)) % 10 === 0)
    .map(({ id }) => ({ user: id, role: 'Developer', scope: sid('AC', 1) }));
  if (users[0] === undefined || personUid(0).length !== users[0].externalId.length)
    throw new Error('the LDIF was not understood');
  return { users, assignments, domains: ['example.com'], ownerUserName: null };
}

function configuration(ldapUrl: string, url: string): string {
  return `${twilioSection(url)}source:
  type: ldap
  url: ${ldapUrl}
  bindDn: ${syncDn}
  bindPassword: \${env:LDAP_PASSWORD}
  users: { baseDn: "${peopleDn}", id: uid }
  groups: { baseDn: "${groupsDn}", filter: (objectClass=groupOfNames) }
filter: entry.title != "nobody" && entry.departmentNumber != "none"
attributes:
  userName: mail
  name.givenName: givenName
  name.familyName: sn
  displayName: = entry.givenName + " " + entry.sn
roles:
  - group: twilio-users
    grants: [{ role: Developer, scope: "${sid('AC', 1)}" }]
policy: { mode: sync, adoptExisting: true }
`;
}
