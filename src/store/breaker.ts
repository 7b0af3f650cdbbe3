import type { OpenBreaker } from '../domain/breaker.ts';
import type { Database } from './database.ts';

interface BreakerRow extends Omit<OpenBreaker, 'kinds' | 'causes'> {
  readonly kinds: string;
  readonly causes: string;
}

/** Undefined when the last systemic failure is over, or there was none. */
export function openBreaker(database: Database): OpenBreaker | undefined {
  const row = database
    .statement<BreakerRow>(
      'SELECT since, at, attempts, run, kinds_json AS kinds, causes_json AS causes FROM breaker WHERE id = 1',
    )
    .get();
  return row && { ...row, kinds: JSON.parse(row.kinds), causes: JSON.parse(row.causes) };
}

// What follows is part of a transaction of the caller's.

export function putBreaker(database: Database, { since, at, attempts, run, kinds, causes }: OpenBreaker): void {
  database
    .statement('INSERT OR REPLACE INTO breaker VALUES (1, ?, ?, ?, ?, ?, ?)')
    .run(since, at, attempts, run, JSON.stringify(kinds), JSON.stringify(causes));
}

/** Whoever was refused since then may have been none to blame: their time has come. */
export function closeBreaker(database: Database, since: number, at: number): void {
  database.statement('DELETE FROM breaker').run();
  database.statement('UPDATE parked SET retry_at = ? WHERE since >= ?').run(at, since);
}
