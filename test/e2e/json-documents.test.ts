import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { settle, wideGuards } from '../support/convergence.ts';
import { historyOf, reconcileInProcess } from '../support/in-process.ts';
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
  const section = sections.find((each) => each.slice(0, each.indexOf('\n')).includes(`\`${command}`)) ?? '';

  const run = await world.tdsync(...args.map((each) => (each === '' ? blank : each)), '--json');

  expect(run.code, run.stderr).toBe(code);
  const members = new Set(membersOf(run.json<object>(), 2));
  expect(members.size).toBeGreaterThan(1);
  expect([...members].filter((name) => !`${everywhere}${section}`.includes(`\`${name}\``))).toEqual([]);
});
