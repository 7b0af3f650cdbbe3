import { resolve } from 'node:path';
import type { ExternalId, ScopeSid, UserSid } from '../domain/identity.ts';
import type { Approval } from '../domain/plan.ts';
import type { SourceCache } from '../domain/source-cache.ts';
import type { Standing } from '../domain/standing.ts';
import type { TwilioUser } from '../domain/user.ts';
import { InternalError } from '../errors.ts';
import type { NoticeStore, RunJournal, SnapshotStore } from '../ports.ts';
import { addApproval, openApproval } from './approvals.ts';
import { type AuditTrail, openAuditTrail } from './audit/trail.ts';
import { blocks } from './blocks.ts';
import { openBreaker } from './breaker.ts';
import type { Database } from './database.ts';
import {
  type Act,
  type KeyChange,
  type LedgerEntry,
  ledgerEntries,
  ledgerEntriesOf,
  release,
  releasedUsers,
  relink,
  relinkProblems,
  takeBack,
} from './ledger.ts';
import { knownToUs } from './links.ts';
import { grantsOf, type LedgerGrant, type ManagedPerson, managedPeople, managedPerson } from './managed.ts';
import { mirrorAssignments, rolesHeld } from './mirror-assignments.ts';
import { mirrorRoles } from './mirror-roles.ts';
import { mirrorUsers } from './mirror-users.ts';
import { openNotices } from './notices.ts';
import { openForWriting } from './open-for-writing.ts';
import { owedGrants } from './owed-grants.ts';
import { prune } from './prune.ts';
import { openQuarantine, type Quarantine } from './quarantine.ts';
import { openForReading } from './read-only.ts';
import { openRunHistory, type RunHistory } from './run-history.ts';
import { openRunJournal, type RunningRun, unfinishedOperations } from './run-journal.ts';
import { missingEntry, seenEntry, seenHashes, seenWith } from './seen-entries.ts';
import { openSourceCache } from './source-cache.ts';
import { standing } from './standing.ts';
import { refreshUsers } from './user-refresh.ts';

export interface Ledger {
  /** The newest first. */
  entries(limit: number): readonly LedgerEntry[];
  /** What people decided about one user, the newest first. */
  entriesOf(user: UserSid): readonly LedgerEntry[];
  /** See managed.ts. */
  managed(): Iterable<ManagedPerson>;
  managedPerson(externalId: ExternalId): ManagedPerson | undefined;
  grantsOf(user: UserSid): readonly LedgerGrant[];
  /** See ledger.ts. */
  relinkProblems(changes: readonly KeyChange[]): readonly string[];
  relink(changes: readonly KeyChange[], act: Act): void;
  release(externalId: ExternalId, act: Act): void;
  takeBack(user: UserSid, act: Act): void;
}

/** One open snapshot. Everything in it throws StoreError only, but for what a caller's own callback throws. */
export interface Snapshot extends Disposable {
  readonly store: SnapshotStore;
  readonly journal: RunJournal;
  readonly history: RunHistory;
  /** How things stand, for machines that watch. */
  standing(): Standing;
  readonly sourceCache: SourceCache;
  /** What each hook was told of last. */
  readonly told: NoticeStore;
  /** What opening it put right, for the operator to know. */
  readonly notices: readonly string[];
  /** Every user of the mirror with the SCIM resource as last seen, undefined where that may be out of date. */
  resources(): Iterable<{ readonly user: TwilioUser; readonly resource: string | undefined }>;
  /** Lets a refused plan through once. */
  approve(approval: Approval): void;
  /** What people, not runs, change about who manages whom. */
  readonly ledger: Ledger;
  /** Whom and what runs leave alone because Twilio refused it. */
  readonly quarantine: Quarantine;
  /** Proof and export of the history. */
  readonly audit: AuditTrail;
  /** Deletes runs that started before `before` and returns their number; `at` is now. In milliseconds since the epoch. See prune.ts. */
  prune(before: number, at: number): number;
  /** May be called again. */
  close(): void;
}

