/**
 * Applies a plan: operations start in the plan's order, a few at a time; a phase ends before the next begins, and a person's
 * operations follow one another. Intent is written before each call, outcome and effects after it.
 *
 * | call ends with                          | outcome  | the rest of the run                       |
 * |-----------------------------------------|----------|-------------------------------------------|
 * | success                                 | done     | goes on                                   |
 * | record refused or in conflict           | failed   | goes on; the record is parked, a user who is gone is not |
 * | no answer                               | failed   | goes on; the intent stays open, so the next run looks first. Three in a row end the run |
 * | authorization, contract, rate budget    | failed   | ends                                      |
 * | a look or a token that the write needed | failed   | as above, but the intent stays open: the write may have taken effect |
 * | domain not verified, no room for users  | failed   | goes on; whatever else would meet it is skipped (see engine/blocked.ts) |
 * | what it waits for failed, or run ending | skipped  |                                           |
 */
import type { Blocked, BlockKey } from '../domain/blocked.ts';
import type { ExternalId } from '../domain/identity.ts';
import { type Operation, phases } from '../domain/operation.ts';
import type { Plan } from '../domain/plan.ts';
import type { OperationReport, Outcome } from '../domain/run.ts';
import { blockedBy, blockOn, blocksOf, refusalText } from '../engine/blocked.ts';
import { TargetError, TargetUnavailableError, type TdsyncError } from '../errors.ts';
import type { Effect, Parked } from '../ports.ts';
import type { Context } from './context.ts';
import { type Executed, execute, type Hands } from './execute.ts';
import { answersTheWrite, block, park, verdictOn } from './refusal.ts';

export interface Applied {
  /** One for each operation of the plan, in its order. */
  readonly operations: readonly OperationReport[];
  /** What ended the run before its time. */
  readonly fatal: TdsyncError | undefined;
}

/** What Twilio refused in earlier runs, and the people of whom the plan leaves something out for that. */
export interface Parking {
  readonly parked: ReadonlyMap<ExternalId, Parked>;
  readonly waiting: ReadonlySet<ExternalId>;
  /** Blocks of earlier runs: those whose time has not come are not in the plan. */
  readonly blocked?: ReadonlyMap<BlockKey, Blocked>;
}

const unansweredInARow = 3;
/** Milliseconds for which signals may have to wait. */
const breathMs = 100;

export async function applyPlan(
  run: string,
  plan: Plan,
  parking: Parking,
  context: Context,
  signal: AbortSignal,
): Promise<Applied> {
  const { journal, clock, logger, progress } = context;
  const hands: Hands = { ...context, created: new Map(), returned: new Map() };
  const refusals = new Map<ExternalId, Parked>();
  const blocked = new Map<BlockKey, Blocked>();
  const outcomes = new Map<string, Promise<Outcome>>();
  const byPerson = new Map<ExternalId, Promise<Outcome>>();
  const underWay = new Set<Promise<unknown>>();
  let fatal: unknown;
  let unanswered = 0;
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
  }
  await Promise.all(underWay);
  progress.clear();
  if (fatal !== undefined && !(fatal instanceof TargetError)) throw fatal;

  const operations = await Promise.all(
    plan.operations.map(async (operation) => ({ operation, outcome: await (outcomes.get(operation.id) ?? unstarted) })),
  );
  return { operations, fatal };

  async function perform(operation: Operation, earlier: Promise<Outcome> | undefined): Promise<Outcome> {
    await earlier;
    // Awaited in any case: whoever waits for nothing must not start before whoever waited for what is done.
    const before = await (operation.after === undefined ? undefined : outcomes.get(operation.after));
    if (fatal !== undefined || signal.aborted) return unstarted;
    if (before !== undefined && before.state !== 'done' && before.state !== 'already') {
      const message =
        before.state === 'skipped' ? before.message : `waits for "${operation.after}", which did not succeed`;
      return settle(operation, { state: 'skipped', message }, []);
    }

    const met = blockOn(operation, blocked, clock.now());
    if (met !== undefined) return settle(operation, { state: 'skipped', message: refusalText(met.key) }, []);

    journal.intend(run, operation, clock.now());
    let executed: Executed;
    try {
      executed = await execute(operation, hands);
    } catch (error) {
      if (!(error instanceof TargetError)) throw error;
      return refused(operation, error);
    }
    unanswered = 0;
    const { state, requestId, effects } = executed;
    const outcome: Outcome = { state, ...(requestId !== undefined && { requestId }) };
    const { id, externalId, userName, reason } = operation;
    logger.info({ run, operation: id, externalId, userName, reason, state, requestId }, `${operation.kind} ${state}`);
    return settle(operation, outcome, [
      ...effects,
      ...freed(operation),
      ...(state === 'done' ? unblocked(operation) : []),
    ]);
  }

  /** Success frees a person when nothing of theirs is refused any more. */
  function freed({ externalId }: Operation): Effect[] {
    const waits = parking.waiting.has(externalId) || refusals.has(externalId);
    return parking.parked.has(externalId) && !waits ? [{ effect: 'unparked', externalId }] : [];
  }

  /** Success shows that Twilio takes the domain, and has room. */
  function unblocked(operation: Operation): Effect[] {
    return blocksOf(operation).flatMap((key) => {
      const stands = !blocked.has(key) && parking.blocked?.has(key) === true;
      return stands ? [{ effect: 'unblocked', key }] : [];
    });
  }

  function refused(operation: Operation, error: TargetError): Outcome {
    const { code, requestId } = error;
    const message = error.hint === undefined ? error.message : `${error.message}. ${error.hint}`;
    const outcome: Outcome = { state: 'failed', code, message, ...(requestId !== undefined && { requestId }) };
    logger.warn({ run, operation: operation.id, code, requestId }, error.message);
    if (error instanceof TargetUnavailableError) {
      unanswered++;
      if (unanswered >= unansweredInARow) fatal ??= error;
      return report(outcome);
    }
    unanswered = 0;
    const decision = verdictOn(error);
    if (decision === 'stop') fatal ??= error;
    if (!answersTheWrite(error)) return report(outcome);
    return settle(operation, outcome, decision === 'park' ? keepBack(operation, error) : []);
  }

  function keepBack(operation: Operation, error: TargetError): Effect[] {
    const key = blockedBy(operation, error.twilioCode);
    if (key === undefined) return [parkIt(operation, error)];
    if (blocked.has(key)) return [];
    const known = block(key, parking.blocked?.get(key), clock.now());
    blocked.set(key, known);
    return [{ effect: 'blocked', blocked: known }];
  }

  function parkIt(operation: Operation, error: TargetError): Effect {
    const { externalId } = operation;
    const known = { earlier: parking.parked.get(externalId), now: refusals.get(externalId) };
    const parked = park(operation, error, known, clock.now());
    refusals.set(externalId, parked);
    return { effect: 'parked', parked };
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
