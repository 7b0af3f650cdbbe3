import type { Database } from './database.ts';

const pageSize = 2_000;

/**
 * Rows of a query in the order of its key, a page at a time. An open SQLite cursor would block every other statement
 * of the connection until it is read to its end; a page holds nothing open, so that a caller may write, or stop, in between.
 * `sql` ends in `… > (key) ORDER BY key LIMIT ?`; `start` sorts before every key.
 */
export function* paged<Row, Key extends readonly unknown[]>(
  database: Database,
  action: string,
  sql: string,
  start: Key,
  keyOf: (row: Row) => Key,
): Generator<Row, void, undefined> {
  let after = start;
  for (;;) {
    const key = after;
    const rows = database.read(action, () => database.statement<Row>(sql).all(...key, pageSize));
    yield* rows;
    const last = rows.at(-1);
    if (last === undefined || rows.length < pageSize) return;
    after = keyOf(last);
  }
}
