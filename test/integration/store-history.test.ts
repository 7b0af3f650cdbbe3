import { describe, expect, test } from 'vitest';
import type { Plan, Verdict } from '../../src/domain/plan.ts';
import type { Outcome, RunStatus } from '../../src/domain/run.ts';
import type { Snapshot } from '../../src/store/snapshot.ts';
import { externalId, link } from '../support/builders.ts';
import {
  allowed,
  endOf,
  finding,
  morning,
  open,
  planOf,
  refused,
  snapshotPath,
  startOf,
  update,
} from '../support/snapshots.ts';

const day = 86_400_000;

function runOnce(
  { journal }: Snapshot,
  status: RunStatus,
  plan?: Plan,
  verdict: Verdict = allowed,
  at = morning,
): string {
  const run = journal.start(startOf({ at }));
  if (plan !== undefined) journal.planned(run, plan, verdict, verdict.allowed ? plan : undefined, morning);
  journal.end(run, endOf({ status, at: at + 1_000 }));
  return run;
}

describe('the history', () => {
  test('is empty in a new snapshot', () => {
    const { history } = open(snapshotPath());

    expect(history.runs(10)).toEqual([]);
    expect(history.run('20261124T091500Z-001')).toBeUndefined();
    expect([history.lastRun(), history.lastGoodRun(), history.refusedPlan()]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    expect(history.openFindings()).toEqual([]);
    expect([history.managed(), history.pendingAbsences()]).toEqual([0, 0]);
  });

  test('tells everything that a run was and did', () => {
    const { journal, history } = open(snapshotPath());
    const outcomes: readonly Outcome[] = [
      { state: 'done', requestId: 'RQ1' },
      { state: 'already' },
      { state: 'failed', code: 'twilio-rejected', message: 'invalid locale', requestId: 'RQ2' },
      { state: 'skipped', message: 'waits for "update emp-2"' },
    ];
    const operations = outcomes.map((_, i) => update(`emp-${i}`, i));
    const untried = update('emp-9', 9);
    const plan = planOf([...operations, untried], { findings: [finding('emp-5')] });
    const run = journal.start(startOf({ allowances: ['deactivations=40'] }));

    journal.planned(run, plan, allowed, plan, morning);
    outcomes.forEach((outcome, i) => {
      const operation = operations[i] ?? untried;
      if (outcome.state !== 'skipped') journal.intend(run, operation, morning + i);
      journal.complete(run, operation, outcome, [], morning + i + 1);
    });
    journal.end(
      run,
      endOf({
        status: 'failed',
        calls: { 'GET /scim/v2/Users': 3 },
        error: { code: 'twilio-unauthorized', message: 'the token was refused' },
      }),
    );

    const details = history.run(run);
    expect(details?.summary).toEqual({
      id: run,
      status: 'failed',
      command: 'reconcile',
      host: 'sync-1',
      pid: 42,
      user: 'tdsync',
      allowances: ['deactivations=40'],
      startedAt: morning,
      endedAt: morning + 60_000,
      digest: plan.digest,
      counts: plan.counts,
      operations: { update: { done: 1, already: 1, failed: 1, skipped: 1, pending: 1 } },
      findings: 1,
      error: { code: 'twilio-unauthorized', message: 'the token was refused' },
    });
    expect(details?.verdict).toEqual(allowed);
    expect(details?.findings).toEqual([finding('emp-5')]);
    expect(details?.calls).toEqual({ 'GET /scim/v2/Users': 3 });
    expect(details?.operations.map(({ operation }) => operation)).toEqual(plan.operations);
    expect(details?.operations.map(({ outcome }) => outcome)).toEqual([...outcomes, undefined]);
    expect(details?.operations.map(({ intendedAt }) => intendedAt)).toEqual([
      morning,
      morning + 1,
      morning + 2,
      undefined,
      undefined,
    ]);
  });

  test('counts the operations of a running run as they stand', () => {
    const { journal, history } = open(snapshotPath());
    const run = journal.start(startOf());
    journal.planned(
      run,
      planOf([update('emp-1', 1), update('emp-2', 2)]),
      allowed,
      planOf([update('emp-1', 1), update('emp-2', 2)]),
      morning,
    );

    journal.intend(run, update('emp-1', 1), 1);

    expect(history.lastRun()?.operations).toEqual({ update: { pending: 1, intended: 1 } });
  });

  test('lists runs from the newest, a page at a time', () => {
    const snapshot = open(snapshotPath());
    const ids = [1, 2, 3, 4, 5].map(() => runOnce(snapshot, 'converged'));
    const { history } = snapshot;

    const first = history.runs(2).map(({ id }) => id);
    const second = history.runs(2, first[1]).map(({ id }) => id);
    const third = history.runs(2, second[1]).map(({ id }) => id);

    expect([...first, ...second, ...third]).toEqual(ids.toReversed());
    expect(history.runs(2, 'no such run')).toEqual([]);
  });

  test('knows the last good run behind failed ones', () => {
    const snapshot = open(snapshotPath());
    const good = runOnce(snapshot, 'applied', planOf([]));
    for (const status of ['partial', 'failed', 'refused', 'interrupted'] as const) runOnce(snapshot, status);

    expect(snapshot.history.lastGoodRun()?.id).toBe(good);
  });

  test('shows the findings of the last run that had a plan', () => {
    const snapshot = open(snapshotPath());
    runOnce(snapshot, 'converged', planOf([], { findings: [finding('emp-1')] }));
    runOnce(snapshot, 'partial', planOf([], { findings: [finding('emp-2')] }));
    runOnce(snapshot, 'failed');

    expect(snapshot.history.openFindings()).toEqual([finding('emp-2')]);
  });

  test('lists what was done to one person', () => {
    const snapshot = open(snapshotPath());
    const first = runOnce(snapshot, 'applied', planOf([update('emp-1', 1, 'A'), update('emp-2', 2)]));
    const second = runOnce(snapshot, 'applied', planOf([update('emp-1', 1, 'B')]));

    const operations = snapshot.history.operationsOf(externalId('emp-1'), 10);

    expect(operations.map(({ run, operation }) => [run, operation])).toEqual([
      [second, update('emp-1', 1, 'B')],
      [first, update('emp-1', 1, 'A')],
    ]);
  });
});

describe('a refused plan', () => {
  const plan = planOf([update('emp-1', 1)], { digest: 'a'.repeat(64) });

  test('stands with its verdict until a later run gets its plan through', () => {
    const snapshot = open(snapshotPath());
    const run = runOnce(snapshot, 'refused', plan, refused);

    runOnce(snapshot, 'failed');
    runOnce(snapshot, 'refused'); // stale: ended before its plan was kept
    expect(snapshot.history.refusedPlan()).toEqual({ digest: plan.digest, plan, verdict: refused, run, at: morning });

    runOnce(snapshot, 'converged', planOf([]));
    expect(snapshot.history.refusedPlan()).toBeUndefined();
  });

  test('that is made again stands for the later run, and is kept once', () => {
    const snapshot = open(snapshotPath());
    runOnce(snapshot, 'refused', plan, refused);
    runOnce(snapshot, 'refused', planOf([], { digest: 'b'.repeat(64) }), refused);

    const again = runOnce(snapshot, 'refused', plan, refused);

    expect(snapshot.history.refusedPlan()).toMatchObject({ digest: plan.digest, run: again });
  });

  test('gives way to later ones after ten, and is still counted in its run', () => {
    const snapshot = open(snapshotPath());
    const run = runOnce(snapshot, 'refused', plan, refused);

    for (let i = 0; i < 10; i += 1) runOnce(snapshot, 'refused', planOf([], { digest: `${i}`.repeat(64) }), refused);

    expect(snapshot.history.run(run)?.operations).toEqual([]);
    expect(snapshot.history.run(run)?.summary.operations).toEqual({ update: { pending: 1 } });
    expect(snapshot.history.refusedPlan()?.digest).toBe('9'.repeat(64));
  });
});

describe('pruning', () => {
  test('deletes old runs with their operations and findings, and never a link', () => {
    const snapshot = open(snapshotPath());
    const old = snapshot.journal.start(startOf({ at: morning - 100 * day }));
    const operation = update('emp-1', 1);
    snapshot.journal.planned(
      old,
      planOf([operation], { findings: [finding('emp-7')] }),
      allowed,
      planOf([operation], { findings: [finding('emp-7')] }),
      morning,
    );
    snapshot.journal.complete(
      old,
      operation,
      { state: 'done' },
      [{ effect: 'linked', link: link('emp-1', 1), origin: 'created' }],
      1,
    );
    snapshot.journal.end(old, endOf({ read: { entries: 5, inScope: 5 } }));
    const recent = runOnce(snapshot, 'applied', planOf([]));

    const deleted = snapshot.prune(morning - 90 * day, morning);

    expect(deleted).toBe(1);
    expect(snapshot.history.runs(10).map(({ id }) => id)).toEqual([recent]);
    expect(snapshot.history.operationsOf(externalId('emp-1'), 10)).toEqual([]);
    expect([...snapshot.store.links()]).toEqual([link('emp-1', 1)]);
    expect(snapshot.store.lastCompleteRead()).toEqual({ entries: 5, inScope: 5 });
    expect(snapshot.prune(morning - 90 * day, morning)).toBe(0);
  });

  test('spares, however old, what status and the next run still ask for', () => {
    const snapshot = open(snapshotPath());
    const at = morning - 100 * day;
    const good = runOnce(snapshot, 'applied', planOf([], { digest: 'g' }), allowed, at);
    runOnce(snapshot, 'partial', planOf([], { digest: 'p' }), allowed, at);
    const lost = snapshot.journal.start(startOf({ at }));
    const refusedRun = snapshot.journal.start(startOf({ at }));
    snapshot.journal.end(lost, endOf({ status: 'failed' }));
    snapshot.journal.planned(refusedRun, planOf([update('emp-1', 1)], { digest: 'r' }), refused, undefined, morning);
    snapshot.journal.end(refusedRun, endOf({ status: 'refused' }));
    const dying = snapshot.journal.start(startOf({ at }));
    snapshot.journal.planned(
      dying,
      planOf([update('emp-2', 2)], { digest: 'x' }),
      allowed,
      planOf([update('emp-2', 2)], { digest: 'x' }),
      morning,
    );
    snapshot.journal.intend(dying, update('emp-2', 2), at);
    snapshot.journal.end(dying, endOf({ status: 'partial' }));
    const last = runOnce(snapshot, 'failed', undefined, allowed, at);

    snapshot.prune(morning, morning);

    expect(snapshot.history.runs(10).map(({ id }) => id)).toEqual([last, dying, refusedRun, good]);
    expect(snapshot.store.unfinished()).toEqual([update('emp-2', 2)]);
  });
});
