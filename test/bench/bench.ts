/**
 * Ratios measured in one run against a floor, because machines differ and are noisy.
 * `npm run bench` measures everything; `npm run bench -- ldap 10000` one case, at another size.
 */
import { changedPeople } from './changed-people.ts';
import { csvMillion } from './csv-million.ts';
import { groupReads } from './groups.ts';
import { incremental } from './incremental.ts';
import { ldapConverged } from './ldap-converged.ts';
import { printTable, type Row } from './measure.ts';
import { pace } from './pace.ts';
import { startUp } from './start-up.ts';
import { throttle } from './throttle.ts';

const [only, size] = process.argv.slice(2);
const cases: Readonly<Record<string, (size: number | undefined) => Promise<Row[]>>> = {
  start: () => startUp(),
  ldap: (people = 100_000) => ldapConverged(people),
  groups: (people = 100_000) => groupReads(people),
  incremental: (people = 100_000) => incremental(people),
  csv: (rows = 1_000_000) => csvMillion(rows, rows / 50),
  pace: async (operations = 500) => [...(await pace(operations, 50)), ...(await pace(operations / 10, 5))],
  throttle,
  calls: (people = 500) => changedPeople(people, people / 10),
};

const rows: Row[] = [];
for (const [name, measureCase] of Object.entries(cases)) {
  if (only !== undefined && only !== name) continue;
  process.stderr.write(`measuring ${name} …\n`);
  rows.push(...(await measureCase(size === undefined ? undefined : Number(size))));
}
printTable(rows);
if (rows.some(({ holds }) => !holds)) process.exitCode = 1;
