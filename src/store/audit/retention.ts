import type { Database } from '../database.ts';
import { append, removedStretches } from './chain.ts';
import type { Anchor, Stretch } from './record.ts';

/**
 * Removes the records of the runs, and what was said of earlier removals. What people did stays. The last record of the chain then
 * tells every stretch that is missing and the hash of its last record, so that what is left still follows from it.
 * Only what is removed here is added: a gap that somebody else made is not made good. Part of the transaction that
 * deletes the runs.
 */
export function removeRecords(database: Database, runs: readonly string[], before: number, at: number): void {
  const leaving = [
    ...runs.flatMap((run) => database.statement<Anchor>('SELECT seq, hash FROM audit WHERE run = ?').all(run)),
    ...database.statement<Anchor>(`SELECT seq, hash FROM audit WHERE kind = 'records-removed'`).all(),
  ];
  const removed = joined(removedStretches(database), leaving);
  // Before they go: the last of them may be the end of the chain.
  append(database, { at, run: null, kind: 'records-removed', content: { before, runs: runs.length, removed } });
  const remove = database.statement('DELETE FROM audit WHERE seq = ?');
  for (const { seq } of leaving) remove.run(seq);
}

/** Runs whose operations this run looked at: what it saw is told by its records alone. */
export function looksOf(database: Database, run: string): readonly string[] {
  const plan = database
    .statement<{ readonly content: string }>(`SELECT content FROM audit WHERE run = ? AND kind = 'plan-made'`)
    .get(run);
  try {
    const { checked } = JSON.parse(plan?.content ?? '{}') as { checked?: readonly (readonly string[])[] };
    return (checked ?? []).map(([looked = '']) => looked);
  } catch {
    return []; // tampered with; verification says so
  }
}

/** As few stretches as there are gaps. */
function joined(earlier: readonly Stretch[], leaving: readonly Anchor[]): Stretch[] {
  const single = leaving.map(({ seq, hash }) => ({ first: seq, last: seq, hash }));
  const all = [...earlier, ...single].sort((a, b) => a.first - b.first);
  const result: Stretch[] = [];
  for (const stretch of all) {
    const last = result.at(-1);
    if (last !== undefined && last.last + 1 === stretch.first)
      result[result.length - 1] = { ...stretch, first: last.first };
    else result.push(stretch);
  }
  return result;
}
