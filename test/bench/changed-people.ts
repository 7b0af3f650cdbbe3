/** What changed people cost in calls. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expectExit, measure, type Row, tdsync } from './measure.ts';
import { credentials, startOrganization, twilioSection } from './organization.ts';

export async function changedPeople(people: number, changed: number): Promise<Row[]> {
  const folder = mkdtempSync(join(tmpdir(), 'tdsync-bench-calls-'));
  const simulator = await startOrganization(folder, { ownerUserName: null });
  try {
    writeFileSync(
      join(folder, 'tdsync.yaml'),
      `${twilioSection(simulator.url)}source: { type: csv, users: people.csv, id: employeeId, groups: { column: groups } }
attributes: { userName: mail, displayName: name }
roles:
  - { group: blue, grants: [{ role: Developer, scope: Production }] }
  - { group: red, grants: [{ role: Support, scope: Production }] }
policy: { mode: sync }
`,
    );
    const run = () =>
      measure(tdsync, ['-c', 'tdsync.yaml', 'reconcile', '--allow', 'creations', '--allow', 'revocations'], {
        cwd: folder,
        env: credentials,
      });
    const write = (isChanged: (index: number) => boolean) => {
      const rows = Array.from({ length: people }, (_, index) =>
        isChanged(index)
          ? `${1_000 + index},p${index}@corp.example,Changed ${index},red`
          : `${1_000 + index},p${index}@corp.example,Person ${index},blue`,
      );
      writeFileSync(
        join(folder, 'people.csv'),
        `employeeId,mail,name,groups\n${rows.join('\n')}\n0000,z@corp.example,Z,red\n`,
      );
    };
    write(() => false);
    expectExit(await run());
    const before = await simulator.counts();
    write((index) => index < changed);
    expectExit(await run());
    const after = await simulator.counts();
    const spent = (pattern: RegExp) =>
      Object.entries(after)
        .filter(([endpoint]) => pattern.test(endpoint))
        .reduce((sum, [endpoint, count]) => sum + count - (before[endpoint] ?? 0), 0);
    const userCalls = spent(/Users\/\{id\}/);
    const roleCalls = spent(/RoleAssignments/);
    return [
      {
        what: `${changed} changed people of ${people}`,
        measured: `${userCalls} user calls, ${roleCalls} role calls`,
        floor: '',
        ratio: (userCalls / changed).toFixed(2),
        wanted: `≤ ${changed}, ${2 * changed}`,
        holds: userCalls <= changed && roleCalls === 2 * changed,
      },
    ];
  } finally {
    await simulator.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}
