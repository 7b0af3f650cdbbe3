import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createGroupGraph, type GroupGraph } from '../../src/sources/ldap/group-graph.ts';
import { createGroupSets } from '../../src/sources/ldap/group-sets.ts';

/** `{ child: [parents] }`; every group bears its own name, in upper case. */
function graphOf(edges: Readonly<Record<string, readonly string[]>>): GroupGraph & { of(key: string): number } {
  const graph = createGroupGraph();
  const of = (key: string) => graph.add(key, `cn=${key}`, [key.toUpperCase()]);
  for (const [child, parents] of Object.entries(edges)) {
    of(child);
    for (const parent of parents) graph.nest(child, of(parent));
  }
  return { ...graph, of };
}

describe('groups within groups', () => {
  test('give their members the names of every group above, each once', () => {
    const graph = graphOf({ leaf: ['left', 'right'], left: ['top'], right: ['top'] });

    expect(graph.namesOf(graph.of('leaf'))).toEqual(['LEAF', 'LEFT', 'RIGHT', 'TOP']);
    expect(graph.namesOf(graph.of('left'))).toEqual(['LEFT', 'TOP']);
    expect(graph.namesOf(graph.of('top'))).toEqual(['TOP']);
  });

  test('may go round in a circle, even of one', () => {
    const graph = graphOf({ a: ['b'], b: ['c'], c: ['a'], self: ['self'] });

    expect(graph.namesOf(graph.of('b'))).toEqual(['A', 'B', 'C']);
    expect(graph.namesOf(graph.of('self'))).toEqual(['SELF']);
    expect(graph.pathTo(graph.of('b'), 'A')).toEqual(['cn=b', 'cn=c', 'cn=a']);
  });

  test('are led to by the shortest way, and among equals by the first', () => {
    const long = graphOf({ leaf: ['y', 'x', 'far'], y: ['top'], x: ['top'], far: ['further'], further: ['top'] });

    expect(long.pathTo(long.of('leaf'), 'TOP')).toEqual(['cn=leaf', 'cn=x', 'cn=top']);
    expect(long.pathTo(long.of('leaf'), 'LEAF')).toEqual(['cn=leaf']);
    expect(long.pathTo(long.of('top'), 'LEAF')).toBeUndefined();
  });
});

test('people in the same groups share one list of names', () => {
  const graph = createGroupGraph();
  const [a = -1, b = -1, c = -1] = ['b', 'a', 'c'].map((name) => graph.add(name, `cn=${name}`, [name]));
  const sets = createGroupSets(graph);
  const index = sets.createIndex();
  for (const [group, keys] of [
    [a, ['x', 'y', 'z', 'x']],
    [b, ['x', 'y']],
    [c, ['z']],
  ] as const) {
    for (const key of keys) index.add(key, group);
  }

  expect(index.of('x').names).toEqual(['a', 'b']);
  expect(index.of('x').names).toBe(index.of('y').names);
  expect(index.of('z').names).toEqual(['b', 'c']);
  expect(index.of('nobody').names).toEqual([]);
  expect(sets.of([a, b])).toBe(index.of('x'));
  expect(sets.join([index.of('x'), index.of('z'), sets.none]).names).toEqual(['a', 'b', 'c']);
  expect(sets.join([sets.of([b]), sets.of([a])])).toBe(index.of('x'));
});

test('the path to a group starts at the nearest of the groups that somebody is in', () => {
  const graph = graphOf({ deep: ['middle'], middle: ['top'], near: ['top'] });
  const sets = createGroupSets(graph);
  const both = sets.of([graph.of('deep'), graph.of('near')].sort((one, other) => one - other));

  expect(both.to('TOP')).toEqual(['cn=near', 'cn=top']);
  expect(both.to('MIDDLE')).toEqual(['cn=deep', 'cn=middle']);
  expect(both.to('NOWHERE')).toEqual([]);
});

test('names are those of every group that can be reached, and each has a path along edges that exist', () => {
  const group = fc.integer({ min: 0, max: 9 });

  fc.assert(
    fc.property(fc.array(fc.tuple(group, group), { maxLength: 40 }), group, (edges, start) => {
      const graph = createGroupGraph();
      for (let index = 0; index < 10; index += 1) graph.add(`${index}`, `${index}`, [`${index}`]);
      for (const [child, parent] of edges) graph.nest(`${child}`, parent);
      const reached = new Set([start]);
      for (const at of reached) for (const [child, parent] of edges) if (child === at) reached.add(parent);

      const names = graph.namesOf(start);

      expect(names).toEqual([...reached].map(String).sort());
      for (const name of names) {
        const path = (graph.pathTo(start, name) ?? []).map(Number);
        expect([path[0], path.at(-1)]).toEqual([start, Number(name)]);
        path.slice(1).forEach((parent, index) => {
          expect(edges).toContainEqual([path[index], parent]);
        });
      }
    }),
    { numRuns: 300 },
  );
});
