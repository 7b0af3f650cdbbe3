/** How things stand, in numbers and names of kinds: nothing in it says who somebody is. */

import type { OperationKind } from './operation.ts';
import type { FindingCode } from './plan.ts';
import type { Answers, RunStatus } from './run.ts';

/** What operations come to; `unknown`: the call was made, and nobody saw its end. */
export const operationOutcomes = ['done', 'already', 'failed', 'skipped', 'unknown'] as const;
export type OperationOutcome = (typeof operationOutcomes)[number];

export interface Standing {
  /** Undefined: there was none yet. Times are milliseconds since the epoch. */
  readonly lastRun:
    | {
        readonly status: RunStatus | 'running';
        readonly startedAt: number;
        /** Undefined while it goes on, and for one that died. */
        readonly endedAt: number | undefined;
        /** Code of the error that ended it. */
        readonly error: string | undefined;
      }
    | undefined;
  /** When the last run that converged or was applied ended. */
  readonly lastGoodRunAt: number | undefined;
  /** A plan stands refused. */
  readonly planRefused: boolean;
  /** Linked people. */
  readonly managed: number;
  /** Linked people who were missing from the last complete read and are not yet leavers by it. */
  readonly missing: number;
  /** People whom Twilio refused, and who are left alone for now. */
  readonly quarantined: number;
  /** Domains, or the organization as a whole, for which Twilio refuses something. */
  readonly blocks: number;
  /** A systemic failure holds back all operations of its kinds but one. */
  readonly breakerOpen: boolean;
  /** Of the last run that ended with a plan. */
  readonly findings: Readonly<Partial<Record<FindingCode, number>>>;
  /** The last complete read of a run that converged or was applied. */
  readonly lastRead: LastRead | undefined;
  readonly totals: Totals;
  /** Of the file and its write-ahead log; 0 when there is none. */
  readonly snapshotBytes: number;
}

export interface LastRead {
  readonly entries: number;
  readonly inScope: number;
  /** Undefined for a read of an earlier version. */
  readonly durationMs: number | undefined;
}

/** Of all runs that ever ended on this snapshot, also those that retention has removed: they only grow. */
export interface Totals {
  readonly runs: Readonly<Partial<Record<RunStatus, number>>>;
  /** Runs that ended with an error, by its code. */
  readonly errors: Readonly<Record<string, number>>;
  readonly operations: Readonly<Partial<Record<OperationKind, Readonly<Partial<Record<OperationOutcome, number>>>>>>;
  /** Requests to Twilio by endpoint, such as `GET /scim/v2/Users`. */
  readonly requests: Answers;
}
