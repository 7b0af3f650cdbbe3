import type Sqlite from 'better-sqlite3';
import { translating } from './sqlite-errors.ts';

/**
 * One connection to the snapshot. Every access goes through `read` or `write`, so that no SQLite error leaves untranslated
 * and no transaction outlives a call.
 */
export interface Database {
  /** Absolute; names the snapshot in messages also when the connection reads a copy. */
  readonly path: string;
  readonly connection: Sqlite.Database;
  /** Prepared once per SQL text. */
  statement<Row>(sql: string): Sqlite.Statement<unknown[], Row>;
  /** `action` completes "cannot …". */
  read<Result>(action: string, work: () => Result): Result;
  /** Runs `work` in one immediate transaction: all of it is stored, or nothing. */
  write<Result>(action: string, work: () => Result): Result;
}

export function wrapConnection(connection: Sqlite.Database, path: string): Database {
  const statements = new Map<string, Sqlite.Statement<unknown[], unknown>>();

  function statement<Row>(sql: string): Sqlite.Statement<unknown[], Row> {
    let prepared = statements.get(sql);
    if (prepared === undefined) {
      prepared = connection.prepare<unknown[]>(sql);
      statements.set(sql, prepared);
    }
    return prepared as Sqlite.Statement<unknown[], Row>;
  }

  return {
    path,
    connection,
    statement,
    read: (action, work) => translating(path, action, work),
    write: (action, work) => translating(path, action, () => connection.transaction(work).immediate()),
  };
}
