/** Who is managed since when and by which run, and who made the roles of each: questions, nothing here changes anything. */
import type { AssignmentSid, ExternalId, RoleSid, ScopeSid, UserSid } from '../domain/identity.ts';
import type { GrantRecord } from '../domain/user.ts';
import type { Database } from './database.ts';
import { paged } from './paging.ts';

export interface ManagedPerson {
  readonly externalId: ExternalId;
  readonly user: UserSid;
  /** As last seen in Twilio; undefined when Twilio no longer shows the user. */
  readonly userName: string | undefined;
  readonly active: boolean | undefined;
  readonly origin: 'created' | 'adopted';
  /** Milliseconds since the epoch. */
  readonly linkedAt: number;
  /** Id of the run that made the link; undefined when the history did not say it any more. */
  readonly run: string | undefined;
}

export interface LedgerGrant {
  readonly role: RoleSid;
  readonly scope: ScopeSid;
  readonly assignment: AssignmentSid;
  /** `by-hand`: somebody made it, and no rule has given it so far. */
  readonly origin: GrantRecord['origin'] | 'by-hand';
  /** When a run made or found it, in milliseconds since the epoch, and which; undefined by hand, or when it is not known. */
  readonly recordedAt: number | undefined;
  readonly run: string | undefined;
  /** False: Twilio no longer shows it. */
  readonly held: boolean;
}

interface PersonRow extends Omit<ManagedPerson, 'userName' | 'active' | 'run'> {
  readonly userName: string | null;
  readonly active: number | null;
  readonly run: string | null;
}

const columns = `external_id AS externalId, user, origin, since AS linkedAt, run,
  (SELECT user_name FROM users WHERE sid = user) AS userName, (SELECT active FROM users WHERE sid = user) AS active`;

/** By externalId. */
export function* managedPeople(database: Database): Generator<ManagedPerson> {
  const rows = paged<PersonRow, [string]>(
    database,
    'read who is managed',
    `SELECT ${columns} FROM links WHERE external_id > ? ORDER BY external_id LIMIT ?`,
    [''],
    (last) => [last.externalId],
  );
  for (const row of rows) yield toPerson(row);
}

export function managedPerson(database: Database, externalId: ExternalId): ManagedPerson | undefined {
  const row = database.statement<PersonRow>(`SELECT ${columns} FROM links WHERE external_id = ?`).get(externalId);
  return row && toPerson(row);
}

function toPerson({ externalId, user, userName, active, origin, linkedAt, run }: PersonRow): ManagedPerson {
  const seen = { userName: userName ?? undefined, active: active === null ? undefined : active === 1 };
  return { externalId, user, ...seen, origin, linkedAt, run: run ?? undefined };
}

/** What a user holds by the mirror, and what a run made or found and Twilio no longer shows; by scope, then role. */
export function grantsOf(database: Database, user: UserSid): readonly LedgerGrant[] {
  interface GrantRow extends Pick<LedgerGrant, 'role' | 'scope' | 'assignment'> {
    readonly origin: GrantRecord['origin'] | null;
    readonly since: number | null;
    readonly run: string | null;
    readonly held: number;
  }
  const rows = database
    .statement<GrantRow>(
      `SELECT a.role, a.scope, a.sid AS assignment, r.origin, r.since, r.run, 1 AS held
       FROM assignments AS a LEFT JOIN grant_records AS r
         ON r.user = a.user AND r.role = a.role AND r.scope = a.scope AND r.assignment = a.sid
       WHERE a.user = ?
       UNION ALL
       SELECT role, scope, assignment, origin, since, run, 0 FROM grant_records
       WHERE user = ? AND assignment NOT IN (SELECT sid FROM assignments WHERE assignments.user = grant_records.user)
       ORDER BY 2, 1, 3`,
    )
    .all(user, user);
  return rows.map(({ role, scope, assignment, origin, since, run, held }) => ({
    role,
    scope,
    assignment,
    origin: origin ?? 'by-hand',
    recordedAt: since ?? undefined,
    run: run ?? undefined,
    held: held === 1,
  }));
}
