import type { OpenBreaker } from './breaker.ts';
import type { Operation } from './operation.ts';
import type { Finding, Plan, Verdict } from './plan.ts';
import type { ReadManner } from './source-read.ts';

export const runStatuses = ['converged', 'applied', 'partial', 'refused', 'failed', 'interrupted'] as const;
export type RunStatus = (typeof runStatuses)[number];

/** What came back for a request to Twilio: the class of the status, a call for fewer requests whatever its status, or nothing. */
export const answerKinds = ['2xx', '3xx', '4xx', '5xx', 'throttled', 'none'] as const;
export type AnswerKind = (typeof answerKinds)[number];

/** Number of requests by endpoint, such as `GET /scim/v2/Users`, and by what came back. */
export type Answers = Readonly<Record<string, Readonly<Partial<Record<AnswerKind, number>>>>>;

/** What came of one operation. */
export type Outcome =
  | { readonly state: 'done'; readonly requestId?: string }
  /** Twilio already was as wanted when we looked; nothing was written. */
  | { readonly state: 'already'; readonly requestId?: string }
  | { readonly state: 'failed'; readonly code: string; readonly message: string; readonly requestId?: string }
  /** Not tried: an operation it waits for failed, or the run ended first. */
  | { readonly state: 'skipped'; readonly message: string };

export interface OperationReport {
  readonly operation: Operation;
  readonly outcome: Outcome;
}

/** Why operations of a plan were left to the next run although nothing was wrong with them, and how many. */
export interface Unfinished {
  readonly because: 'run-time' | 'rate-limit';
  readonly left: number;
}

/** One pass, as reported to people, JSON and the history. */
export interface RunReport {
  /** Absent for dry runs, which leave no trace. */
  readonly run?: string;
  readonly dryRun: boolean;
  /** `planned`: a dry run that found changes and that the guards let through. */
  readonly status: RunStatus | 'planned';
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly endedAt: number;
  readonly plan: Plan;
  readonly verdict: Verdict;
  /** Of a refused plan the part that takes nothing away, when the configuration lets that be done. */
  readonly additive?: Plan;
  /** How the source was read, where there is more than one way. */
  readonly source?: ReadManner;
  readonly operations: readonly OperationReport[];
  /** Too much was refused, which ended the run. */
  readonly breaker?: OpenBreaker;
  /** Present when time, or Twilio's patience, was over before the operations were. */
  readonly unfinished?: Unfinished;
  readonly findings: readonly Finding[];
  /** Calls made in this run by endpoint, e.g. `GET /scim/v2/Users`. */
  readonly calls: Readonly<Record<string, number>>;
  /** Calls that applying the plan costs, by endpoint, and the seconds they take at the configured rate. */
  readonly bill: Bill;
}

export interface Bill {
  readonly calls: Readonly<Record<string, number>>;
  readonly seconds: number;
}
