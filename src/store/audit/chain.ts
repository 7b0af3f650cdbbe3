import { canonicalJson } from '../../domain/canonical-json.ts';
import type { Database } from '../database.ts';
import { paged } from '../paging.ts';
import { type Anchor, type AuditRecord, genesis, hashOf, type NewRecord, type Stretch } from './record.ts';

const columns = 'seq, at, run, kind, content, hash';

/** Adds a record at the end. Part of a transaction of the caller's: the one that does what the record says. */
export function append(
  database: Database,
  { content, ...record }: Omit<NewRecord, 'content'> & { readonly content: object },
): void {
  const last = head(database) ?? genesis;
  const { seq, at, run, kind, content: text } = { ...record, seq: last.seq + 1, content: canonicalJson(content) };
  database
    .statement(`INSERT INTO audit (${columns}) VALUES (?, ?, ?, ?, ?, ?)`)
    .run(seq, at, run, kind, text, hashOf(last.hash, { seq, at, run, kind, content: text }));
}

/** The last record; undefined while there is none. */
export function head(database: Database): Anchor | undefined {
  return database.statement<Anchor>('SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1').get();
}

/** All records from `first` to `last`, in their order. */
export function recordsOf(database: Database, first = 1, last = Number.MAX_SAFE_INTEGER): Iterable<AuditRecord> {
  return paged<AuditRecord, [number, number]>(
    database,
    'read the records of the history',
    `SELECT ${columns} FROM audit WHERE seq <= ? AND seq > ? ORDER BY seq LIMIT ?`,
    [last, first - 1],
    ({ seq }) => [last, seq],
  );
}

/** Everything that retention has removed so far, as its last record says. Empty: nothing, or a record that cannot be read. */
export function removedStretches(database: Database): readonly Stretch[] {
  const last = database
    .statement<{ readonly content: string }>(
      `SELECT content FROM audit WHERE kind = 'records-removed' ORDER BY seq DESC LIMIT 1`,
    )
    .get();
  return last === undefined ? [] : stretchesIn(last.content);
}

/** Of the content of a record of that kind. */
export function stretchesIn(content: string): readonly Stretch[] {
  try {
    const { removed } = JSON.parse(content) as { removed?: unknown };
    return Array.isArray(removed) ? (removed as Stretch[]) : [];
  } catch {
    return [];
  }
}
