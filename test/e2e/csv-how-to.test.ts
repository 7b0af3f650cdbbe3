import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { expectConverged, wideGuards } from '../support/convergence.ts';
import { reconcileInProcess } from '../support/in-process.ts';
import { createWorld, type RunDocument, type Sections, type World } from '../support/world.ts';

const page = await readFile(join(import.meta.dirname, '..', '..', 'docs', 'how-to', 'csv.md'), 'utf8');
const chapter = page.slice(page.indexOf('## A whole HR export'));

/** The files of the chapter by the names that stand before them, in the encoding and packing that it tells. */
const exports: readonly (readonly [name: string, text: string])[] = [
  ...chapter.matchAll(/`(exports\/[^`]+)`[^\n]*\n\n```csv\n([\s\S]*?)```/g),
].map(([, name = '', text = '']) => [name, text]);
const [, configuration = ''] = /```yaml\n([\s\S]*?)```/.exec(chapter) ?? [];

let world: World;
beforeAll(async () => {
  world = await createWorld();
  await world.configure({ ...(parse(configuration) as Sections), guards: wideGuards });
});
afterAll(() => world[Symbol.asyncDispose]());

beforeEach(async () => {
  await rm(world.path('exports'), { recursive: true, force: true });
  await mkdir(world.path('exports'));
  for (const [name, text] of exports) await put(name, text);
});

async function put(name: string, text: string): Promise<void> {
  const bytes = Buffer.from(text, 'latin1');
  await world.write(name, name.endsWith('.gz') ? gzipSync(bytes) : bytes);
}

const contracts = 'exports/contracts-2026-11-26.csv';
const people = 'exports/people-pt-2026-11-26.csv.gz';
const textOf = (name: string) => exports.find(([other]) => other === name)?.[1] ?? '';

describe('the HR export of the how-to page', () => {
  test('is read as the page says', async () => {
    expect(exports.map(([name]) => name)).toEqual([people, people.replace('-pt-', '-es-'), contracts]);

    const run = await world.tdsync('reconcile', '--json');

    const { status, plan } = run.json<RunDocument>();
    expect([run.code, status], run.stderr).toEqual([0, 'applied']);
    expect(plan?.operations.map(({ kind, externalId }) => [kind, externalId])).toEqual([
      ['create', '0007'],
      ['create', '1234'],
      ['grant', '0007'],
      ['grant', '1234'],
    ]);
    expect(world.twilio.state.users.byUserName('zoe@corp.example')?.displayName).toBe('Zoë Müller');
    expect(run.logs()).toContainEqual(
      expect.objectContaining({ rows: 1, examples: ['contracts-2026-11-26.csv:6'], file: world.path(contracts) }),
    );
    await expectConverged(world);
  });

  test('can be followed by the next day, while an upload is under way', async () => {
    await put(contracts.replace('-26', '-27'), textOf(contracts).replace('active;;Voice', 'active;2026-01-01;Voice'));
    await put(`${people.replace('-26', '-28')}.part`, 'not whole');

    const run = await world.tdsync('reconcile', '--dry-run', '--json');

    const leavers = run.json<RunDocument>().plan?.operations.filter(({ kind }) => kind === 'deactivate');
    expect(leavers?.map(({ externalId }) => externalId)).toEqual(['0007']);
  });

  test.for<readonly [string, () => Promise<void>, RegExp]>([
    [
      'a contract is missing in it',
      () =>
        put(
          contracts,
          textOf(contracts)
            .replace(/2\.346.*\n/, '')
            .replace('TRAILER;5', 'TRAILER;4'),
        ),
      /contracts-2026-11-26\.csv: has no row for 1 person: "2346" \(people-es-2026-11-26\.csv\.gz:4\)/,
    ],
    [
      'a row was lost on the way',
      () => put(people, textOf(people).replace(/1\.234.*\n/, '')),
      /people-pt-2026-11-26\.csv\.gz:3: the trailer counts 2 rows, where the file has 1/,
    ],
    [
      'its end was lost on the way',
      () => put(contracts, textOf(contracts).replace(/TRAILER.*\n/, '')),
      /contracts-2026-11-26\.csv:6: the last row is no trailer/,
    ],
    [
      'a column was renamed',
      () => put(people, textOf(people).replace('E-Mail', 'EMail Address')),
      /people-pt-2026-11-26\.csv\.gz:1: no column "E-Mail"/,
    ],
    ['a country is missing', () => rm(world.path(people)), /exports: no file matches "people-pt-\*\.csv\.gz"/],
  ])('is refused with exit 5, and nothing is written, when %s', async ([, spoil, message]) => {
    await spoil();
    world.twilio.requests.clear();

    const { code, error } = await reconcileInProcess(world);

    expect([code, world.twilio.requests.writes]).toEqual([5, 0]);
    expect(error).toMatchObject({ message: expect.stringMatching(message), hint: expect.any(String) });
  });
});
