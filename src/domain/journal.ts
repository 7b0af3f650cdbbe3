/** What the journal is told of a run, and what the snapshot must remember of it. */

import type { Blocked, BlockKey } from './blocked.ts';
import type { OpenBreaker } from './breaker.ts';
import type { AssignmentSid, ExternalId, UserSid } from './identity.ts';
import type { CompleteReadCounts, Finding, FindingCode } from './plan.ts';
import type { Answers, RunStatus } from './run.ts';
import type { ReadManner } from './source-read.ts';
import type { Grant, GrantFindings, GrantRecord, LastApplied, Link, RoleAssignment, TwilioUser } from './user.ts';

/** A person whom Twilio refused: left alone until the desired record changes or `retryAt` has come. */
export interface Parked {
  readonly externalId: ExternalId;
  /** What was refused: the digest of each refused operation, parted by spaces. */
  readonly record: string;
  readonly code: FindingCode;
  readonly message: string;
  /** Milliseconds since the epoch. */
  readonly since: number;
  readonly attempts: number;
  /** Milliseconds since the epoch; undefined waits for a change or a person. */
  readonly retryAt: number | undefined;
}

/** A change to the snapshot that belongs to an operation's outcome, written in the same transaction. */
export type Effect =
  | { readonly effect: 'user'; readonly user: TwilioUser; readonly resource: string }
  /** Deactivated: the mirror's copy is out of date except for `active`. */
  | { readonly effect: 'user-deactivated'; readonly user: UserSid }
  | { readonly effect: 'linked'; readonly link: Link; readonly origin: 'created' | 'adopted' }
  | { readonly effect: 'applied'; readonly externalId: ExternalId; readonly applied: LastApplied }
  | { readonly effect: 'assigned'; readonly assignment: RoleAssignment; readonly origin: GrantRecord['origin'] }
  | { readonly effect: 'revoked'; readonly assignment: AssignmentSid; readonly user: UserSid; readonly grant: Grant }
  | { readonly effect: 'parked'; readonly parked: Parked }
  | { readonly effect: 'unparked'; readonly externalId: ExternalId }
  | { readonly effect: 'blocked'; readonly blocked: Blocked }
  | { readonly effect: 'unblocked'; readonly key: BlockKey }
  | { readonly effect: 'breaker-tripped'; readonly breaker: OpenBreaker }
  /** Whoever was refused since is tried again by the next run. */
  | { readonly effect: 'breaker-closed'; readonly since: number };

export interface RunStart {
  readonly command: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly host: string;
  readonly pid: number;
  readonly user: string;
  /** Guards let through by name for this run, as given: `deactivations=40`. */
  readonly allowances: readonly string[];
  /** Digest of the configuration's deciding part. */
  readonly configuration: string;
  /** Of this program. */
  readonly version: string;
}

export interface RunEnd {
  readonly status: RunStatus;
  readonly at: number;
  readonly findings: readonly Finding[];
  readonly calls: Readonly<Record<string, number>>;
  /** What came back for them; for the totals, not for the history of the run. */
  readonly answers?: Answers;
  /** The error that ended the run, for `failed`. */
  readonly error?: { readonly code: string; readonly message: string };
  /** Absence counts after this run, when its read was complete and it was not refused; replaces the stored ones. */
  readonly absences?: ReadonlyMap<ExternalId, number>;
  /** What the plan found out about grants without an operation; not of a refused run. */
  readonly grants?: GrantFindings;
  /** Counts of the complete read, stored for the guards when the run converged or was applied. */
  readonly read?: CompleteReadCounts;
  /** How long that read took, in milliseconds. */
  readonly readMs?: number;
  /** How the source was read, where there is more than one way. */
  readonly manner?: ReadManner;
  /** People of whom nothing is wanted any more that was refused. */
  readonly unparked?: readonly ExternalId[];
}