/**
 * Opens the snapshot at `path`.
 *
 * `write` makes file and folder where they are missing, migrates an older schema, and binds a new snapshot to `organization`.
 * `read` leaves the file as it is: whatever would change it throws InternalError. It works without a file, on a read-only
 * disk, and while another process writes.
 *
 * `organization` undefined: whichever the snapshot belongs to.
 * Throws SnapshotUnusableError (access, disk, lock, or another organization), SnapshotCorruptError or SchemaTooNewError.
 */
export function openSnapshot(path: string, mode: 'write' | 'read', organization: ScopeSid | undefined): Snapshot {
  const file = resolve(path);
  if (mode === 'read') {
    const { database, close } = openForReading(file, organization);
    return assemble(database, mode, [], close);
  }
  const { database, notices } = openForWriting(file, organization);
  return assemble(database, mode, notices, () => database.connection.close());
}

function assemble(
  database: Database,
  mode: 'write' | 'read',
  notices: readonly string[],
  closeDatabase: () => void,
): Snapshot {
  const running: RunningRun = { id: undefined };
  const { resources, ...users } = mirrorUsers(database);
  const close = () => {
    if (database.connection.open) closeDatabase();
  };

  function refuse(): never {
    throw new InternalError(`snapshot ${database.path} was opened for reading and cannot be changed`);
  }

  return {
    store: {
      ...knownToUs(database),
      ...users,
      refreshUsers: () => refreshUsers(database),
      ...mirrorAssignments(database),
      ...mirrorRoles(database),
      blocks: () => database.read('read what is blocked', () => blocks(database)),
      breaker: () => database.read('read the circuit breaker', () => openBreaker(database)),
      owedGrants: () => database.read('look for grants that were never made', () => owedGrants(database)),
      rolesHeld: (user) => database.read('count the roles of a user', () => rolesHeld(database, user)),
      approval: (digest, now) => database.read('look for an approval', () => openApproval(database, digest, now)),
      seenHashes: () => database.read('look at the kept entries', () => seenHashes(database)),
      seenEntry: (externalId) => database.read('look for an entry', () => seenEntry(database, externalId)),
      missingEntry: (externalId) => database.read('look for an entry', () => missingEntry(database, externalId)),
      seenWith: (text) => database.read('look for an entry', () => seenWith(database, text)),
      released: () => database.read('read who was released', () => releasedUsers(database)),
      unfinished: () => database.read('read unfinished operations', () => unfinishedOperations(database, running)),
      ...(mode === 'read' && {
        refreshUsers: refuse,
        refreshAssignments: refuse,
        refreshAssignmentsOf: refuse,
        refreshRoles: refuse,
      }),
    },
    journal:
      mode === 'write'
        ? openRunJournal(database, running)
        : { start: refuse, planned: refuse, saw: refuse, intend: refuse, complete: refuse, end: refuse },
    history: openRunHistory(database),
    standing: () => standing(database),
    sourceCache: openSourceCache(database, mode),
    told: { ...openNotices(database), ...(mode === 'read' && { keepTold: refuse }) },
    notices,
    resources,
    ledger: {
      entries: (limit) => database.read('read the ledger', () => ledgerEntries(database, limit)),
      entriesOf: (user) => database.read('read the ledger', () => ledgerEntriesOf(database, user)),
      managed: () => managedPeople(database),
      managedPerson: (externalId) => database.read('read the links', () => managedPerson(database, externalId)),
      grantsOf: (user) => database.read('read the roles of a user', () => grantsOf(database, user)),
      relinkProblems: (changes) => database.read('look at the links', () => relinkProblems(database, changes)),
      relink: mode === 'write' ? (changes, act) => relink(database, changes, act) : refuse,
      release: mode === 'write' ? (externalId, act) => release(database, externalId, act) : refuse,
      takeBack: mode === 'write' ? (user, act) => takeBack(database, user, act) : refuse,
    },
    quarantine: { ...openQuarantine(database), ...(mode === 'read' && { release: refuse }) },
    approve: mode === 'write' ? (approval) => addApproval(database, approval) : refuse,
    audit: openAuditTrail(database),
    prune: mode === 'write' ? (before, at) => prune(database, before, at) : refuse,
    close,
    [Symbol.dispose]: close,
  };
}
