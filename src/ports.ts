import type { Blocked } from './domain/blocked.ts';
import type { OpenBreaker } from './domain/breaker.ts';
import type { CallNames } from './domain/call-names.ts';
import type { CompleteRead, Demand, Entry } from './domain/entry.ts';
import type { Email, ExternalId, ScopeSid, UserSid } from './domain/identity.ts';
import type { Effect, Parked, RunEnd, RunStart } from './domain/journal.ts';
import type { KnownList, MirrorAges, UserRefresh } from './domain/mirror.ts';
import type { Operation } from './domain/operation.ts';
import type { Approval, CompleteReadCounts, Plan, Verdict } from './domain/plan.ts';
import type { Answers, Outcome } from './domain/run.ts';
import type { MissingEntry, Seen, SeenEntry } from './domain/seen-entry.ts';
import type { IncrementalReads } from './domain/source-read.ts';
import type {
  Account,
  Grant,
  GrantRecord,
  LastApplied,
  Link,
  Role,
  RoleAssignment,
  TextAttributes,
  TwilioUser,
} from './domain/user.ts';

export type { AuthorizationStore } from './domain/authorization.ts';
export type { CallNames } from './domain/call-names.ts';
export type { Effect, Parked, RunEnd, RunStart } from './domain/journal.ts';
export type { KnownList, KnownStretch, MirrorAges, UserRefresh } from './domain/mirror.ts';
export type { Hook, NoticeStore } from './domain/notice.ts';

/** Time, injected so that tests decide it. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Resolves after `ms` milliseconds; rejects with the signal's reason when it aborts first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** What pino satisfies structurally. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** Tells a terminal how far long work has come; everything else ignores it. */
export interface Progress {
  /** `total` undefined while unknown. Cheap to call for each item. */
  update(activity: string, done: number, total?: number): void;
  clear(): void;
}

/** The authoritative directory. */
export interface DirectorySource {
  /** For people: file name, or server and base. */
  readonly description: string;
  /**
   * Hands over every entry, one by one, then proves that it saw everything by resolving.
   * `onEntry` is synchronous and must not keep the entry unless it needs it; what it throws ends the read.
   * Throws SourceUnavailableError or SourceIncompleteError; after either, what was handed over proves nothing.
   */
  read(demand: Demand, onEntry: (entry: Entry) => void, signal: AbortSignal): Promise<CompleteRead>;
  /** Of a source that is set to read only what changed; for whoever uses its reads that makes no difference. */
  readonly incremental?: IncrementalReads;
}

/** A user together with the JSON it came in, which a later replacement writes back. */
export interface UserResource {
  readonly user: TwilioUser;
  /** The SCIM resource as Twilio sent it, JSON text. */
  readonly resource: string;
}

export interface UserChange {
  readonly attributes: TextAttributes;
  readonly active?: boolean;
  /** Sent when Twilio has none; Twilio may ignore it. */
  readonly externalId?: ExternalId;
}

/** `already`: Twilio was as wanted when we looked, after a lost answer or because somebody else did it. */
export type WriteResult = UserResource & {
  readonly state: 'done' | 'already';
  readonly requestId: string | undefined;
};

/**
 * The Twilio organization. Reads take a signal; writes do not, because a write that was sent must be waited for.
 * Every method throws TargetError only. A write that ends in a thrown TargetUnavailableError may or may not have taken effect.
 */
export interface TargetDirectory {
  /**
   * Every user of the organization, streamed; resolves with their number.
   * Throws TargetContractError when the list does not prove to be complete.
   */
  listUsers(
    /** `resource` is undefined when the user was recognised in `known`. */
    onUser: (user: TwilioUser, resource: string | undefined) => void,
    signal: AbortSignal,
    /** The list as it was before: what has not changed by a letter is not read again. */
    known?: KnownList,
  ): Promise<number>;
  readUser(user: UserSid, signal: AbortSignal): Promise<UserResource | undefined>;
  findUser(
    by: { readonly userName: Email } | { readonly externalId: ExternalId },
    signal: AbortSignal,
  ): Promise<UserResource | undefined>;
  /** Never posts twice for one person: a lost answer is followed by a look-up. */
  createUser(externalId: ExternalId, attributes: TextAttributes & { readonly userName: string }): Promise<WriteResult>;
  /**
   * Read, overlay, write back under the version read. `known` is the resource as last seen and spares the read while its version holds.
   * Attributes that the change does not name stay as Twilio has them.
   */
  updateUser(user: UserSid, change: UserChange, known: string | undefined): Promise<WriteResult>;
  deactivateUser(
    user: UserSid,
  ): Promise<{ readonly state: 'done' | 'already'; readonly requestId: string | undefined }>;
  listAssignments(
    by: { readonly scope: ScopeSid } | { readonly user: UserSid },
    onAssignment: (assignment: RoleAssignment) => void,
    signal: AbortSignal,
  ): Promise<number>;
  /** Never leaves a duplicate: a lost answer is followed by a look-up. */
  assignRole(
    user: UserSid,
    grant: Grant,
  ): Promise<{
    readonly state: 'done' | 'already';
    readonly assignment: RoleAssignment;
    readonly requestId: string | undefined;
    /** It was there before: none of our requests can have made it. */
    readonly found?: boolean;
  }>;
  revokeRole(
    assignment: RoleAssignment,
  ): Promise<{ readonly state: 'done' | 'already'; readonly requestId: string | undefined }>;
  /** Undefined when this generation of the API lists no roles; then only SIDs can name them. */
  listRoles(signal: AbortSignal): Promise<readonly Role[] | undefined>;
  /** Undefined when this application may not list accounts; then only SIDs can name scopes. */
  listAccounts(signal: AbortSignal): Promise<readonly Account[] | undefined>;
  /** Calls made so far by endpoint, e.g. `PUT /scim/v2/Users/{id}`. */
  readonly calls: Readonly<Record<string, number>>;
  /** What came back for them. */
  readonly answers: Answers;
  /** For bills. */
  readonly names: CallNames;
}

