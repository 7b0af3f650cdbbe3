import type { OperationKind } from '../domain/operation.ts';
import type { Policy } from '../domain/rules.ts';
import type { Draft } from './draft.ts';

const removals: ReadonlySet<OperationKind> = new Set(['revoke', 'deactivate']);

/**
 * What a mode lets through: `sync` everything, `upsert-only` everything that takes nothing away,
 * `create-only` new people and their grants. Whose creation was begun and then lost sight of is new still: adoption goes on with it.
 */
export function applyMode(drafted: Draft, mode: Policy['mode'], isBegun: boolean): Draft {
  if (mode === 'sync') return drafted;
  const isNew = isBegun || drafted.operations.some(({ kind }) => kind === 'create');
  const operations = drafted.operations.filter(({ kind }) => !removals.has(kind) && (mode === 'upsert-only' || isNew));
  return { ...drafted, operations };
}
