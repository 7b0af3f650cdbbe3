/** What a command costs before it does anything. Floor: Node itself. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expectExit, measure, median, type Row, tdsync } from './measure.ts';
import { credentials, startOrganization, twilioSection } from './organization.ts';

export async function startUp(): Promise<Row[]> {
  const node = await median(7, () => measure(process.execPath, ['-e', '0']));
  const help = await median(7, async () => expectExit(await measure(tdsync, ['--help'])));
  const dry = await coldDryRun();
  return [
    {
      what: 'tdsync --help',
      measured: `${(help.seconds * 1_000).toFixed(0)} ms, ${help.mebibytes?.toFixed(0)} MiB`,
      floor: `node ${(node.seconds * 1_000).toFixed(0)} ms`,
      ratio: (help.seconds / node.seconds).toFixed(2),
      wanted: '≤ 150 ms',
      holds: help.seconds <= 0.15,
    },
    {
      what: 'dry run for 100 people, cold',
      measured: `${dry.seconds.toFixed(2)} s, ${dry.mebibytes?.toFixed(0)} MiB`,
      floor: `node ${(node.seconds * 1_000).toFixed(0)} ms`,
      ratio: (dry.seconds / node.seconds).toFixed(2),
      wanted: '< 0.7 s',
      holds: dry.seconds < 0.7,
    },
  ];
}

/** No snapshot, no token, no mirror, the default limit of 5 requests per second. */
async function coldDryRun() {
  const folder = mkdtempSync(join(tmpdir(), 'tdsync-bench-cold-'));
  const simulator = await startOrganization(folder, { ownerUserName: null });
  try {
    const people = Array.from(
      { length: 100 },
      (_, index) => `${1_000 + index},Given${index},Family${index},p${index}@corp.example,staff`,
    );
    writeFileSync(join(folder, 'people.csv'), `employeeId,givenName,sn,mail,groups\n${people.join('\n')}\n`);
    writeFileSync(
      join(folder, 'tdsync.yaml'),
      `${twilioSection(simulator.url, 5)}source: { type: csv, users: people.csv, id: employeeId, groups: { column: groups } }
filter: '"staff" in groups'
attributes: { userName: mail, name.givenName: givenName, name.familyName: sn }
roles: [{ group: staff, grants: [{ role: Developer, scope: "AC00000000000000000000000000000001" }] }]
policy: { mode: sync }
`,
    );
    return await median(7, async () =>
      expectExit(
        await measure(tdsync, ['-c', 'tdsync.yaml', 'reconcile', '--dry-run'], {
          cwd: folder,
          env: credentials,
        }),
      ),
    );
  } finally {
    await simulator.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}
