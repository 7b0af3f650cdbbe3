import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'ldapts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunReport } from '../../src/domain/run.ts';
import { suffix } from '../support/directory-ldif.ts';
import { dryRunInProcess, reconcileInProcess } from '../support/in-process.ts';
import { type Slapd, slapdIsInstalled, startSlapd } from '../support/slapd.ts';
import { readStories, type Story, tell } from '../support/story.ts';
import { type DirectoryOfStory, layOut } from '../support/story-in-ldap.ts';

/** Every situation of the decision table, policies and addresses; guards (080 and on) look at plans, whatever the source. */
const stories = readStories().filter(({ name, directory }) => directory === undefined && name < '080');

let slapd: Slapd;
let client: Client;
beforeAll(async () => {
  if (!slapdIsInstalled()) return;
  slapd = await startSlapd({ people: 0, groups: [] });
  client = new Client({ url: slapd.ldapUrl });
  await client.bind(`cn=admin,${suffix}`, 'admin');
});
afterAll(async () => {
  await client?.unbind();
  await slapd?.stop();
});

describe.runIf(slapdIsInstalled()).concurrent('golden stories, with the same people in a directory', () => {
  test.each(stories.map((story) => [`${story.name}: ${story.title}`, story] as const))('%s', async (_title, story) => {
    const directory = await layOut(client, slapd, story.name);
    const begun = await tell(story, slapd, directory);
    await using world = begun.world;

    const dry = await dryRunInProcess(world, begun.options);
    const { report, error } = await reconcileInProcess(world, begun.options);

    expect(planOf(dry)).toEqual(goldenPlan(story, directory));
    expect([report?.status, error]).toEqual([story.then, undefined]);
    expect(report?.operations.map(({ operation }) => operation)).toEqual(dry.plan.operations);
  });
});

/** The configuration is another one, and with it the digest of the whole; that of the source is the same. */
function planOf({ plan, verdict, additive }: Pick<RunReport, 'plan' | 'verdict' | 'additive'>): unknown {
  const basis = { ...plan.basis, configuration: '' };
  return JSON.parse(JSON.stringify({ plan: { ...plan, basis, digest: '' }, verdict, additive }));
}

/** As the files say it, with the directory's name for each line. */
function goldenPlan({ folder }: Story, directory: DirectoryOfStory): unknown {
  const text = readFileSync(join(folder, 'plan.json'), 'utf8').replaceAll(/people\.csv:(\d+)/g, (_, line: string) =>
    directory.dnOfLine(Number(line)),
  );
  return planOf(JSON.parse(text) as RunReport);
}
