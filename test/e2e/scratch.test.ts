import { test } from 'vitest';
import { quirkDefinitions } from '../../src/simulator/quirks.ts';
import { live } from '../support/life-cycle.ts';
import { outcomesOf } from '../support/in-process.ts';
import { mailedTwice, assignedTwice } from '../support/organization.ts';
const by: Record<string, unknown[]> = { nextPageHost: ['https://preview-iam.twilio.com'], collectionKey: ['items'], listLimit: [3, 200], newUserHiddenReads: [1, 2, 4], newUserAssignmentRefusals: [1, 3], roleCeiling: [1], roleCeilingCode: [20400] };
const cases = [['none', {}], ...Object.entries(quirkDefinitions).flatMap(([name, d]) => {
  const values = by[name] ?? d.allowed.split(' | ').map((v) => JSON.parse(v)).slice(1);
  return values.map((value) => [`${name}=${JSON.stringify(value)}`, { [name]: value }]);
})] as [string, object][];
test.concurrent.each(cases)('%s', async (name, quirks) => {
  const lines: string[] = [];
  await live(quirks, (world, { step, run, next }) => {
    const bad = [run, next].some((r) => r.code !== 0 || r.report?.findings.length) || next.report?.status !== 'converged' || mailedTwice(world.twilio).length || assignedTwice(world.twilio).length;
    if (bad) lines.push(`  ${step}: ${run.code} ${next.code} ${next.report?.status} ${run.error?.message ?? ''} ${JSON.stringify(run.report?.findings.map((f) => f.message))} next: ${next.error?.message ?? ''} ${JSON.stringify(next.report?.findings.map((f) => f.message))} ${JSON.stringify(outcomesOf(next))} mails2 ${mailedTwice(world.twilio)} ${assignedTwice(world.twilio)}`.slice(0, 900));
  });
  if (lines.length) console.log(`CASE ${name}\n${lines.join('\n')}`);
});
