/**
 * Applies a plan: operations start in the plan's order, a few at a time; a phase ends before the next begins, and a person's
 * operations follow one another. Intent is written before each call, outcome and effects after it.
 *
 * | call ends with                          | outcome  | the rest of the run                       |
 * |-----------------------------------------|----------|-------------------------------------------|
 * | success                                 | done     | goes on                                   |
 * | record refused or in conflict           | failed   | goes on; the record is parked, a user who is gone is not |
 * | no answer                               | failed   | goes on; the intent stays open, so the next run looks first. Several in a row end the run |
 * | authorization, contract, rate budget    | failed   | ends                                      |
 * | (the time for a run is over)            | skipped  | ends: what is under way is finished       |
 * | a look or a token that the write needed | failed   | as above, but the intent stays open: the write may have taken effect |
 * | domain not verified, no room for users  | failed   | goes on; whatever else would meet it is skipped (see engine/blocked.ts) |
 * | suspended, owner, too many roles …      | failed   | goes on; whatever else it concerns of the person is skipped (see `concerns`) |
 * | refusals of many people                 | failed   | ends, partial: the breaker trips (see breaker.ts) |
 * | what it waits for failed, or run ending | skipped  |                                           |
 */
import type { OpenBreaker } from '../domain/breaker.ts';
import type { ExternalId } from '../domain/identity.ts';
import { type Operation, phases } from '../domain/operation.ts';
import type { Plan } from '../domain/plan.ts';
import type { OperationReport, Outcome } from '../domain/run.ts';
import {
  BreakerOpenError,
  TargetConflictError,
  TargetError,
  TargetUnavailableError,
  type TdsyncError,
} from '../errors.ts';
import type { Effect } from '../ports.ts';
import { createBreaker } from './breaker.ts';
import type { Context } from './context.ts';
import { type Executed, execute, type Hands } from './execute.ts';
import { createHeldBack, type Parking } from './held-back.ts';
import { answersTheWrite, verdictOn } from './refusal.ts';

export interface Applied {
  /** One for each operation of the plan, in its order. */
  readonly operations: readonly OperationReport[];
  /** What ended the run before its time. */
  readonly fatal: TdsyncError | undefined;
  /** Set when `fatal` is that too much was refused. */
  readonly breaker: OpenBreaker | undefined;
  /** Operations that are as they were, because the run ended before their turn or Twilio had no room for them. */
  readonly left: number;
  /** The time for a run was over before all had their turn. */
  readonly outOfTime: boolean;
}

/** Milliseconds for which signals may have to wait. */
const breathMs = 100;

