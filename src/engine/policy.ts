import type { OperationKind } from '../domain/operation.ts';
import type { Policy } from '../domain/rules.ts';
import type { Draft } from './draft.ts';

const removals: ReadonlySet<OperationKind> = new Set(['revoke', 'deactivate']);

/**
 * What a mode lets through: `sync` everything, `upsert-only` everything that takes nothing away,
 * `create-only` new people and their grants.
 */
export function applyMode(drafted: Draft, mode: Policy['mode']): Draft {
  if (mode === 'sync') return drafted;
  const creates = drafted.operations.some(({ kind }) => kind === 'create');
  const operations = drafted.operations.filter(({ kind }) => (mode === 'upsert-only' ? !removals.has(kind) : creates));
  return { ...drafted, operations };
}
