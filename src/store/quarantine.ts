/** Whom and what runs leave alone because Twilio refused it, and how a person lets it be tried again. */
import type { BlockKey } from '../domain/blocked.ts';
import type { ExternalId, UserSid } from '../domain/identity.ts';
import type { Quarantined, QuarantinedPerson } from '../domain/quarantine.ts';
import type { Parked } from '../ports.ts';
import { blocks } from './blocks.ts';
import { closeBreaker, openBreaker } from './breaker.ts';
import type { Database } from './database.ts';
import { type Act, recordAct } from './ledger.ts';

/** What is let out, so that the next run tries it again. */
export interface Choice {
  readonly people: readonly Pick<QuarantinedPerson, 'externalId' | 'user'>[];
  readonly blocks: readonly BlockKey[];
  readonly breaker: boolean;
}

export interface Quarantine {
  list(): Quarantined;
  /** Recorded in the ledger. Tries are still counted: what is refused again waits longer than before. */
  release(choice: Choice, act: Act): void;
}

interface PersonRow extends Omit<Parked, 'retryAt'> {
  readonly user: UserSid | null;
  readonly userName: string | null;
  readonly retryAt: number | null;
}

export function openQuarantine(database: Database): Quarantine {
  return {
    list: () =>
      database.read('read the quarantine', () => ({
        people: people(database),
        blocks: blocks(database),
        breaker: openBreaker(database),
      })),
    release: (choice, act) => database.write('let out of quarantine', () => letOut(database, choice, act)),
  };
}

function people(database: Database): readonly QuarantinedPerson[] {
  return database
    .statement<PersonRow>(
      `SELECT parked.external_id AS externalId, record, code, message, parked.since AS since, attempts,
         retry_at AS retryAt, links.user AS user,
         (SELECT operation_json ->> 'userName' FROM operations
          WHERE operations.external_id = parked.external_id ORDER BY seq DESC LIMIT 1) AS userName
       FROM parked LEFT JOIN links ON links.external_id = parked.external_id ORDER BY parked.external_id`,
    )
    .all()
    .map(({ user, userName, retryAt, ...row }) => ({
      ...row,
      retryAt: retryAt ?? undefined,
      user: user ?? undefined,
      userName: userName ?? undefined,
    }));
}

function letOut(database: Database, choice: Choice, act: Act): void {
  for (const { externalId, user } of choice.people) {
    database.statement('UPDATE parked SET retry_at = ? WHERE external_id = ?').run(act.at, externalId);
    recordAct(database, 'retry', externalId, undefined, user, act);
  }
  for (const key of choice.blocks) {
    database.statement('UPDATE blocks SET retry_at = ? WHERE key = ?').run(act.at, key);
    recordAct(database, 'lift', key as string as ExternalId, undefined, undefined, act);
  }
  const breaker = choice.breaker ? openBreaker(database) : undefined;
  if (breaker !== undefined) {
    closeBreaker(database, breaker.since, act.at);
    recordAct(database, 'lift', 'breaker' as ExternalId, undefined, undefined, act);
  }
}
