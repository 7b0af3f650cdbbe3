/** `npm run soak`: a simulated month of a daemon, with figures. `npm run soak -- --seed 7 --runs 500` does another, or a shorter one. */
import { parseArgs } from 'node:util';
import { ensureSlapd } from '../support/slapd.ts';
import { byQuarter, growth } from './figures.ts';
import { judgeLife } from './judge.ts';
import { liveAMonth } from './month.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: String(Date.now() % 100_000) },
    runs: { type: 'string', default: '2880' },
    people: { type: 'string', default: '60' },
  },
});
const seed = Number(values.seed);
const runs = Number(values.runs);
const installation = ensureSlapd();
if (!installation.installed) throw new Error(installation.reason);

console.log(`seed ${seed}, ${runs} runs, ${values.people} people`);
const began = performance.now();
const { problems, counts, samples } = await liveAMonth({
  seed,
  runs,
  people: Number(values.people),
  restartChance: 0.03,
  keepRuns: '3d',
  sampleEvery: 12,
  peaceEvery: 480,
  onProgress: (run) => {
    if (run % 240 === 0) console.log(`  ${run} runs, ${seconds()} s`);
  },
});

function seconds(): string {
  return ((performance.now() - began) / 1_000).toFixed(0);
}

const mebibytes = (bytes: number) => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
for (const [what, count] of Object.entries(counts).toSorted()) console.log(`${String(count).padStart(6)}  ${what}`);
console.log(
  `long life without a restart: ${samples.length} samples, from run ${samples[0]?.run} to ${samples.at(-1)?.run}`,
);
for (const [name, quantity] of [
  ['heap', 'heapBytes'],
  ['resident memory', 'rssBytes'],
  ['snapshot', 'snapshotBytes'],
] as const) {
  const quarters = byQuarter(samples, quantity).map(mebibytes).join(', ');
  console.log(`${name} by quarter: ${quarters}; growth by regression ${mebibytes(growth(samples, quantity))}`);
}
console.log(`open files by quarter: ${byQuarter(samples, 'files').join(', ')}`);
const all = [...problems, ...judgeLife(samples)];
for (const problem of all) console.log(`PROBLEM ${problem}`);
console.log(`${all.length === 0 ? 'all is well' : `${all.length} problems`} after ${seconds()} s`);
process.exitCode = all.length === 0 ? 0 : 1;