export async function applyPlan(
  run: string,
  plan: Plan,
  parking: Parking & { readonly breaker?: OpenBreaker | undefined },
  context: Context,
  signal: AbortSignal,
  /** Milliseconds since the epoch after which no operation is begun. */
  endBy = Number.POSITIVE_INFINITY,
): Promise<Applied> {
  const { journal, clock, logger, progress } = context;
  const hands: Hands = { ...context, created: new Map(), returned: new Map() };
  const heldBack = createHeldBack(parking, hands.created, context);
  const breaker = createBreaker({
    limits: context.breaker,
    open: parking.breaker,
    run,
    operations: plan.operations,
    attemptsOf: heldBack.attemptsOf,
  });
  const outcomes = new Map<string, Promise<Outcome>>();
  const byPerson = new Map<ExternalId, Promise<Outcome>>();
  const underWay = new Set<Promise<unknown>>();
  let fatal: unknown;
  let tripped: OpenBreaker | undefined;
  let done = 0;
  let phase = 0;
  let breathed = clock.now();

  for (const operation of plan.operations) {
    // What asks nothing of Twilio never lets the event loop turn, and a signal would wait for the last of a hundred thousand.
    if (clock.now() - breathed >= breathMs) {
      await clock.sleep(0);
      breathed = clock.now();
    }
    const next = Math.max(phase, phases[operation.kind]);
    if (next > phase) await Promise.all(underWay);
    phase = next;
    while (underWay.size >= context.maxConcurrent) await Promise.race(underWay);
    const earlier = byPerson.get(operation.externalId);
    // What comes of it decides about those that come after.
    const isProbe = breaker.turnOf(operation) === 'probe' || heldBack.decides(operation);
    const work = perform(operation, earlier);
    outcomes.set(operation.id, work);
    byPerson.set(operation.externalId, work);
    const tracked: Promise<unknown> = work.then(
      () => underWay.delete(tracked),
      (error: unknown) => {
        fatal ??= error;
        underWay.delete(tracked);
      },
    );
    underWay.add(tracked);
    if (isProbe) await tracked;
  }
  await Promise.all(underWay);
  progress.clear();
  if (fatal !== undefined && !(fatal instanceof TargetError) && !(fatal instanceof BreakerOpenError)) throw fatal;

  const operations = await Promise.all(
    plan.operations.map(async (operation) => ({ operation, outcome: await (outcomes.get(operation.id) ?? unstarted) })),
  );
  const left = operations.filter(({ outcome }) => isLeft(outcome)).length;
  const outOfTime = operations.some(({ outcome }) => outcome === tooLate);
  return { operations, fatal, breaker: tripped, left, outOfTime };

  async function perform(operation: Operation, earlier: Promise<Outcome> | undefined): Promise<Outcome> {
    await earlier;
    // Awaited in any case: whoever waits for nothing must not start before whoever waited for what is done.
    const before = await (operation.after === undefined ? undefined : outcomes.get(operation.after));
    if (fatal !== undefined || signal.aborted) return unstarted;
    if (clock.now() >= endBy) return tooLate;
    if (before !== undefined && before.state !== 'done' && before.state !== 'already') {
      const message =
        before.state === 'skipped' ? before.message : `waits for "${operation.after}", which did not succeed`;
      return settle(operation, { state: 'skipped', message }, []);
    }

    const against = heldBack.reasonAgainst(operation);
    if (against !== undefined) {
      return settle(operation, { state: 'skipped', message: against.message }, against.effects);
    }
    if (breaker.turnOf(operation) === 'wait') {
      const message = `waits until Twilio takes a ${operation.kind} of somebody who was never refused: the circuit breaker is open`;
      return settle(operation, { state: 'skipped', message }, []);
    }

    journal.intend(run, operation, clock.now());
    let executed: Executed;
    try {
      executed = await execute(operation, hands);
    } catch (error) {
      if (!(error instanceof TargetError)) throw error;
      return refused(operation, error);
    }
    breaker.answered();
    const { state, requestId, effects } = executed;
    const outcome: Outcome = { state, ...(requestId !== undefined && { requestId }) };
    const { id, externalId, userName, reason } = operation;
    logger.info({ run, operation: id, externalId, userName, reason, state, requestId }, `${operation.kind} ${state}`);
    return settle(operation, outcome, [
      ...effects,
      ...heldBack.succeeded(operation, state),
      ...(state === 'done' ? closed(operation) : []),
    ]);
  }

  function closed(operation: Operation): Effect[] {
    const over = breaker.succeeded(operation);
    if (over === undefined) return [];
    logger.info({ run, operation: operation.id }, 'circuit breaker closed: Twilio takes again what it refused');
    return [{ effect: 'breaker-closed', since: over.since }];
  }

  function refused(operation: Operation, error: TargetError): Outcome {
    const { code, requestId } = error;
    const message = error.hint === undefined ? error.message : `${error.message}. ${error.hint}`;
    const outcome: Outcome = { state: 'failed', code, message, ...(requestId !== undefined && { requestId }) };
    logger.warn({ run, operation: operation.id, code, requestId }, error.message);
    if (error instanceof TargetUnavailableError) {
      if (breaker.unanswered()) fatal ??= error;
      return report(outcome);
    }
    breaker.answered();
    const decision = verdictOn(error);
    if (decision === 'stop') fatal ??= error;
    if (!answersTheWrite(error)) return report(outcome);
    if (decision === 'stop') return settle(operation, outcome, []);
    // Not after what is remembered of the person, whom the breaker lets go again by that time.
    const at = clock.now();
    const isBlock = heldBack.isBlock(operation, error);
    const effects = isBlock || decision === 'park' ? heldBack.refused(operation, error) : [];
    return settle(operation, outcome, isBlock ? effects : [...effects, ...judge(operation, error, at)]);
  }

  /** Whether this refusal is one too many. */
  function judge(operation: Operation, error: TargetError, at: number): Effect[] {
    // That somebody else has the address, or changed the record, is about this person, however many there are.
    if (error instanceof TargetConflictError) return [];
    const over = breaker.refused({ operation, error, at }, heldBack.isKnown(operation));
    if (over === undefined || fatal !== undefined) return [];
    fatal = over.error;
    tripped = over.breaker;
    return [{ effect: 'breaker-tripped', breaker: over.breaker }];
  }

  function settle(operation: Operation, outcome: Outcome, effects: readonly Effect[]): Outcome {
    journal.complete(run, operation, outcome, effects, clock.now());
    return report(outcome);
  }

  function report(outcome: Outcome): Outcome {
    progress.update('applying', ++done, plan.operations.length);
    return outcome;
  }
}

const unstarted: Outcome = { state: 'skipped', message: 'the run ended before its turn; the next run plans it again' };
const tooLate: Outcome = { state: 'skipped', message: 'the time for a run was over; the next run goes on with it' };

function isLeft(outcome: Outcome): boolean {
  return outcome === unstarted || outcome === tooLate || (outcome.state === 'failed' && outcome.code === rateLimited);
}

/** Of a request that Twilio did not process. */
const rateLimited: TdsyncError['code'] = 'twilio-rate-limited';
