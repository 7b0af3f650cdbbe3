/** Applying N operations at R per second against a server whose own limit is R. Floor: N / R. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expectExit, measure, type Row, tdsync } from './measure.ts';
import { credentials, startOrganization, twilioSection } from './organization.ts';

interface SimulatedRequest {
  readonly at: number;
  readonly status: number;
  readonly write: boolean;
}

export async function pace(operations: number, perSecond: number): Promise<Row[]> {
  const folder = mkdtempSync(join(tmpdir(), 'tdsync-bench-pace-'));
  const simulator = await startOrganization(
    folder,
    { ownerUserName: null },
    '--requests-per-second',
    String(perSecond),
  );
  try {
    const people = Array.from({ length: operations }, (_, index) => `${1_000 + index},p${index}@corp.example`);
    writeFileSync(join(folder, 'people.csv'), `employeeId,mail\n${people.join('\n')}\n`);
    writeFileSync(
      join(folder, 'tdsync.yaml'),
      `${twilioSection(simulator.url, perSecond)}source: { type: csv, users: people.csv, id: employeeId }
attributes: { userName: mail }
policy: { mode: sync }
`,
    );
    const args = ['-c', 'tdsync.yaml', 'reconcile', '--allow', 'creations'];
    expectExit(await measure(tdsync, [...args], { cwd: folder, env: credentials }));
    const answer = await fetch(`${simulator.url}/_simulator/requests`);
    const { requests } = (await answer.json()) as { requests: SimulatedRequest[] };
    return rowsOf(operations, perSecond, requests);
  } finally {
    await simulator.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

function rowsOf(operations: number, perSecond: number, requests: readonly SimulatedRequest[]): Row[] {
  const writes = requests.filter(({ write, status }) => write && status < 300).map(({ at }) => at);
  const seconds = ((writes.at(-1) ?? 0) - (writes[0] ?? 0)) / 1_000;
  const floor = operations / perSecond;
  const throttled = requests.filter(({ status }) => status === 429).length;
  const busiest = Math.max(...writes.map((at, index) => writes.slice(index).findIndex((later) => later >= at + 1_000)));
  const ratio = seconds / floor;
  return [
    {
      what: `applying ${operations} operations at ${perSecond}/s`,
      measured: `${seconds.toFixed(2)} s`,
      floor: `N/R ${floor.toFixed(2)} s`,
      ratio: ratio.toFixed(3),
      wanted: '≤ 1.03',
      holds: ratio <= 1.03,
    },
    {
      what: '  busiest second, and answers 429',
      measured: `${busiest} starts, ${throttled}`,
      floor: '',
      ratio: '',
      wanted: `≤ ${perSecond}, 0`,
      holds: busiest <= perSecond && throttled === 0,
    },
  ];
}
