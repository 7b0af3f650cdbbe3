import type { Blocked, BlockKey } from '../domain/blocked.ts';
import type { Database } from './database.ts';

interface BlockRow {
  readonly key: BlockKey;
  readonly since: number;
  readonly attempts: number;
  readonly retryAt: number;
}

/** There are as many as domains that Twilio refuses: few. */
export function blocks(database: Database): readonly Blocked[] {
  return database
    .statement<BlockRow>('SELECT key, since, attempts, retry_at AS retryAt FROM blocks ORDER BY key')
    .all();
}

// What follows is part of a transaction of the caller's.

export function putBlock(database: Database, { key, since, attempts, retryAt }: Blocked): void {
  database.statement('INSERT OR REPLACE INTO blocks VALUES (?, ?, ?, ?)').run(key, since, attempts, retryAt);
}

export function deleteBlock(database: Database, key: BlockKey): void {
  database.statement('DELETE FROM blocks WHERE key = ?').run(key);
}
