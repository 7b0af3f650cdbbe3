import type { BreakerLimits } from '../domain/breaker.ts';
import type { Rules } from '../domain/rules.ts';
import type { CompiledRules } from '../engine/compile.ts';
import type { Clock, DirectorySource, Logger, Progress, RunJournal, SnapshotStore, TargetDirectory } from '../ports.ts';

/** Everything a run needs, put together once by the entry point. */
export interface Context {
  readonly rules: Rules;
  readonly compiled: CompiledRules;
  /** Digest of the configuration's deciding part. */
  readonly configuration: string;
  readonly source: DirectorySource;
  readonly target: TargetDirectory;
  readonly store: SnapshotStore;
  readonly journal: RunJournal;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly progress: Progress;
  /** Milliseconds for which the mirror is believed. */
  readonly refreshUsersMs: number;
  readonly refreshAssignmentsMs: number;
  /** Calls per second that Twilio is asked at most, for the bill. */
  readonly requestsPerSecond: number;
  readonly breaker: BreakerLimits;
  /** Milliseconds after its start at which a run begins no further operation; undefined: it may take as long as it takes. */
  readonly maxRunTimeMs?: number | undefined;
  /** Writes under way at once. */
  readonly maxConcurrent: number;
}