/** The SQLite snapshot: mirror, links, last-applied values. All synchronous, no transaction outlives a call. */
export interface SnapshotStore {
  // What a plan is computed from.
  links(): Iterable<Link>;
  lastApplied(externalId: ExternalId): LastApplied | undefined;
  /** Whether we created this linked user after that time, in milliseconds since the epoch. */
  createdSince(externalId: ExternalId, time: number): boolean;
  /** Number of complete reads in a row that each linked person was missing from. */
  absences(): ReadonlyMap<ExternalId, number>;
  /** Grants that we made, or found and took over; also those that Twilio no longer shows. */
  grantRecords(): Iterable<GrantRecord>;
  /** Of those, the ones made or found since then, in milliseconds since the epoch. */
  grantsSince(at: number): readonly RoleAssignment[];
  parked(): Iterable<Parked>;
  blocks(): readonly Blocked[];
  /** What a systemic failure left; undefined when none did, or it is over. */
  breaker(): OpenBreaker | undefined;
  /** Ids of the grants that were planned with somebody's creation and never made, although the person was created. */
  owedGrants(): ReadonlySet<string>;
  /** Roles that the mirror shows of one person. */
  rolesHeld(user: UserSid): number;
  /** What there was at the last complete read of an applied or converged run. */
  lastCompleteRead(): CompleteReadCounts | undefined;
  /** Operations whose intent was written and whose outcome was not: a process died in between. */
  unfinished(): readonly Operation[];
  /** Users who were given back to manual care, with the key they were linked to: never changed, never adopted. */
  released(): ReadonlyMap<UserSid, ExternalId>;
  /** What lets this plan through although guards refuse it: unused, and not expired at `now`. */
  approval(digest: string, now: number): Approval | undefined;

  /** The hashes of all kept entries. */
  seenHashes(): ReadonlySet<number>;
  /** A person's entry as a run last kept it. */
  seenEntry(externalId: ExternalId): SeenEntry | undefined;
  /** The last kept entry of a person whom the source no longer holds. */
  missingEntry(externalId: ExternalId): MissingEntry | undefined;
  /** Keys of at most two kept entries, also of people who are missing, that hold this text as a value. */
  seenWith(text: string): readonly ExternalId[];

  // Mirror of Twilio.
  ages(): MirrorAges;
  users(onUser: (user: TwilioUser) => void): void;
  /** The SCIM resource as last seen; undefined when it may be out of date. */
  resource(user: UserSid): string | undefined;
  assignments(): Iterable<RoleAssignment>;
  roles(): readonly Role[];
  accounts(): readonly Account[] | undefined;
  /** Replaces the mirror of users when `finish` is called; what was not added is gone then. */
  refreshUsers(): UserRefresh;
  refreshAssignments(scope: ScopeSid, assignments: readonly RoleAssignment[], at: number): void;
  /** Replaces the mirror of one person's assignments. */
  refreshAssignmentsOf(user: UserSid, assignments: readonly RoleAssignment[]): void;
  refreshRoles(roles: readonly Role[], accounts: readonly Account[] | undefined, at: number): void;
}

/** The history: append-only. */
export interface RunJournal {
  /** Returns the run's id, which sorts by time. Marks runs that never ended as interrupted. */
  start(run: RunStart): string;
  /** Keeps the plan's verdict, the operations of the plan that is carried out as pending, and a refused plan itself for review. Uses up the approval that the verdict names. */
  planned(
    run: string,
    plan: Plan,
    verdict: Verdict,
    carriedOut: Plan | undefined,
    at: number,
    /** What the plan's reading shows of operations whose end nobody saw; kept when something is carried out. */
    settled?: readonly Effect[],
  ): void;
  /** Keeps what the source said of people in scope, or linked, so that it can be explained later. */
  saw(run: string, seen: Seen, at: number): void;
  /** Before the call. */
  intend(run: string, operation: Operation, at: number): void;
  /** After it: outcome and effects in one transaction. */
  complete(run: string, operation: Operation, outcome: Outcome, effects: readonly Effect[], at: number): void;
  end(run: string, end: RunEnd): void;
}
