import type { OperationKind } from '../domain/operation.ts';
import type { Policy } from '../domain/rules.ts';
import type { Draft } from './draft.ts';

const removals: ReadonlySet<OperationKind> = new Set(['revoke', 'deactivate']);

/**
 * What a mode lets through: `sync` everything, `upsert-only` everything that takes nothing away,
 * `create-only` new people and their grants. Whose creation was begun and then lost sight of is new still: adoption goes on
 * with it. So is a grant that was planned with a creation and that no run has made yet: its id is in `owed`.
 */
export function applyMode(
  drafted: Draft,
  mode: Policy['mode'],
  isBegun: boolean,
  owed: ReadonlySet<string> = new Set(),
): Draft {
  if (mode === 'sync') return drafted;
  const isNew = isBegun || drafted.operations.some(({ kind }) => kind === 'create');
  const operations = drafted.operations.filter(
    ({ kind, id }) => !removals.has(kind) && (mode === 'upsert-only' || isNew || owed.has(id)),
  );
  // What a grant waited for may be left out by the mode.
  const kept = new Set(operations.map(({ id }) => id));
  return { ...drafted, operations: operations.filter(({ after }) => after === undefined || kept.has(after)) };
}
