/** Random groups within groups, read over a socket: whoever should belong does, or the read says that it is incomplete. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SourceIncompleteError } from '../../src/errors.ts';
import { createTestLogger, demandOf, type OptionChanges, readAll } from '../support/ldap-reading.ts';
import { holdsAsync } from '../support/properties.ts';
import {
  group,
  groupDn,
  person,
  personDn,
  places,
  type ScriptedEntry,
  scriptedSource,
  startScriptedDirectory,
} from '../support/scripted-directory.ts';

const groupCount = 10;
const peopleCount = 5;

interface World {
  /** By group: where it stands. Rules name those below the groups' base. */
  readonly parents: readonly string[];
  /** Member and group that holds it, by number. */
  readonly nested: readonly (readonly [number, number])[];
  readonly members: readonly (readonly [number, number])[];
}

const number = (count: number) => fc.nat({ max: count - 1 });
const world: fc.Arbitrary<World> = fc.record({
  parents: fc.array(fc.constantFrom(places.groups, places.groups, places.people, places.elsewhere), {
    minLength: groupCount,
    maxLength: groupCount,
  }),
  nested: fc.array(fc.tuple(number(groupCount), number(groupCount)), { maxLength: 20 }),
  // Where nobody at all shows memberOf, the read is refused for that.
  members: fc.array(fc.tuple(number(peopleCount), number(groupCount)), { minLength: 1, maxLength: 12 }),
});

function dnOf({ parents }: World, index: number): string {
  return groupDn(`g${index}`, parents[index]);
}

function directoryOf(given: World): readonly ScriptedEntry[] {
  const { parents, nested, members } = given;
  const holding = (index: number) => [
    ...nested.flatMap(([child, parent]) => (parent === index ? dnOf(given, child) : [])),
    ...members.flatMap(([who, parent]) => (parent === index ? personDn(who).toUpperCase() : [])),
  ];
  const heldBy = (pairs: World['nested'], index: number) => [
    ...new Set(pairs.flatMap(([child, parent]) => (child === index ? dnOf(given, parent) : []))),
  ];
  return [
    ...Array.from({ length: peopleCount }, (_, index) => person(index, { memberOf: heldBy(members, index) })),
    ...parents.map((parent, index) =>
      group(`g${index}`, [...new Set(holding(index))], { memberOf: heldBy(nested, index) }, parent),
    ),
  ];
}

/** Group names by person, worked out on the numbers. */
function expected({ parents, nested, members }: World): readonly (readonly string[])[] {
  return Array.from({ length: peopleCount }, (_, who) => {
    const reached = new Set(members.flatMap(([member, parent]) => (member === who ? parent : [])));
    for (const at of reached) for (const [child, parent] of nested) if (child === at) reached.add(parent);
    return [...reached]
      .filter((index) => parents[index] === places.groups)
      .map((index) => `g${index}`)
      .sort();
  });
}

async function read(given: World, changes: OptionChanges) {
  const server = await startScriptedDirectory(directoryOf(given));
  const names = given.parents.flatMap((parent, index) => (parent === places.groups ? `g${index}` : []));
  try {
    return await readAll(scriptedSource(server, changes, createTestLogger()), demandOf({ groups: names.sort() }));
  } finally {
    await server.stop();
  }
}

test('by the members of groups, everybody belongs to the groups that can be reached, on a path that exists', async () => {
  await holdsAsync(
    fc.asyncProperty(world, async (given) => {
      const entries = await read(given, {});

      expect(entries.map(({ groups }) => groups)).toEqual(expected(given));
      for (const { location, groups, groupPaths } of entries) {
        for (const name of groups) {
          const path = (groupPaths?.to(name) ?? []).map((dn) => Number(/^cn=g(\d+)/.exec(dn)?.[1]));
          const who = Number(/^cn=p(\d+)/.exec(location)?.[1]);
          expect(given.members).toContainEqual([who, path[0]]);
          expect(`g${path.at(-1)}`).toBe(name);
          path.slice(1).forEach((parent, index) => {
            expect(given.nested).toContainEqual([path[index], parent]);
          });
        }
      }
    }),
    60,
  );
});

test('by memberOf, everybody belongs to the groups that can be reached, or the read is incomplete', async () => {
  let complete = 0;

  await holdsAsync(
    fc.asyncProperty(world, async (given) => {
      const outcome = await read(given, { groups: { membership: ['memberOf'] } }).catch((error: unknown) => error);

      if (outcome instanceof SourceIncompleteError && / stands outside groups\.baseDn /.test(outcome.message)) return;
      complete += 1;
      expect(Array.isArray(outcome) ? outcome.map(({ groups }) => groups) : outcome).toEqual(expected(given));
    }),
    60,
  );
  expect(complete).toBeGreaterThan(20);
});
