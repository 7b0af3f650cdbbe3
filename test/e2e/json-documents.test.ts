import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { reportJson } from '../../src/report/json.ts';
import { useCodeGrant, visit } from '../support/code-grant.ts';
import { settle, wideGuards } from '../support/convergence.ts';
import { createSkippingClock, historyOf, reconcileInProcess } from '../support/in-process.ts';
import { createWorld, type Person, type World } from '../support/world.ts';

const page = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'reference', 'json.md'), 'utf8');
const [common = '', ...sections] = page.split(/^## (?=`|Common)/m);
const everywhere = `${common}${sections[0]}`;

const people: readonly Person[] = [
  { id: 'anna', groups: ['developers'] },
  { id: 'ben', groups: ['developers'] },
  { id: 'cleo', groups: ['support'] },
];

let world: World;
let applied: string;
beforeAll(async () => {
  world = await createWorld({ sections: { guards: wideGuards } });
  await world.people(people);
  await settle(world);
  applied = historyOf(world)[0]?.summary.id ?? '';
  await world.configure({ guards: { ...wideGuards, deactivations: { count: 0 } } });
  await world.people(people.slice(1));
  await reconcileInProcess(world);
});
afterAll(() => world[Symbol.asyncDispose]());

/** Members that a document has, of objects within it too, down to a depth; keys of maps by name or endpoint are left out. */
function* membersOf(value: unknown, depth: number): Generator<string> {
  if (Array.isArray(value)) for (const each of value) yield* membersOf(each, depth);
  else if (typeof value === 'object' && value !== null) {
    for (const [name, inner] of Object.entries(value)) {
      if (!/^[a-z][A-Za-z]*$/.test(name)) continue;
      yield name;
      const isMap =
        ['calls', 'attributes', 'sent', 'returned', 'used', 'operations', 'totals'].includes(name) &&
        !Array.isArray(inner);
      if (depth > 0 && !isMap) yield* membersOf(inner, depth - 1);
    }
  }
}

test.for([
  ['reconcile', ['reconcile', '--dry-run'], 3],
  ['undo', ['undo', '', '--dry-run'], 3],
  ['approve', ['approve', ''], 0],
  ['status', ['status'], 0],
  ['runs', ['runs'], 0],
  ['runs', ['runs', ''], 0],
  ['runs', ['runs', 'verify'], 0],
  ['why', ['why', 'anna'], 0],
  ['why', ['why', 'ben'], 0],
  ['drift', ['drift'], 0],
  ['managed', ['managed'], 0],
  ['managed', ['managed', 'ben'], 0],
  ['release', ['release', 'ben', '--dry-run'], 0],
  ['relink', ['relink', 'ben', 'benno', '--dry-run'], 0],
  ['roles', ['roles'], 0],
  ['config check', ['config', 'check'], 0],
] as const)('every member of the document that `tdsync %s` prints is described', async ([command, args, code]) => {
  const blank = command === 'approve' ? (historyOf(world)[0]?.summary.digest ?? '') : applied;

  const run = await world.tdsync(...args.map((each) => (each === '' ? blank : each)), '--json');

  expect(run.code, run.stderr).toBe(code);
  expect(undescribed(command, run.json<object>())).toEqual([]);
});

/** Twelve joiners whom Twilio refuses, in a world whose app a person has approved. */
async function refusing(): Promise<World> {
  const each = await createWorld({ sections: { guards: wideGuards } });
  await useCodeGrant(each);
  await each.people(Array.from({ length: 12 }, (_, index) => ({ id: `joiner-${index}`, groups: ['developers'] })));
  const users = { method: 'POST', path: '/scim/v2/Users' };
  each.twilio.faults.add({ match: users, fault: { status: 400, code: 25_006 } });
  return each;
}

test('so is every member of what `tdsync authorize` prints, and of what a circuit breaker leaves behind', async () => {
  await using each = await refusing();
  const authorizing = each.start(['authorize', '--paste', '--json'], { stdin: 'open' });
  authorizing.type(`${await visit((await authorizing.line('/v2/authorize?')).trim())}\n`);

  const documents = [
    ['authorize', await authorizing.ended],
    ['reconcile', await each.tdsync('reconcile', '--json')],
    ['status', await each.tdsync('status', '--json')],
    ['retry', await each.tdsync('retry', '--json')],
    ['retry', await each.tdsync('retry', '--all', '--dry-run', '--json')],
  ] as const;

  expect(documents.map(([, { code }]) => code)).toEqual([0, 4, 0, 0, 0]);
  expect(documents.map(([command, run]) => [command, undescribed(command, run.json<object>())])).toEqual(
    documents.map(([command]) => [command, []]),
  );
  expect(documents[1]?.[1].json<{ breaker?: object }>().breaker).toBeDefined();
});

test('so is every member of a run whose time was over', async () => {
  await using each = await createWorld({ sections: { guards: wideGuards } });
  await each.people(people);
  const clock = createSkippingClock();
  const slow = { status: 429, headers: { 'Retry-After': '40' } };
  each.twilio.faults.add({ match: { method: 'POST', path: '/scim/v2/Users' }, times: 1, fault: slow });

  const run = await reconcileInProcess(each, { clock, environment: { TDSYNC_TWILIO_MAX_RUN_TIME: '30s' } });

  if (run.report === undefined) throw new Error('there is no report');
  const document = JSON.parse(reportJson(run.report)) as object;
  expect(Object.keys(document)).toContain('unfinished');
  expect(undescribed('reconcile', document)).toEqual([]);
});

function undescribed(command: string, document: object): readonly string[] {
  const section = sections.find((each) => each.slice(0, each.indexOf('\n')).includes(`\`${command}`)) ?? '';
  const members = new Set(membersOf(document, 2));
  expect(members.size).toBeGreaterThan(1);
  return [...members].filter((name) => !`${everywhere}${section}`.includes(`\`${name}\``));
}
