import type { OperationKind } from './operation.ts';

/** When a run is ended because what fails is not about single people. */
export interface BreakerLimits {
  /** Calls in a row that nobody answered. */
  readonly unanswered: number;
  /** People in a row whom Twilio refused. */
  readonly inARow: number;
  /** The same in percent of the people tried, once there are `sample` of them. */
  readonly percent: number;
  readonly sample: number;
}

/** What several people were refused for. */
export interface FailureCause {
  readonly kind: OperationKind;
  readonly status?: number;
  readonly twilioCode?: number;
  readonly people: number;
  /** Addresses of the first few. */
  readonly examples: readonly string[];
}

/** A breaker that has tripped: of the kinds that failed, the next run tries one operation before any other. */
export interface OpenBreaker {
  /** The first refusal that counted, in milliseconds since the epoch. Whoever was refused since may be none to blame. */
  readonly since: number;
  /** When it tripped last; in milliseconds since the epoch. */
  readonly at: number;
  /** Runs that it ended in a row. */
  readonly attempts: number;
  /** The last of them. */
  readonly run: string;
  readonly kinds: readonly OperationKind[];
  readonly causes: readonly FailureCause[];
}

/** Each cause with the number of people; nobody is named. */
export function causesText(causes: readonly FailureCause[]): string {
  return causes
    .map((cause) => `${causeText(cause)}: ${cause.people === 1 ? '1 person' : `${cause.people} people`}`)
    .join('; ');
}

export function causeText({ kind, status, twilioCode }: FailureCause): string {
  const code = twilioCode === undefined ? '' : ` with code ${twilioCode}`;
  return `${kind} refused${status === undefined ? '' : ` with ${status}`}${code}`;
}
