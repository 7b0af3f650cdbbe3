import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunReport } from '../../src/domain/run.ts';
import { documentJson } from '../../src/report/json.ts';
import { renderRun } from '../../src/report/run-text.ts';
import { expectGolden } from '../support/golden.ts';
import { dryRunInProcess, reconcileInProcess } from '../support/in-process.ts';
import { type Slapd, slapdIsInstalled, startSlapd } from '../support/slapd.ts';
import { approve, everyGuard, readStories, type Story, type Told, tell } from '../support/story.ts';

const stories = readStories();

const introduction = `# Golden stories

Each folder holds what a plan is computed from and the plan, as text and as JSON; [test/support/story.ts](../support/story.ts)
says which file is what. The steps of \`story.yaml\` are carried out for real, then the dry run is compared with the files,
then the run must do exactly that, and a second run must find nothing to do. \`UPDATE_GOLDEN=1 npm test -- test/e2e/golden-stories.test.ts\`
writes the plans anew, to be reviewed in the diff.

A refused plan is approved after that; an additive one is allowed as a whole.

| story | what it shows | the run is |
|---|---|---|
`;

test('the list of golden stories is complete', () => {
  const rows = stories.map(({ name, title, then }) => `| [${name}](${name}/plan.txt) | ${title} | ${then} |\n`);

  expectGolden('README.md', `${introduction}${rows.join('')}`);
});

const directories = stories.flatMap(({ directory }) => directory ?? []);
const hasDirectories = slapdIsInstalled();
/** Accounts can be locked, in pwdAccountLockedTime. */
const withLocks = { access: 'moduleload ppolicy.la\noverlay ppolicy' };
let slapd: Slapd | undefined;
beforeAll(async () => {
  if (hasDirectories) slapd = await startSlapd({ people: 0, groups: [], more: directories.join('\n'), ...withLocks });
});
afterAll(() => slapd?.stop());

const told = stories.filter(({ directory }) => hasDirectories || directory === undefined);

describe.concurrent('golden stories', () => {
  test.each(told.map((story) => [`${story.name}: ${story.title}`, story] as const))('%s', async (_title, story) => {
    const begun = await tell(story, slapd);
    await using world = begun.world;
    world.twilio.requests.clear();

    const dry = await dryRunInProcess(world, begun.options);

    expect(world.twilio.requests.writes).toBe(0);
    expectFile(story, 'snapshot.json', begun.snapshot);
    expectFile(story, 'plan.txt', renderRun({ ...dry, endedAt: dry.startedAt }));
    expectFile(
      story,
      'plan.json',
      documentJson({ plan: dry.plan, verdict: dry.verdict, additive: dry.additive?.operations }),
    );
    await goOn(story, begun, dry);
    await expectConverged(begun);
  });
});

/** An empty text stands for no file. */
function expectFile({ name, folder }: Story, file: string, text: string): void {
  if (text !== '') expectGolden(`${name}/${file}`, text);
  else expect(existsSync(join(folder, file))).toBe(false);
}

/** The run does what the dry run listed, in that order, or is refused; then whatever it takes to let it through. */
async function goOn({ then }: Story, { world, options }: Told, dry: RunReport): Promise<void> {
  const { report, error } = await reconcileInProcess(world, options);
  expect(error).toBeUndefined();
  expect(report?.plan).toEqual(dry.plan);
  const part = then === 'refused' ? [] : (dry.additive ?? dry.plan).operations;
  expect(report?.operations.map(({ operation }) => operation)).toEqual(part);
  expect(report?.status).toBe(then === 'additive' ? 'refused' : then);
  if (then !== 'partial') expect(report?.operations.every(({ outcome }) => outcome.state === 'done')).toBe(true);
  if (then === 'refused') {
    expect(world.twilio.requests.writes).toBe(0);
    approve(world, dry.plan.digest);
    const approved = await reconcileInProcess(world, options);
    expect([approved.report?.status, approved.report?.plan.digest]).toEqual(['applied', dry.plan.digest]);
  }
  if (then === 'additive') {
    const allowed = await reconcileInProcess(world, { ...options, allow: everyGuard });
    expect(allowed.report?.status).toBe('applied');
  }
}

async function expectConverged({ world, options }: Told): Promise<void> {
  world.twilio.requests.clear();
  const { report } = await reconcileInProcess(world, options);

  expect([report?.plan.operations, report?.status]).toEqual([[], 'converged']);
  expect(world.twilio.requests.writes).toBe(0);
}
