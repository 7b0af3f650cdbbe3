/**
 * The circuit breaker: tells a systemic failure from people who are refused one by one. People are counted, not operations.
 *
 * | state     | an operation is refused                                  | an operation succeeds                   |
 * |-----------|----------------------------------------------------------|-----------------------------------------|
 * | closed    | counts, unless that very record was refused before; too many in a row, or too great a share, open it | the row of refusals ends |
 * | half open | of the kinds that failed: opens again                    | of the kinds that failed: closed        |
 * | open      | the run has ended; the next one begins half open         | as before: what was under way is recorded |
 *
 * Half open, one operation of the kinds that failed is under way at a time, and those of people who were refused before
 * wait for somebody who was not: a record that is itself wrong must not keep the breaker open. Other kinds go on.
 * What is refused for a whole domain or for want of room has its own way (engine/blocked.ts) and does not count. Neither does
 * an address that is taken: at a first import half of the people may have a login of their own. Code 70005, with which
 * Twilio answers those who go on failing, opens it at once.
 */
import { type BreakerLimits, causesText, type FailureCause, type OpenBreaker } from '../domain/breaker.ts';
import type { ExternalId } from '../domain/identity.ts';
import type { Operation, OperationKind } from '../domain/operation.ts';
import { writesNothing } from '../engine/bill.ts';
import { BreakerOpenError, type TargetError } from '../errors.ts';

interface Failure {
  readonly operation: Operation;
  readonly error: TargetError;
  readonly at: number;
}

export interface Tripped {
  readonly breaker: OpenBreaker;
  readonly error: BreakerOpenError;
}

export interface Breaker {
  /** `probe`: alone, and what comes of it decides; `wait`: not in this run, unless the breaker has closed. */
  turnOf(operation: Operation): 'go' | 'probe' | 'wait';
  /** When the breaker closes with it, the first refusal that it had counted, in milliseconds since the epoch. */
  succeeded(operation: Operation): { readonly since: number } | undefined;
  /** `isKnown`: the same record was refused before, which says nothing about others. */
  refused(failure: Failure, isKnown: boolean): Tripped | undefined;
  /** True when too many in a row had no answer. */
  unanswered(): boolean;
  answered(): void;
}

export interface BreakerState {
  readonly limits: BreakerLimits;
  readonly open: OpenBreaker | undefined;
  readonly run: string;
  readonly operations: readonly Operation[];
  /** How often a person was refused before. */
  attemptsOf(externalId: ExternalId): number;
}

export function createBreaker({ limits, open, run, operations, attemptsOf }: BreakerState): Breaker {
  const concerns = ({ kind }: Operation) => open?.kinds.includes(kind) === true;
  const least = open === undefined ? 0 : fewest(operations.filter(concerns), attemptsOf);
  let halfOpen = open !== undefined;
  let silent = 0;
  const tried = new Set<ExternalId>();
  const failed = new Map<ExternalId, Failure>();
  const row = new Map<ExternalId, Failure>();

  function trip(failures: readonly Failure[], why: string): Tripped {
    const at = failures.at(-1)?.at ?? 0;
    const breaker: OpenBreaker = {
      since: Math.min(...(halfOpen && open !== undefined ? [open.since] : []), ...failures.map((each) => each.at)),
      at,
      attempts: halfOpen && open !== undefined ? open.attempts + 1 : 1,
      run,
      kinds: [...new Set<OperationKind>([...(halfOpen ? (open?.kinds ?? []) : []), ...failures.map(kindOf)])].sort(),
      causes: causesOf(failures),
    };
    return {
      breaker,
      error: new BreakerOpenError(`apply: stopped, because ${why}: ${causesText(breaker.causes)}`, { hint }),
    };
  }

  return {
    turnOf(operation) {
      if (!halfOpen || !concerns(operation) || asksNothing(operation)) return 'go';
      return attemptsOf(operation.externalId) > least ? 'wait' : 'probe';
    },
    succeeded(operation) {
      if (asksNothing(operation)) return undefined;
      tried.add(operation.externalId);
      row.clear();
      if (!halfOpen || open === undefined || !concerns(operation)) return undefined;
      halfOpen = false;
      return { since: open.since };
    },
    refused(failure, isKnown) {
      const { externalId } = failure.operation;
      if (halfOpen && concerns(failure.operation))
        return trip([failure], 'Twilio still refuses what it refused before');
      if (failure.error.twilioCode === tooMuchFailed) return trip([failure], 'Twilio says that too much has failed');
      if (isKnown) return undefined;
      tried.add(externalId);
      failed.set(externalId, failure);
      row.set(externalId, failure);
      if (row.size >= limits.inARow) return trip([...row.values()], `${row.size} people in a row were refused`);
      const isMuch = failed.size * 100 >= limits.percent * tried.size;
      if (tried.size < limits.sample || !isMuch) return undefined;
      return trip([...failed.values()], `${failed.size} of the ${tried.size} people tried were refused`);
    },
    unanswered: () => ++silent >= limits.unanswered,
    answered() {
      silent = 0;
    },
  };
}

/** Too many failed requests in a row (Twilio's error dictionary). */
const tooMuchFailed = 70005;

const hint =
  'the cause is hardly in these people: look at Twilio, at the roles and at the mapping; the next run tries one of them before the others';

function kindOf({ operation }: Failure): OperationKind {
  return operation.kind;
}

function asksNothing(operation: Operation): boolean {
  return 'activate' in operation && writesNothing(operation);
}

function fewest(operations: readonly Operation[], attemptsOf: BreakerState['attemptsOf']): number {
  return operations.reduce((least, operation) => {
    return asksNothing(operation) ? least : Math.min(least, attemptsOf(operation.externalId));
  }, Number.POSITIVE_INFINITY);
}

const mostExamples = 3;

/** The most frequent first. */
function causesOf(failures: readonly Failure[]): readonly FailureCause[] {
  const causes = new Map<string, FailureCause>();
  for (const { operation, error } of failures) {
    const { status, twilioCode } = error;
    const key = `${operation.kind} ${status} ${twilioCode}`;
    const known = causes.get(key);
    const examples = [...(known?.examples ?? []), operation.userName].slice(0, mostExamples);
    causes.set(key, {
      kind: operation.kind,
      ...(status !== undefined && { status }),
      ...(twilioCode !== undefined && { twilioCode }),
      people: (known?.people ?? 0) + 1,
      examples,
    });
  }
  return [...causes.values()].sort((a, b) => b.people - a.people);
}
