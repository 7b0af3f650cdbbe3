/** A million rows, few of them in scope. Floor: csv-parse alone, streaming the same file. */

import { once } from 'node:events';
import { createWriteStream, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expectExit, measure, median, type Row, root, tdsync } from './measure.ts';
import { credentials, startOrganization, twilioSection } from './organization.ts';

export async function csvMillion(rows: number, inScope: number): Promise<Row[]> {
  const folder = mkdtempSync(join(tmpdir(), 'tdsync-bench-csv-'));
  const simulator = await startOrganization(folder, { ownerUserName: null });
  try {
    const file = join(folder, 'people.csv');
    await writePeople(file, rows, Math.floor(rows / inScope));
    writeFileSync(join(folder, 'tdsync.yaml'), configuration(simulator.url));
    const floor = await median(3, async () =>
      expectExit(await measure(process.execPath, [join(root, 'test/bench/csv-floor.ts'), file])),
    );
    const ours = await median(3, async () =>
      expectExit(
        await measure(tdsync, ['-c', 'tdsync.yaml', 'reconcile', '--dry-run', '--allow', 'creations'], {
          cwd: folder,
          env: credentials,
        }),
      ),
    );
    if (!ours.stdout.includes(`${inScope} create`))
      throw new Error(`another plan than expected:\n${ours.stdout.slice(-2_000)}`);
    const ratio = ours.seconds / floor.seconds;
    const peak = ours.mebibytes ?? Number.NaN;
    return [
      {
        what: `dry run, CSV of ${rows} rows, ${inScope} in scope`,
        measured: `${ours.seconds.toFixed(2)} s`,
        floor: `csv-parse ${floor.seconds.toFixed(2)} s`,
        ratio: ratio.toFixed(2),
        wanted: '≤ 1.5',
        holds: ratio <= 1.5,
      },
      {
        what: '  its peak memory',
        measured: `${peak.toFixed(0)} MiB`,
        floor: '',
        ratio: '',
        wanted: '≤ 200 MiB',
        holds: peak <= 200,
      },
    ];
  } finally {
    await simulator.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function writePeople(file: string, rows: number, every: number): Promise<void> {
  const stream = createWriteStream(file);
  stream.write('employeeId,givenName,sn,mail,department,title,employeeType,groups\n');
  for (let index = 0; index < rows; index++) {
    const type = index % every === 0 ? 'employee' : 'contractor';
    const line = `${String(index).padStart(7, '0')},Given${index % 97},Family${index},p${index}@corp.example,${index % 40},Agent,${type},all;team-${index % 9}\n`;
    if (!stream.write(line)) await once(stream, 'drain');
  }
  stream.end();
  await once(stream, 'finish');
}

function configuration(url: string): string {
  return `${twilioSection(url)}source: { type: csv, users: people.csv, id: employeeId, groups: { column: groups } }
filter: entry.employeeType != "contractor"
attributes:
  userName: mail
  name.givenName: givenName
  name.familyName: sn
roles:
  - group: team-1
    grants: [{ role: Developer, scope: Production }]
policy: { mode: sync }
`;
}
