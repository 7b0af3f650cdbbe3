/** What machines that watch are told: counts that never go back, and how things stand now. */
import { statSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Finding } from '../../src/domain/plan.ts';
import { migrations } from '../../src/store/migrations/index.ts';
import { openForWriting } from '../../src/store/open-for-writing.ts';
import type { Snapshot } from '../../src/store/snapshot.ts';
import { externalId, link, organization } from '../support/builders.ts';
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

const done = { state: 'done', requestId: 'RQ1' } as const;

/** One operation done, one refused by Twilio, one whose end nobody saw, one not tried. */
function mixedRun({ journal }: Snapshot, at: number): string {
  const plan = planOf([update('a', 1), update('b', 2), update('c', 3), update('d', 4)]);
  const [a, b, c] = plan.operations;
  const run = journal.start(startOf({ at }));
  journal.planned(run, plan, allowed, plan, at);
  if (a === undefined || b === undefined || c === undefined) throw new Error('the plan has four operations');
  journal.intend(run, a, at);
  journal.complete(run, a, done, [], at);
  journal.complete(run, b, { state: 'failed', code: 'twilio-rejected', message: 'no' }, [], at);
  journal.intend(run, c, at);
  journal.end(
    run,
    endOf({
      status: 'failed',
      at: at + 500,
      error: { code: 'twilio-unavailable', message: 'gone' },
      answers: { 'GET /scim/v2/Users': { '2xx': 1, throttled: 2 } },
    }),
  );
  return run;
}

describe('the totals', () => {
  test('count runs, errors, what operations came to, and requests', () => {
    const snapshot = open(snapshotPath());
    mixedRun(snapshot, morning);
    mixedRun(snapshot, morning + 1_000);

    expect(snapshot.standing().totals).toEqual({
      runs: { failed: 2 },
      errors: { 'twilio-unavailable': 2 },
      operations: { update: { done: 2, failed: 2, unknown: 2 } },
      requests: { 'GET /scim/v2/Users': { '2xx': 2, throttled: 4 } },
    });
  });

  test('stay when the snapshot is opened again, and when retention removes what they counted', () => {
    const path = snapshotPath();
    const first = open(path);
    const run = mixedRun(first, morning);
    mixedRun(first, morning + 1_000);
    const before = first.standing().totals;
    first.close();
    const second = open(path);
    // Whoever looked at what nobody had seen the end of lets it go.
    const check = second.journal.start(startOf({ at: morning + 2_000 }));
    second.journal.planned(check, planOf([]), allowed, planOf([]), morning + 2_000);
    second.journal.end(check, endOf({ status: 'converged', at: morning + 2_500 }));
    second.prune(morning + 1_500, morning + 3_000);

    const { totals } = second.standing();

    expect(second.history.run(run)).toBeUndefined();
    expect(totals).toEqual({ ...before, runs: { ...before.runs, converged: 1 } });
  });

  test('count a run that died, once, when the next one begins', () => {
    const { journal, standing } = open(snapshotPath());
    journal.start(startOf());
    const during = standing();
    const next = journal.start(startOf({ at: morning + 1_000 }));
    journal.end(next, endOf({ status: 'converged' }));

    expect([during.lastRun?.status, during.totals.runs]).toEqual(['running', {}]);
    expect(standing().totals.runs).toEqual({ interrupted: 1, converged: 1 });
  });

  test('do not count what a refused plan wanted', () => {
    const { journal, standing } = open(snapshotPath());
    const run = journal.start(startOf());
    journal.planned(run, planOf([update('a', 1)]), refused, undefined, morning);
    journal.end(run, endOf({ status: 'refused' }));

    expect(standing().totals).toMatchObject({ runs: { refused: 1 }, operations: {} });
  });

  test('of a snapshot of an earlier version begin with what its history still knows', () => {
    const path = snapshotPath();
    const snapshot = open(path);
    mixedRun(snapshot, morning);
    const { requests: _, ...known } = snapshot.standing().totals;
    snapshot.close();
    const { connection } = openForWriting(path, organization).database;
    connection.exec('DROP TABLE totals; ALTER TABLE last_complete_read DROP COLUMN duration_ms');
    connection.pragma(`user_version = ${migrations.findIndex(({ sql }) => sql.includes('CREATE TABLE totals'))}`);
    connection.close();

    expect(open(path).standing().totals).toEqual({ ...known, requests: {} });
  });
});

describe('how things stand', () => {
  test('is all nothing in a new snapshot, and where there is none', () => {
    const path = snapshotPath();
    const looking = open(path, 'read').standing();
    const made = open(path).standing();

    expect(looking).toMatchObject({ lastRun: undefined, lastGoodRunAt: undefined, managed: 0, snapshotBytes: 0 });
    expect({ ...made, snapshotBytes: 0 }).toEqual(looking);
  });

  test('tells findings by code, people who wait, and the last read of a good run', () => {
    const path = snapshotPath();
    const { journal, standing } = open(path);
    const findings: readonly Finding[] = [finding('a'), finding('b'), { ...finding('c'), code: 'parked' }];
    const plan = planOf([update('a', 1)], { findings });
    const [operation] = plan.operations;
    const run = journal.start(startOf());
    journal.planned(run, plan, allowed, plan, morning);
    if (operation === undefined) throw new Error('the plan has an operation');
    journal.complete(
      run,
      operation,
      done,
      [
        { effect: 'linked', link: link('a', 1), origin: 'created' },
        {
          effect: 'parked',
          parked: {
            externalId: externalId('z'),
            record: 'r',
            code: 'parked',
            message: 'no',
            since: morning,
            attempts: 1,
            retryAt: undefined,
          },
        },
      ],
      morning,
    );
    journal.end(
      run,
      endOf({ findings, read: { entries: 9, inScope: 5 }, readMs: 40, absences: new Map([[externalId('a'), 1]]) }),
    );

    expect(standing()).toMatchObject({
      lastRun: { status: 'applied', startedAt: morning, endedAt: morning + 60_000, error: undefined },
      lastGoodRunAt: morning + 60_000,
      planRefused: false,
      managed: 1,
      missing: 1,
      quarantined: 1,
      blocks: 0,
      breakerOpen: false,
      findings: { invalid: 2, parked: 1 },
      lastRead: { entries: 9, inScope: 5, durationMs: 40 },
    });
    expect(standing().snapshotBytes).toBeGreaterThanOrEqual(statSync(path).size);
  });

  test('says that a plan stands refused until a later one is let through', () => {
    const { journal, standing } = open(snapshotPath());
    const pass = (verdict: typeof allowed, at: number, plan = planOf([update('a', 1)])) => {
      const run = journal.start(startOf({ at }));
      journal.planned(run, plan, verdict, undefined, at);
      journal.end(run, endOf({ status: verdict.allowed ? 'converged' : 'refused', at: at + 1 }));
      return standing().planRefused;
    };
    const failed = (at: number) => {
      journal.end(journal.start(startOf({ at })), endOf({ status: 'failed', at: at + 1 }));
      return standing().planRefused;
    };

    expect([pass(refused, morning), failed(morning + 10), pass(allowed, morning + 20, planOf([]))]).toEqual([
      true,
      true,
      false,
    ]);
  });
});
