/** What a run asks of a directory that reports changes: nothing changed, one person changed, everything. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { createLdapSource } from '../../src/sources/ldap/ldap-source.ts';
import { openSnapshot } from '../../src/store/snapshot.ts';
import { organization } from '../support/builders.ts';
import { personDn, suffix, syncDn, syncPassword } from '../support/directory-ldif.ts';
import { createTestLogger, demandOf, ldapOptions, secret } from '../support/ldap-reading.ts';
import { administerDirectory } from '../support/ldap-world.ts';
import { type Slapd, startSlapd } from '../support/slapd.ts';
import type { Row } from './measure.ts';

const attributes = ['departmentNumber', 'givenName', 'mail', 'sn', 'title'];
const groups = 1_000;

export async function incremental(people: number): Promise<Row[]> {
  const folder = mkdtempSync(join(tmpdir(), 'tdsync-bench-incremental-'));
  const slapd = await startSlapd({ people, groups: seedOf(people), syncprov: 'syncprov-sessionlog 10000' });
  try {
    using snapshot = openSnapshot(join(folder, 'tdsync.db'), 'write', organization);
    const options = {
      ...ldapOptions(slapd.ldapUrl, { bindDn: syncDn, bindPassword: secret(syncPassword) }),
      incremental: { method: 'syncrepl', fullReadEveryMs: 86_400_000 },
    } as const;
    const memory = { cache: snapshot.sourceCache, confirmAbsence: 1 };
    const source = createLdapSource(options, createTestLogger(), { now: () => Date.now(), memory });
    const demand = demandOf({ attributes, groups: ['group-0', 'group-1'] });
    const read = async () => {
      const before = slapd.log().length;
      const startedAt = performance.now();
      const { manner, entries } = await source.read(demand, () => {}, new AbortController().signal);
      const readAt = performance.now();
      source.incremental?.confirm();
      const keptAt = performance.now();
      if (entries !== people) throw new Error(`${entries} entries of ${people}`);
      // The log comes by another way than the answers.
      await setTimeout(100);
      const cost = costOf(slapd, before);
      return { manner: manner?.manner, ...cost, read: (readAt - startedAt) / 1_000, kept: (keptAt - readAt) / 1_000 };
    };
    await using directory = await administerDirectory(slapd);

    const full = await read();
    const nothing = await read();
    await directory.replace(personDn(7), 'title', 'Lead');
    const person = await read();
    await directory.leave(`cn=group-0,ou=groups,${suffix}`, personDn(0));
    const group = await read();
    if (full.manner !== 'full' || [nothing, person, group].some(({ manner }) => manner !== 'incremental')) {
      throw new Error('not read as expected');
    }
    const row = (what: string, cost: typeof full, wanted: number | undefined, searches?: number): Row => ({
      what,
      measured: `${cost.seconds.toFixed(3)} s of directory time, ${cost.searches} searches`,
      floor: `read ${cost.read.toFixed(2)} s, kept ${cost.kept.toFixed(2)} s`,
      ratio: '',
      wanted: wanted === undefined ? '' : `< ${wanted} s${searches === undefined ? '' : `, ${searches} search`}`,
      holds: (wanted === undefined || cost.seconds < wanted) && (searches === undefined || cost.searches === searches),
    });
    return [
      row(`full read of ${people} people, ${groups} groups`, full, undefined),
      row('  nothing changed', nothing, 0.05, 1),
      row('  one person changed', person, 0.2),
      row('  one group changed', group, undefined),
    ];
  } finally {
    await slapd.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What the server itself took for searches, from when it had read them, and their number. */
function costOf(slapd: Slapd, before: number): { readonly seconds: number; readonly searches: number } {
  const results = slapd
    .log()
    .slice(before)
    .flatMap((line) => / SEARCH RESULT tag=101 .*etime=([\d.]+)/.exec(line)?.[1] ?? []);
  return { seconds: results.reduce((sum, etime) => sum + Number(etime), 0), searches: results.length };
}

function seedOf(people: number) {
  return Array.from({ length: groups }, (_, index) => ({
    name: `group-${index}`,
    kind: 'groupOfNames' as const,
    members: Array.from({ length: people / groups }, (_, member) => (index + member * groups) % people),
  }));
}
